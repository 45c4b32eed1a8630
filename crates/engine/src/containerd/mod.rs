//! Images that containerd has pulled, read from its files: no daemon has to
//! answer, and none is disturbed.
//!
//! `io.containerd.metadata.v1.bolt/meta.db` says which names there are
//! (containerd, metadata/buckets.go), `io.containerd.content.v1.content` holds
//! manifests, settings and layers by their digests. The content is shared by
//! all namespaces.

pub mod bolt;

use std::{
    env,
    path::{Path, PathBuf},
};

use bolt::{BoltError, Bucket, Database, Item, Snapshot, SnapshotError};
use seawall_model::Digest;

/// The version of the buckets that is known (`bucketKeyVersion`).
const VERSION: &[u8] = b"v1";
/// Namespaces that are looked through, and names that an error shows.
const MOST: usize = 1000;

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The folder with `blobs/sha256/…`, as in an OCI image layout.
    pub content: PathBuf,
    /// The digest of the image's index or manifest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The whole name.
    pub name: String,
    /// The namespace in which it was found.
    pub namespace: String,
}

/// Why containerd's images cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no store.
    #[error("containerd has no files in `{}`", shown(.0))]
    NoStore(Vec<PathBuf>),
    /// The database cannot be read.
    #[error(transparent)]
    Database(#[from] BoltError),
    /// An entry is there and says nothing that can be followed.
    #[error("`{}` says of `{name}` no SHA-256 of a target", .path.display())]
    NoTarget {
        /// The database.
        path: PathBuf,
        /// The image.
        name: String,
    },
}

fn shown(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join("`, `")
}

/// The folders in which containerd keeps its files: the one that the
/// environment names, else the usual ones of containerd, of Docker's own, of
/// a user's, and of the Kubernetes distributions that bring one.
pub fn roots() -> Vec<PathBuf> {
    let named = env::var_os("SEAWALL_CONTAINERD_ROOT").filter(|path| !path.is_empty());
    if let Some(root) = named {
        return vec![PathBuf::from(root)];
    }
    let home = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".local/share")));
    let usual = [
        "/var/lib/containerd",
        "/var/lib/docker/containerd/daemon",
        "/var/lib/rancher/k3s/agent/containerd",
        "/var/lib/rancher/rke2/agent/containerd",
        "/var/lib/k0s/containerd",
        "/var/snap/microk8s/common/var/lib/containerd",
    ];
    let usual = usual.into_iter().map(PathBuf::from);
    let own = ["containerd", "docker/containerd/daemon"];
    let own = home
        .iter()
        .flat_map(|home| own.map(|folder| home.join(folder)));
    usual.chain(own).collect()
}

/// Looks for an image by the name that a user writes, in a namespace or in all:
/// the one that `CONTAINERD_NAMESPACE` names, `default`, `k8s.io`, `moby`, then
/// the others by name. `None` where no store has it.
///
/// # Errors
/// When there is no store, or one cannot be read.
pub fn find(name: &str, namespace: Option<&str>) -> Result<Option<Found>, Error> {
    let own = env::var("CONTAINERD_NAMESPACE").ok();
    let preferred = own.as_deref().filter(|name| !name.is_empty());
    find_below(&roots(), name, namespace, preferred)
}

/// The same with all that is taken from the environment.
///
/// # Errors
/// When there is no store, or one cannot be read.
pub fn find_below(
    roots: &[PathBuf],
    name: &str,
    namespace: Option<&str>,
    preferred: Option<&str>,
) -> Result<Option<Found>, Error> {
    let mut is_any = false;
    let mut failed = None;
    for root in roots {
        let path = root.join("io.containerd.metadata.v1.bolt/meta.db");
        match look(root, &path, name, namespace, preferred) {
            Ok(Some(found)) => return Ok(Some(found)),
            Ok(None) => is_any = true,
            Err(Error::Database(BoltError::Read { cause, .. }))
                if cause.kind() == std::io::ErrorKind::NotFound => {}
            // Another store may have it all the same.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None if is_any => Ok(None),
        None => Err(Error::NoStore(roots.to_vec())),
    }
}

fn look(
    root: &Path,
    path: &Path,
    name: &str,
    namespace: Option<&str>,
    preferred: Option<&str>,
) -> Result<Option<Found>, Error> {
    let database = Database::open(path)?;
    let found = look_into(&database, name, namespace, preferred)?;
    let Some((namespace, name, target)) = found else {
        return Ok(None);
    };
    // Whoever follows a digest makes a path of it.
    let target = target.and_then(|(digest, media_type)| Some((digest.parse().ok()?, media_type)));
    let (digest, media_type) = target.ok_or_else(|| Error::NoTarget {
        path: path.to_owned(),
        name: name.clone(),
    })?;
    Ok(Some(Found {
        content: root.join("io.containerd.content.v1.content"),
        digest,
        media_type,
        name,
        namespace: String::from_utf8_lossy(&namespace).into_owned(),
    }))
}

/// Namespace, whole name, and the target's digest and media type.
type Entry = (Vec<u8>, String, Option<(String, String)>);

fn look_into(
    database: &Database,
    name: &str,
    namespace: Option<&str>,
    preferred: Option<&str>,
) -> Result<Option<Entry>, BoltError> {
    let names = candidates(name);
    database.read(|snapshot| {
        let top = snapshot.root();
        let Some(version) = snapshot.bucket(&top, VERSION)? else {
            return Ok(None);
        };
        let namespaces = match namespace {
            Some(namespace) => vec![namespace.as_bytes().to_vec()],
            None => ordered(snapshot.buckets(&version, MOST)?, preferred),
        };
        for namespace in namespaces {
            let Some(images) = images(snapshot, &version, &namespace)? else {
                continue;
            };
            for name in &names {
                if let Some(image) = snapshot.bucket(&images, name.as_bytes())? {
                    let target = target(snapshot, &image)?;
                    return Ok(Some((namespace, name.clone(), target)));
                }
            }
        }
        Ok(None)
    })
}

/// For tests with hostile input: looks for an image in a database, whose
/// checksums are put right before, so that damage gets further than them;
/// whether it could be read.
pub fn hostile(bytes: &[u8], name: &str) -> bool {
    let database = Database::of_bytes(bolt::with_checksums(bytes.to_vec()));
    look_into(&database, name, None, None).is_ok()
}

/// `v1/NAMESPACE/images`
fn images(
    snapshot: &mut Snapshot<'_>,
    version: &Bucket,
    namespace: &[u8],
) -> Result<Option<Bucket>, SnapshotError> {
    match snapshot.bucket(version, namespace)? {
        Some(namespace) => snapshot.bucket(&namespace, b"images"),
        None => Ok(None),
    }
}

/// `…/NAME/target`: digest and media type.
fn target(
    snapshot: &mut Snapshot<'_>,
    image: &Bucket,
) -> Result<Option<(String, String)>, SnapshotError> {
    let Some(target) = snapshot.bucket(image, b"target")? else {
        return Ok(None);
    };
    let mut text = |key: &[u8]| {
        Ok::<_, SnapshotError>(match snapshot.get(&target, key)? {
            Some(Item::Value(bytes)) => String::from_utf8(bytes).ok(),
            _ => None,
        })
    };
    let media_type = text(b"mediatype")?.unwrap_or_default();
    Ok(text(b"digest")?.map(|digest| (digest, media_type)))
}

/// Namespaces in the order in which they are looked through.
fn ordered(mut namespaces: Vec<Vec<u8>>, preferred: Option<&str>) -> Vec<Vec<u8>> {
    let first = [preferred.unwrap_or("default"), "default", "k8s.io", "moby"];
    namespaces.sort_by_key(|name| {
        let place = first.iter().position(|first| first.as_bytes() == name);
        place.unwrap_or(first.len())
    });
    namespaces
}

/// The names under which containerd's clients keep what a user calls `name`:
/// as it is written, then completed as Docker does (`debian` is
/// `docker.io/library/debian:latest`), and by its digest alone, as Kubernetes
/// keeps what it pulled by one.
fn candidates(name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    let (rest, digest) = match name.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (name, None),
    };
    let first = rest.split('/').next().unwrap_or_default();
    let is_host = rest.contains('/')
        && (first.contains(['.', ':']) || first == "localhost" || first != first.to_lowercase());
    let whole = match (is_host, rest.contains('/')) {
        (true, _) => match rest.strip_prefix("docker.io/") {
            Some(path) if !path.contains('/') => format!("docker.io/library/{path}"),
            _ => rest.to_owned(),
        },
        (false, true) => format!("docker.io/{rest}"),
        (false, false) => format!("docker.io/library/{rest}"),
    };
    let last = whole.rsplit('/').next().unwrap_or_default();
    let tag_at = last.find(':').map(|at| whole.len() - last.len() + at);
    match digest {
        Some(digest) => {
            names.push(format!("{whole}@{digest}"));
            let bare = tag_at.and_then(|at| whole.get(..at)).unwrap_or(&whole);
            names.push(format!("{bare}@{digest}"));
        }
        None if tag_at.is_none() => names.push(format!("{whole}:latest")),
        None => names.push(whole),
    }
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_completed_as_docker_does() {
        for (name, expected) in [
            ("debian", "docker.io/library/debian:latest"),
            ("debian:12", "docker.io/library/debian:12"),
            ("user/app", "docker.io/user/app:latest"),
            ("docker.io/debian:12", "docker.io/library/debian:12"),
            ("localhost:5000/app", "localhost:5000/app:latest"),
            ("quay.io/a/b:1", "quay.io/a/b:1"),
            ("quay.io/a/b:1@sha256:00", "quay.io/a/b@sha256:00"),
            ("debian@sha256:00", "docker.io/library/debian@sha256:00"),
        ] {
            let names = candidates(name);
            assert_eq!(names[0], name);
            assert_eq!(names.last().map(String::as_str), Some(expected));
        }
    }

    #[test]
    fn namespaces_have_an_order() {
        let names = ["a", "default", "k8s.io", "moby", "own"].map(Into::into);
        let ordered = |preferred| {
            let all = ordered(names.to_vec(), preferred);
            let all: Vec<_> = all
                .iter()
                .map(|name| String::from_utf8_lossy(name))
                .collect();
            all.join(" ")
        };
        assert_eq!(ordered(None), "default k8s.io moby a own");
        assert_eq!(ordered(Some("own")), "own default k8s.io moby a");
    }
}
