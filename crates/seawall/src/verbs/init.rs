//! `seawall init [DIR]`

mod files;
mod folder;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use self::{files::Written, folder::Folder};
use crate::{Outcome, errors::hinted, printer::Printer};

/// What can be typed behind `init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Writes:
  seawall.toml                     every setting, with its default, as comments
  --ci github                      .github/workflows/seawall.yml: alerts in code scanning, remarks
                                   in pull requests
  --ci gitlab                      .gitlab/seawall.yml, and a .gitlab-ci.yml that includes it where
                                   there is none: reports for merge requests

What is there already is left as it is.

Examples:
  seawall init
  seawall init --ci github
  seawall init --force shop")]
pub(crate) struct Arguments {
    /// The project's folder; the current one without.
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Write what this CI system runs, too (several with commas).
    #[arg(long, value_name = "SYSTEM", value_delimiter = ',')]
    ci: Vec<System>,
    /// Write over files of ours that are there already.
    #[arg(long)]
    force: bool,
}

/// CI systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum System {
    /// GitHub Actions.
    Github,
    /// GitLab CI/CD.
    Gitlab,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Result<Outcome> {
    let folder = Folder::look(&arguments.dir)?;
    let mut files = vec![files::settings(&folder)];
    if arguments.ci.contains(&System::Github) {
        files.push(files::github(&folder));
    }
    if arguments.ci.contains(&System::Gitlab) {
        files.extend(files::gitlab(&folder));
    }
    let mut kept = Vec::new();
    let mut is_any_written = false;
    for file in &files {
        match file.write(&folder, arguments.force)? {
            Written::New => printer.note(&format!("`{}` written", file.path)),
            Written::Over => printer.note(&format!("`{}` written over", file.path)),
            Written::Same => printer.note(&format!("`{}` is there and says the same", file.path)),
            Written::Kept => {
                kept.push(file);
                continue;
            }
        }
        is_any_written = true;
    }
    if let ([first, ..], false) = (kept.as_slice(), is_any_written) {
        return Err(hinted(
            format!("`{}` is there already", first.path),
            "`--force` writes it anew; what was changed in it is lost then",
        ));
    }
    for file in kept {
        let path = file.path;
        printer.warning(&format!(
            "`{path}` is there already and left as it is; `--force` writes it anew"
        ));
    }
    for hint in hints(&folder, &arguments.ci) {
        printer.note(&hint);
    }
    Ok(Outcome::Done)
}

/// What the folder suggests to do next.
fn hints(folder: &Folder, systems: &[System]) -> Vec<String> {
    let mut hints = Vec::new();
    if systems.contains(&System::Gitlab) && folder.has_gitlab && !folder.includes_gitlab {
        hints.push(format!(
            "add to .gitlab-ci.yml: `include: [{{local: {}}}]`",
            files::GITLAB
        ));
    }
    if let (Some(dockerfile), true) = (&folder.dockerfile, systems.is_empty()) {
        hints.push(format!(
            "there is a `{dockerfile}`: scan the image that it builds too: `seawall scan --dockerfile \
             {dockerfile} IMAGE`"
        ));
    }
    if systems.is_empty() {
        let there = [(folder.has_github, "github"), (folder.has_gitlab, "gitlab")];
        for (_, name) in there.iter().filter(|(is_there, _)| *is_there) {
            hints.push(format!(
                "`seawall init --ci {name}` writes a CI file as well"
            ));
        }
    } else if folder.dockerfile.is_some() {
        hints.push(
            "the image's job runs where the variable SEAWALL_IMAGE of the project names the image"
                .to_owned(),
        );
    }
    hints
}
