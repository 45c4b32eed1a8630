//! stack.yaml.lock (Stack, "Lock files").

use seawall_model::GapKind;

use crate::{
    declared::{Declarations, Declared, git, lock_file, span_of},
    text::is_dotted_number,
    yaml::{Node, Tree},
};

lock_file!(
    "stack-yaml-lock",
    "hackage",
    [Interest::Name("stack.yaml.lock")],
    parse
);

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let tree = Tree::read(text, "Stack", out)?;
    let root = tree.documents().next();
    let list = |key| root.and_then(|root| root.get(key));
    let Some(packages) = list("packages") else {
        return match out.has_problem() {
            true => Ok(()),
            false => Err("it is no lock file of Stack: it has no `packages`".to_owned()),
        };
    };
    for one in packages.items() {
        match one.get("completed") {
            Some(completed) => read(text, completed, out),
            None => out.problem(one.span().start, "a package has no `completed`"),
        }
    }
    // Stack writes them behind the packages.
    let Some(snapshots) = list("snapshots") else {
        if !out.has_problem() {
            let reason = "it has no `snapshots`: it may have been cut off";
            out.gap(GapKind::Damaged, reason);
        }
        return Ok(());
    };
    let names: Vec<String> = snapshots
        .items()
        .filter_map(|one| {
            let name = one.text_of("original");
            let address = || one.get("completed")?.text_of("url");
            Some(format!("`{}`", name.or_else(address)?))
        })
        .collect();
    if !names.is_empty() {
        let reason = format!(
            "the packages of its snapshot {} are not listed in it",
            names.join(", ")
        );
        out.gap(GapKind::Missing, &reason);
    }
    Ok(())
}

fn read(text: &str, one: Node<'_>, out: &mut Declarations<'_>) {
    // `NAME-VERSION@sha256:DIGEST,SIZE`
    if let Some(hackage) = one.get("hackage") {
        let full = hackage.text().unwrap_or_default();
        let package = full.split('@').next().unwrap_or_default();
        let parts = package.rsplit_once('-');
        let Some((name, version)) = parts.filter(|(_, version)| is_dotted_number(version)) else {
            out.problem(hackage.span().start, "a package has no version");
            return;
        };
        let span = span_of(text, package).unwrap_or(hackage.span());
        out.push(&Declared {
            name,
            version,
            span,
            ..Declared::default()
        });
        return;
    }
    let value = |key| one.text_of(key);
    let Some((name, version)) = value("name").zip(value("version")) else {
        out.problem(one.span().start, "a package has no name or no version");
        return;
    };
    let from = match (value("git"), value("url")) {
        (Some(address), _) => Some(git(address, value("commit"))),
        (None, Some(url)) => Some(("download_url", url.to_owned())),
        (None, None) => None,
    };
    let span = one.get("name").map(Node::span);
    out.push(&Declared {
        name,
        version,
        span: span.unwrap_or_default(),
        from,
        ..Declared::default()
    });
}
