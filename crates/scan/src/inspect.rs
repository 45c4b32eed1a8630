//! From a place to what lies there: a target with its packages.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use seawall_image::{
    Analyser, Cache, Image, ImageConfig, Limits, Options, Platform, Progress, Registries, Source,
};
use seawall_inventory::{Context, Inventory};
use seawall_model::{Finding, Gap, GapKind, Identity, Package, Target, TargetKind, vex};

use crate::{
    Bases, Place, Scheme, base,
    find::{Tried, find},
    sbom,
    secrets::{self, Secrets},
};

/// A target and what it is made of.
#[derive(Debug)]
pub struct Inspected {
    /// What was looked at.
    pub target: Target,
    /// Its packages.
    pub packages: Vec<Package>,
    /// What is wrong with it whatever the advisories say.
    pub findings: Vec<Finding>,
    /// What could not be read of it.
    pub gaps: Vec<Gap>,
    /// Whether it comes from a document in which an rpm epoch may be left out.
    pub epochs_left_out: bool,
    /// By what else it may be named.
    pub identity: Identity,
    /// VEX statements that lie in it.
    pub statements: Vec<vex::Document>,
    /// When the image, or the document, was made, as it says.
    pub created: Option<String>,
    /// Places that an image was looked for in and that do not have it.
    pub tried: Vec<Tried>,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LooksFor {
    /// Packages, to hold them against advisories.
    pub packages: bool,
    /// Secrets in files and configurations.
    pub secrets: bool,
}

impl LooksFor {
    /// Packages alone.
    pub const PACKAGES: LooksFor = LooksFor {
        packages: true,
        secrets: false,
    };
}

/// How to look.
pub struct Settings<'a> {
    /// What is looked for.
    pub looks_for: LooksFor,
    /// The platform to take from an image for several.
    pub platform: Option<Platform>,
    /// Evidence of layers seen before.
    pub cache: Option<&'a Cache>,
    /// Bounds on hostile input.
    pub limits: Limits,
    /// Who is told how far it is.
    pub progress: &'a dyn Progress,
    /// What tells the bases of images.
    pub bases: &'a Bases,
    /// Registries that may be asked; `None` forbids it.
    pub registries: Option<&'a Arc<Registries>>,
}

impl Settings<'_> {
    /// How to open an image for these analysers.
    pub(crate) fn options<'b>(&'b self, analysers: &'b [&'static dyn Analyser]) -> Options<'b> {
        Options {
            analysers,
            platform: self.platform.clone(),
            cache: self.cache,
            limits: self.limits.clone(),
            progress: self.progress,
        }
    }
}

/// Why a target could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// An image could not be opened.
    #[error(transparent)]
    Image(#[from] seawall_image::Error),
    /// A file could not be read.
    #[error("cannot read `{}`", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A bill of materials is damaged.
    #[error("cannot read the bill of materials `{}`", .path.display())]
    Sbom {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: seawall_formats::Error,
    },
    /// A bill of materials beyond the limit.
    #[error("the bill of materials `{}` has more than {limit} bytes", .path.display())]
    SbomSize {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
    /// No place has the image.
    #[error("`{name}` is nowhere to be found. {}", listed(.tried))]
    Nowhere {
        /// The image.
        name: String,
        /// Where it was looked for.
        tried: Vec<Tried>,
    },
    /// A target that is no image where one was asked for.
    #[error("a `{0}:` target is no image")]
    NoImage(&'static str),
}

fn listed(tried: &[Tried]) -> String {
    let all: Vec<String> = tried.iter().map(ToString::to_string).collect();
    all.join("; ")
}

/// Looks at one place.
///
/// # Errors
/// When nothing could be read at all; what could be read in part is a gap.
pub fn inspect(place: &Place, settings: &Settings<'_>) -> Result<Inspected, InspectError> {
    let path = || PathBuf::from(&place.value);
    match place.scheme {
        Scheme::Sbom => sbom::inspect(place),
        Scheme::RootFs => files(place, TargetKind::RootFs, Source::RootFs(path()), settings),
        Scheme::Dir => files(
            place,
            TargetKind::Directory,
            Source::Directory(path()),
            settings,
        ),
        Scheme::File => files(place, TargetKind::File, Source::File(path()), settings),
        Scheme::Archive
        | Scheme::Oci
        | Scheme::Docker
        | Scheme::Podman
        | Scheme::Image
        | Scheme::Containerd
        | Scheme::Registry => image(place, settings),
    }
}

/// `DIR`, `DIR:TAG` or `DIR@DIGEST`: a colon counts only behind the last slash.
pub(crate) fn layout_reference(value: &str) -> (PathBuf, Option<String>) {
    if Path::new(value).is_dir() {
        return (PathBuf::from(value), None);
    }
    let name = value.rfind('/').map_or(0, |slash| slash + 1);
    let tail = value.get(name..).unwrap_or_default();
    match tail
        .find(['@', ':'])
        .and_then(|at| value.split_at_checked(name + at))
    {
        Some((dir, reference)) => {
            let reference = reference.trim_start_matches(['@', ':']);
            (PathBuf::from(dir), Some(reference.to_owned()))
        }
        None => (PathBuf::from(value), None),
    }
}

fn image(place: &Place, settings: &Settings<'_>) -> Result<Inspected, InspectError> {
    let found = find(place, settings.registries, |source| {
        open(source, settings, Context::Installed)
    })?;
    let (mut image, place) = (found.image, &found.place);
    let inventory = inventory(&image, settings, Context::Installed);
    let (findings, more) = look_for_secrets(&image, settings);
    let name = match image.repo_tags.first() {
        // An archive's file name says less than the tag inside.
        Some(tag) if place.value == "-" => tag.clone(),
        _ => place.value.clone(),
    };
    let mut gaps = merged(std::mem::take(&mut image.view.gaps), more);
    if settings.looks_for.packages && inventory.packages.is_empty() && inventory.os.is_none() {
        gaps.push(nothing_found(&image.config));
    }
    let mut target = Target {
        digest: image.digest.map(|digest| digest.to_string()),
        manifest: image.manifest_digest.map(|digest| digest.to_string()),
        platform: image.platform.as_ref().map(ToString::to_string),
        os: inventory.os,
        layers: std::mem::take(&mut image.view.layers),
        ..Target::new(TargetKind::Image, name, place.scheme.as_str())
    };
    gaps.extend(base::tell(
        &image,
        &mut target,
        found.engine.as_deref(),
        settings,
    ));
    for layer in &mut target.layers {
        // The step that made it is shown in reports and may hold a secret.
        layer.created_by = layer.created_by.as_deref().map(secrets::redacted);
    }
    let mut names = std::mem::take(&mut image.repo_tags);
    // A file is no name of an image.
    if !matches!(place.scheme, Scheme::Archive | Scheme::Oci) {
        names.push(place.value.clone());
    }
    if let Some(reference) = &found.reference {
        names.push(reference.to_string());
        let digests = image.manifest_digest.iter().chain(&image.index_digest);
        let repository = reference.repository();
        names.extend(digests.map(|digest| format!("{repository}@{digest}")));
    }
    names.sort();
    names.dedup();
    let digests = [&image.digest, &image.manifest_digest, &image.index_digest]
        .into_iter()
        .flatten();
    let identity = Identity {
        names,
        digests: digests.map(ToString::to_string).collect(),
        arch: arch(target.platform.as_deref()),
        bom: None,
    };
    Ok(Inspected {
        identity,
        statements: Vec::new(),
        target,
        packages: inventory.packages,
        findings,
        gaps: merged(gaps, inventory.gaps),
        epochs_left_out: false,
        created: image.config.created,
        tried: found.tried,
    })
}

/// `amd64` of `linux/amd64`.
pub(crate) fn arch(platform: Option<&str>) -> Option<String> {
    platform?.split('/').nth(1).map(str::to_owned)
}

/// An image without a distribution and without packages may be a lone static
/// program that does not say what it is made of: that is worth a word, since
/// the report is empty.
fn nothing_found(config: &ImageConfig) -> Gap {
    let program = config.entrypoint.iter().chain(&config.cmd).next();
    let subject = program.map_or_else(|| "image".to_owned(), |one| secrets::redacted(one));
    Gap::new(
        GapKind::Unsupported,
        subject,
        "there is no distribution, no package and no program that says what it is made of",
    )
}

fn files(
    place: &Place,
    kind: TargetKind,
    source: Source,
    settings: &Settings<'_>,
) -> Result<Inspected, InspectError> {
    let context = match kind {
        TargetKind::RootFs => Context::Installed,
        _ => Context::Project,
    };
    let image = open(source, settings, context)?;
    let inventory = inventory(&image, settings, context);
    let (findings, more) = look_for_secrets(&image, settings);
    Ok(Inspected {
        target: Target {
            os: inventory.os,
            ..Target::new(kind, place.value.clone(), place.scheme.as_str())
        },
        packages: inventory.packages,
        findings,
        gaps: merged(merged(image.view.gaps, more), inventory.gaps),
        epochs_left_out: false,
        identity: Identity::default(),
        statements: Vec::new(),
        created: None,
        tried: Vec::new(),
    })
}

fn open(
    source: Source,
    settings: &Settings<'_>,
    context: Context,
) -> Result<Image, seawall_image::Error> {
    let LooksFor { packages, secrets } = settings.looks_for;
    let mut analysers: Vec<&'static dyn Analyser> = Vec::new();
    if packages {
        analysers.extend(seawall_inventory::analysers(context));
    }
    if secrets {
        analysers.push(&Secrets);
    }
    seawall_image::open(source, &settings.options(&analysers))
}

fn inventory(image: &Image, settings: &Settings<'_>, context: Context) -> Inventory {
    if settings.looks_for.packages {
        seawall_inventory::read(&image.view, context)
    } else {
        Inventory::default()
    }
}

fn look_for_secrets(image: &Image, settings: &Settings<'_>) -> (Vec<Finding>, Vec<Gap>) {
    if settings.looks_for.secrets {
        secrets::findings(&image.view, &image.config)
    } else {
        Default::default()
    }
}

fn merged(mut gaps: Vec<Gap>, more: Vec<Gap>) -> Vec<Gap> {
    gaps.extend(more);
    gaps.sort();
    gaps.dedup();
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_report_names_no_secret() {
        let token = seawall_secrets::expand("ghp_<crc:30>");
        let mut config = ImageConfig::default();
        config.cmd = vec![format!("/app --token={token}")];
        assert_eq!(nothing_found(&config).subject, "/app --token=ghp_…");
    }

    #[test]
    fn a_layout_may_carry_a_tag_or_a_digest() {
        let read = |value: &str| {
            let (dir, reference) = layout_reference(value);
            (dir.to_str().unwrap().to_owned(), reference)
        };
        assert_eq!(read("x/y"), ("x/y".into(), None));
        assert_eq!(read("x/y:v1"), ("x/y".into(), Some("v1".into())));
        assert_eq!(read("C:/y:v1"), ("C:/y".into(), Some("v1".into())));
        assert_eq!(read("y@sha256:00"), ("y".into(), Some("sha256:00".into())));
    }
}
