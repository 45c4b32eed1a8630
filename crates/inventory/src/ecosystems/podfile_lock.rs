//! Podfile.lock (CocoaPods, `Pod::Lockfile`).

use std::collections::HashSet;

use seawall_model::{GapKind, Requirement};

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    yaml::{Node, Tree},
};

lock_file!(
    "podfile-lock",
    "cocoapods",
    [Interest::Name("Podfile.lock")],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let tree = Tree::read(text, "CocoaPods", out)?;
    let root = tree.documents().next();
    let section = |key| root.and_then(|root| root.get(key));
    let Some(pods) = section("PODS") else {
        // A project may have no pod.
        return match out.has_problem() || section("COCOAPODS").is_some() {
            true => Ok(()),
            false => Err("it is no lock file of CocoaPods: it has no `PODS`".to_owned()),
        };
    };
    let asked = section("DEPENDENCIES").into_iter().flat_map(Node::items);
    let direct: HashSet<&str> = asked.filter_map(|one| Some(name_of(one.text()?))).collect();
    let has_direct = section("DEPENDENCIES").is_some();
    let external = section("EXTERNAL SOURCES");
    let checked_out = section("CHECKOUT OPTIONS");
    for one in pods.items() {
        // `NAME (VERSION)`, or the same as the key of what it asks for.
        let (key, needs) = match one.entries().next() {
            Some((key, needs)) => (key, Some(needs)),
            None => (one, None),
        };
        let text = key.text().unwrap_or_default();
        let name = name_of(text);
        let version = text
            .rsplit_once('(')
            .and_then(|(_, rest)| rest.strip_suffix(')'));
        let Some(version) = version.filter(|version| !version.is_empty() && !name.is_empty())
        else {
            out.problem(key.span().start, "a pod has no name or no version");
            continue;
        };
        let pod = name.split('/').next().unwrap_or(name);
        let source = external.and_then(|sources| sources.get(pod));
        let about = |key: &str| source.and_then(|source| source.text_of(key));
        // A folder of this machine.
        if about(":path").is_some() {
            continue;
        }
        let commit = checked_out.and_then(|all| all.get(pod)?.text_of(":commit"));
        let commit = commit.or_else(|| about(":commit"));
        let from = match (about(":git"), about(":podspec")) {
            (Some(address), _) => Some(git(address, commit)),
            (None, Some(url)) => Some(("download_url", url.to_owned())),
            (None, None) => None,
        };
        let needs = needs.into_iter().flat_map(Node::items);
        let requires = needs.filter_map(|one| {
            Some(Requirement {
                name: name_of(one.text()?).to_owned(),
                version: None,
            })
        });
        out.push(&Declared {
            name,
            version,
            direct: has_direct.then(|| direct.contains(name)),
            span: key.span(),
            from,
            requires: requires.collect(),
            ..Declared::default()
        });
    }
    // CocoaPods writes its own version last.
    if section("COCOAPODS").is_none() && !out.has_problem() {
        let reason = "it has no `COCOAPODS` at its end: it may have been cut off";
        out.gap(GapKind::Damaged, reason);
    }
    Ok(())
}

/// `NAME` of `NAME (= 1.0)` or `NAME (from `…`)`.
fn name_of(text: &str) -> &str {
    text.split(" (").next().unwrap_or(text).trim()
}
