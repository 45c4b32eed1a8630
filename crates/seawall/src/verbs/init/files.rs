//! What is written into a project's folder.

use std::{fs, io, path::Path};

use anyhow::{Context, Result};

use super::folder::Folder;
use crate::{
    errors::hinted,
    save::{save, save_new},
};

/// What GitLab's pipeline includes.
pub(super) const GITLAB: &str = ".gitlab/seawall.yml";

/// A file to write.
pub(super) struct File {
    /// Its path in the folder.
    pub(super) path: &'static str,
    text: String,
}

/// What became of a file.
pub(super) enum Written {
    /// It was not there.
    New,
    /// It was there, and is another now.
    Over,
    /// It was there with the same text.
    Same,
    /// It was there, and is what it was.
    Kept,
}

impl File {
    /// Writes it, over one that is there only when `force` says so.
    pub(super) fn write(&self, folder: &Folder, force: bool) -> Result<Written> {
        let path = folder.path.join(self.path);
        let cannot = || format!("cannot write `{}`", self.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(cannot)?;
            let real = fs::canonicalize(parent).with_context(cannot)?;
            if !real.starts_with(&folder.path) {
                return Err(hinted(
                    format!("`{}` leads out of the folder", self.path),
                    "a folder on the way to it is a link: make it one of its own",
                ));
            }
        }
        match save_new(&path, self.text.as_bytes()) {
            Ok(()) => return Ok(Written::New),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(cannot),
        }
        if is_text(&path, &self.text) {
            return Ok(Written::Same);
        }
        if !force {
            return Ok(Written::Kept);
        }
        save(&path, self.text.as_bytes()).with_context(cannot)?;
        Ok(Written::Over)
    }
}

fn is_text(path: &Path, text: &str) -> bool {
    let length = u64::try_from(text.len()).ok();
    let is_long = fs::metadata(path).is_ok_and(|one| one.is_file() && Some(one.len()) == length);
    is_long && fs::read(path).is_ok_and(|bytes| bytes == text.as_bytes())
}

/// What stands for the blanks of a template; the first holds none of its own.
fn blanks(folder: &Folder) -> [(&'static str, &str); 6] {
    let install = include_str!("../../../templates/github-install.yml");
    [
        ("@INSTALL_GITHUB@\n", install),
        ("@VERSION@", env!("CARGO_PKG_VERSION")),
        ("@REPOSITORY@", env!("CARGO_PKG_REPOSITORY")),
        ("@SELF@", GITLAB),
        (
            "@DOCKERFILE@",
            folder.dockerfile.as_deref().unwrap_or_default(),
        ),
        ("@BRANCH@", &folder.branch),
    ]
}

/// A template with its blanks filled.
fn filled(template: &str, folder: &Folder) -> String {
    let blanks = blanks(folder).into_iter();
    blanks.fold(template.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    })
}

/// `seawall.toml`: every setting, as a comment.
pub(super) fn settings(folder: &Folder) -> File {
    let mut hints = String::new();
    if let Some(dockerfile) = &folder.dockerfile {
        hints += &format!(
            "#\n# There is a {dockerfile}: with `seawall scan --dockerfile {dockerfile} IMAGE` findings in the\n\
             # image that it builds name the line to change.\n"
        );
    }
    if let Some(vex) = folder.vex {
        hints += &format!(
            "#\n# There is a folder {vex}: `vex = [\"{vex}/\"]` has its statements counted.\n"
        );
    }
    let template = include_str!("../../../templates/seawall.toml");
    File {
        path: "seawall.toml",
        text: filled(template, folder).replace("@HINTS@\n", &format!("{hints}\n")),
    }
}

/// A workflow of GitHub's.
pub(super) fn github(folder: &Folder) -> File {
    let mut text = include_str!("../../../templates/github.yml").to_owned();
    if folder.dockerfile.is_some() {
        text += include_str!("../../../templates/github-image.yml");
    }
    File {
        path: ".github/workflows/seawall.yml",
        text: filled(&text, folder),
    }
}

/// A job of GitLab's, and a pipeline that takes it up where there is none.
pub(super) fn gitlab(folder: &Folder) -> Vec<File> {
    let mut text = include_str!("../../../templates/gitlab.yml").to_owned();
    if folder.dockerfile.is_some() {
        text += include_str!("../../../templates/gitlab-image.yml");
    }
    let mut files = vec![File {
        path: GITLAB,
        text: filled(&text, folder),
    }];
    // A pipeline that is there is the user's own, and never ours to write over.
    if !folder.has_gitlab {
        files.push(File {
            path: ".gitlab-ci.yml",
            text: format!("include:\n  - local: {GITLAB}\n"),
        });
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{self, Update};

    fn folder(dockerfile: Option<&str>) -> Folder {
        Folder {
            path: "/".into(),
            dockerfile: dockerfile.map(str::to_owned),
            vex: Some("vex"),
            branch: "main".to_owned(),
            has_github: false,
            has_gitlab: false,
            includes_gitlab: false,
        }
    }

    /// Settings are commented out by a `#` without a blank behind it.
    fn commented_in(text: &str) -> String {
        let lines = text.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting,
            _ => line,
        });
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn as_written_it_changes_nothing() {
        let text = settings(&folder(Some("Dockerfile"))).text;
        let read = settings::parse(&text, "seawall.toml").unwrap();
        assert_eq!(
            format!("{read:?}"),
            format!("{:?}", settings::File::default())
        );
    }

    #[test]
    fn every_setting_is_there_and_no_other() {
        let text = commented_in(&settings(&folder(None)).text);
        // The real reader takes all of it.
        settings::parse(&text, "seawall.toml").unwrap();
        // And names what it takes, when it is asked for something else.
        let asked = [
            ("", ""),
            ("[scan]\n", "[scan]"),
            ("[database]\n", "[database]"),
            ("[cache]\n", "[cache]"),
            ("[licenses]\n", "[licenses]"),
            (
                "[[licenses.exception]]\npackage = \"x\"\n",
                "[[licenses.exception]]",
            ),
            ("[registries]\n", "[registries]"),
            ("[[registry]]\nhost = \"x\"\n", "[[registry]]"),
            ("[[ignore]]\nrule = \"x\"\n", "[[ignore]]"),
        ];
        for (before, table) in asked {
            let text_asked = format!("{before}nonsense = 1\n");
            let said = settings::parse(&text_asked, "x.toml")
                .unwrap_err()
                .to_string();
            let (_, known) = said.split_once("here, only `").unwrap();
            let known = known.trim_end_matches('`').split("`, `");
            let mut own = text.as_str();
            if !table.is_empty() {
                own = own.split_once(&format!("\n{table}\n")).unwrap().1;
                own = own.split("\n[").next().unwrap();
            }
            let mut count = 0;
            for name in known {
                count += 1;
                // A table that nobody asks for here would go unseen.
                let headers = [format!("[{name}]"), format!("[[{name}]]")];
                assert!(
                    !table.is_empty()
                        || name == "vex"
                        || asked
                            .iter()
                            .any(|(_, own)| headers.contains(&(*own).to_owned())),
                    "`{name}` is not asked for"
                );
                let is_of = |line: &str| {
                    line.starts_with(&format!("{name} = "))
                        || (table.is_empty() && line.starts_with(&format!("[{name}]")))
                        || (table.is_empty() && line.starts_with(&format!("[[{name}]]")))
                        || text.contains(&format!("\n[[licenses.{name}]]\n"))
                };
                assert!(own.lines().any(is_of), "{table} has no `{name}`");
            }
            assert!(count > 0, "{said}");
        }
    }

    #[test]
    fn what_is_called_a_default_is_one() {
        let text = commented_in(&settings(&folder(None)).text);
        let read = settings::parse(&text, "seawall.toml").unwrap();
        assert_eq!(read.format.as_deref(), Some("table"));
        assert_eq!(read.severity.as_deref(), Some("low"));
        for flag in [read.ignore_unfixed, read.allow_gaps, read.offline] {
            assert_eq!(flag, Some(false));
        }
        assert_eq!(read.database.update, Some(Update::Auto));
        assert_eq!(read.database.max_age, Some(crate::database::MAX_AGE));
        assert!(read.database.feeds.is_empty());
        assert_eq!(read.cache.max_mib, Some(settings::CACHE_MIB));
        // Every format is named.
        for format in seawall_report::Format::ALL {
            assert!(text.contains(format.as_str()), "{}", format.as_str());
        }
    }

    #[test]
    fn no_blank_is_left() {
        for dockerfile in [None, Some("docker/Dockerfile")] {
            let folder = folder(dockerfile);
            let mut files = vec![settings(&folder), github(&folder)];
            files.extend(gitlab(&folder));
            for file in files {
                for (name, _) in blanks(&folder) {
                    assert!(
                        !file.text.contains(name.trim_end()),
                        "{}: {name}",
                        file.path
                    );
                }
                assert!(!file.text.contains("@HINTS@"));
            }
        }
    }
}
