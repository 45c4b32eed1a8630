//! Perl distributions that were installed from CPAN: `perllocal.pod`, to which
//! ExtUtils::MakeMaker and Module::Build add each installation; `.packlist`,
//! its files; and `MYMETA.json`, which cpanm keeps in `.meta` (App::cpanminus;
//! CPAN::Meta::Spec).

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
};

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};
use seawall_model::FileList;

use crate::{
    Context, Ecosystem, Inventory,
    found::{self, Finds, Found},
    json,
    requires::{self, folder},
    text::{lossy, text},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "perl",
    contexts: &[Context::Installed],
    analysers: &[&Local, &Meta, &Packlist],
    read,
};

struct Local;
struct Meta;
struct Packlist;

impl Analyser for Local {
    fn name(&self) -> &'static str {
        "perl-local"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("perllocal.pod")]
    }

    fn need(&self) -> Need {
        Need::Whole(64 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        found::evidence(entry.path, &body, local)
    }
}

impl Analyser for Meta {
    fn name(&self) -> &'static str {
        "perl-meta"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name("MYMETA.json")]
    }

    fn wants(&self, path: &str) -> bool {
        folder(folder(path)).rsplit('/').next() == Some(".meta")
    }

    fn need(&self) -> Need {
        Need::Whole(16 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        found::evidence(entry.path, &body, meta)
    }
}

impl Analyser for Packlist {
    fn name(&self) -> &'static str {
        "perl-packlist"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Name(".packlist")]
    }

    fn need(&self) -> Need {
        Need::Whole(16 << 20)
    }

    fn analyse(&self, _: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        // `/path type=file mode=…`.
        let body = lossy(&body)?;
        let paths = body.lines().filter_map(|line| {
            let path = line.split(" type=").next()?;
            path.strip_prefix('/')
        });
        let files = found::join(paths);
        Ok((!files.is_empty()).then(|| files.into_bytes()))
    }
}

/// Each installation is a head, `C<Module> L<Foo::Bar|Foo::Bar>`, and items,
/// `C<VERSION: 1.0>` among them. The last of a module is there.
fn local(_: &str, pod: &str, out: &mut Finds) -> Result<(), String> {
    let mut installed: BTreeMap<&str, &str> = BTreeMap::new();
    let mut module = "";
    for line in pod.lines() {
        if line.starts_with("=head") {
            let link = line.split_once("L<").map_or("", |(_, link)| link);
            module = link.split(['|', '>']).next().unwrap_or_default();
        } else if let Some(version) = line.trim().strip_prefix("C<VERSION: ")
            && !module.is_empty()
        {
            installed.insert(module, version.trim_end_matches('>'));
        }
    }
    for (module, version) in installed {
        out.push(&Found {
            kind: "cpan",
            // A distribution is named after its main module.
            name: module.replace("::", "-"),
            version: version.to_owned(),
            ..Found::default()
        });
    }
    Ok(())
}

fn meta(_: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let [name, version, license, prereqs] =
        json::fields(text, ["name", "version", "license", "prereqs"])?;
    let of = |value| json::string(value).map(Cow::into_owned).unwrap_or_default();
    // Versions are numbers in some.
    let number = version.map(|it| it.get().trim_matches('"').to_owned());
    let version = Some(of(version)).filter(|it| !it.is_empty()).or(number);
    let (name, version) = (of(name), version.unwrap_or_default());
    if name.is_empty() || version.is_empty() {
        return Err("it names no distribution or no version".to_owned());
    }
    let required = json::field(json::field(prereqs, "runtime"), "requires");
    let required = json::keys(required).into_iter();
    out.push(&Found {
        kind: "cpan",
        name,
        version: version.trim_start_matches('v').to_owned(),
        licenses: json::strings(license)
            .into_iter()
            .map(Cow::into_owned)
            .filter(|it| it != "unknown")
            .collect(),
        requires: found::names(required.map(|name| name.replace("::", "-"))),
        ..Found::default()
    });
    Ok(())
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut read = Inventory::default();
    found::read("perl-meta", view, &mut read);
    let described: HashSet<(String, String)> = read
        .packages
        .iter()
        .map(|one| (one.name.clone(), one.version.clone()))
        .collect();
    let mut local = Inventory::default();
    found::read("perl-local", view, &mut local);
    // cpanm's installations are in both.
    local.packages.retain(|one| {
        let plain = one.version.trim_start_matches('v').to_owned();
        !described.contains(&(one.name.clone(), plain))
    });
    read.packages.append(&mut local.packages);
    read.gaps.append(&mut local.gaps);
    let lists: HashMap<&str, &str> = view
        .of("perl-packlist")
        .filter_map(|list| {
            let module = folder(&list.path).rsplit_once("auto/")?.1;
            Some((module, text(&list.data)))
        })
        .collect();
    for package in &mut read.packages {
        let module = package.name.replace('-', "/");
        if let Some(files) = lists.get(module.as_str()) {
            package.files = FileList::from_lines(*files);
        }
    }
    requires::settle(&mut read.packages, |_| "");
    inventory.packages.append(&mut read.packages);
    inventory.gaps.append(&mut read.gaps);
}
