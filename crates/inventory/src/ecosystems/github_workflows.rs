//! Actions that GitHub workflows and composite actions use (GitHub, "Workflow
//! syntax for GitHub Actions" and "Metadata syntax for GitHub Actions").

use seawall_image::{Analyser, Body, Entry, Interest, Need};
use seawall_model::{GapKind, Span};

use crate::{
    Context, Ecosystem,
    declared::{self, Declarations, Declared, git, span_of},
    text::{in_memory, is_dotted_number, list},
    yaml::{Node, Tree},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: NAME,
    contexts: &[Context::Project],
    analysers: &[&Uses],
    read: |view, inventory| declared::read(NAME, view, inventory),
};

const NAME: &str = "github-workflows";
/// Bytes of one file; GitHub takes no workflow of a megabyte.
const LIMIT: u64 = 8 << 20;

struct Uses;

impl Analyser for Uses {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Suffix(".yml"), Interest::Suffix(".yaml")]
    }

    fn wants(&self, path: &str) -> bool {
        is_workflow(path) || is_action(path)
    }

    fn need(&self) -> Need {
        Need::Whole(LIMIT)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        let parse = if is_action(entry.path) {
            action
        } else {
            workflow
        };
        let bytes = in_memory(&body)?;
        Ok(declared::evidence("githubactions", bytes, parse))
    }
}

fn is_workflow(path: &str) -> bool {
    let mut parts = path.rsplit('/').skip(1);
    parts.next() == Some("workflows") && parts.next() == Some(".github")
}

fn is_action(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    matches!(name, "action.yml" | "action.yaml")
}

/// What is said once of all in a file.
#[derive(Default)]
struct Said {
    images: Vec<String>,
    moving: Vec<String>,
}

fn workflow(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let tree = Tree::read(text, "GitHub", out)?;
    let jobs = tree.documents().next().and_then(|root| root.get("jobs"));
    let Some(jobs) = jobs.filter(|jobs| jobs.is_mapping()) else {
        return match out.has_problem() {
            true => Ok(()),
            false => Err("it is no workflow: it has no `jobs`".to_owned()),
        };
    };
    let mut said = Said::default();
    for (_, job) in jobs.entries() {
        // A workflow that is called in place of steps.
        if let Some(uses) = job.get("uses") {
            read(text, uses, &mut said, out);
        }
        let services = job.get("services").into_iter().flat_map(Node::entries);
        let containers = job.get("container").into_iter();
        for one in containers.chain(services.map(|(_, service)| service)) {
            let image = one.text().or_else(|| one.text_of("image"));
            said.images.extend(image.map(str::to_owned));
        }
        steps(text, job, &mut said, out);
    }
    said.finish(out);
    Ok(())
}

fn action(text: &str, out: &mut Declarations<'_>) -> Result<(), String> {
    let tree = Tree::read(text, "GitHub", out)?;
    let runs = tree.documents().next().and_then(|root| root.get("runs"));
    // Other tools have files of this name.
    let Some(runs) = runs else {
        return Ok(());
    };
    let mut said = Said::default();
    let image = runs
        .text_of("image")
        .and_then(|image| image.strip_prefix("docker://"));
    said.images.extend(image.map(str::to_owned));
    steps(text, runs, &mut said, out);
    said.finish(out);
    Ok(())
}

fn steps(text: &str, of: Node<'_>, said: &mut Said, out: &mut Declarations<'_>) {
    let steps = of.get("steps").into_iter().flat_map(Node::items);
    for uses in steps.filter_map(|step| step.get("uses")) {
        read(text, uses, said, out);
    }
}

/// `owner/name[/path]@revision`, `./path` or `docker://image`.
fn read(text: &str, uses: Node<'_>, said: &mut Said, out: &mut Declarations<'_>) {
    let span = uses.span();
    let Some(whole) = uses.text().filter(|whole| !whole.is_empty()) else {
        out.problem(span.start, "`uses` names no action");
        return;
    };
    if let Some(image) = whole.strip_prefix("docker://") {
        said.images.push(image.to_owned());
        return;
    }
    if whole.starts_with("./") {
        return;
    }
    let (path, revision) = whole.split_once('@').unwrap_or((whole, ""));
    let mut parts = path.split('/');
    let (Some(owner), Some(name)) = (parts.next(), parts.next()) else {
        out.problem(span.start, "`uses` names no action");
        return;
    };
    if owner.is_empty() || name.is_empty() || revision.is_empty() {
        out.problem(span.start, "`uses` names no action");
        return;
    }
    let repository = format!("{owner}/{name}");
    let is_commit = revision.len() == 40 && revision.bytes().all(|it| it.is_ascii_hexdigit());
    // Who pins a commit writes behind it which version that is.
    let commented = || comment(text, span).and_then(version_in);
    let version = if is_commit {
        commented()
    } else {
        Some(revision)
    };
    if !version.is_some_and(is_full) {
        said.moving.push(whole.to_owned());
    }
    // The text in quotes, without them.
    let span = span_of(text, whole).unwrap_or(span);
    out.push(&Declared {
        name: &repository,
        version: version.unwrap_or_default(),
        direct: Some(true),
        development: true,
        span,
        from: is_commit.then(|| git(&format!("https://github.com/{repository}"), Some(revision))),
        ..Declared::default()
    });
}

/// The comment behind a value, in its line.
fn comment(text: &str, span: Span) -> Option<&str> {
    let line = text.get(span.end..)?.lines().next()?;
    line.split_once('#').map(|(_, comment)| comment.trim())
}

/// The version that a comment names: `v4.1.1`, `tag=v4.1.1`, `pin @v4.1.1`.
fn version_in(comment: &str) -> Option<&str> {
    let mut words =
        comment.split(|letter: char| letter.is_whitespace() || matches!(letter, '=' | '@' | ','));
    words.find(|word| {
        let number = word.strip_prefix('v').unwrap_or(word);
        number.starts_with(|first: char| first.is_ascii_digit())
    })
}

/// Whether it is one version: `v4` and `v4.1` lead to the newest of many, as a
/// branch does.
fn is_full(version: &str) -> bool {
    let number = version.strip_prefix('v').unwrap_or(version);
    let core = number.split(['-', '+']).next().unwrap_or_default();
    core.split('.').count() >= 3 && is_dotted_number(core)
}

impl Said {
    fn finish(self, out: &mut Declarations<'_>) {
        if !self.images.is_empty() {
            let reason = format!(
                "images that it runs are not looked into: {}",
                list(self.images)
            );
            out.gap(GapKind::Unsupported, &reason);
        }
        if !self.moving.is_empty() {
            let reason = format!(
                "tags, branches and commits without a version say nothing of these: {}",
                list(self.moving)
            );
            out.gap(GapKind::Missing, &reason);
        }
    }
}
