//! From the word that a user types to a place to look.
//!
//! A target may carry a scheme (`docker:debian:12`, `oci:layout:v1`). Without
//! one it is recognised: what exists as a path is looked into, everything else
//! is the name of an image.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The scheme, given or recognised.
    pub scheme: Scheme,
    /// What follows it: a path or an image's name.
    pub value: String,
}

/// The schemes of the command-line contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// An image of the Docker daemon.
    Docker,
    /// An image of Podman.
    Podman,
    /// An image by name: the Docker daemon first, then Podman, containerd and
    /// its registry.
    Image,
    /// An image of containerd's content store.
    Containerd,
    /// An image of a registry.
    Registry,
    /// A docker-archive or an OCI archive; `-` is standard input.
    Archive,
    /// An OCI image layout, `DIR[:TAG]` or `DIR@DIGEST`.
    Oci,
    /// A root file system.
    RootFs,
    /// A project's folder.
    Dir,
    /// One file of a project.
    File,
    /// A software bill of materials.
    Sbom,
}

impl Scheme {
    /// Every scheme that a user can write.
    pub const WRITTEN: [Scheme; 10] = [
        Scheme::Docker,
        Scheme::Podman,
        Scheme::Containerd,
        Scheme::Registry,
        Scheme::Archive,
        Scheme::Oci,
        Scheme::RootFs,
        Scheme::Dir,
        Scheme::File,
        Scheme::Sbom,
    ];

    /// Whether an image's name follows it, and not a path.
    fn is_name(self) -> bool {
        matches!(
            self,
            Scheme::Docker | Scheme::Podman | Scheme::Containerd | Scheme::Registry | Scheme::Image
        )
    }

    /// The word before the colon.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Docker => "docker",
            Scheme::Podman => "podman",
            Scheme::Image => "image",
            Scheme::Containerd => "containerd",
            Scheme::Registry => "registry",
            Scheme::Archive => "archive",
            Scheme::Oci => "oci",
            Scheme::RootFs => "rootfs",
            Scheme::Dir => "dir",
            Scheme::File => "file",
            Scheme::Sbom => "sbom",
        }
    }
}

/// A word that names no target.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A scheme without anything behind it.
    #[error("`{0}:` needs something behind the colon")]
    Empty(&'static str),
    /// Nothing at all.
    #[error("a target cannot be empty")]
    Nothing,
    /// A name that begins with somebody's credentials.
    #[error("`{0}` names no image: credentials do not belong in a name")]
    Credentials(String),
    /// It looks like a path and there is nothing.
    #[error("there is no file or folder `{}`", .0.display())]
    NotThere(PathBuf),
    /// It is there and cannot be looked at.
    #[error("cannot look at `{}`", .path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is there and is nothing that can be scanned.
    #[error("`{}` is {what}: nothing that can be scanned", .path.display())]
    Strange {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
}

/// Understands one target.
///
/// # Errors
/// When nothing is there, or nothing that can be scanned.
pub fn recognise(text: &str) -> Result<Place, PlaceError> {
    if text.is_empty() {
        return Err(PlaceError::Nothing);
    }
    if text == "-" {
        return Ok(place(Scheme::Archive, text));
    }
    for scheme in Scheme::WRITTEN {
        let rest = text
            .strip_prefix(scheme.as_str())
            .and_then(|rest| rest.strip_prefix(':'));
        // `docker:27` is an image too, the one that holds Docker. The scheme
        // wins, as it does in every tool that has schemes.
        if let Some(rest) = rest {
            return match rest {
                "" => Err(PlaceError::Empty(scheme.as_str())),
                rest if scheme.is_name() => image(scheme, rest),
                rest => Ok(place(scheme, rest)),
            };
        }
    }
    let path = Path::new(text);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(place(directory_kind(path), text)),
        Ok(metadata) if metadata.is_file() => Ok(place(file_kind(path)?, text)),
        // Process substitution and pipes: `seawall scan <(docker save x)`.
        Ok(metadata) if is_pipe(&metadata) => Ok(place(Scheme::Archive, text)),
        Ok(_) => Err(PlaceError::Strange {
            path: path.to_owned(),
            what: "a device or a socket",
        }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            let is_path = text.starts_with(['.', '/', '~']);
            // `https://joe:password@host/` ends as a path, and is none.
            let image = (!is_path).then(|| image(Scheme::Image, text)).transpose()?;
            let image = image.filter(|_| !ends_as_path(text));
            image.ok_or_else(|| PlaceError::NotThere(path.to_owned()))
        }
        // `debian:12/x` below a file, or a name too long for a path.
        Err(cause) if cause.kind() == io::ErrorKind::NotADirectory => {
            Err(PlaceError::NotThere(path.to_owned()))
        }
        Err(cause) => Err(PlaceError::Unreadable {
            path: path.to_owned(),
            cause,
        }),
    }
}

fn place(scheme: Scheme, value: &str) -> Place {
    Place {
        scheme,
        value: value.to_owned(),
    }
}

/// An image by its name, which engines and registries would repeat: one with
/// credentials in it is shown to none of them.
fn image(scheme: Scheme, name: &str) -> Result<Place, PlaceError> {
    match seawall_registry::without_credentials(name) {
        None => Ok(place(scheme, name)),
        Some(shown) if scheme == Scheme::Image => Err(PlaceError::Credentials(shown)),
        Some(shown) => {
            let shown = format!("{}:{shown}", scheme.as_str());
            Err(PlaceError::Credentials(shown))
        }
    }
}

/// A target as it can be shown: without credentials that were typed into it.
pub fn shown(text: &str) -> String {
    match recognise(text) {
        Err(PlaceError::Credentials(shown)) => shown,
        _ => text.to_owned(),
    }
}

fn ends_as_path(text: &str) -> bool {
    const ENDINGS: [&str; 6] = [".tar", ".gz", ".tgz", ".zst", ".json", ".lock"];
    text.ends_with('/') || ENDINGS.iter().any(|ending| text.ends_with(ending))
}

#[cfg(unix)]
fn is_pipe(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type())
}

#[cfg(not(unix))]
fn is_pipe(_metadata: &fs::Metadata) -> bool {
    false
}

fn directory_kind(path: &Path) -> Scheme {
    let has = |inner: &str| path.join(inner).symlink_metadata().is_ok();
    if has("oci-layout") {
        return Scheme::Oci;
    }
    // A project may carry an `etc`, hardly one with an os-release beside the
    // programs that a root file system cannot do without.
    let release = has("etc/os-release") || has("usr/lib/os-release") || has("etc/alpine-release");
    let databases = has("var/lib/dpkg") || has("lib/apk/db") || has("usr/lib/apk/db");
    if databases || (release && (has("usr") || has("bin"))) {
        Scheme::RootFs
    } else {
        Scheme::Dir
    }
}

/// Bytes by which a file is told.
const HEAD: u64 = 64 << 10;

fn file_kind(path: &Path) -> Result<Scheme, PlaceError> {
    let unreadable = |cause| PlaceError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD).read_to_end(&mut head))
        .map_err(unreadable)?;
    let is_tar = head.get(257..262) == Some(b"ustar".as_slice());
    let is_packed = head.starts_with(b"\x1F\x8B") || head.starts_with(b"\x28\xB5\x2F\xFD");
    if is_tar || is_packed {
        return Ok(Scheme::Archive);
    }
    Ok(if seawall_formats::is_likely(&head) {
        Scheme::Sbom
    } else if path.extension().is_some_and(|ending| ending == "tar") {
        Scheme::Archive
    } else {
        Scheme::File
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(text: &str) -> Scheme {
        recognise(text).unwrap().scheme
    }

    #[test]
    fn a_scheme_is_believed() {
        let found = recognise("oci:/x/y:tag").unwrap();
        assert_eq!(
            found,
            Place {
                scheme: Scheme::Oci,
                value: "/x/y:tag".into()
            }
        );
        assert_eq!(scheme("docker:debian:12"), Scheme::Docker);
        assert!(matches!(recognise("sbom:"), Err(PlaceError::Empty("sbom"))));
        assert!(matches!(recognise(""), Err(PlaceError::Nothing)));
    }

    #[test]
    fn what_is_no_path_is_an_image() {
        assert_eq!(scheme("debian:12"), Scheme::Image);
        assert_eq!(scheme("registry.example/a/b@sha256:00"), Scheme::Image);
        assert!(matches!(recognise("./none"), Err(PlaceError::NotThere(_))));
        assert!(matches!(
            recognise("none.tar.gz"),
            Err(PlaceError::NotThere(_))
        ));
        assert!(matches!(
            recognise("/dev/null"),
            Err(PlaceError::Strange { .. })
        ));
    }

    #[test]
    fn credentials_in_a_name_are_refused_and_not_shown() {
        for (text, name) in [
            ("registry:joe:hunter2@x.test/app", "registry:…@x.test/app"),
            ("docker:joe:hunter2@x.test/app", "docker:…@x.test/app"),
            ("joe:hunter2@x.test/app", "…@x.test/app"),
            ("joe:hunter2@x.test/app.json", "…@x.test/app.json"),
            ("https://joe:hunter2@x.test/", "…@x.test/"),
        ] {
            assert!(matches!(recognise(text), Err(PlaceError::Credentials(_))));
            assert_eq!(shown(text), name);
        }
        // Paths may have what they like.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a:b@c");
        fs::create_dir(&path).unwrap();
        for text in ["./a:b@c/d", "dir:a:b@c/d", path.to_str().unwrap()] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn what_is_there_is_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        fs::create_dir_all(at("root/etc")).unwrap();
        fs::create_dir_all(at("root/usr")).unwrap();
        fs::write(at("root/etc/os-release"), "ID=x").unwrap();
        assert_eq!(scheme(&at("root")), Scheme::RootFs);
        fs::create_dir_all(at("layout")).unwrap();
        fs::write(at("layout/oci-layout"), "{}").unwrap();
        assert_eq!(scheme(&at("layout")), Scheme::Oci);
        fs::create_dir_all(at("project/etc")).unwrap();
        fs::write(at("project/etc/os-release"), "ID=x").unwrap();
        assert_eq!(scheme(&at("project")), Scheme::Dir);
        for document in [
            r#"{"bomFormat": "CycloneDX"}"#,
            r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.6">"#,
            r#"{"SPDXID": "SPDXRef-DOCUMENT"}"#,
            "# made by hand\nSPDXVersion: SPDX-2.3",
            r#"{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}"#,
            "{\n \"artifacts\": [",
            r#"{"predicateType": "https://cyclonedx.org/bom"}"#,
        ] {
            fs::write(at("a.json"), document).unwrap();
            assert_eq!(scheme(&at("a.json")), Scheme::Sbom, "{document}");
        }
        fs::write(at("Cargo.lock"), "version = 4").unwrap();
        assert_eq!(scheme(&at("Cargo.lock")), Scheme::File);
        fs::write(at("image"), [0x1F, 0x8B, 8, 0]).unwrap();
        assert_eq!(scheme(&at("image")), Scheme::Archive);
    }
}
