//! Where results lie.
//!
//! Each address is relative, as GitHub wants it, and says to what: the folder
//! that Seawall was started in (the checkout, in CI), a folder given by its
//! absolute path, or the root of an image.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use seawall_model::{Finding, Location, Report, Target, TargetKind, TextRange};
use serde_json::{Map, Value, json};

/// The folder that Seawall was started in; the name that viewers know.
const START: &str = "%SRCROOT%";

/// The base of a target's paths, and what stands between it and them.
fn base(index: usize, target: &Target) -> (String, &str) {
    match target.kind {
        TargetKind::Image => (format!("IMAGE{index}"), ""),
        TargetKind::Directory | TargetKind::RootFs if target.name.starts_with('/') => {
            (format!("FOLDER{index}"), "")
        }
        _ => (START.to_owned(), &target.name),
    }
}

/// `originalUriBaseIds`: every base that a place in `targets` may name.
pub(super) fn bases(report: &Report, targets: Range<usize>) -> Map<String, Value> {
    let started = "the folder that Seawall was started in";
    let start = json!({"description": {"text": started}});
    let mut bases = Map::from_iter([(START.to_owned(), start)]);
    let all = report.targets.iter().enumerate();
    for (index, target) in all.filter(|(at, _)| targets.contains(at)) {
        let value = match target.kind {
            TargetKind::Image => {
                let text = format!("the root of the image {}", target.name);
                json!({"description": {"text": super::literal(&text)}})
            }
            _ => json!({"uri": format!("file://{}/", encoded(target.name.trim_end_matches('/')))}),
        };
        let (id, _) = base(index, target);
        if id != START {
            bases.insert(id, value);
        }
    }
    bases
}

/// The target as a whole.
pub(super) fn of_target(report: &Report, index: usize) -> Value {
    of(report, index, &Location::Target)
}

/// Where a finding lies, with its package.
pub(super) fn of_finding(report: &Report, finding: &Finding) -> Value {
    let mut place = of(report, finding.target, &finding.location);
    let package = finding.package.and_then(|at| report.packages.get(at));
    if let (Some(package), Some(map)) = (package, place.as_object_mut()) {
        let logical = json!([{
            "name": package.name,
            "fullyQualifiedName": package.purl,
            "kind": "package",
        }]);
        map.insert("logicalLocations".to_owned(), logical);
    }
    place
}

/// One place of a target.
pub(super) fn of(report: &Report, index: usize, location: &Location) -> Value {
    let Some(target) = report.targets.get(index) else {
        return json!({});
    };
    let (base, before) = base(index, target);
    let (path, layer, range) = match location {
        Location::File { path, layer, range } => (path.as_str(), *layer, *range),
        // An image is no file: what its distribution says of itself is.
        Location::Target if target.kind == TargetKind::Image => ("etc/os-release", None, None),
        Location::Target => ("", None, None),
    };
    let artifact = match target.kind {
        // A file and a bill of materials are their own path.
        TargetKind::File | TargetKind::Sbom => address(&base, "", before),
        _ => address(&base, before, path),
    };
    let region = range.map_or_else(first_line, region);
    let mut place = json!({"physicalLocation": {"artifactLocation": artifact, "region": region}});
    let layer = layer.and_then(|at| Some((at, target.layers.get(at)?)));
    if let (Some((at, layer)), Some(map)) = (layer, place.as_object_mut()) {
        let properties = json!({"layer": at, "diffId": layer.diff_id});
        map.insert("properties".to_owned(), properties);
    }
    place
}

fn region(range: TextRange) -> Value {
    json!({
        "startLine": range.start.line,
        "startColumn": range.start.column,
        "endLine": range.end.line,
        "endColumn": range.end.column,
    })
}

/// GitHub shows no result without a region.
fn first_line() -> Value {
    json!({"startLine": 1})
}

fn address(base: &str, before: &str, path: &str) -> Value {
    let joined = format!("{before}/{path}");
    // `./a//b` is `a/b`; a `..` stays, since it may lead through a link.
    let parts: Vec<&str> = joined
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    let uri = encoded(&parts.join("/"));
    // What is given by its absolute path stands for itself.
    if base == START && (before.starts_with('/') || (before.is_empty() && path.starts_with('/'))) {
        return json!({"uri": format!("file:///{uri}")});
    }
    json!({"uri": uri, "uriBaseId": base})
}

/// A path as part of an address (RFC 3986): slashes stay, a colon in the first
/// part would make a scheme of it.
fn encoded(path: &str) -> String {
    utf8_percent_encode(path, NOT_IN_PATH).to_string()
}

/// All but unreserved characters (RFC 3986, 2.3) and slashes.
const NOT_IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');
