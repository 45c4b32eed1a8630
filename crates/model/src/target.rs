//! What was looked at.

use std::collections::HashMap;

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// What a bill of materials is about, as far as it says; `None` for what is
    /// none.
    pub describes: Option<TargetKind>,
    /// What the user called it, without the scheme.
    pub name: String,
    /// The tags that stand for it, where all tags of its repository were asked
    /// for; the first is in its name.
    pub tags: Vec<String>,
    /// Where it was found: `docker`, `registry`, `archive`, `oci`, `dir`, ….
    pub scheme: String,
    /// `sha256:…` of the image's configuration (what `docker images` shows),
    /// computed or vouched for; `None` for what has none.
    pub digest: Option<String>,
    /// `sha256:…` of the image's manifest, which registries know it by; `None`
    /// where there is none or it is not known.
    pub manifest: Option<String>,
    /// `os/architecture[/variant]`, in images.
    pub platform: Option<String>,
    /// The distribution, when there is one.
    pub os: Option<Os>,
    /// The day on which the distribution's release gets its last security
    /// fixes, `YYYY-MM-DD`, past or to come, where it is known.
    pub end_of_life: Option<String>,
    /// The layers, lowest first; empty for what has none.
    pub layers: Vec<ImageLayer>,
    /// The image that it was built on, where it could be told.
    pub base: Option<Base>,
    /// The Dockerfile that it was built from, as the user named it: what the
    /// lines of [`ImageLayer::line`] count in.
    pub dockerfile: Option<String>,
}

impl Target {
    /// A target of which nothing more is known.
    pub fn new(kind: TargetKind, name: impl Into<String>, scheme: impl Into<String>) -> Self {
        Target {
            kind,
            describes: None,
            name: name.into(),
            tags: Vec::new(),
            scheme: scheme.into(),
            digest: None,
            manifest: None,
            platform: None,
            os: None,
            end_of_life: None,
            layers: Vec::new(),
            base: None,
            dockerfile: None,
        }
    }

    /// What it is, or what it describes.
    pub fn what(&self) -> TargetKind {
        self.describes.unwrap_or(self.kind)
    }

    /// Who brought what lies in `layer`; `None` where no base is known.
    pub fn brought_by(&self, layer: usize) -> Option<Brought<'_>> {
        let base = self.base.as_ref()?;
        if layer < base.layers {
            return Some(Brought::Base(base));
        }
        self.layers.get(layer).map(Brought::Step)
    }
}

/// Who brought a part of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought<'a> {
    /// The image that it was built on.
    Base(&'a Base),
    /// A step of its own build, the one of this layer.
    Step(&'a ImageLayer),
}

/// The image that an image was built on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Its name with tag, where known: `python:3.12.1`.
    pub name: Option<String>,
    /// `sha256:…` of its manifest or configuration, where a document or an
    /// engine names it.
    pub digest: Option<String>,
    /// How many layers, from the lowest, are its own.
    pub layers: usize,
    /// How it was told.
    pub evidence: BaseEvidence,
}

/// How a base image was told, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaseEvidence {
    /// The lowest layers are all the layers of an image that is known.
    Layers,
    /// The Dockerfile names it, and its steps are the last ones of the history.
    Dockerfile,
    /// The image's annotations or labels name it.
    Declared,
    /// The steps in the image's history are those of a known kind of image.
    History,
    /// The distribution that lies in the lowest layer.
    Distribution,
}

impl BaseEvidence {
    /// The name used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            BaseEvidence::Layers => "layers",
            BaseEvidence::Dockerfile => "dockerfile",
            BaseEvidence::Declared => "declared",
            BaseEvidence::History => "history",
            BaseEvidence::Distribution => "distribution",
        }
    }
}

/// By what else a target is known: statements of others name it so.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Identity {
    /// Names of an image: `alpine:3.10`, `ghcr.io/a/b@sha256:…`.
    pub names: Vec<String>,
    /// `sha256:…` of its configuration and of its manifest.
    pub digests: Vec<String>,
    /// Processor architecture, in images.
    pub arch: Option<String>,
    /// The bill of materials that was read.
    pub bom: Option<Bom>,
}

/// A CycloneDX document, as BOM-Links name it (`urn:cdx:serial/version#ref`).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bom {
    /// The serial number's UUID, lower case.
    pub serial: Option<String>,
    /// The document's version.
    pub version: Option<u64>,
    /// The component that the document is about.
    pub subject: Option<String>,
    /// For each `bom-ref` the package URL of its component.
    pub purls: HashMap<String, String>,
}

/// What kind of thing was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetKind {
    /// A container image.
    Image,
    /// The root file system of an installed system.
    RootFs,
    /// A project's folder.
    Directory,
    /// One file.
    File,
    /// A software bill of materials.
    Sbom,
}

impl TargetKind {
    /// All of them.
    pub const ALL: [TargetKind; 5] = [
        TargetKind::Image,
        TargetKind::RootFs,
        TargetKind::Directory,
        TargetKind::File,
        TargetKind::Sbom,
    ];

    /// The name used in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            TargetKind::Image => "image",
            TargetKind::RootFs => "rootfs",
            TargetKind::Directory => "directory",
            TargetKind::File => "file",
            TargetKind::Sbom => "sbom",
        }
    }

    /// The part of a target's name that stays from one of its versions to the
    /// next: an image's without tag and digest.
    pub fn stem(self, name: &str) -> &str {
        let name = normal(name);
        // An engine's id of an image is a name without a tag.
        if self != TargetKind::Image || name.starts_with("sha256:") {
            return name;
        }
        let name = name.split('@').next().unwrap_or(name);
        match name.rsplit_once(':') {
            // The colon of a port stands before a slash.
            Some((stem, tag)) if !tag.contains('/') => stem,
            _ => name,
        }
    }
}

/// A target's name as others may have written it: `./shop/` is `shop`.
pub fn normal(name: &str) -> &str {
    let name = name.trim_end_matches('/');
    name.strip_prefix("./").unwrap_or(name)
}

/// A distribution, in the words of its `os-release` (freedesktop.org,
/// os-release(5)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Os {
    /// `ID`: `debian`, `alpine`, `almalinux`, ….
    pub id: String,
    /// `VERSION_ID`: `12`, `3.10.4`; empty for rolling releases.
    pub version: String,
    /// `PRETTY_NAME`, or a name made from the other two.
    pub name: String,
    /// `VERSION_CODENAME`, where given.
    pub codename: Option<String>,
    /// `ID_LIKE`, nearest kin first.
    pub like: Vec<String>,
}

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageLayer {
    /// `sha256:…` of the uncompressed tar: OCI's diff id.
    pub diff_id: String,
    /// `sha256:…` of the layer as stored, when it differs and is known.
    pub digest: Option<String>,
    /// Uncompressed bytes; 0 when the layer was not read because its evidence
    /// was cached.
    pub size: u64,
    /// The build step, from the image's history.
    pub created_by: Option<String>,
    /// The line of the Dockerfile that made it, where one was given and fits.
    pub line: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_images_next_tag_is_the_same_image() {
        for (name, want) in [
            ("debian:12", "debian"),
            ("localhost:5000/a/b", "localhost:5000/a/b"),
            ("localhost:5000/a/b:1@sha256:2", "localhost:5000/a/b"),
            ("sha256:0123", "sha256:0123"),
            ("./build/shop.tar", "build/shop.tar"),
        ] {
            assert_eq!(TargetKind::Image.stem(name), want);
        }
        assert_eq!(TargetKind::Directory.stem("./a:b/"), "a:b");
    }
}
