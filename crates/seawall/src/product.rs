//! By what others know a target: the name of a product in a VEX statement.

use seawall_model::{Hash, TargetKind};
use seawall_report::ReportTarget;
use seawall_scan::Inspected;

/// A product's name, with its digest where the name does not hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: String,
    pub(crate) hash: Option<Hash>,
}

/// Whether a text names something as it is: a package URL, an address, a URN.
pub(crate) fn is_iri(text: &str) -> bool {
    ["pkg:", "urn:", "https://", "http://"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// The product that was looked at; `None` for what only its packages name.
pub(crate) fn of_inspected(one: &Inspected) -> Option<Product> {
    let identity = &one.identity;
    let own = one.target.digest.as_ref();
    match one.target.kind {
        TargetKind::Image => {
            let name = identity.names.first().unwrap_or(&one.target.name);
            // That of the manifest is what registries and other tools go by.
            Some(image(
                name,
                one.target.manifest.as_deref(),
                own.map(String::as_str),
                identity.arch.as_deref(),
            ))
        }
        TargetKind::Sbom => {
            let bom = identity.bom.as_ref()?;
            let subject = bom.subject.as_ref().and_then(|one| bom.purls.get(one));
            let link = || {
                let serial = bom.serial.as_ref()?;
                Some(format!("urn:cdx:{serial}/{}", bom.version.unwrap_or(1)))
            };
            let id = subject.cloned().or_else(link)?;
            Some(Product { id, hash: None })
        }
        _ => None,
    }
}

/// The product that a report is about.
pub(crate) fn of_report(target: &ReportTarget) -> Option<Product> {
    if target.kind != "image" {
        return None;
    }
    let arch = target.platform.as_deref();
    let arch = arch.and_then(|platform| platform.split('/').nth(1));
    let manifest = target.manifest.as_deref();
    Some(image(
        &target.name,
        manifest,
        target.digest.as_deref(),
        arch,
    ))
}

/// An image's package URL (type `oci`): with the manifest's digest where it is
/// known, else with its tag and the digest of its configuration beside it.
fn image(name: &str, manifest: Option<&str>, config: Option<&str>, arch: Option<&str>) -> Product {
    // A file is no name of an image, but all that there is.
    let is_file = name.starts_with(['/', '.', '-']) || name.ends_with(".gz");
    let is_file = is_file || name.ends_with(".tar") || name.contains(".tar.");
    let (name, _) = name.split_once('@').unwrap_or((name, ""));
    let (path, tag) = match name.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (name, None),
    };
    let last = path.rsplit('/').next().unwrap_or(path);
    let mut qualifiers: Vec<(&str, String)> = Vec::new();
    qualifiers.extend(arch.map(|arch| ("arch", arch.to_owned())));
    let short = if is_file {
        last.split('.').next().unwrap_or(last)
    } else {
        qualifiers.push(("repository_url", repository(path)));
        last
    };
    if manifest.is_none() && !is_file {
        qualifiers.extend(tag.map(|tag| ("tag", tag.to_owned())));
    }
    let short = if short.is_empty() { "image" } else { short };
    let mut id = format!("pkg:oci/{}", encoded(&short.to_lowercase()));
    if let Some(digest) = manifest {
        id += &format!("@{}", encoded(digest));
    }
    for (at, (key, value)) in qualifiers.iter().enumerate() {
        let mark = if at == 0 { '?' } else { '&' };
        id += &format!("{mark}{key}={}", encoded(value));
    }
    let hash = match manifest {
        Some(_) => None,
        None => config.and_then(Hash::parse),
    };
    Product { id, hash }
}

/// `index.docker.io/library/alpine`: the form that go-containerregistry, and so
/// most other scanners, give to names of Docker Hub.
fn repository(path: &str) -> String {
    let path = path.to_lowercase();
    let (host, rest) = match path.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
        _ => ("docker.io", path.as_str()),
    };
    match host {
        "docker.io" | "index.docker.io" if !rest.contains('/') => {
            format!("index.docker.io/library/{rest}")
        }
        "docker.io" => format!("index.docker.io/{rest}"),
        _ => format!("{host}/{rest}"),
    }
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out += &format!("%{byte:02X}"),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_as_other_tools_name_it() {
        let manifest = format!("sha256:{:064}", 1);
        let config = format!("sha256:{:064}", 2);
        let digest = image("alpine:3.10", Some(&manifest), Some(&config), Some("amd64"));
        assert_eq!(
            digest.id,
            format!(
                "pkg:oci/alpine@sha256%3A{:064}?arch=amd64&repository_url=index.docker.io%2Flibrary%2Falpine",
                1
            )
        );
        assert_eq!(digest.hash, None);
        let tag = image("ghcr.io/Acme/shop:1", None, Some(&config), None);
        assert_eq!(
            tag.id,
            "pkg:oci/shop?repository_url=ghcr.io%2Facme%2Fshop&tag=1"
        );
        assert_eq!(tag.hash.unwrap().to_string(), config);
        let file = image("/tmp/shop.tar.gz", None, Some(&config), None);
        assert_eq!(file.id, "pkg:oci/shop");
    }
}
