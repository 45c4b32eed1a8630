//! What was looked at.

/// What was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// What the user called it, without the scheme.
    pub name: String,
    /// Where it was found: `docker`, `archive`, `oci`, `rootfs`, `dir`, `sbom`, ….
    pub scheme: String,
    /// `sha256:…` of the image's configuration (what `docker images` shows),
    /// computed or vouched for; `None` for what has none.
    pub digest: Option<String>,
    /// `os/architecture[/variant]`, in images.
    pub platform: Option<String>,
    /// The distribution, when there is one.
    pub os: Option<Os>,
    /// The layers, lowest first; empty for what has none.
    pub layers: Vec<ImageLayer>,
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
}
