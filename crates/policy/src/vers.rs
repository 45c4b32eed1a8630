//! Version ranges as VEX documents write them: `vers:npm/>=1.0|<2.0` (the
//! "vers" part of the package URL specification), or one version.

use std::cmp::Ordering;

/// The order of a kind of versions.
type Compare = fn(&str, &str) -> Ordering;

/// Whether `version` of a package of the purl type `kind` lies in `range`. A
/// range that cannot be read holds nothing: doubt never suppresses.
pub(crate) fn contains(range: &str, kind: &str, version: &str) -> bool {
    let range = range.trim();
    let Some(rest) = range.strip_prefix("vers:") else {
        return plain(range) == plain(version);
    };
    let Some((_, constraints)) = rest.split_once('/') else {
        return false;
    };
    if constraints.trim() == "*" {
        return true;
    }
    let Some(scheme) = seawall_versions::by_purl_type(kind) else {
        return false;
    };
    let parsed: Option<Vec<(&str, String)>> = constraints.split('|').map(constraint).collect();
    let Some(mut all) = parsed else {
        return false;
    };
    let readable = |one: &(&str, String)| (scheme.is_valid)(&one.1);
    if !(scheme.is_valid)(version) || !all.iter().all(readable) {
        return false;
    }
    all.sort_by(|a, b| (scheme.compare)(&a.1, &b.1));
    holds(&all, scheme.compare, version)
}

/// `1.2.3` of `v1.2.3`, which many write for it.
fn plain(version: &str) -> &str {
    let bare = version.strip_prefix('v');
    let is_digit = |text: &&str| text.starts_with(|one: char| one.is_ascii_digit());
    bare.filter(is_digit).unwrap_or(version)
}

/// A comparator and its version; `None` for what is none.
fn constraint(text: &str) -> Option<(&'static str, String)> {
    const COMPARATORS: [&str; 6] = [">=", "<=", "!=", ">", "<", "="];
    let text: String = text.chars().filter(|one| !one.is_whitespace()).collect();
    let found = COMPARATORS
        .into_iter()
        .find_map(|one| Some((one, text.strip_prefix(one)?)));
    let (comparator, version) = found.unwrap_or(("=", &text));
    let version = seawall_model::purl::decode(version)?;
    (!version.is_empty() && version != "*").then_some((comparator, version))
}

/// The specification's algorithm, over constraints in the order of versions.
fn holds(all: &[(&str, String)], compare: Compare, version: &str) -> bool {
    let mut bounds: Vec<(&str, Ordering)> = Vec::new();
    for (comparator, bound) in all {
        match (*comparator, compare(version, bound)) {
            ("!=", Ordering::Equal) => return false,
            ("=" | "<=" | ">=", Ordering::Equal) => return true,
            ("=" | "!=", _) => {}
            (other, order) => bounds.push((other, order)),
        }
    }
    let upper = |one: &(&str, Ordering)| one.0.starts_with('<') && one.1 == Ordering::Less;
    let lower = |one: &(&str, Ordering)| one.0.starts_with('>') && one.1 == Ordering::Greater;
    bounds.first().is_some_and(upper)
        || bounds.last().is_some_and(lower)
        || bounds
            .iter()
            .zip(bounds.iter().skip(1))
            .any(|(low, high)| lower(low) && upper(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of the specification.
    #[test]
    fn ranges_hold_what_they_say() {
        let range = "vers:npm/1.2.3|>=2.0.0|<5.0.0";
        let inside = |version| contains(range, "npm", version);
        assert!(inside("1.2.3") && inside("2.0.0") && inside("4.9.9"));
        assert!(!inside("1.2.4") && !inside("5.0.0") && !inside("6.0.0"));
        let holes = "vers:pypi/0.0.0|0.0.1|0.0.2|0.0.3|1.0|2.0pre1";
        assert!(contains(holes, "pypi", "2.0pre1") && !contains(holes, "pypi", "0.0.4"));
        let gem = "vers:gem/>=2.2.0|!=2.2.1|<2.3.0";
        assert!(contains(gem, "gem", "2.2.2") && !contains(gem, "gem", "2.2.1"));
        assert!(contains("vers:deb/<1%3A2.0", "deb", "1.9"));
        assert!(contains("vers:npm/>3.0.0", "npm", "4.0.0"));
        assert!(contains("vers:deb/*", "deb", "1"));
        assert!(contains("1.0", "npm", "1.0") && !contains("1.0", "npm", "1.0.0"));
    }

    #[test]
    fn what_cannot_be_read_holds_nothing() {
        for range in [
            "vers:npm",
            "vers:npm/",
            "vers:npm/<",
            "vers:npm/<x|>1",
            "< 2",
            "vers:npm/*|1",
        ] {
            assert!(!contains(range, "npm", "1.0.0"), "{range}");
        }
        assert!(!contains("vers:x/<2", "nobody", "1"));
        assert!(!contains("vers:npm/<2.0.0", "npm", "latest"));
    }

    #[test]
    fn a_version_alone_is_that_version() {
        assert!(contains("1.0", "npm", "1.0") && contains("v1.0", "npm", "1.0"));
        assert!(contains("1.0", "golang", "v1.0"));
        assert!(!contains("1.0", "npm", "1.0.1") && !contains("vx", "npm", "x"));
    }
}
