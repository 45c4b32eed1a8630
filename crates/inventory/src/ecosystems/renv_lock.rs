//! renv.lock (renv, "Lockfiles").

use std::{borrow::Cow, collections::HashSet};

use serde::Deserialize;

use crate::{
    declared::{Declarations, Declared, git, lock_file},
    json,
};

lock_file!("renv-lock", "cran", [Interest::Name("renv.lock")], parse);

const SECTIONS: [&str; 2] = ["Packages", "R"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Locked<'a> {
    #[serde(borrow)]
    package: Cow<'a, str>,
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow)]
    remote_host: Option<Cow<'a, str>>,
    #[serde(borrow)]
    remote_username: Option<Cow<'a, str>>,
    #[serde(borrow)]
    remote_repo: Option<Cow<'a, str>>,
    #[serde(borrow)]
    remote_url: Option<Cow<'a, str>>,
    #[serde(borrow)]
    remote_sha: Option<Cow<'a, str>>,
    #[serde(borrow)]
    requirements: Vec<Cow<'a, str>>,
    /// Since renv 1.1 the fields of the package's own description stand in
    /// place of the above.
    #[serde(borrow)]
    depends: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    imports: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    linking_to: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    license: Option<Cow<'a, str>>,
}

fn parse(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let sections = json::sections(text, "renv", &SECTIONS, "", out)?;
    // A project without packages has R alone.
    if sections.found.is_empty() {
        return Err("it is no lock file of renv: it has no `Packages`".to_owned());
    }
    for entry in sections.entries.iter().filter(|entry| entry.section == 0) {
        if let Some(one) = json::entry::<Locked<'_>>(text, entry.value, out) {
            read(text, entry, &one, out);
        }
    }
    Ok(())
}

fn read(text: &str, entry: &json::Entry<'_>, one: &Locked<'_>, out: &mut Declarations<'_>) {
    let span = json::place(text, &entry.key, entry.value);
    let name = if one.package.is_empty() {
        &entry.key
    } else {
        &one.package
    };
    if name.is_empty() || one.version.is_empty() {
        out.problem(span.start, "a package has no name or no version");
        return;
    }
    let all = [
        &one.requirements,
        &one.depends,
        &one.imports,
        &one.linking_to,
    ];
    // `name (>= version)`; R itself is none.
    let names = all.into_iter().flatten();
    let names = names.map(|asked| asked.split([' ', '(']).next().unwrap_or_default());
    let mut seen = HashSet::from(["", "R"]);
    let names = names.filter(|name| seen.insert(*name));
    let requires = out.gather(names.map(|name| (name, None)));
    let licenses = one.license.iter().filter(|license| !license.is_empty());
    out.push(&Declared {
        name,
        version: &one.version,
        span,
        from: one.from(),
        requires,
        licenses: licenses.map(ToString::to_string).collect(),
        ..Declared::default()
    });
}

impl Locked<'_> {
    /// Where it comes from, if not from CRAN.
    fn from(&self) -> Option<(&'static str, String)> {
        let sha = self.remote_sha.as_deref();
        let host = match self.source.as_ref() {
            "GitHub" => "github.com",
            "GitLab" => "gitlab.com",
            "Bitbucket" => "bitbucket.org",
            "Git" => return Some(git(self.remote_url.as_deref()?, sha)),
            "Bioconductor" => {
                return Some(("repository_url", "https://bioconductor.org".to_owned()));
            }
            "URL" => return Some(("download_url", self.remote_url.as_deref()?.to_owned())),
            _ => return None,
        };
        // The address of the API, of the company's own server too.
        let named = self.remote_host.as_deref().unwrap_or_default();
        let named = named
            .trim_start_matches("https://")
            .trim_start_matches("api.");
        let named = named.split('/').next().filter(|host| !host.is_empty());
        let host = named.unwrap_or(host);
        let (user, name) = (
            self.remote_username.as_deref()?,
            self.remote_repo.as_deref()?,
        );
        Some(git(&format!("https://{host}/{user}/{name}"), sha))
    }
}
