//! Which key of a file belongs to a repository.
//!
//! Docker writes the registry, for Docker Hub as the address
//! `https://index.docker.io/v1/`; Podman a registry or a part of its
//! repositories (`quay.io/team`); Kubernetes patterns (`*.example.com`).

use crate::{Repository, reference::usual_host};

/// How well a key fits: compared in this order, greater is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    /// Letters of the path that it names.
    path: usize,
    is_exact: bool,
    /// Letters of the registry that are no wildcards.
    letters: usize,
}

/// How well `key` fits; `None` when it is about something else. Where
/// `keeps_path` is not set, an address with a scheme is about the whole
/// registry, as Docker and Podman have it.
pub(super) fn fit(key: &str, repository: &Repository, keeps_path: bool) -> Option<Fit> {
    let (host, path) = split(key, keeps_path);
    let is_below = |path: &str| match repository.path().strip_prefix(path) {
        Some(rest) => path.is_empty() || rest.is_empty() || rest.starts_with('/'),
        None => false,
    };
    if !is_below(path) {
        return None;
    }
    let is_exact = same_host(host, repository.host());
    let is_pattern = host.contains(['*', '?']);
    if !is_exact && (!is_pattern || !glob_host(host, repository.host())) {
        return None;
    }
    Some(Fit {
        path: path.len(),
        is_exact,
        letters: host.chars().filter(|c| !matches!(c, '*' | '?')).count(),
    })
}

/// Registry and path of a key. The paths of the registry interface itself say
/// nothing about repositories.
fn split(key: &str, keeps_path: bool) -> (&str, &str) {
    let stripped = ["https://", "http://"]
        .iter()
        .find_map(|scheme| key.strip_prefix(scheme));
    let rest = stripped.unwrap_or(key);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = path.trim_end_matches('/');
    let path = match path.strip_prefix("v1").or_else(|| path.strip_prefix("v2")) {
        Some("") => "",
        Some(rest) => rest.strip_prefix('/').unwrap_or(path),
        None => path,
    };
    if stripped.is_some() && !keeps_path {
        (host, "")
    } else {
        (host, path)
    }
}

/// Whether both name the same registry; Docker Hub has several names.
pub(crate) fn same_host(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    usual_host(&one) == usual_host(&other)
}

/// Patterns as the kubelet reads them: every label of the name for itself, the
/// port as it is.
fn glob_host(pattern: &str, host: &str) -> bool {
    let (pattern, pattern_port) = pattern.split_once(':').unwrap_or((pattern, ""));
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    let labels = |text: &str| text.split('.').count();
    pattern_port == port
        && labels(pattern) == labels(name)
        && pattern
            .split('.')
            .zip(name.split('.'))
            .all(|(pattern, label)| glob(pattern.as_bytes(), label.as_bytes()))
}

/// `*` and `?` in one label, in linear steps back: a pattern cannot make it
/// slow.
fn glob(pattern: &[u8], label: &[u8]) -> bool {
    let (mut p, mut l) = (0, 0);
    let mut star = None;
    while let Some(letter) = label.get(l) {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, l));
                p += 1;
            }
            Some(b'?') => (p, l) = (p + 1, l + 1),
            Some(other) if other.eq_ignore_ascii_case(letter) => (p, l) = (p + 1, l + 1),
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                (p, l) = (at + 1, from + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(keys: &[&'a str], name: &str, keeps_path: bool) -> Option<&'a str> {
        let reference: crate::Reference = name.parse().unwrap();
        let fits = keys
            .iter()
            .filter_map(|key| Some((fit(key, reference.repository(), keeps_path)?, *key)));
        fits.max().map(|(_, key)| key)
    }

    #[test]
    fn the_names_of_docker_hub() {
        for key in [
            "https://index.docker.io/v1/",
            "https://index.docker.io/v2/",
            "index.docker.io",
            "docker.io",
            "registry-1.docker.io",
            "https://docker.io",
        ] {
            assert_eq!(best(&[key], "debian:12", false), Some(key));
            assert_eq!(best(&[key], "debian:12", true), Some(key));
            assert_eq!(best(&[key], "quay.io/a", false), None);
        }
        assert_eq!(
            best(&["notdocker.io", "docker.io.evil"], "debian", false),
            None
        );
    }

    #[test]
    fn the_longest_part_of_a_name_wins() {
        // The order of containers-auth.json(5).
        let keys = [
            "r.io",
            "r.io/team/app",
            "r.io/team",
            "r.io/te",
            "other/team",
        ];
        assert_eq!(best(&keys, "r.io/team/app:1", false), Some("r.io/team/app"));
        assert_eq!(best(&keys, "r.io/team/other", false), Some("r.io/team"));
        assert_eq!(best(&keys, "r.io/teams", false), Some("r.io"));
        assert_eq!(best(&["r.io/v1/x"], "r.io/x", false), Some("r.io/v1/x"));
        assert_eq!(best(&["r.io:5000"], "r.io/x", false), None);
        assert_eq!(best(&["r.io"], "r.io:5000/x", false), None);
    }

    #[test]
    fn an_address_is_about_the_registry_but_for_kubernetes() {
        let key = "https://r.io/team";
        assert_eq!(best(&[key], "r.io/other", false), Some(key));
        assert_eq!(best(&[key], "r.io/other", true), None);
        assert_eq!(best(&[key], "r.io/team/a", true), Some(key));
        assert_eq!(
            best(&["http://r.io/v2/"], "r.io/a", true),
            Some("http://r.io/v2/")
        );
    }

    #[test]
    fn patterns_of_the_kubelet() {
        // The table of its documentation (images, "Interpretation of config.json").
        for (key, name, fits) in [
            ("*.docker.io", "index.docker.io.x/a", false),
            ("*.kubernetes.io", "abc.kubernetes.io/a", true),
            ("*.kubernetes.io", "kubernetes.io/a", false),
            ("*.*.kubernetes.io", "abc.def.kubernetes.io/a", true),
            ("*.kubernetes.io", "abc.def.kubernetes.io/a", false),
            ("prefix.*.io", "prefix.kubernetes.io/a", true),
            ("*-good.kubernetes.io", "prefix-good.kubernetes.io/a", true),
            ("*.kubernetes.io", "abc.kubernetes.io:5000/a", false),
            ("*.kubernetes.io:5000", "abc.kubernetes.io:5000/a", true),
            ("*.kubernetes.io/a", "abc.kubernetes.io/a/b", true),
            ("*.kubernetes.io/b", "abc.kubernetes.io/a/b", false),
            ("a?c.x.io", "abc.x.io/a", true),
        ] {
            assert_eq!(best(&[key], name, true).is_some(), fits, "{key} {name}");
        }
        let keys = ["*.x.io", "a.x.io", "a*.x.io"];
        assert_eq!(best(&keys, "a.x.io/b", true), Some("a.x.io"));
        assert_eq!(best(&keys, "ab.x.io/b", true), Some("a*.x.io"));
        assert!(!glob("*a".repeat(40).as_bytes(), "a".repeat(39).as_bytes()));
    }
}
