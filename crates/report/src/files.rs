//! Where findings lie in the repository that is being checked: what code hosts
//! can show beside a change.

use seawall_model::{Finding, Location, Report, Target, TargetKind, TextRange};

use crate::{Checkout, Options, plain::plain};

/// Where a finding can be shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spot {
    /// The file, relative to the repository's root, with `/` between its parts;
    /// `None` where it is not in the repository.
    pub(crate) file: Option<String>,
    /// The first line meant in `file`, from 1.
    pub(crate) line: Option<u32>,
    /// The stretch meant in `file`, where more than a line is known.
    pub(crate) range: Option<TextRange>,
    /// The place inside of a target that is no part of the repository.
    pub(crate) inside: Option<String>,
}

/// Where a finding can be shown.
pub(crate) fn spot(report: &Report, finding: &Finding, options: &Options<'_>) -> Spot {
    let Some(target) = report.targets.get(finding.target) else {
        return Spot::default();
    };
    let (path, layer, range) = match &finding.location {
        Location::File { path, layer, range } => (path.as_str(), *layer, *range),
        Location::Target => ("", None, None),
    };
    match target.kind {
        TargetKind::Image | TargetKind::RootFs => {
            // The step that made the layer is what can be changed.
            let line = layer.and_then(|at| target.layers.get(at)?.line);
            let step = target.dockerfile.as_deref().filter(|_| line.is_some());
            let file = step.and_then(|step| in_checkout(step, "", options.checkout));
            Spot {
                line: line.filter(|_| file.is_some()),
                file,
                range: None,
                inside: Some(inside(target, path, layer)),
            }
        }
        TargetKind::Directory | TargetKind::File | TargetKind::Sbom => {
            // A file and a bill of materials are their own path; the lines of
            // what a bill of materials describes are not its own.
            let is_folder = target.kind == TargetKind::Directory;
            let below = if is_folder { path } else { "" };
            let file = in_checkout(&target.name, below, options.checkout);
            let range = range.filter(|_| target.kind != TargetKind::Sbom && file.is_some());
            let inside = (file.is_none() || target.kind == TargetKind::Sbom)
                .then(|| inside(target, path, layer));
            Spot {
                file,
                line: range.map(|range| range.start.line),
                range,
                inside,
            }
        }
    }
}

/// `shop:1.4, var/lib/dpkg/status in layer 2`.
fn inside(target: &Target, path: &str, layer: Option<usize>) -> String {
    let mut text = format!("in {}", target.name);
    if !path.is_empty() {
        text += &format!(", {path}");
    }
    if let Some(layer) = layer {
        text += &format!(" in layer {}", layer + 1);
    }
    text
}

/// The path of `name` and `path` below it, relative to the repository's root;
/// `None` for the root itself and for what lies outside.
pub(crate) fn in_checkout(name: &str, path: &str, checkout: Option<&Checkout>) -> Option<String> {
    let started = checkout.map_or("", |checkout| checkout.started.as_str());
    let whole = match name.starts_with('/') {
        true => format!("{name}/{path}"),
        false => format!("{started}/{name}/{path}"),
    };
    let is_absolute = name.starts_with('/') || started.starts_with('/');
    let parts = parts(&whole)?;
    let parts = match (is_absolute, checkout) {
        (false, _) => parts.as_slice(),
        (true, None) => return None,
        (true, Some(checkout)) => {
            let root = self::parts(&checkout.root)?;
            parts.strip_prefix(root.as_slice())?
        }
    };
    (!parts.is_empty()).then(|| plain(&parts.join("/")))
}

/// The parts of a path without `.` and `..`; `None` where it leads out.
fn parts(path: &str) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_the_repositorys_own() {
        let checkout = Checkout {
            root: "/builds/shop".to_owned(),
            started: "/builds/shop/api".to_owned(),
        };
        let there = Some(&checkout);
        for (name, path, checkout, want) in [
            (".", "go.mod", None, Some("go.mod")),
            ("./a//b/", "go.mod", None, Some("a/b/go.mod")),
            ("..", "go.mod", None, None),
            ("/srv", "go.mod", None, None),
            (".", "", None, None),
            (".", "go.mod", there, Some("api/go.mod")),
            ("..", "web/yarn.lock", there, Some("web/yarn.lock")),
            ("../..", "x", there, None),
            ("/builds/shop/", "go.mod", there, Some("go.mod")),
            ("/builds/shopping", "go.mod", there, None),
        ] {
            let got = in_checkout(name, path, checkout);
            assert_eq!(got.as_deref(), want, "{name} {path}");
        }
    }
}
