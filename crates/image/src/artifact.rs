//! What registries and layouts keep beside images: charts, signatures, bills of
//! materials (OCI image-spec 1.1, manifest.md, "Guidelines for Artifact Usage").

/// Configurations of images, and what some registries and builders once wrote
/// in their place.
const IMAGES: [&str; 6] = [
    "",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    "application/octet-stream",
    "application/json",
    "text/html",
];

/// Parts of media types, and what each is in a user's words.
const KNOWN: [(&str, &str); 14] = [
    ("helm", "a Helm chart"),
    ("cyclonedx", "an SBOM (CycloneDX)"),
    ("spdx", "an SBOM (SPDX)"),
    ("syft", "an SBOM (Syft)"),
    ("in-toto", "an attestation (in-toto)"),
    ("sigstore", "a signature (Sigstore)"),
    ("cosign", "a signature (cosign)"),
    ("simplesigning", "a signature (simple signing)"),
    ("notary", "a signature (Notary Project)"),
    ("wasm", "a WebAssembly module"),
    ("buildkit.cacheconfig", "BuildKit's cache"),
    ("docker.plugin", "a plugin of Docker"),
    ("dev.cosignproject", "a signature (cosign)"),
    ("opa", "a bundle of policies (OPA)"),
];

/// What a manifest is about, if it is no image; by `schemaVersion`,
/// `artifactType` and the media types of its `config` and `layers`.
pub(crate) fn what<'a>(
    schema: Option<u64>,
    artifact_type: Option<&'a str>,
    config: Option<&'a str>,
    layers: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    if schema == Some(1) {
        let text = "an image in Docker's first schema, whose layers no digest vouches for: push it \
                    again with a tool of this decade";
        return Some(text.to_owned());
    }
    let config = config.unwrap_or_default();
    let is_image = IMAGES.contains(&config);
    let named = artifact_type.filter(|text| !text.is_empty());
    let mut layers = layers.into_iter();
    let media_type = match named {
        _ if !is_image => named.unwrap_or(config),
        Some(named) if config.is_empty() => named,
        // An image may say what it is for, and its configuration tells. cosign
        // gives its signatures the configuration of an image; their content is
        // no layer.
        _ => layers.next().filter(|first| {
            let is_layer = |text: &str| text.is_empty() || text.contains("tar");
            first != &"application/octet-stream" && !is_layer(first) && !layers.any(is_layer)
        })?,
    };
    let known = KNOWN.iter().find(|(part, _)| media_type.contains(part));
    Some(match known {
        Some((_, what)) => (*what).to_owned(),
        None => {
            let media_type: String = media_type.chars().take(200).collect();
            format!("an artifact of the type `{media_type}`")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::what;

    #[test]
    fn what_is_no_image_is_named() {
        let image = "application/vnd.oci.image.config.v1+json";
        let docker = "application/vnd.docker.container.image.v1+json";
        let empty = "application/vnd.oci.empty.v1+json";
        for (schema, kind, config, expected) in [
            (Some(2), None, Some(image), None),
            (Some(2), None, Some(docker), None),
            (None, None, None, None),
            (Some(2), Some("application/x.mine"), Some(image), None),
            (
                Some(2),
                None,
                Some("application/vnd.cncf.helm.config.v1+json"),
                Some("a Helm chart"),
            ),
            (
                Some(2),
                Some("application/vnd.cyclonedx+json"),
                Some(empty),
                Some("an SBOM (CycloneDX)"),
            ),
            (
                Some(2),
                Some("application/x.mine"),
                Some(empty),
                Some("an artifact of the type `application/x.mine`"),
            ),
        ] {
            assert_eq!(what(schema, kind, config, []).as_deref(), expected);
        }
        let signature = "application/vnd.dev.cosign.simplesigning.v1+json";
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let of = |layers: &[&'static str]| what(Some(2), None, Some(image), layers.to_vec());
        assert_eq!(of(&[signature]).as_deref(), Some("a signature (cosign)"));
        assert_eq!(of(&[signature, layer]), None);
        assert_eq!(of(&[layer]), None);
        let old = what(Some(1), None, None, []);
        assert!(old.is_some_and(|text| text.contains("first schema")));
    }
}
