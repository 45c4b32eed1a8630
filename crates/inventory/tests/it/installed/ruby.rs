//! Gems as RubyGems installs them, against RubyGems and Syft.

use std::{collections::BTreeSet, path::Path, process::Command};

use super::{asked, of_kind, purls, rows};
use crate::support::{gaps, have, run, syft, tree, write};

/// Name, version, platform and licences of every specification in folders, and
/// what of its dependencies is there.
const LIST: &str = r##"
all = ARGV.flat_map { |dir| Dir[dir + "/*.gemspec"] }.map { |path| Gem::Specification.load(path) }
there = all.group_by(&:name)
all.each do |one|
  row = [one.name, one.version, one.platform, one.licenses.join("|")]
  asks = one.runtime_dependencies.map(&:name).uniq.select { |name| there[name] }
  asks = asks.map { |name| "#{name} #{there[name].map(&:version).max}" }
  puts (row + [asks.sort.join(",")]).join("\t")
end
"##;

/// What RubyGems says of the specifications in folders of a root, against what
/// we say.
fn compare(root: &Path, folders: &[&Path]) -> usize {
    let mut ruby = Command::new("ruby");
    let said = run(ruby.args(["-e", LIST]).args(folders));
    let theirs: BTreeSet<String> = said.lines().map(str::to_owned).collect();
    let inventory = tree(root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let ours: BTreeSet<String> = of_kind(&inventory, "gem")
        .into_iter()
        .map(|one| {
            let platform = one.purl.split_once("?platform=").map_or("ruby", |it| it.1);
            let asks: Vec<String> = asked(one).into_iter().collect();
            let (licenses, asks) = (one.licenses.join("|"), asks.join(","));
            format!(
                "{}\t{}\t{platform}\t{licenses}\t{asks}",
                one.name, one.version
            )
        })
        .collect();
    let differences: Vec<&String> = ours.symmetric_difference(&theirs).collect();
    assert_eq!(differences, Vec::<&String>::new());
    // Syft leaves the platform out.
    let purls = purls(&inventory, "gem");
    let plain = purls.iter().map(|it| it.split('?').next().unwrap());
    assert_eq!(plain.collect::<Vec<_>>(), syft(root, "gem"));
    theirs.len()
}

#[test]
fn gems_are_those_of_rubygems() {
    if !have(&["ruby", "gem", "syft", "jq"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    let home = root.join("usr/local/bundle");
    let gem = |arguments: &[&str]| {
        let mut gem = Command::new("gem");
        run(gem.args(arguments).current_dir(work.path()));
    };
    for (name, version, rest) in [
        (
            "alpha",
            "1.0.0.pre.2",
            "s.licenses = ['MIT', 'Ruby']; s.add_dependency 'be-ta', '> 0'",
        ),
        ("be-ta", "0.1", "s.license = 'BSD-2-Clause'"),
        (
            "be-ta",
            "0.10",
            "s.add_runtime_dependency 'gone', '~> 1'; s.add_development_dependency 'alpha'",
        ),
        (
            "plat",
            "3.2.1",
            "s.platform = 'x86_64-linux'; s.metadata = { 'x.name = \"y\"' => 'z' }",
        ),
    ] {
        let spec = format!(
            "Gem::Specification.new do |s|\n s.name = '{name}'\n s.version = '{version}'\n\
             s.summary = \"it's\"\n s.authors = ['André']\n s.files = []\n {rest}\nend\n"
        );
        write(work.path(), &format!("{name}.gemspec"), spec);
        gem(&["build", "--silent", &format!("{name}.gemspec")]);
    }
    let home = home.to_str().unwrap();
    for file in [
        "be-ta-0.1.gem",
        "be-ta-0.10.gem",
        "alpha-1.0.0.pre.2.gem",
        "plat-3.2.1-x86_64-linux.gem",
    ] {
        gem(&[
            "install",
            "--local",
            "--force",
            "--no-document",
            "--silent",
            "--install-dir",
            home,
            file,
        ]);
    }
    let folder = Path::new(home).join("specifications");
    assert_eq!(compare(&root, &[&folder]), 4);
}

/// The gems of this machine's own Ruby, whatever they are.
#[test]
fn gems_are_those_of_ruby() {
    if !have(&["ruby", "syft", "jq"]) {
        return;
    }
    let script = "puts Gem::Specification.dirs; puts Gem.default_specifications_dir";
    let said = run(Command::new("ruby").args(["-e", script]));
    let root = tempfile::tempdir().unwrap();
    let folders: BTreeSet<&Path> = said
        .lines()
        .map(Path::new)
        .filter(|it| it.is_dir())
        .collect();
    for folder in &folders {
        let inside = root.path().join(folder.strip_prefix("/").unwrap());
        std::fs::create_dir_all(&inside).unwrap();
        for file in std::fs::read_dir(folder).unwrap() {
            let file = file.unwrap();
            if file.path().is_file() {
                std::fs::copy(file.path(), inside.join(file.file_name())).unwrap();
            }
        }
    }
    let folders: Vec<&Path> = folders.into_iter().collect();
    assert!(compare(root.path(), &folders) > 20);
}

#[test]
fn what_computes_its_version_goes_by_its_file() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let at = |name: &str| format!("lib/specifications/{name}.gemspec");
    write(
        root,
        &at("a-b-1.2-java"),
        "Gem::Specification.new { |s| s.version = V }",
    );
    write(root, &at("none"), "\0\"'");
    write(root, &at("good-1"), "# stub: good 1 ruby lib\n");
    let open = format!("s.licenses = [{}", "\"\\".repeat(1 << 20));
    write(root, &at("open-1"), open);
    let inventory = tree(root);
    let rows: Vec<String> = rows(&inventory, "gem").into_iter().collect();
    assert_eq!(rows, ["a-b 1.2", "good 1", "open 1"]);
    assert_eq!(
        gaps(&inventory),
        ["damaged lib/specifications/none.gemspec: it names no gem and no version"]
    );
}
