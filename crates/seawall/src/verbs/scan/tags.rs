//! `seawall scan registry:HOST/REPOSITORY --all-tags`

use std::{
    cmp::Ordering,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering as Atomic},
    },
    thread,
};

use anyhow::{Context, Result};
use clap::Args;
use seawall_image::{Digest, Registries};
use seawall_registry::{Reference, Repository};
use seawall_scan::{InspectError, Inspected, Place, Scheme};

use super::look::With;
use crate::{cli::boolish, errors::hinted, printer::Printer};

/// Tags that are asked for at one time: small questions.
const ASKED_AT_ONCE: usize = 8;
/// Tags that may end in a broken connection one after the other, before the
/// rest is left.
const LOST: usize = 3;
/// Images that are read at one time. Each reads several layers at once; one
/// more fills the pauses.
const READ_AT_ONCE: usize = 3;

/// Which images of a repository.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "All images of a repository")]
pub(crate) struct Tags {
    /// Scan every tag of the repository, as in `seawall scan --all-tags registry:HOST/REPOSITORY`.
    /// Tags of one image are scanned once; layers that images share are fetched once.
    #[arg(long, env = "SEAWALL_ALL_TAGS", value_parser = boolish())]
    pub(crate) all_tags: bool,
    /// Of all tags only those that match one of these patterns, with `*` and `?`.
    #[arg(
        long,
        value_name = "PATTERN",
        value_delimiter = ',',
        requires = "all_tags",
        env = "SEAWALL_TAGS"
    )]
    pub(crate) tags: Vec<String>,
    /// At most so many tags: the highest, by the numbers in them.
    #[arg(
        long,
        value_name = "NUMBER",
        requires = "all_tags",
        env = "SEAWALL_MAX_TAGS"
    )]
    pub(crate) max_tags: Option<usize>,
}

/// One image and all tags that stand for it.
struct Tagged {
    digest: Digest,
    tags: Vec<String>,
}

/// Looks at all images of a repository.
pub(super) fn look(
    text: &str,
    asked: &Tags,
    with: &With<'_>,
    printer: &Printer,
) -> Result<Vec<Result<Inspected>>> {
    let place = seawall_scan::recognise(text)?;
    let usage = || {
        hinted(
            format!("`{text}` is no repository of a registry"),
            "`--all-tags` takes a repository without tag and digest, as in \
             `registry:ghcr.io/shop/web`",
        )
    };
    if !matches!(place.scheme, Scheme::Registry | Scheme::Image) {
        return Err(usage());
    }
    let reference: Reference = place.value.parse()?;
    if reference.tag().is_some() || reference.digest().is_some() {
        return Err(usage());
    }
    let registries = with.registries.as_ref().ok_or_else(|| {
        hinted(
            format!("`{text}` is in a registry, and `--offline` forbids to ask it"),
            "leave out `--offline`",
        )
    })?;
    let repository = reference.repository();
    let mut tags = registries.client().tags(repository)?;
    let number = tags.len();
    tags.retain(|tag| {
        asked.tags.is_empty()
            || asked
                .tags
                .iter()
                .any(|one| fits(one.as_bytes(), tag.as_bytes()))
    });
    tags.sort_by(|a, b| by_numbers(b, a));
    tags.dedup();
    tags.truncate(asked.max_tags.unwrap_or(usize::MAX));
    if tags.is_empty() {
        let text = format!("none of the {number} tags of `{repository}` is asked for");
        return Err(hinted(text, "see `--tags` and `--max-tags`"));
    }
    printer.detail(&format!(
        "{} of {number} tags of `{repository}`",
        tags.len()
    ));
    let (images, mut results) = resolve(repository, &tags, registries, with);
    with.tell();
    let bar = printer.bars().bytes(text);
    let done = AtomicUsize::new(0);
    let read = side_by_side(&images, READ_AT_ONCE, |image| {
        let first = image.tags.first().map_or("", String::as_str);
        let name = format!("{repository}:{first}");
        let value = repository.at(image.digest).to_string();
        let place = Place {
            scheme: Scheme::Registry,
            value,
        };
        let result = with.look(&place, &name, &bar);
        let count = done.fetch_add(1, Atomic::Relaxed) + 1;
        let how = if result.is_ok() { "read" } else { "not read" };
        let progress = format!("{count} of {} images: `{name}` {how}", images.len());
        bar.show(&progress, 0);
        printer.detail(&progress);
        result
    });
    let mut others = Vec::new();
    for (image, result) in images.into_iter().zip(read) {
        match result {
            Ok(inspected) => add(&mut results, named(inspected, repository, image.tags)),
            Err(error) if is_artifact(&error) => others.extend(image.tags),
            Err(error) => {
                let tags = image.tags.join("`, `");
                let text = format!("cannot scan `{repository}`, tagged `{tags}`");
                results.push(Err(error).context(text));
            }
        }
    }
    if results.is_empty() {
        return Err(hinted(
            format!(
                "no tag of `{repository}` stands for an image, but for what lies beside images: \
                 `{}`",
                others.join("`, `")
            ),
            "name a repository of images",
        ));
    }
    if !others.is_empty() {
        printer.note(&format!(
            "{} of `{repository}` stand for no images but for what lies beside them: `{}`",
            match others.len() {
                1 => "1 tag".to_owned(),
                many => format!("{many} tags"),
            },
            others.join("`, `")
        ));
    }
    Ok(results)
}

/// The images that tags stand for, in the order of the tags, and the tags whose
/// image nobody can tell.
fn resolve(
    repository: &Repository,
    tags: &[String],
    registries: &Arc<Registries>,
    with: &With<'_>,
) -> (Vec<Tagged>, Vec<Result<Inspected>>) {
    let lost = AtomicUsize::new(0);
    let digests = side_by_side(tags, ASKED_AT_ONCE, |tag| -> Result<Option<Digest>> {
        if lost.load(Atomic::Relaxed) >= LOST {
            return Ok(None);
        }
        let resolved = registries.resolve(&repository.tagged(tag)?, with.cache.as_ref());
        match &resolved {
            Err(seawall_image::Error::Registry(error)) if error.is_unreachable() => {
                lost.fetch_add(1, Atomic::Relaxed);
            }
            _ => lost.store(0, Atomic::Relaxed),
        }
        Ok(Some(resolved?))
    });
    let mut left = Vec::new();
    let mut images: Vec<Tagged> = Vec::new();
    let mut at: HashMap<Digest, usize> = HashMap::new();
    let mut failures = Vec::new();
    for (tag, digest) in tags.iter().zip(digests) {
        match digest {
            Ok(None) => left.push(tag.as_str()),
            Ok(Some(digest)) => {
                let index = *at.entry(digest).or_insert(images.len());
                match images.get_mut(index) {
                    Some(image) => image.tags.push(tag.clone()),
                    None => images.push(Tagged {
                        digest,
                        tags: vec![tag.clone()],
                    }),
                }
            }
            Err(error) => {
                failures.push(Err(error).context(format!("cannot scan `{repository}:{tag}`")));
            }
        }
    }
    if !left.is_empty() {
        failures.push(Err(hinted(
            format!(
                "the registry of `{repository}` does not answer any more, so these tags are not \
                 looked at: `{}`",
                left.join("`, `")
            ),
            "check that the registry can be reached from here",
        )));
    }
    (images, failures)
}

/// The image under the names that its tags give it.
fn named(mut inspected: Inspected, repository: &Repository, tags: Vec<String>) -> Inspected {
    let names = tags.iter().map(|tag| format!("{repository}:{tag}"));
    inspected.identity.names.extend(names);
    inspected.identity.names.sort();
    inspected.identity.names.dedup();
    if let Some(first) = tags.first() {
        inspected.target.name = format!("{repository}:{first}");
    }
    inspected.target.tags = tags;
    inspected
}

/// Adds an image; one that is there already, chosen from another index, gets
/// the new one's tags.
fn add(results: &mut Vec<Result<Inspected>>, new: Inspected) {
    let same = results
        .iter_mut()
        .flatten()
        .find(|one| one.target.manifest.is_some() && one.target.manifest == new.target.manifest);
    match same {
        Some(one) => {
            one.target.tags.extend(new.target.tags);
            one.identity.names.extend(new.identity.names);
            one.identity.names.sort();
            one.identity.names.dedup();
        }
        None => results.push(Ok(new)),
    }
}

fn is_artifact(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<InspectError>();
    matches!(
        error,
        Some(InspectError::Image(seawall_image::Error::Artifact { .. }))
    )
}

/// Does `work` for all, so many at one time; the results are in their order.
fn side_by_side<T: Sync, R: Send>(
    all: &[T],
    at_once: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::default();
    let run = || {
        loop {
            let index = next.fetch_add(1, Atomic::Relaxed);
            let Some(one) = all.get(index) else { return };
            let result = work(one);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((index, result));
        }
    };
    thread::scope(|scope| {
        for _ in 1..at_once.min(all.len()) {
            scope.spawn(run);
        }
        run();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Whether `text` is as `pattern` says, in which `*` stands for anything and
/// `?` for one letter.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where the last star stands, and from where its rest was tried.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(letter) if *letter == b'?' || Some(letter) == text.get(from) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((place, tried)) => {
                    star = Some((place, tried + 1));
                    (at, from) = (place + 1, tried + 1);
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|letter| *letter == b'*')
}

/// Order of tags, numbers in them by their values: `1.9` before `1.10`.
fn by_numbers(a: &str, b: &str) -> Ordering {
    let mut parts = (parts(a), parts(b));
    loop {
        let order = match (parts.0.next(), parts.1.next()) {
            (None, None) => return a.cmp(b),
            (None, _) => Ordering::Less,
            (_, None) => Ordering::Greater,
            (Some(a), Some(b)) => {
                let digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
                match (digits(a), digits(b)) {
                    (true, true) => {
                        let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
                        a.len().cmp(&b.len()).then_with(|| a.cmp(b))
                    }
                    (a_is, b_is) => a_is.cmp(&b_is).then_with(|| a.cmp(b)),
                }
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Runs of digits, and what stands between them.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut left = text;
    std::iter::from_fn(move || {
        let is_digit = left.chars().next()?.is_ascii_digit();
        let end = left.find(|c: char| c.is_ascii_digit() != is_digit);
        let (part, rest) = left.split_at_checked(end.unwrap_or(left.len()))?;
        left = rest;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_tags() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("1.*", "1.20", true),
            ("1.*", "21.20", false),
            ("*-slim", "3.1-slim", true),
            ("*-slim", "3.1-slim-x", false),
            ("v?.?", "v1.2", true),
            ("v?.?", "v1.20", false),
            ("*a*b*c", "xaybzbc", true),
            ("", "a", false),
        ] {
            assert_eq!(
                fits(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn tags_are_ordered_by_their_numbers() {
        let mut tags = [
            "latest", "1.10", "v2", "1.9", "1.9-rc1", "1.09", "20240101", "v10",
        ];
        tags.sort_by(|a, b| by_numbers(b, a));
        assert_eq!(
            tags,
            [
                "20240101", "1.10", "1.9-rc1", "1.9", "1.09", "v10", "v2", "latest"
            ]
        );
    }
}
