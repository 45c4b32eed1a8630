//! Which artifact an archive is, where no pom.properties says so: by its
//! manifest, and at last by its name.

use seawall_model::Technique;

use super::{
    groups,
    manifest::Manifest,
    names::{Named, split},
};

/// What an archive is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Identity {
    /// Empty when nothing names it: a wrong one would bring another artifact's
    /// advisories.
    pub(super) group: String,
    pub(super) artifact: String,
    /// Empty when nothing names it.
    pub(super) version: String,
    pub(super) technique: Technique,
}

/// Whether a text can be the id of a group or an artifact.
fn is_id(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The version that a text starts with: `8.9.0 05c8a6f…`.
fn version(text: &str) -> Option<&str> {
    let first = text.split_whitespace().next()?;
    let is_one =
        first.starts_with(|first: char| first.is_ascii_digit()) && is_id(&first.replace('+', "."));
    is_one.then_some(first)
}

/// Jars of Tomcat's own distribution have other names than in repositories.
const TOMCAT: [&str; 8] = [
    "catalina",
    "catalina-ant",
    "catalina-ha",
    "el-api",
    "jasper",
    "jasper-el",
    "jsp-api",
    "servlet-api",
];

pub(super) fn of(stem: &str, manifest: &Manifest, has_classes: impl Fn(&str) -> bool) -> Identity {
    let named = split(stem);
    let title = manifest.get("implementation-title");
    let symbolic = manifest.get("bundle-symbolicname");
    let symbolic = symbolic.map(|name| name.split(';').next().unwrap_or(name).trim());
    // Jenkins's plugins say all of it.
    if let (Some(group), Some(artifact), Some(version)) = (
        manifest.get("group-id").or(manifest.get("group")),
        manifest
            .get("short-name")
            .or(manifest.get("extension-name")),
        manifest.get("plugin-version"),
    ) {
        return Identity {
            group: group.to_owned(),
            artifact: artifact.to_owned(),
            version: version
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned(),
            technique: Technique::Manifest,
        };
    }
    // Gradle's plugin of Netflix: `group#artifact;version`.
    if let Some((group, rest)) = title.and_then(|title| title.split_once('#'))
        && let Some((artifact, version)) = rest.split_once(';')
        && is_id(group)
        && is_id(artifact)
    {
        // It is the project's name: the file may be published under another.
        let is_said = named.version == version;
        return Identity {
            group: group.to_owned(),
            artifact: if is_said { named.name } else { artifact }.to_owned(),
            version: version.to_owned(),
            technique: Technique::Manifest,
        };
    }
    let mut artifact = artifact(&named, title, symbolic);
    if title == Some("Apache Tomcat") && TOMCAT.contains(&artifact.as_str()) {
        artifact.insert_str(0, "tomcat-");
    }
    let (version, is_told) = which_version(&named, manifest);
    let modules: Vec<&str> = manifest
        .get("automatic-module-name")
        .into_iter()
        .chain(symbolic)
        .collect();
    let folder = |group: &str| format!("{}/", group.replace('.', "/"));
    let vendor = manifest
        .get("implementation-vendor-id")
        .filter(|id| is_id(id) && id.contains('.') && has_classes(&folder(id)));
    // Bundles are called by group and artifact (maven-bundle-plugin, "Default
    // Behavior"); a last part of one word may belong to the group.
    let bundle = symbolic
        .filter(|_| artifact.contains('-'))
        .and_then(|name| name.strip_suffix(artifact.as_str())?.strip_suffix('.'))
        .filter(|group| group.contains('.') || has_classes(&folder(group)))
        .filter(|group| is_id(group));
    let group = groups::known(&artifact, &version, &has_classes, &modules)
        .or_else(|| vendor.or(bundle).map(str::to_owned));
    Identity {
        technique: match group {
            Some(_) if is_told => Technique::Manifest,
            _ => Technique::FileName,
        },
        group: group.unwrap_or_default(),
        artifact,
        version,
    }
}

/// The artifact: a file with a version in its name bears its name too.
fn artifact(named: &Named<'_>, title: Option<&str>, symbolic: Option<&str>) -> String {
    if !named.version.is_empty() {
        return named.name.to_owned();
    }
    // `app.jar` may be anything; what it calls itself counts if it is an id
    // that its name is part of, or the other way round.
    let is_near =
        |one: &&str| is_id(one) && (one.ends_with(named.name) || named.name.starts_with(one));
    title
        .filter(is_near)
        .filter(|one| !one.contains('.'))
        .or(symbolic.filter(|one| *one == named.name))
        .unwrap_or(named.name)
        .to_owned()
}

/// The version, and whether the manifest says so.
fn which_version(named: &Named<'_>, manifest: &Manifest) -> (String, bool) {
    let said = [
        "implementation-version",
        "plugin-version",
        "bundle-version",
        "specification-version",
    ];
    let said: Vec<&str> = said
        .iter()
        .filter_map(|key| manifest.get(key).and_then(version))
        .collect();
    // Manifests write it longer (`1.68.0`), with a build number, or in OSGi's
    // form; the name has it as repositories do.
    let in_name = named.version;
    if !in_name.is_empty() {
        let core = in_name.split('-').next().unwrap_or(in_name);
        let is_said = said.iter().any(|one| one.starts_with(core));
        if is_said || said.is_empty() {
            return (in_name.to_owned(), is_said);
        }
    }
    let own = manifest.get("implementation-version").and_then(version);
    match own.or(said.first().copied()) {
        Some(version) if in_name.is_empty() || own.is_some() => (version.to_owned(), true),
        _ => (in_name.to_owned(), false),
    }
}
