//! ELF notes that name the package which a program was built for (systemd,
//! "Package Metadata for Executable Files"). The name and version are those of
//! the source package.
//!
//! Its name comes behind those of the package databases: a note adds only what
//! they do not have.

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::{GapKind, Source, Technique};
use serde::Deserialize;

use crate::{
    Context, Ecosystem, Inventory, Purl,
    bytes::Fields,
    found::{self, Found},
    program::{self, NEED, Program},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "systemd-note",
    contexts: &[Context::Installed],
    analysers: &[&Note],
    read,
};

struct Note;

impl Analyser for Note {
    fn name(&self) -> &'static str {
        "systemd-note"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Magic(b"\x7FELF")]
    }

    fn need(&self) -> Need {
        NEED
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        program::evidence(&body, |program, finds| match find(program) {
            None => {}
            Some(Ok(found)) => finds.push(&found),
            Some(Err(reason)) => {
                let reason = format!("the note of the program's package {reason}");
                finds.gap(GapKind::Damaged, &reason);
            }
        })
    }
}

/// The type of the note, and its owner's name.
const TYPE: u32 = 0xCAFE_1A7E;
const OWNER: &[u8] = b"FDO\0";
/// Bytes of all notes of a program: real ones have some hundred.
const LIMIT: u64 = 64 << 10;

/// What the note says (systemd, "Well-known keys").
#[derive(Deserialize)]
struct Metadata {
    #[serde(rename = "type", default)]
    kind: String,
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    architecture: Option<String>,
    /// The ids of os-release.
    #[serde(default)]
    os: Option<String>,
    #[serde(default, rename = "osVersion")]
    os_version: Option<String>,
    /// Where there is no `os`: `cpe:/o:fedoraproject:fedora:40`.
    #[serde(default, rename = "osCpe")]
    os_cpe: Option<String>,
}

fn find(program: &Program<'_>) -> Option<Result<Found, String>> {
    let section = program.section(".note.package");
    let own = section.map(|section| (section.offset, section.size));
    // Without section headers the notes are still loaded.
    let loaded = program.segments.iter().filter(|one| one.is_note);
    let loaded = loaded
        .filter(|_| program.sections.is_empty())
        .map(|one| (one.offset, one.size));
    own.into_iter().chain(loaded).find_map(|(offset, size)| {
        let content = match program.content(offset, size, LIMIT) {
            Ok(content) => content,
            Err(reason) => return own.is_some().then_some(Err(reason)),
        };
        let json = description(&content, program.big_endian)?;
        let json = json.split(|byte| *byte == 0).next().unwrap_or_default();
        let metadata = serde_json::from_slice(json);
        Some(match metadata {
            Ok(metadata) => Ok(package(metadata)),
            Err(error) => Err(format!("is damaged: {error}")),
        })
    })
}

/// The description of the note that is wanted among others (System V ABI,
/// "Note Section").
fn description(mut notes: &[u8], big_endian: bool) -> Option<&[u8]> {
    loop {
        let fields = Fields {
            bytes: notes,
            big_endian,
        };
        let size = |at: usize| usize::try_from(fields.u32(at)?).ok();
        let (name_size, size, kind) = (size(0)?, size(4)?, fields.u32(8)?);
        let behind = notes.get(12..)?;
        let (name, _) = behind.split_at_checked(name_size)?;
        let behind = behind.get(name_size.checked_next_multiple_of(4)?..)?;
        let (description, _) = behind.split_at_checked(size)?;
        if kind == TYPE && name == OWNER {
            return Some(description);
        }
        notes = behind.get(size.checked_next_multiple_of(4)?..)?;
    }
}

fn package(metadata: Metadata) -> Found {
    let kind = match metadata.kind.as_str() {
        "deb" => "deb",
        "rpm" => "rpm",
        "apk" => "apk",
        "alpm" | "arch" => "alpm",
        _ => "generic",
    };
    // `cpe:/o:VENDOR:PRODUCT:VERSION`, `cpe:2.3:o:VENDOR:PRODUCT:VERSION:…`
    let cpe = metadata.os_cpe.as_deref().unwrap_or_default();
    let cpe = cpe
        .strip_prefix("cpe:/o:")
        .or(cpe.strip_prefix("cpe:2.3:o:"));
    let mut parts = cpe.unwrap_or_default().split(':').skip(1);
    let (product, version) = (parts.next(), parts.next());
    let os = metadata.os.as_deref().or(product).unwrap_or_default();
    // Debian's own programs say `Debian`; the ids of os-release have no
    // capitals.
    let os = os.to_ascii_lowercase();
    let os_version = metadata
        .os_version
        .as_deref()
        .or(version)
        .unwrap_or_default();
    let mut purl = Purl::new(kind, &metadata.name, &metadata.version);
    if kind != "generic" && !os.is_empty() {
        purl = purl.namespace(&os);
        if !os_version.is_empty() {
            purl = purl.qualifier("distro", format!("{os}-{os_version}"));
        }
    }
    let arch = metadata.architecture.clone();
    let purl = purl.qualifier("arch", arch.clone().unwrap_or_default());
    Found {
        kind,
        purl: Some(purl.build()),
        arch,
        technique: Technique::Binary,
        // Where it was built; `read` needs it.
        inside: Some(os),
        name: metadata.name,
        version: metadata.version,
        ..Found::default()
    }
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut noted = Inventory::default();
    found::read("systemd-note", view, &mut noted);
    inventory.gaps.extend(noted.gaps);
    for mut package in noted.packages {
        let os = package.origin.inside.take();
        let id = inventory.os.as_ref().map(|own| own.id.as_str());
        let is_here = inventory.packages.iter().any(|other| {
            other.kind == package.kind
                && other.technique == Technique::Manifest
                && (other.name == package.name
                    || other
                        .source
                        .as_ref()
                        .is_some_and(|own| own.name == package.name))
        });
        if is_here {
            continue;
        }
        // Another distribution's package is none of this one's, and its
        // versions are compared with those of no advisory.
        if id.is_some() && os.as_deref() != id {
            package.kind = "generic".into();
        }
        if package.kind == "deb" {
            package.source = Some(Source {
                name: package.name.clone(),
                version: package.version.clone(),
            });
        }
        inventory.packages.push(package);
    }
}
