//! Project files of .NET with what they import by their place:
//! Directory.Packages.props and Directory.Build.props (NuGet, "PackageReference
//! in project files" and "Central Package Management").

use std::collections::{BTreeSet, HashMap};

use seawall_image::View;
use seawall_model::{Gap, GapKind, Origin, Package, Relation, Span, TextRange};

use crate::{
    Inventory,
    declared::{Declarations, MOST_PACKAGES, lock_file, range_fields, range_of},
    purl::Purl,
    record::Reader,
    text::list,
    xml::{Element, Text, Tree},
};

lock_file!(
    "msbuild",
    "nuget",
    [
        Interest::Name(CENTRAL),
        Interest::Name(BUILD),
        Interest::Suffix(".csproj"),
        Interest::Suffix(".fsproj"),
        Interest::Suffix(".vbproj"),
    ],
    parse,
    read
);

const CENTRAL: &str = "Directory.Packages.props";
const BUILD: &str = "Directory.Build.props";
/// How deep properties may lead to others, and how many may be put into one
/// version.
const MOST_LEVELS: usize = 16;
const MOST_PROPERTIES: usize = 1000;
/// Bytes of a version with its properties put in.
const MOST_VERSION: usize = 256;

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let tree = Tree::read(text, "Project", out)?;
    out.record(&["file"]);
    let groups = tree.root().into_iter().flat_map(Element::children);
    for group in groups {
        match group.name() {
            "PropertyGroup" => {
                for one in group.children() {
                    let has_condition = [group, one]
                        .iter()
                        .any(|it| it.attribute("Condition").is_some());
                    let condition = if has_condition { "1" } else { "" };
                    let text = one.text();
                    push(
                        out,
                        &["property", one.name(), text.value, condition],
                        text.span,
                    );
                }
            }
            "ItemGroup" => group.children().for_each(|one| item(one, out)),
            _ => {}
        }
    }
    Ok(())
}

fn push(out: &mut Declarations<'_>, fields: &[&str], span: Span) {
    let range = range_fields(out.range(span));
    let range = range.iter().map(String::as_str);
    let fields: Vec<&str> = fields.iter().copied().chain(range).collect();
    out.record(&fields);
}

/// `PackageReference`, `PackageVersion` or `GlobalPackageReference`.
fn item(one: Element<'_, '_>, out: &mut Declarations<'_>) {
    let kind = one.name();
    if !matches!(
        kind,
        "PackageReference" | "PackageVersion" | "GlobalPackageReference"
    ) {
        return;
    }
    // What is said of an item may stand in an attribute or in an element.
    let about = |name: &str| -> Option<Text<'_>> {
        let text = one
            .attribute(name)
            .or_else(|| one.child(name).map(Element::text))?;
        (!text.value.is_empty()).then_some(text)
    };
    let Some(name) = about("Include").or_else(|| about("Update")) else {
        // `Remove` takes one away.
        if about("Remove").is_none() {
            out.problem(one.start(), "a package has no name");
        }
        return;
    };
    let version = about("VersionOverride").or_else(|| about("Version"));
    let is_private =
        about("PrivateAssets").is_some_and(|text| text.value.eq_ignore_ascii_case("all"));
    for name_of_one in name
        .value
        .split(';')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let fields = [
            kind,
            name_of_one,
            version.unwrap_or_default().value,
            if is_private { "1" } else { "" },
        ];
        push(out, &fields, version.unwrap_or(name).span);
    }
}

/// A text of a file.
#[derive(Clone, Copy)]
struct Value<'v> {
    text: &'v str,
    file: usize,
    range: TextRange,
}

/// What one file says.
#[derive(Default)]
struct File<'v> {
    path: &'v str,
    layer: Option<usize>,
    /// Values, and whether each is so only under a condition.
    properties: HashMap<String, Vec<(Value<'v>, bool)>>,
    references: Vec<Reference<'v>>,
    /// By name in small letters: the name as it is written, and the version.
    versions: HashMap<String, Reference<'v>>,
}

#[derive(Clone, Copy)]
struct Reference<'v> {
    name: &'v str,
    version: Value<'v>,
    is_development: bool,
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut files: Vec<File<'_>> = Vec::new();
    for evidence in view.of("msbuild") {
        let mut file = File {
            path: &evidence.path,
            layer: (!view.layers.is_empty()).then_some(evidence.layer),
            ..File::default()
        };
        for record in Reader::new(&evidence.data) {
            inventory.gaps.extend(record.gap(&evidence.path));
            let value = Value {
                text: record.get(2),
                file: files.len(),
                range: range_of(&record, 4),
            };
            let name = record.get(1);
            let reference = Reference {
                name,
                version: value,
                is_development: record.get(3) == "1",
            };
            match record.get(0) {
                "property" => {
                    let list = file.properties.entry(name.to_lowercase()).or_default();
                    list.push((value, record.get(3) == "1"));
                }
                "PackageVersion" => drop(file.versions.insert(name.to_lowercase(), reference)),
                // What every project gets, for building alone.
                "GlobalPackageReference" => file.references.push(Reference {
                    is_development: true,
                    ..reference
                }),
                "PackageReference" => file.references.push(reference),
                _ => {}
            }
        }
        files.push(file);
    }
    let by_path: HashMap<&str, usize> = files.iter().map(|file| file.path).zip(0..).collect();
    let mut reader = References {
        files: &files,
        seen: HashMap::new(),
        packages: Vec::new(),
        is_over: false,
    };
    // Central files that no project is below stand for themselves.
    let mut is_used = vec![false; files.len()];
    for (index, file) in files
        .iter()
        .enumerate()
        .filter(|(_, file)| is_project(file.path))
    {
        let central = nearest(file.path, CENTRAL, &by_path);
        let build = nearest(file.path, BUILD, &by_path);
        if let Some(used) = central.and_then(|at| is_used.get_mut(at)) {
            *used = true;
        }
        // NuGet's own list beside it tells more.
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let lock = format!("{folder}/packages.lock.json");
        if view
            .at("packages-lock-json", lock.trim_start_matches('/'))
            .is_some()
        {
            continue;
        }
        let imported = [Some(index), central, build];
        inventory
            .gaps
            .extend(reader.project(file.path, &imported, central));
    }
    for (index, file) in files.iter().enumerate() {
        if file.path.ends_with(CENTRAL) && !is_used.get(index).copied().unwrap_or_default() {
            inventory.gaps.extend(reader.central(index));
        }
    }
    if reader.is_over {
        let path = files.first().map_or("", |file| file.path);
        let reason = format!("there are more than {MOST_PACKAGES} packages");
        inventory.gaps.push(Gap::new(GapKind::Limit, path, reason));
    }
    inventory.packages.append(&mut reader.packages);
}

fn is_project(path: &str) -> bool {
    !path.ends_with(".props")
}

/// The file of this name in the folder of another, or the nearest one above.
fn nearest(path: &str, name: &str, by_path: &HashMap<&str, usize>) -> Option<usize> {
    let mut folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    loop {
        let candidate = match folder {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        };
        if let Some(at) = by_path.get(candidate.as_str()) {
            return Some(*at);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

struct References<'f, 'v> {
    files: &'f [File<'v>],
    seen: HashMap<(String, String, usize), usize>,
    packages: Vec<Package>,
    is_over: bool,
}

impl<'v> References<'_, 'v> {
    /// The references of a project, of what it imports too.
    fn project(
        &mut self,
        path: &str,
        imported: &[Option<usize>],
        central: Option<usize>,
    ) -> Option<Gap> {
        let scope: Vec<usize> = imported.iter().copied().flatten().collect();
        let files = self.files;
        let references: Vec<Reference<'v>> = scope
            .iter()
            .filter_map(|at| files.get(*at))
            .flat_map(|file| file.references.iter().copied())
            .collect();
        let central = central.and_then(|at| files.get(at));
        let mut open = BTreeSet::new();
        for mut one in references {
            if one.version.text.is_empty() {
                let managed = central.and_then(|file| file.versions.get(&one.name.to_lowercase()));
                one.version = managed.map_or(one.version, |managed| managed.version);
            }
            self.push(one, &scope, &mut open);
        }
        gap(path, &open)
    }

    /// All versions of a central file.
    fn central(&mut self, at: usize) -> Option<Gap> {
        let file = self.files.get(at)?;
        let mut open = BTreeSet::new();
        let mut all: Vec<Reference<'v>> = file.versions.values().copied().collect();
        all.sort_by_key(|one| one.version.range.span.start);
        for one in all {
            self.push(one, &[at], &mut open);
        }
        gap(file.path, &open)
    }

    fn push(&mut self, one: Reference<'_>, scope: &[usize], open: &mut BTreeSet<String>) {
        let mut left = MOST_PROPERTIES;
        let known = self.expand(one.version, scope, 0, &mut left);
        let known = known.and_then(|(text, at)| Some((single(&text)?.to_owned(), at)));
        let (version, at) = known.unwrap_or_else(|| {
            open.insert(one.name.to_owned());
            (String::new(), (one.version.file, one.version.range))
        });
        let key = (one.name.to_lowercase(), version.clone(), at.0);
        if let Some(seen) = self
            .seen
            .get(&key)
            .and_then(|at| self.packages.get_mut(*at))
        {
            seen.relation.development &= one.is_development;
            return;
        }
        if self.packages.len() >= MOST_PACKAGES {
            self.is_over = true;
            return;
        }
        self.seen.insert(key, self.packages.len());
        let file = self.files.get(at.0);
        let origin = Origin {
            path: file.map_or("", |file| file.path).to_owned(),
            layer: file.and_then(|file| file.layer),
            range: Some(at.1),
            ..Origin::default()
        };
        let purl = Purl::new("nuget", one.name, &version).build();
        self.packages.push(Package {
            relation: Relation {
                direct: Some(true),
                development: one.is_development,
            },
            ..Package::new("nuget", one.name, version, purl, origin)
        });
    }

    /// A version with its properties put in, and where it is written: at the
    /// property, when it is nothing but one.
    fn expand(
        &self,
        value: Value<'_>,
        scope: &[usize],
        level: usize,
        left: &mut usize,
    ) -> Option<(String, (usize, TextRange))> {
        let mut place = (value.file, value.range);
        let mut text = String::new();
        let mut rest = value.text;
        while let Some((before, after)) = rest.split_once("$(") {
            let (name, after) = after.split_once(')')?;
            *left = left.checked_sub(1)?;
            let found = self.property(name, scope).filter(|_| level < MOST_LEVELS)?;
            let (inner, at) = self.expand(found, scope, level + 1, left)?;
            if before.is_empty() && after.is_empty() && text.is_empty() {
                place = at;
            }
            text.push_str(before);
            text.push_str(&inner);
            rest = after;
            if text.len() > MOST_VERSION {
                return None;
            }
        }
        text.push_str(rest);
        (text.len() <= MOST_VERSION).then_some((text, place))
    }

    /// The last value of a property in the first file that has one; none where
    /// a condition decides between several.
    fn property(&self, name: &str, scope: &[usize]) -> Option<Value<'v>> {
        let name = name.to_lowercase();
        let files = scope.iter().filter_map(|at| self.files.get(*at));
        let mut lists = files.filter_map(|file| file.properties.get(&name));
        let own = lists.next()?;
        let (last, _) = own.last()?;
        // What stands before the last one without a condition never counts.
        let fixed = own.iter().rposition(|(_, has_condition)| !has_condition);
        let mut possible = own.iter().skip(fixed.unwrap_or_default());
        let above = lists.next().and_then(|list| list.last());
        let above = above.filter(|_| fixed.is_none());
        let is_one = possible.all(|(value, _)| value.text == last.text)
            && above.is_none_or(|(value, _)| value.text == last.text);
        is_one.then_some(*last)
    }
}

fn gap(path: &str, open: &BTreeSet<String>) -> Option<Gap> {
    let reason = format!("nothing gives {} a single version", list(open));
    (!open.is_empty()).then(|| Gap::new(GapKind::Missing, path, reason))
}

/// The lowest version that will do, which is the one that NuGet takes, if it is
/// told: `1.0` or `[1.0]` (NuGet, "Package versioning", "Version ranges").
fn single(text: &str) -> Option<&str> {
    let text = text.trim();
    let exact = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let version = exact.unwrap_or(text).trim();
    let is_open = version.is_empty() || version.contains(['*', ',', '[', ']', '(', ')']);
    (!is_open).then_some(version)
}
