//! What a project's folder says of itself.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::errors::{explained, hinted};

/// Bytes of a file that is looked into.
const LIMIT: u64 = 1 << 20;
/// Names of a file that builds an image, the usual one first.
const DOCKERFILES: [&str; 4] = [
    "Dockerfile",
    "Containerfile",
    "docker/Dockerfile",
    "build/Dockerfile",
];

/// What a project's folder says of itself.
pub(super) struct Folder {
    /// Its path, without links.
    pub(super) path: PathBuf,
    /// The file that builds its image.
    pub(super) dockerfile: Option<String>,
    /// A folder of VEX documents.
    pub(super) vex: Option<&'static str>,
    /// The branch that its repository starts from.
    pub(super) branch: String,
    /// Whether GitHub's workflows are used.
    pub(super) has_github: bool,
    /// Whether GitLab's pipelines are used.
    pub(super) has_gitlab: bool,
    /// Whether GitLab's pipeline takes up our job.
    pub(super) includes_gitlab: bool,
}

impl Folder {
    pub(super) fn look(dir: &Path) -> Result<Self> {
        let shown = dir.display();
        let path = fs::canonicalize(dir).map_err(|error| {
            let hint = "name the folder of a project, or none for the current one";
            explained(error, format!("there is no folder `{shown}`"), hint)
        })?;
        if !path.is_dir() {
            return Err(hinted(
                format!("`{shown}` is no folder"),
                "name the folder of a project, or none for the current one",
            ));
        }
        let is_there = |name: &&str| path.join(name).is_file();
        let dockerfile = DOCKERFILES.iter().find(|name| is_there(name));
        let vex = ["vex", ".vex"].into_iter();
        let mut vex = vex.filter(|name| path.join(name).is_dir());
        let pipeline = text(&path.join(".gitlab-ci.yml"));
        Ok(Folder {
            dockerfile: dockerfile.map(|name| (*name).to_owned()),
            vex: vex.next(),
            branch: branch(&path).unwrap_or_else(|| "main".to_owned()),
            has_github: path.join(".github").is_dir(),
            has_gitlab: path.join(".gitlab-ci.yml").symlink_metadata().is_ok(),
            includes_gitlab: pipeline.is_some_and(|text| text.contains(super::files::GITLAB)),
            path,
        })
    }
}

/// A small file's text.
fn text(path: &Path) -> Option<String> {
    let is_small = fs::metadata(path).is_ok_and(|one| one.is_file() && one.len() <= LIMIT);
    is_small.then(|| fs::read_to_string(path).ok()).flatten()
}

/// The branch that the repository was cloned from, else the one that is checked
/// out where it is called like one that others start from.
fn branch(path: &Path) -> Option<String> {
    let git = path.join(".git");
    let of = |file: &str, start: &str| {
        let text = text(&git.join(file))?;
        let name = text.trim().strip_prefix(start)?;
        // Fit for a quoted pattern of a workflow, in which nothing of it means more.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        (!name.is_empty() && name.bytes().all(is_plain)).then(|| name.to_owned())
    };
    let usual = |name: &String| ["main", "master", "trunk", "develop"].contains(&name.as_str());
    of("refs/remotes/origin/HEAD", "ref: refs/remotes/origin/")
        .or_else(|| of("HEAD", "ref: refs/heads/").filter(usual))
}
