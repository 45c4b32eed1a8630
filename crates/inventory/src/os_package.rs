//! What dpkg, apk and rpm have in common.

use std::collections::HashMap;

use seawall_image::{Evidence, View};
use seawall_model::{FileList, Os, Package, Source};

use crate::{
    purl::Purl,
    record::{Reader, Record, Writer},
};

/// Bytes of one package database.
pub(crate) const DATABASE_LIMIT: u64 = 256 << 20;

/// One package of a distribution, as its evidence has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: String,
    pub(crate) arch: &'a str,
    pub(crate) source: &'a str,
    pub(crate) source_version: &'a str,
    pub(crate) module: &'a str,
    /// Separated by newlines.
    pub(crate) licenses: String,
    /// Separated by newlines.
    pub(crate) files: String,
}

impl Found<'_> {
    pub(crate) fn write(&self, out: &mut Writer) {
        out.push(&[
            self.name,
            &self.version,
            self.arch,
            self.source,
            self.source_version,
            self.module,
            &self.licenses,
            &self.files,
        ]);
    }
}

/// Name, version and architecture: what tells one installed package from
/// another.
fn identity<'a>(record: &Record<'a>) -> (&'a str, &'a str, &'a str) {
    (record.get(0), record.get(1), record.get(2))
}

/// The packages of the database at `path`, each with the layer since which it
/// has been there without a break.
pub(crate) fn packages(
    kind: &'static str,
    view: &View,
    evidence: &Evidence,
    os: Option<&Os>,
) -> Vec<Package> {
    let history = view.history(evidence.analyser, &evidence.path);
    let mut since: HashMap<(&str, &str, &str), usize> = HashMap::new();
    for state in &history {
        let here: Vec<_> = Reader::new(&state.data)
            .map(|record| identity(&record))
            .collect();
        let before = std::mem::take(&mut since);
        for identity in here {
            let layer = before.get(&identity).copied().unwrap_or(state.layer);
            since.insert(identity, layer);
        }
    }
    Reader::new(&evidence.data)
        .map(|record| {
            let layer = since
                .get(&identity(&record))
                .copied()
                .unwrap_or(evidence.layer);
            package(
                kind,
                &record,
                os,
                &evidence.path,
                (!view.layers.is_empty()).then_some(layer),
            )
        })
        .collect()
}

fn package(
    kind: &'static str,
    record: &Record<'_>,
    os: Option<&Os>,
    path: &str,
    layer: Option<usize>,
) -> Package {
    let (name, version, arch) = identity(record);
    let source = record.some(3).map(|name| Source {
        name,
        version: record.some(4).unwrap_or_else(|| version.to_owned()),
    });
    let (epoch, rest) = match version.split_once(':') {
        // rpm's epoch is a qualifier of the purl, dpkg's part of the version.
        Some((epoch, rest)) if kind == "rpm" => (epoch, rest),
        _ => ("", version),
    };
    let distro = os.map(|os| match os.version.as_str() {
        "" => os.id.clone(),
        version => format!("{}-{version}", os.id),
    });
    let upstream = source
        .as_ref()
        .filter(|source| source.name != name || source.version != version);
    let upstream = upstream.map(|source| {
        if source.version == version {
            source.name.clone()
        } else {
            format!("{}@{}", source.name, source.version)
        }
    });
    let purl = Purl::new(kind, name, rest)
        .namespace(os.map_or(kind, |os| os.id.as_str()))
        .qualifier("arch", arch)
        .qualifier("epoch", epoch)
        .qualifier("distro", distro.unwrap_or_default())
        .qualifier("upstream", upstream.unwrap_or_default())
        .qualifier("rpmmod", record.get(5))
        .build();
    let origin = seawall_model::Origin {
        path: path.to_owned(),
        layer,
        ..Default::default()
    };
    Package {
        arch: record.some(2),
        source,
        module: record.some(5),
        licenses: record.get(6).lines().map(str::to_owned).collect(),
        files: FileList::from_lines(record.get(7)),
        ..Package::new(kind, name, version, purl, origin)
    }
}
