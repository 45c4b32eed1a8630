//! Installed R packages: `DESCRIPTION` in a library, which has a field `Built`
//! that sources do not have (R, "Writing R Extensions", 1.1.1).

use crate::{
    declared::git,
    found::{self, Finds, Found, records},
    requires::folder,
    stanza::{Stanza, header},
};

records!(
    "r-library",
    [Interest::Name("DESCRIPTION")],
    |_: &str| true,
    4 << 20,
    parse,
    |path| folder(folder(path))
);

fn parse(_: &str, text: &str, out: &mut Finds) -> Result<(), String> {
    let fields = header(text);
    let of = |name: &str| fields.get(name).unwrap_or_default().trim();
    if of("Built").is_empty() {
        return Ok(());
    }
    if of("Package").is_empty() || of("Version").is_empty() {
        return Err("it names no package or no version".to_owned());
    }
    // `lme4 (>= 1.1), methods`; R itself is no package.
    let required = ["Depends", "Imports", "LinkingTo"]
        .into_iter()
        .flat_map(|field| of(field).split(','))
        .filter_map(|one| one.split('(').next())
        .map(str::trim)
        .filter(|name| !matches!(*name, "" | "R"));
    out.push(&Found {
        kind: "cran",
        name: of("Package").to_owned(),
        version: of("Version").to_owned(),
        qualifiers: remote(fields).into_iter().collect(),
        licenses: license(of("License")).into_iter().collect(),
        requires: found::names(required),
        ..Found::default()
    });
    Ok(())
}

/// What stands beside the name of the file that holds the text.
fn license(field: &str) -> Option<String> {
    let names: Vec<&str> = field
        .split('|')
        .map(|one| one.split("+ file").next().unwrap_or(one).trim())
        .filter(|one| !one.is_empty() && !one.starts_with("file "))
        .collect();
    (!names.is_empty()).then(|| names.join(" | "))
}

/// The repository that the package `remotes` installed it from.
fn remote(fields: Stanza<'_>) -> Option<(&'static str, String)> {
    let of = |name: &str| fields.get(name).map(str::trim).filter(|it| !it.is_empty());
    let revision = of("RemoteSha");
    match of("RemoteType")? {
        host @ ("github" | "gitlab" | "bitbucket") => {
            let (user, repository) = (of("RemoteUsername")?, of("RemoteRepo")?);
            let end = if host == "bitbucket" { "org" } else { "com" };
            Some(git(
                &format!("https://{host}.{end}/{user}/{repository}"),
                revision,
            ))
        }
        "git" | "git2r" | "xgit" => Some(git(of("RemoteUrl")?, revision)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_stand_beside_their_files() {
        for (field, expected) in [
            ("MIT + file LICENSE", Some("MIT")),
            ("GPL (>= 2) | file LICENCE", Some("GPL (>= 2)")),
            ("GPL-2 | GPL-3", Some("GPL-2 | GPL-3")),
            ("file LICENSE", None),
            ("", None),
        ] {
            assert_eq!(license(field).as_deref(), expected, "{field}");
        }
        let github = "RemoteType: github\nRemoteUsername: r-lib\nRemoteRepo: cli\nRemoteSha: 0f\n";
        let url = remote(header(github)).unwrap().1;
        assert_eq!(url, "git+https://github.com/r-lib/cli@0f");
    }
}
