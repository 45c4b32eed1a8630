//! .NET programs: NAME.deps.json lists the packages that a program was
//! published with (.NET, "runtime-configuration-file", section "deps.json").

use std::collections::{BTreeMap, HashMap, HashSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use seawall_image::{Analyser, Body, Entry, Interest, Need};
use seawall_model::{GapKind, Hash, HashAlgorithm, Relation, Requirement, Technique};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    Context, Ecosystem,
    found::{self, Finds, Found},
    text::in_memory,
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "deps-json",
    contexts: &[Context::Installed, Context::Project],
    analysers: &[&DepsJson],
    read: |view, inventory| found::read("deps-json", view, inventory),
};

struct DepsJson;

impl Analyser for DepsJson {
    fn name(&self) -> &'static str {
        "deps-json"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Suffix(".json")]
    }

    fn wants(&self, path: &str) -> bool {
        path.ends_with(".deps.json")
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let bytes = in_memory(&body)?;
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let file: DepsFile = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is no deps.json of .NET: {error}"))?;
        let mut finds = Finds::default();
        list(&file, &mut finds);
        if let Some(framework) = framework(entry.path) {
            finds.push(&framework);
        }
        Ok(finds.finish())
    }
}

/// Steps from package to package that one file may take.
const MOST_STEPS: usize = 1_000_000;

#[derive(Deserialize)]
struct DepsFile {
    #[serde(default, rename = "runtimeTarget")]
    target: Option<Target>,
    #[serde(default)]
    targets: BTreeMap<String, BTreeMap<String, Part>>,
    #[serde(default)]
    libraries: BTreeMap<String, Library>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

type Assets = BTreeMap<String, IgnoredAny>;

/// What a package brings to the program.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Part {
    dependencies: BTreeMap<String, String>,
    runtime: Assets,
    native: Assets,
    resources: Assets,
    runtime_targets: Assets,
}

#[derive(Deserialize)]
struct Library {
    /// `package`, `project`, `runtimepack`, `reference` or another word.
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    sha512: Option<String>,
}

/// `Name/1.2.3`, the name without the mark of packs that a program brings its
/// runtime in.
fn split(key: &str) -> Option<(&str, &str)> {
    let (name, version) = key.split_once('/')?;
    Some((name.strip_prefix("runtimepack.").unwrap_or(name), version))
}

fn list(file: &DepsFile, finds: &mut Finds) {
    let nothing = BTreeMap::new();
    let target = file
        .target
        .as_ref()
        .and_then(|one| file.targets.get(&one.name));
    // Older files name none that is there.
    let parts = target.or_else(|| file.targets.values().find(|parts| !parts.is_empty()));
    let parts = parts.unwrap_or(&nothing);
    let used = used(parts, finds);
    // What the program's own projects ask for is direct.
    let is_project = |key: &str| {
        let library = file.libraries.get(key);
        library.is_some_and(|library| library.kind == "project")
    };
    let direct: HashSet<&str> = parts
        .iter()
        .filter(|(key, _)| is_project(key))
        .flat_map(|(_, part)| part.dependencies.keys().map(String::as_str))
        .collect();
    for (key, library) in &file.libraries {
        let Some((name, version)) = split(key) else {
            finds.gap(
                GapKind::Damaged,
                &format!("`{key}` is no name with a version"),
            );
            continue;
        };
        let part = parts.get(key);
        // What only built the program, or what its runtime has in a newer
        // form, leaves nothing in it.
        if !parts.is_empty() && !is_project(key) && !used.contains(key.as_str()) {
            continue;
        }
        let requires = part.into_iter().flat_map(|part| &part.dependencies);
        finds.push(&Found {
            kind: "nuget",
            name: name.to_owned(),
            version: version.to_owned(),
            technique: Technique::Manifest,
            hashes: library
                .sha512
                .as_deref()
                .and_then(sha512)
                .into_iter()
                .collect(),
            requires: requires
                .map(|(name, version)| Requirement {
                    name: name.clone(),
                    version: Some(version.clone()),
                })
                .collect(),
            relation: Relation {
                direct: (!is_project(key)).then(|| direct.contains(name)),
                development: false,
            },
            ..Found::default()
        });
    }
}

/// The packages that have files in the program, or ask for one that has.
fn used<'f>(parts: &'f BTreeMap<String, Part>, finds: &mut Finds) -> HashSet<&'f str> {
    let mut askers: HashMap<String, Vec<&str>> = HashMap::new();
    let mut steps = 0;
    for (key, part) in parts {
        for (name, version) in &part.dependencies {
            steps += 1;
            if steps > MOST_STEPS {
                let reason = format!("there are more than {MOST_STEPS} dependencies");
                finds.gap(GapKind::Limit, &reason);
                return parts.keys().map(String::as_str).collect();
            }
            let asked = format!("{name}/{version}");
            askers.entry(asked).or_default().push(key);
        }
    }
    let has_files = |part: &Part| {
        [
            &part.runtime,
            &part.native,
            &part.resources,
            &part.runtime_targets,
        ]
        .iter()
        .any(|assets| !assets.is_empty())
    };
    let mut open: Vec<&str> = parts
        .iter()
        .filter(|(_, part)| has_files(part))
        .map(|(key, _)| key.as_str())
        .collect();
    let mut used: HashSet<&str> = open.iter().copied().collect();
    while let Some(key) = open.pop() {
        for asker in askers.get(key).into_iter().flatten() {
            if used.insert(asker) {
                open.push(asker);
            }
        }
    }
    used
}

/// `sha512-` and base64, as Subresource Integrity has it.
fn sha512(text: &str) -> Option<Hash> {
    let digest = STANDARD.decode(text.strip_prefix("sha512-")?).ok()?;
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Hash::new(HashAlgorithm::Sha512, &hex)
}

/// A shared framework, by its place: `shared/NAME/VERSION/NAME.deps.json`.
fn framework(path: &str) -> Option<Found> {
    let mut parts = path.rsplit('/');
    let file = parts.next()?;
    let (version, name, shared) = (parts.next()?, parts.next()?, parts.next()?);
    let is_one = shared == "shared"
        && file.strip_suffix(".deps.json") == Some(name)
        && version.starts_with(|first: char| first.is_ascii_digit());
    is_one.then(|| Found {
        kind: "nuget",
        name: name.to_owned(),
        version: version.to_owned(),
        technique: Technique::FileName,
        ..Found::default()
    })
}
