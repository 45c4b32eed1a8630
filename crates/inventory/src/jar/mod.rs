//! Java archives: which artifacts they are and hold, to any depth that real
//! ones have.

mod groups;
mod identity;
mod manifest;
mod names;
mod pom;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fs::File,
    io::{Read, Write},
};

use seawall_model::{GapKind, Hash, HashAlgorithm, Technique};
use sha1::{Digest, Sha1};

use self::{identity::Identity, manifest::Manifest};
use crate::{
    bytes::Bytes,
    found::{Finds, Found},
    zip::{Archive, Entry, Fault},
};

/// Archives in archives: real ones have three or four levels.
const MOST_DEEP: usize = 8;
/// Bytes of inner archives that are unpacked or hashed for one outer one.
const MOST_INNER: u64 = 1 << 30;
/// Inner archives of one outer one.
const MOST_ARCHIVES: usize = 20_000;
/// Unpacked archives up to this size stay in memory.
const MEMORY: u64 = 8 << 20;
/// Bytes of a manifest's main attributes, and of a pom.properties.
const MANIFEST: u64 = 256 << 10;
/// Bytes of a pom.xml.
const POM: u64 = 1 << 20;
/// Folders of classes that are noted.
const MOST_FOLDERS: usize = 10_000;
/// Faults of one outer archive that are told.
const MOST_FAULTS: usize = 50;

/// Endings of archives that are laid out as jars are.
const ENDINGS: [&str; 12] = [
    "jar", "war", "ear", "par", "sar", "nar", "jpi", "hpi", "kar", "far", "lpkg", "rar",
];

/// Reads one archive of the image, at `path`.
pub(crate) fn packages(bytes: Bytes<'_>, path: &str, finds: &mut Finds) {
    let mut walk = Walk {
        finds,
        left: MOST_INNER,
        archives: 0,
        faults: 0,
    };
    walk.archive(bytes, path, "", 0);
    if let Some(more) = walk
        .faults
        .checked_sub(MOST_FAULTS)
        .filter(|more| *more > 0)
    {
        let reason = format!("{more} more entries of it cannot be read");
        walk.finds.gap(GapKind::Damaged, &reason);
    }
}

struct Walk<'f> {
    finds: &'f mut Finds,
    /// Bytes that may still be unpacked.
    left: u64,
    archives: usize,
    faults: usize,
}

/// A pom.properties, or a pom.xml without one.
struct Pom {
    group: String,
    artifact: String,
    version: String,
    licenses: Vec<String>,
    /// Where it lies.
    path: String,
}

impl Walk<'_> {
    fn fault(&mut self, inside: &str, fault: &Fault) {
        self.faults += 1;
        if self.faults <= MOST_FAULTS {
            let reason = match inside {
                "" => format!("the archive {}", fault.reason),
                _ => format!("`{inside}` in it {}", fault.reason),
            };
            self.finds.gap(fault.kind, &reason);
        }
    }

    fn limit(&mut self, inside: &str, reason: String) {
        let kind = GapKind::Limit;
        self.fault(inside, &Fault { kind, reason });
    }

    /// Reads an archive that lies at `inside` of the outer one, or is it.
    fn archive(&mut self, bytes: Bytes<'_>, path: &str, inside: &str, depth: usize) {
        let mut folders = HashSet::new();
        let opened = Archive::open(bytes, |name| {
            note_folder(name, &mut folders);
            is_wanted(name)
        });
        let archive = match opened {
            Ok(Some(archive)) => archive,
            Ok(None) => {
                // Other things bear some of the endings.
                if matches!(ending(path), "jar" | "war" | "ear") && bytes.length() > 0 {
                    let kind = GapKind::Damaged;
                    let reason = "is no zip archive, or is cut off".to_owned();
                    self.fault(inside, &Fault { kind, reason });
                }
                return;
            }
            Err(fault) => return self.fault(inside, &fault),
        };
        for fault in &archive.faults {
            self.fault(inside, fault);
        }
        let manifest = self.manifest(&archive, inside);
        let mut poms = self.poms(&archive, inside);
        let stem = names::stem(path);
        let has_classes = |folder: &str| folders.iter().any(|one: &String| one.starts_with(folder));
        let main = main_pom(&poms, stem, &manifest).map(|index| poms.swap_remove(index));
        let (identity, licenses) = match main {
            Some(pom) => (
                Identity {
                    group: pom.group,
                    artifact: pom.artifact,
                    version: pom.version,
                    technique: Technique::Manifest,
                },
                pom.licenses,
            ),
            // Tools that merge archives keep one of their manifests, which
            // then is another artifact's.
            None if is_anothers(&manifest, &poms, stem) => (
                identity::of(stem, &Manifest::default(), has_classes),
                Vec::new(),
            ),
            None => (identity::of(stem, &manifest, has_classes), Vec::new()),
        };
        let licenses = match manifest.get("bundle-license") {
            Some(said) if licenses.is_empty() => bundle_licenses(said),
            _ => licenses,
        };
        let hashes = hash(bytes).into_iter().collect();
        let mut found = found(&identity.group, identity.artifact, identity.version);
        found.technique = identity.technique;
        found.licenses = licenses;
        found.hashes = hashes;
        found.inside = (!inside.is_empty()).then(|| inside.to_owned());
        self.finds.push(&found);
        for pom in poms {
            self.finds.push(&merged(pom, inside));
        }
        for entry in archive
            .entries
            .iter()
            .filter(|entry| is_archive(&entry.name))
        {
            self.inner(&archive, entry, &below(inside, &entry.name), depth + 1);
        }
    }

    /// Reads an archive in an archive.
    fn inner(&mut self, archive: &Archive<'_>, entry: &Entry, inside: &str, depth: usize) {
        if depth > MOST_DEEP {
            let reason = format!("lies more than {MOST_DEEP} archives deep: it is not read");
            return self.limit(shortened(inside), reason);
        }
        if self.archives >= MOST_ARCHIVES {
            if self.archives == MOST_ARCHIVES {
                self.archives += 1;
                let reason = format!("and all behind it are more than {MOST_ARCHIVES} archives");
                self.limit(inside, reason);
            }
            return;
        }
        self.archives += 1;
        let Some(left) = self.left.checked_sub(entry.size) else {
            return self.fault(inside, &spent());
        };
        self.left = left;
        match archive.stored(entry) {
            Ok(Some(bytes)) => self.archive(bytes, &entry.name, inside, depth),
            Ok(None) if entry.size <= MEMORY => match archive.read(entry, MEMORY) {
                Ok(bytes) => self.archive(Bytes::memory(&bytes), &entry.name, inside, depth),
                Err(fault) => self.fault(inside, &fault),
            },
            Ok(None) => match spool(archive, entry) {
                Ok(file) => {
                    let bytes = Bytes::file(&file, entry.size);
                    self.archive(bytes, &entry.name, inside, depth);
                }
                Err(fault) => self.fault(inside, &fault),
            },
            Err(fault) => self.fault(inside, &fault),
        }
    }

    fn manifest(&mut self, archive: &Archive<'_>, inside: &str) -> Manifest {
        let Some(entry) = archive.entries.iter().find(|one| is_manifest(&one.name)) else {
            return Manifest::default();
        };
        match archive.start(entry, MANIFEST) {
            Ok(bytes) => Manifest::parse(&bytes),
            Err(fault) => {
                self.fault(&below(inside, &entry.name), &fault);
                Manifest::default()
            }
        }
    }

    /// The content of a small entry.
    fn small<'a>(
        &mut self,
        archive: &Archive<'a>,
        entry: &Entry,
        limit: u64,
        inside: &str,
    ) -> Option<Cow<'a, [u8]>> {
        let left = self.left.checked_sub(entry.size.min(limit));
        let read = match left {
            Some(left) => {
                self.left = left;
                archive.read(entry, limit)
            }
            None => Err(spent()),
        };
        read.map_err(|fault| self.fault(&below(inside, &entry.name), &fault))
            .ok()
    }

    /// The artifacts that the archive names: each by its pom.properties, with
    /// what the pom.xml beside it adds; by the pom.xml alone where it is whole.
    fn poms(&mut self, archive: &Archive<'_>, inside: &str) -> Vec<Pom> {
        let mut poms: Vec<Pom> = Vec::new();
        let mut by_folder: HashMap<String, usize> = HashMap::new();
        for entry in &archive.entries {
            let Some(folder) = entry.name.strip_suffix("pom.properties") else {
                continue;
            };
            if let Some(bytes) = self.small(archive, entry, MANIFEST, inside)
                && let Some([group, artifact, version]) = manifest::properties(&bytes)
            {
                by_folder.insert(folder.to_owned(), poms.len());
                poms.push(Pom {
                    group,
                    artifact,
                    version,
                    licenses: Vec::new(),
                    path: entry.name.clone(),
                });
            }
        }
        for entry in archive.entries.iter().filter(|one| is_pom(&one.name)) {
            let Some(bytes) = self.small(archive, entry, POM, inside) else {
                continue;
            };
            let said = pom::parse(&String::from_utf8_lossy(&bytes));
            let folder = entry.name.strip_suffix("pom.xml").unwrap_or_default();
            let beside = by_folder.get(folder).and_then(|index| poms.get_mut(*index));
            match (beside, said.coordinates()) {
                (Some(pom), _) => pom.licenses = said.licenses,
                (None, Some([group, artifact, version])) => poms.push(Pom {
                    group,
                    artifact,
                    version,
                    licenses: said.licenses,
                    path: entry.name.clone(),
                }),
                (None, None) => {}
            }
        }
        poms
    }
}

/// SHA-1, by which repositories know an archive.
fn hash(bytes: Bytes<'_>) -> Option<Hash> {
    let mut hasher = Sha1::new();
    let mut reader = bytes.reader();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer).ok()? {
            0 => break,
            read => hasher.update(buffer.get(..read)?),
        }
    }
    let digest = hasher.finalize();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Hash::new(HashAlgorithm::Sha1, &hex)
}

/// There is no room for more.
fn spent() -> Fault {
    Fault {
        kind: GapKind::Limit,
        reason: format!("is not read: what was unpacked has more than {MOST_INNER} bytes"),
    }
}

/// An archive too large for memory, in an unlinked temporary file.
fn spool(archive: &Archive<'_>, entry: &Entry) -> Result<File, Fault> {
    let failed = |error: std::io::Error| Fault {
        kind: GapKind::Limit,
        reason: format!("cannot be unpacked to a temporary file: {error}"),
    };
    let mut file = tempfile::tempfile().map_err(failed)?;
    archive.unpack(entry, &mut file)?;
    file.flush().map_err(failed)?;
    Ok(file)
}

fn found(group: &str, artifact: String, version: String) -> Found {
    Found {
        kind: "maven",
        name: match group {
            "" => artifact,
            _ => format!("{group}:{artifact}"),
        },
        version,
        ..Found::default()
    }
}

/// An artifact that was merged into an archive.
fn merged(pom: Pom, inside: &str) -> Found {
    Found {
        licenses: pom.licenses,
        inside: Some(below(inside, &pom.path)),
        ..found(&pom.group, pom.artifact, pom.version)
    }
}

/// Which of the artifacts that an archive names is the archive itself.
fn main_pom(poms: &[Pom], stem: &str, manifest: &Manifest) -> Option<usize> {
    let named = names::split(stem);
    let title = manifest.get("implementation-title");
    let is_named = |pom: &&Pom| {
        pom.artifact == named.name
            || pom.artifact == stem
            || stem
                .strip_prefix(pom.artifact.as_str())
                .is_some_and(|rest| rest.strip_prefix('-') == Some(pom.version.as_str()))
    };
    let by_name = poms.iter().find(is_named);
    let by_start = || {
        // `app-exec.jar`, with or without its version.
        let rest = |pom: &&Pom| stem.strip_prefix(pom.artifact.as_str());
        let starts = poms
            .iter()
            .filter(|pom| rest(pom).is_some_and(|rest| rest.starts_with('-')));
        starts
            .filter(|pom| named.version.is_empty() || pom.version == named.version)
            .max_by_key(|pom| pom.artifact.len())
    };
    let by_title = || poms.iter().find(|pom| title == Some(pom.artifact.as_str()));
    // A file may have been given another name.
    let only = || match poms {
        [one] if named.version.is_empty() || named.version == one.version => Some(one),
        _ => None,
    };
    let main = by_name.or_else(by_start).or_else(by_title).or_else(only)?;
    poms.iter().position(|pom| std::ptr::eq(pom, main))
}

/// Whether a manifest tells the version of an artifact that was merged into the
/// archive, and not that in the archive's name.
fn is_anothers(manifest: &Manifest, poms: &[Pom], stem: &str) -> bool {
    let own = names::split(stem).version;
    let said = manifest.get("implementation-version");
    said.is_some_and(|said| {
        !own.is_empty() && said != own && poms.iter().any(|pom| pom.version == said)
    })
}

/// `Bundle-License` (OSGi Core, 3.2.1.7): licences with parameters each.
fn bundle_licenses(said: &str) -> Vec<String> {
    let one = |clause: &str| {
        clause
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .trim_matches('"')
            .to_owned()
    };
    let all = said.split(',').map(one);
    all.filter(|name| !name.is_empty() && name != "<<EXTERNAL>>")
        .collect()
}

fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
}

fn is_archive(name: &str) -> bool {
    let ending = ending(name);
    ENDINGS.iter().any(|one| ending.eq_ignore_ascii_case(one))
}

fn is_properties(name: &str) -> bool {
    name.ends_with("/pom.properties")
}

fn is_pom(name: &str) -> bool {
    name.ends_with("/pom.xml") && name.contains("META-INF/maven/")
}

fn is_wanted(name: &str) -> bool {
    is_archive(name) || is_properties(name) || is_pom(name) || is_manifest(name)
}

fn is_manifest(name: &str) -> bool {
    name.eq_ignore_ascii_case("META-INF/MANIFEST.MF")
}

/// Notes the folder of a class.
fn note_folder(name: &str, folders: &mut HashSet<String>) {
    const LONGEST: usize = 300;
    let folder = name.rfind('/').and_then(|end| name.get(..=end));
    if let Some(folder) = folder.filter(|folder| folder.len() < LONGEST)
        && name.ends_with(".class")
        && folders.len() < MOST_FOLDERS
        && !folders.contains(folder)
    {
        folders.insert(folder.to_owned());
    }
}

/// The path of an entry of the archive at `inside`.
fn below(inside: &str, name: &str) -> String {
    match inside {
        "" => name.to_owned(),
        _ => format!("{inside}!/{name}"),
    }
}

/// A path of many levels with its last ones left out.
fn shortened(inside: &str) -> &str {
    const LONGEST: usize = 200;
    let mut end = inside.len().min(LONGEST);
    while !inside.is_char_boundary(end) {
        end -= 1;
    }
    inside.get(..end).unwrap_or(inside)
}
