//! What packages ask for, against what their managers say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use seawall_image::Source;
use seawall_inventory::Inventory;

use crate::support::{have, installed, run, shared, tree, write};

type Names = BTreeSet<String>;

/// Who asks for whom, by name.
fn edges(inventory: &Inventory, kind: &str) -> BTreeMap<String, Names> {
    let mut edges: BTreeMap<String, Names> = BTreeMap::new();
    for package in inventory.packages.iter().filter(|one| one.kind == kind) {
        let names = package.requires.iter().map(|one| one.name.clone());
        edges.entry(package.name.clone()).or_default().extend(names);
    }
    edges
}

/// `name (>= 1)` and `name:any` without their ends.
fn bare(text: &str) -> String {
    let text = text.trim();
    text.split([' ', '(', ':']).next().unwrap().to_owned()
}

/// On a system that works every clause is served. Each must be by an edge, and
/// each edge must serve a clause.
#[test]
fn every_clause_of_dpkg_has_its_edge() {
    if !have(&["dpkg-query"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    for file in ["etc/os-release", "var/lib/dpkg/status"] {
        let content = fs::read(Path::new("/").join(file)).unwrap();
        write(root.path(), file, content);
    }
    let edges = edges(&tree(root.path()), "deb");
    let format = "${db:Status-Status}\t${Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n";
    let said = run(Command::new("dpkg-query").args(["-W", "-f", format]));
    let rows: Vec<Vec<&str>> = said
        .lines()
        .map(|line| line.split('\t').collect())
        .filter(|row: &Vec<&str>| row[0] == "installed")
        .collect();
    let mut providers: BTreeMap<String, Names> = BTreeMap::new();
    for row in &rows {
        for name in row[3].split(',').chain([row[1]]) {
            let slot = providers.entry(bare(name)).or_default();
            slot.insert(row[1].to_owned());
        }
    }
    let mut clauses = 0;
    for row in &rows {
        let name = row[1];
        let mut justified = Names::new();
        for clause in row[2].split(',').filter(|clause| !clause.trim().is_empty()) {
            let serving = clause
                .split('|')
                .filter_map(|one| providers.get(&bare(one)));
            let serving: Names = serving.flatten().cloned().collect();
            let is_served = serving.contains(name) || !serving.is_disjoint(&edges[name]);
            assert!(is_served, "{name}: {clause}: {:?}", edges[name]);
            justified.extend(serving);
            clauses += 1;
        }
        assert!(edges[name].is_subset(&justified), "{name}");
    }
    assert!(clauses > 1000, "{clauses}");
}

#[test]
fn every_clause_of_apk_has_its_edge() {
    if !have(&["tar", "sh"]) {
        return;
    }
    let Some(image) = shared("images/alpine-311.tar.gz") else {
        return;
    };
    let database = crate::apk::database(&image);
    let inventory = installed(Source::Archive(image));
    let edges = edges(&inventory, "apk");
    let name = |text: &str| text.split(['=', '<', '>', '~']).next().unwrap().to_owned();
    let field = |package: &str, letter: &str| -> Vec<String> {
        let lines = package.lines();
        let line = lines.filter_map(|line| line.strip_prefix(letter));
        line.flat_map(|line| line.split(' ').map(str::to_owned))
            .collect()
    };
    let packages: Vec<&str> = database
        .split("\n\n")
        .filter(|one| one.contains("P:"))
        .collect();
    let mut providers: BTreeMap<String, String> = BTreeMap::new();
    for package in &packages {
        let own = &field(package, "P:")[0];
        for provided in field(package, "p:").iter().chain([own]) {
            providers.insert(name(provided), own.clone());
        }
    }
    let mut clauses = 0;
    for package in &packages {
        let own = &field(package, "P:")[0];
        let expected: Names = field(package, "D:")
            .iter()
            .filter(|clause| !clause.starts_with('!'))
            .map(|clause| providers[&name(clause)].clone())
            .filter(|serving| serving != own)
            .collect();
        clauses += expected.len();
        assert_eq!(edges[own], expected, "{own}");
        // `Q1` and the digest in Base64.
        let script = "printf %s \"$1\" | base64 -d | od -An -vtx1 | tr -d ' \\n'";
        let digest = field(package, "C:")[0].replacen("Q1", "", 1);
        let digest = run(Command::new("sh").args(["-c", script, "sh", &digest]));
        let found = inventory.packages.iter().find(|one| one.name == *own);
        assert_eq!(
            found.unwrap().hashes[0].to_string(),
            format!("sha1:{digest}")
        );
    }
    assert!(clauses > 15, "{clauses}");
}

/// Packages that ask for each other by name, by a shared library, by a file,
/// and by a name that stands for several.
const SPEC: &str = "
Name: app
Version: 1
Release: 1
License: MIT
Summary: s
BuildArch: noarch
Requires: /usr/bin/tool, web-server, libx.so.1()(64bit), (lib if tool), nowhere
Provides: config(app) = 1
Requires: config(app) = 1
%description
d
%package -n tool
Summary: s
Requires: lib >= 1
%description -n tool
d
%package -n lib
Summary: s
Provides: libx.so.1()(64bit)
%description -n lib
d
%package -n server
Summary: s
Provides: web-server = 2
Requires: server
%description -n server
d
%install
mkdir -p %{buildroot}/usr/bin
touch %{buildroot}/usr/bin/tool
%files
%files -n tool
/usr/bin/tool
%files -n lib
%files -n server
";

#[test]
fn rpm_says_who_serves_a_capability() {
    if !have(&["rpm", "rpmbuild"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    crate::rpm::install(root.path(), &crate::rpm::build(root.path(), &[SPEC]));
    let edges = edges(&tree(root.path()), "rpm");
    assert_eq!(edges.len(), 4);
    let mut served = 0;
    for (name, found) in &edges {
        let mut expected = Names::new();
        let said = run(crate::rpm::rpm(root.path()).args(["-q", "--requires", name]));
        for capability in said.lines() {
            let capability = capability.split(' ').next().unwrap();
            let mut command = crate::rpm::rpm(root.path());
            command.args(["-q", "--qf", "%{NAME}\n", "--whatprovides", capability]);
            // It fails for what nobody provides.
            let output = command.output().unwrap();
            if output.status.success() {
                let said = String::from_utf8(output.stdout).unwrap();
                expected.extend(said.lines().filter(|one| one != name).map(str::to_owned));
            }
        }
        served += expected.len();
        assert_eq!(*found, expected, "{name}");
    }
    assert_eq!(served, 4);
}
