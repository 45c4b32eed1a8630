//! Go programs: the modules that they were linked from, and the toolchain, as
//! its linker notes them (Go, `debug/buildinfo` and `runtime/debug`).

use std::borrow::Cow;

use seawall_image::{Analyser, Body, Entry, Interest, Need};
use seawall_model::{GapKind, Requirement, Technique};

use crate::{
    Context, Ecosystem,
    bytes::Fields,
    found::{self, Finds, Found},
    program::{self, Format, MAGICS, NEED, Program},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "go-binary",
    contexts: &[Context::Installed, Context::Project],
    analysers: &[&BuildInfo],
    read: |view, inventory| found::read("go-binary", view, inventory),
};

struct BuildInfo;

impl Analyser for BuildInfo {
    fn name(&self) -> &'static str {
        "go-binary"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        MAGICS
    }

    fn need(&self) -> Need {
        NEED
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        program::evidence(&body, packages)
    }
}

/// What the linker puts in front.
const MAGIC: &[u8] = b"\xFF Go buildinf:";
/// It starts at a multiple of this.
const ALIGN: u64 = 16;
/// Bytes of its header, magic included.
const HEADER: u64 = 32;
/// Bytes of one of its two texts: the largest programs have 100 KB.
const LONGEST: u64 = 16 << 20;

fn packages(program: &Program<'_>, finds: &mut Finds) {
    match find(program) {
        Ok(Some((toolchain, modules))) => list(&toolchain, &modules, finds),
        Ok(None) if program.is_packed() => finds.gap(
            GapKind::Unsupported,
            "the program is packed with UPX: what it was linked from cannot be told",
        ),
        Ok(None) => {
            if let Some(reason) = &program.damage {
                finds.gap(
                    GapKind::Damaged,
                    &format!("the program is damaged: {reason}"),
                );
            }
            // What every Go program has, also from before Go 1.13, which
            // noted nothing.
            let is_go = [".gopclntab", "__gopclntab", ".note.go.buildid"]
                .iter()
                .any(|name| program.section(name).is_some());
            if is_go {
                finds.gap(
                    GapKind::Unsupported,
                    "it is a Go program without build information: its modules cannot be told",
                );
            }
        }
        Err(reason) => finds.gap(
            GapKind::Damaged,
            &format!("the Go program's build information {reason}"),
        ),
    }
}

/// The version of the toolchain and the list of modules; `None` when there is
/// no build information.
fn find(program: &Program<'_>) -> Result<Option<(String, String)>, &'static str> {
    let Some(address) = search(program) else {
        return Ok(None);
    };
    let header = program.at(address, HEADER).ok_or("is cut short")?;
    let (size, flags) = (header.get(14).copied(), header.get(15).copied());
    let flags = flags.unwrap_or(0);
    // Go 1.18 and later: the texts follow, each behind its length.
    let (toolchain, modules) = if flags & 2 == 2 {
        let (toolchain, next) = inline(program, address.saturating_add(HEADER))?;
        let (modules, _) = inline(program, next)?;
        (toolchain, modules)
    } else {
        let is_wide = match size {
            Some(4) => false,
            Some(8) => true,
            _ => return Err("has pointers of no known size"),
        };
        let fields = Fields {
            bytes: &header,
            big_endian: flags & 1 == 1,
        };
        let text = |at: usize| {
            let pointer = fields.word(at, is_wide).ok_or("is cut short")?;
            pointed(program, pointer, is_wide, fields.big_endian)
        };
        (text(16)?, text(if is_wide { 24 } else { 20 })?)
    };
    if toolchain.is_empty() {
        return Err("names no toolchain");
    }
    let toolchain = String::from_utf8_lossy(&toolchain).into_owned();
    // The list stands between marks of 16 bytes each
    // (`cmd/go/internal/modload`, `infoStart` and `infoEnd`).
    let end = modules.len().saturating_sub(16);
    let modules = match modules.get(16..end) {
        Some(list) if list.last() == Some(&b'\n') => String::from_utf8_lossy(list).into_owned(),
        _ => String::new(),
    };
    Ok(Some((toolchain, modules)))
}

/// The address of the magic.
fn search(program: &Program<'_>) -> Option<u64> {
    let own = match program.format {
        Format::Elf => program.section(".go.buildinfo"),
        Format::MachO => program.section("__go_buildinfo"),
        Format::Pe => None,
    };
    let (start, size) = match own {
        Some(section) => (section.address, section.size),
        // Among the data that a program may change: the linker puts it first.
        None => {
            let data = program.segments.iter().find(|segment| segment.is_data)?;
            (data.address, data.size)
        }
    };
    // The size is the header's word for it.
    let size = size.min(program.length());
    const CHUNK: u64 = 1 << 20;
    let finder = memchr::memmem::Finder::new(MAGIC);
    let mut at = start.checked_next_multiple_of(ALIGN)?;
    let end = start.checked_add(size)?;
    while at < end {
        let stretch = program.stretch(at)?;
        let length = CHUNK.min(end - at).min(stretch.length());
        let bytes = stretch.read(0, length).ok()?;
        let aligned = finder
            .find_iter(&bytes)
            .map(|found| found as u64)
            .find(|found| found % ALIGN == 0);
        if let Some(found) = aligned {
            return Some(at + found);
        }
        // A whole multiple of the alignment: no magic lies across.
        at = at.checked_add(CHUNK)?;
    }
    None
}

/// A text behind its length, which is a varint, and the address behind it.
fn inline<'a>(program: &Program<'a>, address: u64) -> Result<(Cow<'a, [u8]>, u64), &'static str> {
    const MOST_VARINT: u64 = 10;
    let outside = "lies beyond its section";
    let stretch = program.stretch(address).ok_or(outside)?;
    let head = stretch.read(0, MOST_VARINT.min(stretch.length()));
    let head = head.map_err(|_| outside)?;
    let mut length = 0_u64;
    let mut size = 0;
    for (index, byte) in (0_u32..).zip(head.iter()) {
        length |= u64::from(byte & 0x7F) << (7 * index).min(63);
        if byte & 0x80 == 0 {
            size = u64::from(index) + 1;
            break;
        }
    }
    if size == 0 {
        return Err("has a text of no length");
    }
    if length > LONGEST {
        return Err("claims to be larger than any");
    }
    let text = stretch.read(size, length).map_err(|_| outside)?;
    Ok((text, address.saturating_add(size + length)))
}

/// A text that a pointer leads to: first to a Go string, a pointer and a length.
fn pointed<'a>(
    program: &Program<'a>,
    pointer: u64,
    is_wide: bool,
    big_endian: bool,
) -> Result<Cow<'a, [u8]>, &'static str> {
    // Built without modules.
    if pointer == 0 {
        return Ok(Cow::default());
    }
    let outside = "points outside the file";
    let size = if is_wide { 8 } else { 4 };
    let bytes = program.at(pointer, size * 2).ok_or(outside)?;
    let fields = Fields {
        bytes: &bytes,
        big_endian,
    };
    let address = fields.word(0, is_wide).ok_or(outside)?;
    let length = fields.word(if is_wide { 8 } else { 4 }, is_wide);
    let length = length.filter(|length| *length <= LONGEST);
    match length.ok_or("claims to be larger than any")? {
        0 => Ok(Cow::default()),
        length => program.at(address, length).ok_or(outside),
    }
}

/// One module of the list.
#[derive(Clone, Copy, Debug, Default)]
struct Module<'a> {
    path: &'a str,
    version: &'a str,
}

/// The text of build information (Go, `runtime/debug`, `BuildInfo.String`).
#[derive(Debug, Default)]
struct Listed<'a> {
    main: Option<Module<'a>>,
    modules: Vec<Module<'a>>,
    settings: Vec<(&'a str, Cow<'a, str>)>,
}

fn parse(text: &str) -> Listed<'_> {
    let mut listed = Listed::default();
    for line in text.lines() {
        let mut words = line.split('\t');
        let kind = words.next().unwrap_or_default();
        let path = words.next().unwrap_or_default();
        let version = words.next().unwrap_or_default();
        let module = Module { path, version };
        match kind {
            "mod" => listed.main = Some(module),
            "dep" => listed.modules.push(module),
            // What stands in place of the module before it. A folder in its
            // place is the module with somebody's changes.
            "=>" if !version.is_empty() && !path.starts_with(['.', '/', '\\']) => {
                let last = listed.modules.last_mut().or(listed.main.as_mut());
                if let Some(last) = last {
                    *last = module;
                }
            }
            "build" => {
                if let Some((key, value)) = path.split_once('=') {
                    listed.settings.push((key, unquoted(value)));
                }
            }
            _ => {}
        }
    }
    listed
}

/// A value as Go quotes it where it has to (`strconv.Quote`).
fn unquoted(value: &str) -> Cow<'_, str> {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inner) = inner('`') {
        return inner.into();
    }
    match inner('"') {
        // The escapes that occur in flags are JSON's too.
        Some(_) => serde_json::from_str(value).map_or(value.into(), Cow::Owned),
        None => value.into(),
    }
}

impl Listed<'_> {
    fn setting(&self, key: &str) -> Option<&str> {
        let found = self.settings.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| value.as_ref())
    }

    /// The version of the main module. Built from a work tree it calls itself
    /// `(devel)`; then what the build was told to set as its version counts,
    /// and at last the revision, as the pseudo-version that it would bear (Go
    /// Modules Reference, "Pseudo-versions").
    fn main_version(&self, main: &Module<'_>) -> String {
        if !matches!(main.version, "" | "(devel)") {
            return main.version.to_owned();
        }
        let flags = self.setting("-ldflags").unwrap_or_default();
        if let Some(version) = linked_version(flags, main.path) {
            return version;
        }
        let revision = self.setting("vcs.revision").unwrap_or_default();
        let time: String = self
            .setting("vcs.time")
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .take(14)
            .collect();
        match revision.get(..12) {
            Some(short) if time.len() == 14 => format!("v0.0.0-{time}-{short}"),
            _ => "(devel)".to_owned(),
        }
    }
}

/// The version among the variables that `-X package.name=value` sets. Of
/// several the main program's own counts first: others may be of a library.
fn linked_version(flags: &str, main: &str) -> Option<String> {
    let mut words = words(flags).into_iter();
    let mut best: Option<(u8, String)> = None;
    while let Some(word) = words.next() {
        let set = match word.strip_prefix("-X").or(word.strip_prefix("--X")) {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        let Some((name, value)) = set.as_deref().and_then(|set| set.split_once('=')) else {
            continue;
        };
        let (package, variable) = name.rsplit_once('.').unwrap_or(("", name));
        let rank = match package {
            "main" => 0,
            _ if package.starts_with(main) => 1,
            _ => 2,
        };
        if is_version_name(variable)
            && let Some(version) = release(value)
            && best.as_ref().is_none_or(|(least, _)| rank < *least)
        {
            best = Some((rank, version));
        }
    }
    best.map(|(_, version)| version)
}

/// Whether a variable of this name holds the program's version.
fn is_version_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let mut rest = name.as_str();
    for prefix in ["current", "release", "app", "git", "build"] {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    matches!(
        rest,
        "version" | "ver" | "tag" | "versionstring" | "semver" | "semverversion"
    )
}

/// `v1.2.3…`, from a value that is a version with or without the `v`.
fn release(value: &str) -> Option<String> {
    // `refs/tags/v1.2.3`
    let value = value.rsplit('/').next()?;
    let number = value.strip_prefix('v').unwrap_or(value);
    let core = number.split(['-', '+']).next()?;
    let parts: Vec<&str> = core.split('.').collect();
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_release = (2..=4).contains(&parts.len())
        && parts.iter().all(|part| is_number(part))
        && number
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-+_".contains(&byte));
    is_release.then(|| format!("v{number}"))
}

/// The words of flags, which may stand in quotes (Go, `cmd/internal/quoted`).
fn words(flags: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = flags.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '\'' | '"')
            .then(|| rest.get(1..).and_then(|rest| rest.split_once(first)))
            .flatten();
        let (word, behind) = quoted.unwrap_or_else(|| {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            rest.split_at_checked(end).unwrap_or_default()
        });
        all.push(word.to_owned());
        rest = behind.trim_start();
    }
    all
}

fn list(toolchain: &str, modules: &str, finds: &mut Finds) {
    let listed = parse(modules);
    let one = |name: &str, version: String| Found {
        kind: "golang",
        name: name.to_owned(),
        version,
        technique: Technique::Binary,
        ..Found::default()
    };
    let mut all: Vec<Found> = listed
        .modules
        .iter()
        .map(|module| one(module.path, module.version.to_owned()))
        .collect();
    // `devel go1.24-0123456789 Mon Jan …`, `go1.21.0 X:boringcrypto`
    let version = toolchain
        .split_ascii_whitespace()
        .find(|word| word.starts_with("go"))
        .unwrap_or(toolchain);
    let number = version.strip_prefix("go").unwrap_or(version);
    all.push(Found {
        purl: Some(crate::Purl::new("golang", "stdlib", number).build()),
        ..one("stdlib", version.to_owned())
    });
    if let Some(main) = listed.main.filter(|main| !main.path.is_empty()) {
        let version = listed.main_version(&main);
        let requires = all.iter().map(|found| Requirement {
            name: found.name.clone(),
            version: Some(found.version.clone()),
        });
        let mut found = one(main.path, version);
        found.requires = requires.collect();
        // A tree with changes has no version that a purl could bear.
        if found.version == "(devel)" {
            found.purl = Some(crate::Purl::new("golang", main.path, "").build());
        }
        all.push(found);
    }
    all.iter().for_each(|found| finds.push(found));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_main_module_has_the_version_that_it_was_told() {
        for (flags, version) in [
            ("-X main.version=1.2.3 -s -w", Some("v1.2.3")),
            ("-s -X=main.Version=v2.0.0-rc.1", Some("v2.0.0-rc.1")),
            (
                "-X 'k8s.io/component-base/version.gitVersion=v1.27.1' -X \"m.io/x.Tag=v9.0.0\"",
                Some("v9.0.0"),
            ),
            ("-X main.commit=0a1b2c -X main.date=2024", None),
            ("-X main.version=dev", None),
            ("-X main.goVersion=go1.20.1", None),
            ("-X main.version=refs/tags/v0.9.1", Some("v0.9.1")),
            ("-X", None),
        ] {
            let found = linked_version(flags, "m.io/x");
            assert_eq!(found.as_deref(), version, "{flags}");
        }
    }

    #[test]
    fn a_replaced_module_is_the_one_in_its_place() {
        let listed = parse(
            "path\tm\nmod\tm\t(devel)\t\ndep\ta.b/c\tv1.0.0\n=>\td.e/f\tv1.1.0\th1:x=\n\
             dep\tg.h/i\tv2.0.0\n=>\t./i\t(devel)\t\nbuild\t-ldflags=\"-X \\\"main.version=3.0.1\\\"\"\n\
             build\tvcs.revision=0123456789abcdef\nbuild\tvcs.time=2024-02-03T04:05:06Z\n",
        );
        let names: Vec<_> = listed.modules.iter().map(|one| one.path).collect();
        assert_eq!(names, ["d.e/f", "g.h/i"]);
        let main = listed.main.unwrap();
        assert_eq!(listed.main_version(&main), "v3.0.1");
        let listed = Listed {
            settings: listed.settings.into_iter().skip(1).collect(),
            ..listed
        };
        assert_eq!(
            listed.main_version(&main),
            "v0.0.0-20240203040506-0123456789ab"
        );
    }
}
