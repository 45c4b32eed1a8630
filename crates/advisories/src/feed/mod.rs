//! Feeds of distributions beyond OSV: one file in `src/feeds` each, which the
//! build script finds.
//!
//! A feed names its files, reads each into records of the same form as OSV's,
//! and says what it leaves out. Its records make shards of their own, beside
//! those of OSV's dump (`Debian:12@debian-tracker` beside `Debian:12`), so that
//! each can be brought up to date without the other. The matcher asks both:
//! where a feed speaks of a flaw of a package, it alone decides.

mod collect;
pub(crate) mod csaf;
pub(crate) mod json;
mod layout;
mod metered;
pub(crate) mod oval;
mod packed;
pub(crate) mod secdb;
pub(crate) mod tar;
pub(crate) mod update;
pub(crate) mod xml;

pub(crate) use collect::Collector;
pub(crate) use layout::{Input, Layout};

mod found {
    include!(concat!(env!("OUT_DIR"), "/feeds.rs"));
}

/// One publisher's feed.
pub(crate) struct Feed {
    /// What a user calls it: `debian-tracker`.
    pub(crate) name: &'static str,
    /// The ecosystems it speaks of, as OSV writes them, without releases.
    pub(crate) ecosystems: &'static [&'static str],
    /// Whether OSV's dumps have these ecosystems too. The others depend on the
    /// feed alone.
    pub(crate) beside_osv: bool,
    /// Where the publisher has it; the names of its files go behind a slash.
    pub(crate) address: &'static str,
    /// What no record of it says, a line each.
    pub(crate) leaves_out: &'static [&'static str],
    /// The files to read, by their names below the address or the folder.
    pub(crate) files: fn(&Layout<'_>) -> Result<Vec<String>, String>,
    /// Reads one of them. A record that cannot be read is told to
    /// [`Collector::refuse`]; an error says that the file is not whole, and
    /// what was known of the feed stays.
    pub(crate) read: fn(Input, &mut Collector) -> Result<(), String>,
}

/// Every feed, sorted by name of its file.
pub(crate) fn all() -> &'static [&'static Feed] {
    found::ALL
}

pub(crate) fn by_name(name: &str) -> Option<&'static Feed> {
    all().iter().copied().find(|feed| feed.name == name)
}

/// Between the name of a shard and that of its feed.
const MARK: char = '@';

/// The feed that a shard is made of; `None` when it is OSV's.
pub(crate) fn of_shard(shard: &str) -> Option<&str> {
    shard.split_once(MARK).map(|(_, feed)| feed)
}

/// The name of a shard without its feed.
pub(crate) fn release(shard: &str) -> &str {
    shard.split(MARK).next().unwrap_or(shard)
}

/// The name of a feed's shard.
fn shard(release: &str, feed: &Feed) -> String {
    format!("{release}{MARK}{}", feed.name)
}

/// What is known of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedInfo {
    /// What `--feed` calls it.
    pub name: &'static str,
    /// The ecosystems it speaks of, without releases.
    pub ecosystems: &'static [&'static str],
    /// Whether OSV's dumps have these ecosystems too.
    pub beside_osv: bool,
    /// The publisher's address.
    pub address: &'static str,
    /// What no record of it says, a line each.
    pub leaves_out: &'static [&'static str],
}

/// Every feed, sorted by name.
pub fn feeds() -> Vec<FeedInfo> {
    let mut feeds: Vec<FeedInfo> = all()
        .iter()
        .map(|feed| FeedInfo {
            name: feed.name,
            ecosystems: feed.ecosystems,
            beside_osv: feed.beside_osv,
            address: feed.address,
            leaves_out: feed.leaves_out,
        })
        .collect();
    feeds.sort_by_key(|feed| feed.name);
    feeds
}

/// The beginning of a description, for a line: to its first full stop, or as
/// many words as find room.
pub(crate) fn summary(description: &str) -> String {
    const ROOM: usize = 200;
    let words = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = words
        .split_once(". ")
        .map_or(words.as_str(), |(one, _)| one);
    let sentence = sentence.trim_end_matches('.');
    if sentence.chars().count() <= ROOM {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(ROOM).collect();
    let whole = cut
        .rsplit_once(' ')
        .map_or(cut.as_str(), |(whole, _)| whole);
    format!("{whole} …")
}

/// The addresses that a page of a folder leads to, as written, without those
/// outside of it.
pub(crate) fn links(page: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(page);
    let targets = text.split("href=").skip(1).filter_map(|rest| {
        let quote = rest
            .chars()
            .next()
            .filter(|first| matches!(first, '"' | '\''))?;
        let (target, _) = rest.strip_prefix(quote)?.split_once(quote)?;
        let target = target.strip_prefix("./").unwrap_or(target);
        let is_below = !target.starts_with(['/', '.', '?', '#']) && !target.contains("..");
        (is_below && !target.contains(':')).then(|| target.to_owned())
    });
    let mut links: Vec<String> = targets.collect();
    links.sort();
    links.dedup();
    links
}

/// Whether an ecosystem (without a release) is served by a feed and not by OSV.
pub(crate) fn is_alone(ecosystem: &str) -> bool {
    all()
        .iter()
        .any(|feed| !feed.beside_osv && feed.ecosystems.contains(&ecosystem))
}

/// Reads `bytes` as a file of every feed; how many of these it could be. For
/// tests with hostile input.
pub(crate) fn read_all(bytes: &[u8]) -> usize {
    // Some feeds tell by the name what a file is.
    const NAMES: &[&str] = &["v3.20/main.json", "vex-all.tar", "CVE-2024-1234.zip"];
    let one = |feed: &'static Feed, name: &str| {
        let mut collector = Collector::new(feed);
        let input = Input::of_bytes(name, bytes);
        input.is_ok_and(|input| (feed.read)(input, &mut collector).is_ok())
    };
    let read = all()
        .iter()
        .flat_map(|feed| NAMES.iter().map(|name| one(feed, name)));
    read.filter(|is_read| *is_read).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_feeds_are_unique_and_their_ecosystems_known() {
        let feeds = feeds();
        assert!(feeds.windows(2).all(|two| two[0].name < two[1].name));
        for feed in feeds {
            assert!(
                feed.name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{}",
                feed.name
            );
            assert!(feed.address.starts_with("https://"), "{}", feed.name);
            for ecosystem in feed.ecosystems {
                assert!(
                    crate::distros::all()
                        .iter()
                        .any(|distro| distro.ecosystem == Some(ecosystem)),
                    "{ecosystem}"
                );
            }
        }
    }

    #[test]
    fn a_summary_is_a_line() {
        assert_eq!(summary("One\n two. Three."), "One two");
        assert_eq!(summary("In 1.2 it fails."), "In 1.2 it fails");
        let long = summary(&"wörd ".repeat(100));
        assert!(long.ends_with("wörd …") && long.chars().count() <= 202);
        assert_eq!(summary(""), "");
    }

    #[test]
    fn shards_bear_the_names_of_their_feeds() {
        assert_eq!(of_shard("Debian:12@debian-tracker"), Some("debian-tracker"));
        assert_eq!(release("Debian:12@debian-tracker"), "Debian:12");
        assert_eq!((of_shard("Wolfi"), release("Wolfi")), (None, "Wolfi"));
    }
}
