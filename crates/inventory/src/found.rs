//! What all installed packages of languages have in common: one file names one
//! or several of them, with what it knows of each.

use seawall_image::{Body, Evidence, View};
use seawall_model::{
    FileList, Gap, GapKind, Hash, Origin, Package, Relation, Requirement, Source, Technique,
};

use crate::{
    Inventory,
    purl::Purl,
    record::{Reader, Record, Writer},
    requires::{self, Home, Room},
    text::lossy,
};

/// One installed package, as a file names it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The purl type.
    pub(crate) kind: &'static str,
    /// The name as [`Package::name`] has it; for `maven` `group:artifact`.
    pub(crate) name: String,
    pub(crate) version: String,
    /// Qualifiers of its purl.
    pub(crate) qualifiers: Vec<(&'static str, String)>,
    /// The whole purl, where name, version and qualifiers do not make it.
    pub(crate) purl: Option<String>,
    pub(crate) technique: Technique,
    /// The path inside the file, where it is an archive.
    pub(crate) inside: Option<String>,
    pub(crate) arch: Option<String>,
    pub(crate) licenses: Vec<String>,
    pub(crate) hashes: Vec<Hash>,
    pub(crate) requires: Vec<Requirement>,
    /// The files that it owns, relative to the root.
    pub(crate) files: Vec<String>,
    pub(crate) relation: Relation,
    /// Of a distribution's package that is told by something else than its
    /// database.
    pub(crate) source: Option<Source>,
    pub(crate) module: Option<String>,
}

/// Packages of one file: more are a gap. The largest archives hold thousands.
const MOST: usize = 50_000;
/// Bytes of a name or a version; what is longer is none.
pub(crate) const MOST_NAME: usize = 4096;
/// Packages that one may ask for, and licences and digests that it may have:
/// the largest ask for some hundreds.
pub(crate) const MOST_ITEMS: usize = 5_000;

/// Packages of all files of one analyser, and the requirements of all of them:
/// the largest images have some tens of thousands.
const MOST_OF_ALL: usize = 500_000;
const MOST_REQUIREMENTS: usize = 2_000_000;

/// Gathers the packages of one file.
#[derive(Debug, Default)]
pub(crate) struct Finds {
    out: Writer,
    count: usize,
    room: Room,
}

impl Finds {
    /// Adds a package; one without a name is none.
    pub(crate) fn push(&mut self, one: &Found) {
        self.push_as(one.kind, one);
    }

    /// The same for a purl type that is none of our constants.
    pub(crate) fn push_as(&mut self, kind: &str, one: &Found) {
        if one.name.is_empty() {
            return;
        }
        if one.name.len().max(one.version.len()) > MOST_NAME {
            self.gap(
                GapKind::Damaged,
                "a package's name or version is no such thing",
            );
            return;
        }
        self.count += 1;
        if self.count > MOST {
            if self.count == MOST + 1 {
                let reason = format!("there are more than {MOST} packages");
                self.gap(GapKind::Limit, &reason);
            }
            return;
        }
        for reason in too_many(&one.requires, &one.licenses, &one.hashes) {
            self.gap(GapKind::Limit, &reason);
        }
        let requires = self.room.keep(&one.requires);
        let hashes = one.hashes.iter().take(MOST_ITEMS);
        let purl = one.purl.clone().unwrap_or_else(|| one.to_purl());
        let direct = match one.relation.direct {
            Some(true) => "1",
            Some(false) => "0",
            None => "",
        };
        let source = one.source.as_ref();
        self.out.push(&[
            kind,
            &one.name,
            &one.version,
            &purl,
            one.technique.as_str(),
            one.inside.as_deref().unwrap_or_default(),
            one.arch.as_deref().unwrap_or_default(),
            &join(short(&one.licenses)),
            &join(hashes.map(Hash::to_string)),
            &join_requirements(requires),
            &join(&one.files),
            direct,
            if one.relation.development { "1" } else { "" },
            source.map_or("", |source| &source.name),
            source.map_or("", |source| &source.version),
            one.module.as_deref().unwrap_or_default(),
        ]);
    }

    /// Says that something in the file could not be used.
    pub(crate) fn gap(&mut self, kind: GapKind, reason: &str) {
        self.out.gap(kind, reason);
    }

    /// The requirements of a package: see [`Room::gather`].
    pub(crate) fn gather<'t>(
        &self,
        targets: impl IntoIterator<Item = (&'t str, Option<&'t str>)>,
    ) -> Vec<Requirement> {
        self.room.gather(targets)
    }

    /// The evidence; `None` when there is none.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        if let Some(reason) = self.room.gap() {
            self.gap(GapKind::Limit, &reason);
        }
        self.out.finish()
    }
}

/// What a package has more of than any.
pub(crate) fn too_many(
    requires: &[Requirement],
    licenses: &[String],
    hashes: &[Hash],
) -> impl Iterator<Item = String> {
    let counts = [
        (requires.len(), "requirements"),
        (licenses.len(), "licences"),
        (hashes.len(), "digests"),
    ];
    let more = counts.into_iter().filter(|(count, _)| *count > MOST_ITEMS);
    more.map(|(_, what)| format!("a package has more than {MOST_ITEMS} {what}"))
}

/// Licences that are names: whole texts stand in their place too.
pub(crate) fn short(licenses: &[String]) -> impl Iterator<Item = &String> {
    let some = licenses.iter().take(MOST_ITEMS);
    some.filter(|name| name.len() <= MOST_NAME)
}

impl Found {
    fn to_purl(&self) -> String {
        let mut purl = Purl::new(self.kind, &self.name, &self.version);
        for (key, value) in &self.qualifiers {
            purl = purl.qualifier(key, value);
        }
        purl.build()
    }
}

/// Turns the evidence of `analyser` into packages.
pub(crate) fn read(analyser: &str, view: &View, inventory: &mut Inventory) {
    let start = inventory.packages.len();
    let mut requirements = 0;
    for evidence in view.of(analyser) {
        let before = inventory.packages.len();
        packages(evidence, view, inventory);
        let added = inventory.packages.get_mut(before..).unwrap_or_default();
        let mut is_over = false;
        for package in added {
            if requirements + package.requires.len() > MOST_REQUIREMENTS {
                package.requires.clear();
                if std::mem::replace(&mut is_over, true) {
                    continue;
                }
                let reason = format!(
                    "with it there are more than {MOST_REQUIREMENTS} requirements: those of its \
                     packages are left out"
                );
                let gap = Gap::new(GapKind::Limit, evidence.path.clone(), reason);
                inventory.gaps.push(gap);
            }
            requirements += package.requires.len();
        }
        if inventory.packages.len() - start > MOST_OF_ALL {
            let reason = format!(
                "with it there are more than {MOST_OF_ALL} packages: it and what follows is left \
                 out"
            );
            let gap = Gap::new(GapKind::Limit, evidence.path.clone(), reason);
            inventory.packages.truncate(before);
            inventory.gaps.push(gap);
            return;
        }
    }
}

/// The same for packages that name others: see [`requires::settle`].
pub(crate) fn read_settled(analyser: &str, view: &View, inventory: &mut Inventory, home: Home) {
    let mut found = Inventory::default();
    read(analyser, view, &mut found);
    requires::settle(&mut found.packages, home);
    inventory.packages.append(&mut found.packages);
    inventory.gaps.append(&mut found.gaps);
}

/// Requirements by name alone.
pub(crate) fn names<S: Into<String>>(all: impl IntoIterator<Item = S>) -> Vec<Requirement> {
    let one = |name: S| Requirement {
        name: name.into(),
        version: None,
    };
    all.into_iter().map(one).collect()
}

/// How an ecosystem reads the text of one record: its path and its text; an
/// error is what is wrong with all of it.
pub(crate) type Parse = fn(&str, &str, &mut Finds) -> Result<(), String>;

/// The evidence of a record: the packages that `parse` finds in it.
pub(crate) fn evidence(
    path: &str,
    body: &Body<'_>,
    parse: Parse,
) -> Result<Option<Vec<u8>>, String> {
    let mut out = Finds::default();
    parse(path, &lossy(body)?, &mut out)?;
    Ok(out.finish())
}

/// Defines the ecosystem of records that each stand for themselves: its
/// analyser (interests, which paths of them, bytes of one file, parser) and
/// where packages see each other.
macro_rules! records {
    ($name:literal, [$($interest:expr),+ $(,)?], $wants:expr, $most:expr, $parse:path, $home:expr) => {
        pub(crate) static ECOSYSTEM: $crate::Ecosystem = $crate::Ecosystem {
            name: $name,
            contexts: &[$crate::Context::Installed],
            analysers: &[&Records],
            read: |view, inventory| $crate::found::read_settled($name, view, inventory, $home),
        };

        struct Records;

        impl seawall_image::Analyser for Records {
            fn name(&self) -> &'static str {
                $name
            }

            fn version(&self) -> u32 {
                1
            }

            fn interests(&self) -> &'static [seawall_image::Interest] {
                use seawall_image::Interest;
                &[$($interest),+]
            }

            fn wants(&self, path: &str) -> bool {
                $wants(path)
            }

            fn need(&self) -> seawall_image::Need {
                seawall_image::Need::Whole($most)
            }

            fn analyse(
                &self,
                entry: &seawall_image::Entry<'_>,
                body: seawall_image::Body<'_>,
            ) -> Result<Option<Vec<u8>>, String> {
                $crate::found::evidence(entry.path, &body, $parse)
            }
        }
    };
}

pub(crate) use records;

/// Turns the evidence of one file into packages.
pub(crate) fn packages(evidence: &Evidence, view: &View, inventory: &mut Inventory) {
    for record in Reader::new(&evidence.data) {
        match record.gap(&evidence.path) {
            Some(gap) => inventory.gaps.push(gap),
            None => {
                let package = package(&record, evidence, !view.layers.is_empty());
                inventory.packages.push(package);
            }
        }
    }
}

fn package(record: &Record<'_>, evidence: &Evidence, has_layers: bool) -> Package {
    let origin = Origin {
        path: evidence.path.clone(),
        inside: record.some(5),
        layer: has_layers.then_some(evidence.layer),
        range: None,
    };
    let technique = Technique::named(record.get(4));
    // The kind is one of our constants; the cache gives it back as text.
    let kind = record.get(0).to_owned();
    Package {
        technique: technique.unwrap_or_default(),
        arch: record.some(6),
        licenses: split(record.get(7)).map(str::to_owned).collect(),
        hashes: split(record.get(8)).filter_map(Hash::parse).collect(),
        requires: requirements(record.get(9)),
        files: FileList::from_lines(record.get(10)),
        relation: Relation {
            direct: match record.get(11) {
                "1" => Some(true),
                "0" => Some(false),
                _ => None,
            },
            development: record.get(12) == "1",
        },
        source: record.some(13).map(|name| Source {
            name,
            version: record.get(14).to_owned(),
        }),
        module: record.some(15),
        ..Package::new(kind, record.get(1), record.get(2), record.get(3), origin)
    }
}

/// A list in one field: an item a line. What holds a line's end is no item.
pub(crate) fn join<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> String {
    let mut out = String::new();
    for item in items {
        let item = item.as_ref();
        if !item.is_empty() && !item.contains('\n') {
            out.push_str(item);
            out.push('\n');
        }
    }
    out
}

/// The items of such a field.
pub(crate) fn split(field: &str) -> impl Iterator<Item = &str> {
    field.split('\n').filter(|item| !item.is_empty())
}

/// Requirements in one field.
pub(crate) fn join_requirements(all: &[Requirement]) -> String {
    join(all.iter().map(|one| match &one.version {
        Some(version) => format!("{}\t{version}", one.name),
        None => one.name.clone(),
    }))
}

/// The requirements of such a field.
pub(crate) fn requirements(field: &str) -> Vec<Requirement> {
    let one = |item: &str| match item.split_once('\t') {
        Some((name, version)) => Requirement {
            name: name.to_owned(),
            version: Some(version.to_owned()),
        },
        None => Requirement {
            name: item.to_owned(),
            version: None,
        },
    };
    split(field).map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use seawall_model::HashAlgorithm;

    use super::*;

    #[test]
    fn what_was_found_reads_back() {
        let found = Found {
            kind: "maven",
            name: "org.a:b".into(),
            version: "1".into(),
            qualifiers: vec![("type", "war".into())],
            technique: Technique::Binary,
            inside: Some("lib/b.jar".into()),
            licenses: vec!["MIT".into(), "Apache-2.0".into()],
            hashes: Hash::new(HashAlgorithm::Sha1, &"0f".repeat(20))
                .into_iter()
                .collect(),
            requires: requirements("org.a:c\t2\norg.a:d\n"),
            files: vec!["x/y".into()],
            ..Found::default()
        };
        let mut finds = Finds::default();
        finds.push(&found);
        finds.push(&Found::default());
        finds.gap(GapKind::Limit, "so much");
        let evidence = Evidence {
            path: "app.jar".into(),
            analyser: "x",
            layer: 1,
            hidden_by: None,
            size: 0,
            mode: 0,
            uid: 0,
            gid: 0,
            capability: None,
            data: Arc::from(finds.finish().unwrap()),
        };
        let mut inventory = Inventory::default();
        packages(&evidence, &View::default(), &mut inventory);
        let [package] = inventory.packages.as_slice() else {
            panic!("{inventory:?}");
        };
        assert_eq!(package.purl, "pkg:maven/org.a/b@1?type=war");
        assert_eq!(package.technique, Technique::Binary);
        assert_eq!(package.licenses, found.licenses);
        assert_eq!(package.hashes, found.hashes);
        assert_eq!(package.requires, found.requires);
        assert_eq!(package.files.iter().collect::<Vec<_>>(), ["x/y"]);
        assert_eq!(package.origin.inside.as_deref(), Some("lib/b.jar"));
        assert_eq!(inventory.gaps.len(), 1);
    }
}
