//! What no format has a field for, as properties: names and values that every
//! format carries in its own way (docs/sbom.md lists them).

use std::collections::BTreeMap;

use seawall_model::{
    ImageLayer, LineColumn, Owner, Package, Relation, Source, Span, Technique, TextRange,
};

use crate::{
    Document,
    part::{Part, relative},
};

/// On what the document is about: the version of these properties. Where it
/// stands, nothing was left out that Seawall knew.
pub(crate) const WRITTEN: &str = "seawall:document";
/// The image's id, `sha256:…` of its configuration.
pub(crate) const DIGEST: &str = "seawall:digest";
/// `os/architecture[/variant]`.
pub(crate) const PLATFORM: &str = "seawall:platform";
/// `seawall:layer:N`: diff id of the image's layer N, from 0; below it
/// [`LAYER_DIGEST`] and [`LAYER_STEP`].
pub(crate) const LAYER: &str = "seawall:layer:";
/// `seawall:layer:N:digest`.
pub(crate) const LAYER_DIGEST: &str = "digest";
/// `seawall:layer:N:created-by`.
pub(crate) const LAYER_STEP: &str = "created-by";

/// What the package URL and the format's own fields do not give back.
pub(crate) const TYPE: &str = "seawall:type";
pub(crate) const NAME: &str = "seawall:name";
pub(crate) const VERSION: &str = "seawall:version";
pub(crate) const ARCH: &str = "seawall:arch";
/// `name version` of the source package.
pub(crate) const SOURCE: &str = "seawall:source";
pub(crate) const MODULE: &str = "seawall:module";
pub(crate) const PATH: &str = "seawall:path";
pub(crate) const INSIDE: &str = "seawall:inside";
/// Diff id of the layer that brought it.
pub(crate) const IN_LAYER: &str = "seawall:layer";
/// `line:column-line:column`, all from 1.
pub(crate) const RANGE: &str = "seawall:range";
pub(crate) const TECHNIQUE: &str = "seawall:technique";
pub(crate) const OWNER: &str = "seawall:owner";
/// `true` or `false`.
pub(crate) const DIRECT: &str = "seawall:direct";
/// `true`.
pub(crate) const DEVELOPMENT: &str = "seawall:development";
/// In the place of a value that is empty.
pub(crate) const NONE: &str = "-";

/// Layers of one image; OCI has no bound, Docker's is 127.
const MOST_LAYERS: usize = 4096;

/// Takes what is said of what the document is about.
pub(crate) fn read_root(part: &Part<'_>, document: &mut Document) {
    let target = &mut document.target;
    target.name = match part.version.as_ref() {
        "" => part.name.clone().into_owned(),
        version if version.starts_with("sha256:") => part.name.clone().into_owned(),
        version => format!("{}:{version}", part.name),
    };
    let get = |names: &[&str]| part.property(names).map(str::to_owned);
    document.epochs_left_out = get(&[WRITTEN]).is_none();
    target.digest = get(&[DIGEST, "aquasecurity:trivy:ImageID"]);
    target.platform = get(&[PLATFORM]);
    let mut layers: BTreeMap<usize, ImageLayer> = BTreeMap::new();
    for (name, value) in &part.properties {
        let (index, what) = match (name.strip_prefix(LAYER), name.as_ref()) {
            (Some(rest), _) => match rest.split_once(':') {
                Some((index, what)) => (index.parse().ok(), what),
                None => (rest.parse().ok(), ""),
            },
            // Trivy lists them under one name, in their order.
            (None, "aquasecurity:trivy:DiffID") => (Some(layers.len()), ""),
            (None, _) => continue,
        };
        let Some(index) = index.filter(|index| *index < MOST_LAYERS) else {
            continue;
        };
        let layer = layers.entry(index).or_insert_with(|| ImageLayer {
            diff_id: String::new(),
            digest: None,
            size: 0,
            created_by: None,
            line: None,
        });
        match what {
            "" => layer.diff_id = value.clone().into_owned(),
            LAYER_DIGEST => layer.digest = Some(value.clone().into_owned()),
            LAYER_STEP => layer.created_by = Some(value.clone().into_owned()),
            _ => {}
        }
    }
    // One that is left out would give the others wrong numbers.
    if layers.keys().copied().eq(0..layers.len()) {
        target.layers = layers.into_values().collect();
    }
}

/// Takes what is said of a package beside its package URL.
pub(crate) fn read_package(part: &Part<'_>, layers: &[ImageLayer], package: &mut Package) {
    let layer = part.property(&[
        IN_LAYER,
        "syft:location:0:layerID",
        "aquasecurity:trivy:LayerDiffID",
    ]);
    package.origin.layer = layer.and_then(|id| layers.iter().position(|layer| layer.diff_id == id));
    if !part
        .properties
        .iter()
        .any(|(name, _)| name.starts_with("seawall:"))
    {
        return;
    }
    let get = |name: &str| part.property(&[name]);
    let text = |name: &str| {
        let value = get(name)?;
        Some(if value == NONE { "" } else { value }.to_owned())
    };
    if let Some(kind) = text(TYPE) {
        package.kind = kind.into();
    }
    if let Some(name) = text(NAME) {
        package.name = name;
    }
    if let Some(version) = text(VERSION) {
        package.version = version;
    }
    let optional = |name: &str, own: &mut Option<String>| {
        if let Some(value) = text(name) {
            *own = Some(value).filter(|value| !value.is_empty());
        }
    };
    optional(ARCH, &mut package.arch);
    optional(MODULE, &mut package.module);
    optional(INSIDE, &mut package.origin.inside);
    package.owner = text(OWNER).map(|name| Owner {
        name,
        answers: false,
    });
    if let Some(path) = text(PATH) {
        relative(&path).clone_into(&mut package.origin.path);
    }
    if let Some(source) = text(SOURCE) {
        package.source = source.split_once(' ').map(|(name, version)| Source {
            name: name.to_owned(),
            version: version.to_owned(),
        });
    }
    package.origin.range = get(RANGE).and_then(range);
    package.relation = Relation {
        direct: get(DIRECT).map(|value| value == "true"),
        development: package.relation.development || get(DEVELOPMENT).is_some(),
    };
    let technique = get(TECHNIQUE);
    let known = TECHNIQUES
        .into_iter()
        .find(|one| technique == Some(one.as_str()));
    package.technique = known.unwrap_or(package.technique);
}

const TECHNIQUES: [Technique; 5] = [
    Technique::Manifest,
    Technique::Binary,
    Technique::Fingerprint,
    Technique::FileName,
    Technique::Sbom,
];

fn range(text: &str) -> Option<TextRange> {
    let place = |text: &str| {
        let (line, column) = text.split_once(':')?;
        Some(LineColumn {
            line: line.parse().ok().filter(|line| *line > 0)?,
            column: column.parse().ok().filter(|column| *column > 0)?,
        })
    };
    let (start, end) = text.split_once('-')?;
    Some(TextRange {
        // Where the bytes lie is known only to who has the file.
        span: Span::new(0, 0),
        start: place(start)?,
        end: place(end)?,
    })
}
