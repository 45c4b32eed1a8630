//! Which distribution it is: os-release(5) and its relatives.

use std::collections::HashMap;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::Os;

use crate::text::{lossy, text};

/// The files that name a distribution, kept as they are.
pub(crate) struct ReleaseFiles;

const OS_RELEASE: [&str; 2] = ["etc/os-release", "usr/lib/os-release"];
const ALPINE: &str = "etc/alpine-release";
const DEBIAN: &str = "etc/debian_version";
/// `NAME release VERSION (…)`: older releases of the Red Hat family.
const RED_HAT: [&str; 7] = [
    "etc/almalinux-release",
    "etc/rocky-release",
    "etc/oracle-release",
    "etc/centos-release",
    "etc/fedora-release",
    "etc/redhat-release",
    "etc/system-release",
];
const SUSE: &str = "etc/SuSE-release";
const LSB: &str = "etc/lsb-release";
/// `NAME VERSION`, and variables below.
const NAMED: [&str; 3] = [
    "etc/photon-release",
    "etc/mariner-release",
    "etc/azurelinux-release",
];

impl Analyser for ReleaseFiles {
    fn name(&self) -> &'static str {
        "os-release"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Path(OS_RELEASE[0]),
            Interest::Path(OS_RELEASE[1]),
            Interest::Path(ALPINE),
            Interest::Path(DEBIAN),
            Interest::Path(RED_HAT[0]),
            Interest::Path(RED_HAT[1]),
            Interest::Path(RED_HAT[2]),
            Interest::Path(RED_HAT[3]),
            Interest::Path(RED_HAT[4]),
            Interest::Path(RED_HAT[5]),
            Interest::Path(RED_HAT[6]),
            Interest::Path(SUSE),
            Interest::Path(LSB),
            Interest::Path(NAMED[0]),
            Interest::Path(NAMED[1]),
            Interest::Path(NAMED[2]),
        ]
    }

    fn need(&self) -> Need {
        Need::Whole(1 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(Some(lossy(&body)?.into_owned().into_bytes()))
    }
}

/// The distribution of the finished image.
pub(crate) fn read(view: &View) -> Option<Os> {
    let content = |path: &str| {
        view.at("os-release", path)
            .map(|evidence| text(&evidence.data))
    };
    let mut os = OS_RELEASE
        .iter()
        .filter_map(|path| content(path))
        .find_map(os_release);
    if let Some(os) = &mut os {
        let release = |path: &str| content(path).map(str::trim).filter(|text| !text.is_empty());
        match os.id.as_str() {
            // Its os-release may lag behind the packages of a point release.
            "alpine" => {
                if let Some(version) = release(ALPINE) {
                    version.clone_into(&mut os.version);
                }
            }
            // Testing and unstable have no VERSION_ID: `trixie/sid`.
            "debian" if os.version.is_empty() => {
                if let Some(name) = release(DEBIAN).and_then(|name| name.split('/').next()) {
                    os.codename.get_or_insert_with(|| name.to_owned());
                }
            }
            _ => {}
        }
    }
    os.or_else(|| {
        let alpine = content(ALPINE).map(|version| plain("alpine", "Alpine Linux", version));
        let red_hat = || {
            RED_HAT
                .iter()
                .filter_map(|path| content(path))
                .find_map(red_hat)
        };
        let named = || {
            NAMED
                .iter()
                .filter_map(|path| content(path))
                .find_map(named)
        };
        let suse = || content(SUSE).and_then(suse);
        let lsb = || content(LSB).and_then(lsb_release);
        let debian = || content(DEBIAN).map(debian_version);
        alpine
            .or_else(red_hat)
            .or_else(named)
            .or_else(suse)
            .or_else(lsb)
            .or_else(debian)
    })
}

fn plain(id: &str, name: &str, version: &str) -> Os {
    let version = version.trim();
    Os {
        id: id.to_owned(),
        version: version.to_owned(),
        name: format!("{name} {version}").trim().to_owned(),
        codename: None,
        like: Vec::new(),
    }
}

/// os-release(5): `NAME=value` with the shell's quoting.
fn os_release(body: &str) -> Option<Os> {
    let values = assignments(body);
    let get = |name: &str| values.get(name).cloned().filter(|value| !value.is_empty());
    // In lower case by the book; openEuler writes it as its name.
    let id = get("ID")?;
    let version = get("VERSION_ID").unwrap_or_default();
    let name = get("PRETTY_NAME").unwrap_or_else(|| {
        let name = get("NAME").unwrap_or_else(|| id.clone());
        format!("{name} {version}").trim().to_owned()
    });
    Some(Os {
        codename: get("VERSION_CODENAME"),
        like: get("ID_LIKE")
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        id,
        version,
        name,
    })
}

fn assignments(body: &str) -> HashMap<&str, String> {
    body.trim_start_matches('\u{FEFF}')
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), word(value)))
        .collect()
}

/// The first word of the shell's language in `text`, with its quotes removed
/// (POSIX, Shell Command Language, 2.2).
fn word(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut quote = None;
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, _) if letter.is_whitespace() || letter == ';' => break,
            (None, '\\') => out.extend(letters.next()),
            // Within double quotes a backslash stands for itself but before
            // what would be special there.
            (Some('"'), '\\') => match letters.next_if(|next| "$`\"\\".contains(*next)) {
                Some(next) => out.push(next),
                None => out.push('\\'),
            },
            _ => out.push(letter),
        }
    }
    out
}

/// `AlmaLinux release 8.4 (Electric Cheetah)`.
fn red_hat(body: &str) -> Option<Os> {
    let line = body.lines().next()?.trim();
    let (name, rest) = line.split_once(" release ")?;
    let version = rest.split_whitespace().next().unwrap_or_default();
    let lower = name.to_lowercase();
    let ids = [
        ("almalinux", "almalinux"),
        ("rocky", "rocky"),
        ("oracle", "ol"),
        ("centos", "centos"),
        ("fedora", "fedora"),
        ("amazon", "amzn"),
        ("red hat", "rhel"),
        ("mageia", "mageia"),
    ];
    let (_, id) = ids.into_iter().find(|(sign, _)| lower.contains(sign))?;
    Some(Os {
        name: line.to_owned(),
        ..plain(id, name, version)
    })
}

/// `VMware Photon Linux 1.0`, `CBL-Mariner 2.0.20220226`, `Azure Linux 3.0`.
fn named(body: &str) -> Option<Os> {
    let line = body.lines().next()?.trim();
    let (name, version) = line.rsplit_once(' ')?;
    let lower = name.to_lowercase();
    let ids = [
        ("photon", "photon"),
        ("mariner", "mariner"),
        ("azure", "azurelinux"),
    ];
    let (_, id) = ids.into_iter().find(|(sign, _)| lower.contains(sign))?;
    // `VERSION_ID` is `2.0` where this says `2.0.20220226`.
    let end = version
        .match_indices('.')
        .nth(1)
        .map_or(version.len(), |(at, _)| at);
    Some(Os {
        name: line.to_owned(),
        ..plain(id, name, version.get(..end).unwrap_or(version))
    })
}

/// `VERSION = 11` and `PATCHLEVEL = 4`.
fn suse(body: &str) -> Option<Os> {
    let name = body.lines().next()?.trim();
    let value = |wanted: &str| {
        let mut lines = body.lines().filter_map(|line| line.split_once('='));
        lines
            .find(|(name, _)| name.trim() == wanted)
            .map(|(_, value)| value.trim())
    };
    let version = match (value("VERSION")?, value("PATCHLEVEL")) {
        (version, Some(level)) if level != "0" => format!("{version}.{level}"),
        (version, _) => version.to_owned(),
    };
    let id = if name.to_lowercase().contains("opensuse") {
        "opensuse"
    } else {
        "sles"
    };
    Some(Os {
        name: name.to_owned(),
        ..plain(id, name, &version)
    })
}

fn lsb_release(body: &str) -> Option<Os> {
    let values = assignments(body);
    let id = values.get("DISTRIB_ID")?.to_lowercase();
    let version = values
        .get("DISTRIB_RELEASE")
        .map(String::as_str)
        .unwrap_or_default();
    let mut os = plain(&id, &id, version);
    if let Some(name) = values.get("DISTRIB_DESCRIPTION") {
        name.clone_into(&mut os.name);
    }
    os.codename = values.get("DISTRIB_CODENAME").cloned();
    Some(os)
}

/// `12.5`, or `trixie/sid`.
fn debian_version(body: &str) -> Os {
    let text = body.trim();
    if text.starts_with(|letter: char| letter.is_ascii_digit()) {
        let major = text.split('.').next().unwrap_or(text);
        return Os {
            name: format!("Debian GNU/Linux {text}"),
            ..plain("debian", "", major)
        };
    }
    let codename = text.split('/').next().unwrap_or(text);
    Os {
        codename: Some(codename.to_owned()),
        name: format!("Debian GNU/Linux {text}"),
        ..plain("debian", "", "")
    }
}

/// Parses an os-release file: for tests with hostile input. The id found.
pub fn os_release_id(body: &[u8]) -> Option<String> {
    os_release(&String::from_utf8_lossy(body)).map(|os| os.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_the_shells() {
        let os = os_release(
            "# c\nNAME='A B'\nID=\"debian\"\nVERSION_ID=\"12\"\nPRETTY_NAME=\"D \\\"x\\\" 12\"\n\
             VERSION_CODENAME=bookworm\nID_LIKE=\"a b\"\n",
        )
        .unwrap();
        assert_eq!((os.id.as_str(), os.version.as_str()), ("debian", "12"));
        assert_eq!(os.name, "D \"x\" 12");
        assert_eq!(os.like, ["a", "b"]);
        assert!(os_release("NAME=x").is_none());
    }

    #[test]
    fn words_are_the_shells() {
        for value in [
            "debian",
            r#""a b" c"#,
            r#"'a\b' # not"#,
            r#""x\y \"z\" \$HOME \`id\` \\ end""#,
            r"a\ b",
            r#"a"b c"'d e'f"#,
            "",
            r#""""#,
            "3.10;true",
            r#""Ünï""#,
        ] {
            let script = format!("A={value}\nprintf %s \"$A\"");
            let script = match value.contains(r#""a b" c"#) {
                // The shell would run `c` with the variable set.
                true => r#"A="a b"; printf %s "$A""#.to_owned(),
                false => script,
            };
            let said = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(
                word(value),
                String::from_utf8(said.stdout).unwrap(),
                "{value}"
            );
        }
    }

    #[test]
    fn relatives_of_os_release() {
        let alma = red_hat("AlmaLinux release 8.4 (Electric Cheetah)\n").unwrap();
        assert_eq!(
            (alma.id.as_str(), alma.version.as_str()),
            ("almalinux", "8.4")
        );
        let centos = red_hat("CentOS release 6.10 (Final)").unwrap();
        assert_eq!(
            (centos.id.as_str(), centos.version.as_str()),
            ("centos", "6.10")
        );
        assert_eq!(debian_version("12.5\n").version, "12");
        assert_eq!(
            debian_version("trixie/sid").codename.as_deref(),
            Some("trixie")
        );
        let photon = named("VMware Photon Linux 1.0\nPHOTON_BUILD_NUMBER=62c543d\n").unwrap();
        assert_eq!(
            (photon.id.as_str(), photon.version.as_str()),
            ("photon", "1.0")
        );
        let mariner = named("CBL-Mariner 2.0.20220226\nMARINER_BUILD_NUMBER=1\n").unwrap();
        assert_eq!(
            (mariner.id.as_str(), mariner.version.as_str()),
            ("mariner", "2.0")
        );
        let sles = suse("SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n");
        assert_eq!(sles.unwrap().version, "11.4");
    }
}
