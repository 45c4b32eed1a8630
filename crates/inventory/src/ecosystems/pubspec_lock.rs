//! pubspec.lock (Dart, "The lockfile").

use seawall_model::{Hash, HashAlgorithm};

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    yaml::{Node, Tree},
};

lock_file!(
    "pubspec-lock",
    "pub",
    [Interest::Name("pubspec.lock")],
    parse
);

/// The addresses of Dart's own registry, under both of its names.
const REGISTRIES: [&str; 2] = ["https://pub.dev", "https://pub.dartlang.org"];

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let tree = Tree::read(text, "Dart", out)?;
    let root = tree.documents().next();
    let packages = root.and_then(|root| root.get("packages"));
    match packages {
        Some(packages) => {
            for (key, package) in packages.entries() {
                read(key, package, out);
            }
        }
        None if out.has_problem() => {}
        None => return Err("it is no lock file of Dart: it has no `packages`".to_owned()),
    }
    // Dart writes it behind the packages.
    if root.and_then(|root| root.get("sdks")).is_none() && !out.has_problem() {
        let reason = "it has no `sdks`: it may have been cut off";
        out.gap(seawall_model::GapKind::Damaged, reason);
    }
    Ok(())
}

fn read(key: Node<'_>, package: Node<'_>, out: &mut Declarations<'_>) {
    let Some((name, version)) = key.text().zip(package.text_of("version")) else {
        out.problem(key.span().start, "a package has no name or no version");
        return;
    };
    let description = package.get("description");
    let about = |key| description.and_then(|description| description.text_of(key));
    let from = match package.text_of("source") {
        // What comes with Flutter, and folders of this machine.
        Some("sdk" | "path") => return,
        Some("git") => about("url").map(|url| git(url, about("resolved-ref"))),
        _ => about("url")
            .filter(|url| !REGISTRIES.contains(&url.trim_end_matches('/')))
            .map(|url| ("repository_url", url.to_owned())),
    };
    // Older files have `direct` and `dev` for what is `direct main` and
    // `direct dev` now.
    let dependency = package.text_of("dependency").unwrap_or_default();
    let digest = about("sha256").and_then(|hex| Hash::new(HashAlgorithm::Sha256, hex));
    out.push(&Declared {
        // The name of a package may differ from that of its entry.
        name: about("name").unwrap_or(name),
        version,
        direct: match dependency {
            "transitive" => Some(false),
            "" => None,
            _ => Some(true),
        },
        development: matches!(dependency, "direct dev" | "dev"),
        span: key.span(),
        from,
        hashes: digest.into_iter().collect(),
        ..Declared::default()
    });
}
