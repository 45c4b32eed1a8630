//! Gemfile.lock against Bundler's own reader, run here.

use std::{collections::BTreeSet, fs, process::Command};

use super::{data, file, project};
use crate::support::{gaps, have, run, write};

const SCRIPT: &str = r#"require "bundler"
lock = Bundler::LockfileParser.new(File.read("Gemfile.lock"))
lock.specs.each do |s|
  next if s.source.class == Bundler::Source::Path
  puts [s.name, s.version, lock.dependencies.key?(s.name)].join(" ")
end"#;

/// As Bundler 2.6 writes it, with checksums, a plugin's source and platforms.
const NEWER: &str = "GIT\n  remote: https://git.example.org/a.git\n  revision: 0123456789abcdef\n  tag: v1\n  glob: x/*.gemspec\n  specs:\n    a (1.0.pre.beta)\n      b (>= 1, < 3)\n\nGEM\n  remote: https://rubygems.org/\n  remote: https://gems.example.org/\n  specs:\n    b (2.0.0)\n    b (2.0.0-universal-java-11)\n    b (2.0.0-x86_64-linux-gnu)\n    c-d_e (0.1.0.rc1)\n      b\n\nPLATFORMS\n  java\n  x86_64-linux-gnu\n\nDEPENDENCIES\n  a!\n  b (~> 2.0)\n\nCHECKSUMS\n  a (1.0.pre.beta)\n  b (2.0.0) sha256=0000000000000000000000000000000000000000000000000000000000000000\n  c-d_e (0.1.0.rc1) sha256=00\n\nRUBY VERSION\n   ruby 3.3.0p0\n\nBUNDLED WITH\n   2.6.2\n";

#[test]
fn bundler_reads_the_same() {
    if !have(&["ruby"]) {
        return;
    }
    let made = fs::read_to_string(data("bundler").join("Gemfile.lock")).unwrap();
    for text in [made.clone(), NEWER.to_owned(), made.replace('\n', "\r\n")] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "Gemfile.lock", &text);
        // Bundler looks for the project.
        write(root.path(), "Gemfile", "");
        let said = run(Command::new("ruby")
            .args(["-e", SCRIPT])
            .current_dir(root.path()));
        let theirs: BTreeSet<String> = said.lines().map(str::to_owned).collect();
        let inventory = project(root.path());
        let ours = super::directs(&inventory);
        assert!(ours.len() > 2);
        assert_eq!(ours, theirs, "{text}");
        assert_eq!(gaps(&inventory), Vec::<String>::new());
    }
}

#[test]
fn an_address_names_its_revision() {
    let purls: Vec<String> = file("Gemfile.lock", NEWER)
        .packages
        .into_iter()
        .map(|one| one.purl)
        .collect();
    assert_eq!(
        purls[0],
        "pkg:gem/a@1.0.pre.beta?vcs_url=git%2Bhttps:%2F%2Fgit.example.org%2Fa.git%400123456789abcdef"
    );
}
