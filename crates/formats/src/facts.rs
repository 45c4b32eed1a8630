//! What no format has a field for, as properties: names and values that every
//! format carries in its own way (docs/sbom.md lists them).

use std::collections::BTreeMap;

use seawall_model::{
    Hash, ImageLayer, LineColumn, Os, Owner, Package, Relation, Source, Span, Target, TargetKind,
    Technique, TextRange,
};

use crate::{
    Document,
    licenses::is_name,
    part::{self, Part, relative},
    purl,
};

/// On what the document is about: the version of these properties. Where it
/// stands, nothing was left out that Seawall knew.
pub(crate) const WRITTEN: &str = "seawall:document";
/// What it is: `image`, `rootfs`, `directory`, `file`.
pub(crate) const KIND: &str = "seawall:kind";
/// The image's id, `sha256:…` of its configuration.
pub(crate) const DIGEST: &str = "seawall:digest";
/// The image's manifest, `sha256:…`.
pub(crate) const MANIFEST: &str = "seawall:manifest";
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
/// `seawall:hash:sha256` and so on, where a format has no field for digests.
pub(crate) const HASH: &str = "seawall:hash:";
/// `seawall:license:N`, from 0, where a format has one field for all of them.
pub(crate) const LICENSE: &str = "seawall:license:";
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
    let kind = get(&[KIND]);
    let known = TargetKind::ALL
        .into_iter()
        .find(|one| kind.as_deref() == Some(one.as_str()));
    target.describes = known.or(target.describes);
    target.digest = get(&[DIGEST, "aquasecurity:trivy:ImageID"]);
    target.manifest = get(&[MANIFEST]);
    target.platform = get(&[PLATFORM]);
    let mut layers: BTreeMap<usize, ImageLayer> = BTreeMap::new();
    for (name, value) in &part.properties {
        let Some(rest) = name.strip_prefix(LAYER) else {
            continue;
        };
        let (index, what) = rest.split_once(':').unwrap_or((rest, ""));
        let index = index.parse().ok();
        let Some(index) = index.filter(|index: &usize| *index < MOST_LAYERS) else {
            continue;
        };
        let layer = layers.entry(index).or_insert_with(|| layer(""));
        match what {
            "" => layer.diff_id = value.clone().into_owned(),
            LAYER_DIGEST => layer.digest = Some(value.clone().into_owned()),
            LAYER_STEP => layer.created_by = Some(value.clone().into_owned()),
            _ => {}
        }
    }
    if layers.is_empty() {
        // Trivy lists them under one name, in their order.
        let ids = part
            .properties
            .iter()
            .filter(|(name, _)| name == "aquasecurity:trivy:DiffID")
            .take(MOST_LAYERS);
        for (index, (_, id)) in ids.enumerate() {
            layers.insert(index, layer(id));
        }
    }
    // One that is left out would give the others wrong numbers.
    if layers.keys().copied().eq(0..layers.len()) {
        target.layers = layers.into_values().collect();
    }
}

fn layer(diff_id: &str) -> ImageLayer {
    ImageLayer {
        diff_id: diff_id.to_owned(),
        digest: None,
        size: 0,
        created_by: None,
        line: None,
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
    package.hashes.extend(
        part.properties.iter().filter_map(|(name, value)| {
            Hash::parse(&format!("{}:{value}", name.strip_prefix(HASH)?))
        }),
    );
    let licenses: BTreeMap<usize, String> = part
        .properties
        .iter()
        .filter_map(|(name, value)| {
            let index = name.strip_prefix(LICENSE)?.parse().ok()?;
            Some((index, value.clone().into_owned()))
        })
        .collect();
    if !licenses.is_empty() {
        package.licenses = licenses.into_values().collect();
    }
    package.relation = Relation {
        direct: get(DIRECT).map(|value| value == "true"),
        development: package.relation.development || get(DEVELOPMENT).is_some(),
    };
    let known = get(TECHNIQUE).and_then(Technique::named);
    package.technique = known.unwrap_or(package.technique);
}

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

/// What is said of the document's subject.
pub(crate) fn of_root(target: &Target) -> Vec<(String, String)> {
    let mut all = vec![(WRITTEN.to_owned(), "1".to_owned())];
    let mut add = |name: String, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            all.push((name, value.to_owned()));
        }
    };
    add(KIND.to_owned(), Some(target.what().as_str()));
    add(DIGEST.to_owned(), target.digest.as_deref());
    add(MANIFEST.to_owned(), target.manifest.as_deref());
    add(PLATFORM.to_owned(), target.platform.as_deref());
    for (index, layer) in target.layers.iter().enumerate() {
        let key = format!("{LAYER}{index}");
        add(format!("{key}:{LAYER_DIGEST}"), layer.digest.as_deref());
        add(format!("{key}:{LAYER_STEP}"), layer.created_by.as_deref());
        add(key, Some(&layer.diff_id));
    }
    all
}

/// What is said of a distribution beside its id and version, by the names that
/// Syft and what reads its documents know.
pub(crate) fn of_system(os: &Os) -> Vec<(String, String)> {
    let mut all = vec![("syft:distro:id".to_owned(), os.id.clone())];
    for (index, like) in os.like.iter().enumerate() {
        all.push((format!("syft:distro:idLike:{index}"), like.clone()));
    }
    all.push(("syft:distro:prettyName".to_owned(), os.name.clone()));
    if let Some(codename) = &os.codename {
        all.push(("syft:distro:versionCodename".to_owned(), codename.clone()));
    }
    if !os.version.is_empty() {
        all.push(("syft:distro:versionID".to_owned(), os.version.clone()));
    }
    all
}

/// What is said of a package that `part`, which holds all else that the
/// document says of it, does not give back.
pub(crate) fn of_package(
    package: &Package,
    part: &Part<'_>,
    layers: &[ImageLayer],
) -> Vec<(String, String)> {
    let Some(purl) = purl::parse(&part.purl) else {
        return Vec::new();
    };
    let mut read = part::package(part, &purl);
    read_package(part, layers, &mut read);
    let mut all = Vec::new();
    let mut add = |name: &str, value: &str, is_other: bool| {
        if is_other {
            let value = if value.is_empty() { NONE } else { value };
            all.push((name.to_owned(), value.to_owned()));
        }
    };
    let optional = |value: &Option<String>| value.clone().unwrap_or_default();
    let (own, other) = (&package.origin, &read.origin);
    add(TYPE, &package.kind, package.kind != read.kind);
    add(NAME, &package.name, package.name != read.name);
    add(VERSION, &package.version, package.version != read.version);
    add(ARCH, &optional(&package.arch), package.arch != read.arch);
    let source = package.source.as_ref();
    let source = source.map(|source| format!("{} {}", source.name, source.version));
    add(SOURCE, &optional(&source), package.source != read.source);
    add(
        MODULE,
        &optional(&package.module),
        package.module != read.module,
    );
    add(PATH, &own.path, own.path != other.path);
    add(INSIDE, &optional(&own.inside), own.inside.is_some());
    if let Some(layer) = own.layer.and_then(|index| layers.get(index)) {
        add(IN_LAYER, &layer.diff_id, own.layer != other.layer);
    }
    if let Some(range) = &own.range {
        let (start, end) = (range.start, range.end);
        let text = format!(
            "{}:{}-{}:{}",
            start.line, start.column, end.line, end.column
        );
        add(RANGE, &text, true);
    }
    add(
        TECHNIQUE,
        package.technique.as_str(),
        package.technique != read.technique,
    );
    if let Some(owner) = &package.owner {
        add(OWNER, &owner.name, true);
    }
    if let Some(direct) = package.relation.direct {
        add(DIRECT, if direct { "true" } else { "false" }, true);
    }
    add(DEVELOPMENT, "true", package.relation.development);
    // Whole texts stand in the document once.
    let is_named = package.licenses.iter().all(|text| is_name(text));
    if package.licenses.len() > 1 && is_named && package.licenses != read.licenses {
        for (index, license) in package.licenses.iter().enumerate() {
            add(&format!("{LICENSE}{index}"), license, true);
        }
    }
    all
}
