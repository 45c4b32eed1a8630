//! mix.lock (Elixir, "Mix.Dep.Lock", and Hex's `Hex.SCM`).

use seawall_model::{Hash, HashAlgorithm, Requirement};

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    links::Links,
    terms::{self, Language, Term},
};

lock_file!("mix-lock", "hex", [Interest::Name("mix.lock")], parse);

/// The repository of all that is public.
const PUBLIC: &str = "hexpm";

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let terms = terms::read(text, Language::Elixir, out);
    let Some(map) = terms
        .first()
        .filter(|_| text.trim_start().starts_with("%{"))
    else {
        return Err("it is no lock file of Mix: it is no map".to_owned());
    };
    let mut links = Links::default();
    for entry in map.items().iter().filter(|entry| entry.is_whole()) {
        read(entry, &mut links, out);
    }
    links.finish(out);
    Ok(())
}

/// `"jason": {:hex, :jason, "1.4.1", INNER, [:mix], [NEEDS], "hexpm", OUTER}`:
/// of the two digests that of the archive is the last. `"x": {:git, ADDRESS,
/// REVISION, [OPTIONS]}`.
fn read(entry: &Term<'_>, links: &mut Links, out: &mut Declarations<'_>) {
    let start = entry.span().start;
    let [key, package] = entry.items() else {
        out.problem(start, "an entry has no name or no package");
        return;
    };
    let name = key.text().unwrap_or_default();
    links.there(name);
    match (package.text_at(0), package.text_at(1), package.text_at(2)) {
        (Some("hex"), Some(hex), Some(version)) if !version.is_empty() => {
            let organization = package
                .text_at(6)
                .and_then(|repository| repository.strip_prefix(PUBLIC)?.strip_prefix(':'));
            let full = match organization {
                Some(organization) => format!("{organization}/{hex}"),
                None => hex.to_owned(),
            };
            // Another repository than Hex's own.
            let other = package.text_at(6).filter(|it| !it.starts_with(PUBLIC));
            let needs = package.items().get(5).map(Term::items).unwrap_or_default();
            let mut requires = Vec::new();
            for need in needs {
                let options = need.items().get(2);
                let about = |key| options.and_then(|options| options.get(key)?.text());
                let app = need.text_at(0).unwrap_or_default();
                if about("optional") != Some("true") {
                    links.needed(app);
                }
                requires.push(Requirement {
                    name: about("hex").unwrap_or(app).to_owned(),
                    version: None,
                });
            }
            let outer = package.text_at(7);
            let outer = outer.and_then(|hex| Hash::new(HashAlgorithm::Sha256, hex));
            out.push(&Declared {
                name: &full,
                version,
                span: key.span(),
                from: other.map(|it| ("repository_url", it.to_owned())),
                hashes: outer.into_iter().collect(),
                requires,
                ..Declared::default()
            });
        }
        (Some("git"), Some(address), revision) => out.push(&Declared {
            name,
            span: key.span(),
            from: Some(git(address, revision)),
            ..Declared::default()
        }),
        _ => out.problem(start, "a package has no name or no version"),
    }
}
