//! Which form of the database rpm is told to use: the macro `_db_backend` of
//! its configuration.

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};

use crate::{
    record::{Reader, Writer},
    text::lossy,
};

/// Files of macros.
pub(crate) struct Macros;

const NAME: &str = "rpm-macros";

impl Analyser for Macros {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[
            Interest::Below {
                dir: "usr/lib/rpm",
                name: "macros",
            },
            Interest::In {
                dir: "usr/lib/rpm/macros.d",
                suffix: "",
            },
            Interest::In {
                dir: "etc/rpm",
                suffix: "",
            },
        ]
    }

    fn wants(&self, path: &str) -> bool {
        place(path).is_some()
    }

    fn need(&self) -> Need {
        Need::Whole(4 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let text = lossy(&body)?;
        let mut out = Writer::default();
        if let Some(backend) = backend(&text) {
            out.push(&[backend]);
        }
        Ok(out.finish())
    }
}

/// The last definition of the macro in a file, if it is one word.
fn backend(text: &str) -> Option<&str> {
    let mut values = text.lines().rev().filter_map(|line| {
        let mut words = line.split_whitespace();
        let is_it = words.next() == Some("%_db_backend");
        is_it.then(|| words.next()).flatten()
    });
    values.next().filter(|value| !value.contains('%'))
}

/// In which order files are read; the last definition counts (rpm's macrofiles,
/// in rpmrc.c).
fn place(path: &str) -> Option<(u8, &str)> {
    let (dir, name) = path.rsplit_once('/')?;
    let place = match (dir, name) {
        ("usr/lib/rpm", "macros") => 0,
        ("usr/lib/rpm/macros.d", _) if name.starts_with("macros.") => 1,
        ("etc/rpm", "macros") => 4,
        ("etc/rpm", _) if name.starts_with("macros.") => 3,
        // Those of a distribution: `usr/lib/rpm/suse/macros`.
        (_, "macros") if dir.starts_with("usr/lib/rpm/") => 2,
        _ => return None,
    };
    Some((place, path))
}

/// The form that the configuration names.
pub(crate) fn configured(view: &View) -> Option<&str> {
    let files = view.of(NAME);
    let last = files.max_by_key(|evidence| place(&evidence.path))?;
    Some(Reader::new(&last.data).next()?.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_definition_of_the_last_file_counts() {
        assert_eq!(backend("#\n%_db_backend\t      sqlite\n"), Some("sqlite"));
        assert_eq!(
            backend("%_db_backend ndb\n%_db_backend bdb #\n"),
            Some("bdb")
        );
        assert_eq!(backend("%_db_backend %{other}\n%_db_backend_x a"), None);
        let mut files = [
            "etc/rpm/macros",
            "etc/rpm/macros.db",
            "usr/lib/rpm/macros",
            "usr/lib/rpm/suse/macros",
            "usr/lib/rpm/macros.d/macros.systemd",
        ];
        files.sort_by_key(|path| place(path));
        assert_eq!(
            files,
            [
                "usr/lib/rpm/macros",
                "usr/lib/rpm/macros.d/macros.systemd",
                "usr/lib/rpm/suse/macros",
                "etc/rpm/macros.db",
                "etc/rpm/macros",
            ]
        );
        assert_eq!(place("usr/lib/rpm/macros.d/README"), None);
    }
}
