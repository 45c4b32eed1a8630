//! Paths inside an image: normal forms, ancestors, link targets.

/// Brings the path of a tar entry into normal form in `out`: relative, without
/// `.` components, doubled or trailing slashes; bytes that are not UTF-8
/// replaced. Returns false, leaving `out` in disorder, for a path that leaves
/// the root.
pub(crate) fn normalise(raw: &[u8], out: &mut String) -> bool {
    out.clear();
    // Many tools write `./` before every path.
    let raw = raw.strip_prefix(b"./").unwrap_or(raw);
    if let Ok(text) = std::str::from_utf8(raw) {
        if is_normal(raw) {
            out.push_str(text);
            return true;
        }
        push_components(text, out)
    } else {
        push_components(&String::from_utf8_lossy(raw), out)
    }
}

/// Whether the path is in normal form already. Nearly all are, apart from
/// the slash behind a directory.
fn is_normal(raw: &[u8]) -> bool {
    // A dot at the head of a component may be `.` or `..`; a hidden file takes
    // the slow way, which is right too.
    let starts_badly = |rest: &[u8]| matches!(rest.first(), None | Some(b'/' | b'.'));
    !starts_badly(raw)
        && memchr::memchr_iter(b'/', raw)
            .all(|at| raw.get(at + 1..).is_some_and(|rest| !starts_badly(rest)))
}

fn push_components(text: &str, out: &mut String) -> bool {
    for component in text.split('/') {
        match component {
            "" | "." => {}
            ".." => return false,
            _ => {
                if !out.is_empty() {
                    out.push('/');
                }
                out.push_str(component);
            }
        }
    }
    true
}

/// Directory and last component.
pub(crate) fn split(path: &str) -> (&str, &str) {
    memchr::memrchr(b'/', path.as_bytes())
        .and_then(|at| Some((path.get(..at)?, path.get(at + 1..)?)))
        .unwrap_or(("", path))
}

/// `dir/name`, or `name` below the root.
pub(crate) fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}

/// Every proper ancestor but the root, nearest first.
pub(crate) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(path.rsplit_once('/'), |(dir, _)| dir.rsplit_once('/'))
        .map(|(dir, _)| dir)
}

/// Where the target of a link in `dir` leads, inside the root: `..` at the root
/// stays there, as it does for the kernel.
pub(crate) fn resolve_link(dir: &str, target: &str) -> String {
    let mut stack: Vec<&str> = Vec::new();
    if !target.starts_with('/') {
        stack.extend(dir.split('/').filter(|part| !part.is_empty()));
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                stack.pop();
            }
            _ => stack.push(part),
        }
    }
    stack.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(raw: &[u8]) -> Option<String> {
        let mut out = String::new();
        normalise(raw, &mut out).then_some(out)
    }

    #[test]
    fn paths_become_relative() {
        for (raw, want) in [
            ("usr/lib", "usr/lib"),
            ("./usr//lib/", "usr/lib"),
            ("/etc/passwd", "etc/passwd"),
            ("a/./b/.hidden", "a/b/.hidden"),
            ("./", ""),
            ("...", "..."),
        ] {
            assert_eq!(normal(raw.as_bytes()).as_deref(), Some(want), "{raw}");
        }
        assert_eq!(normal(b"a\xFFb").as_deref(), Some("a\u{FFFD}b"));
        for raw in ["..", "../x", "a/../../b", "/.."] {
            assert_eq!(normal(raw.as_bytes()), None, "{raw}");
        }
    }

    #[test]
    fn links_stay_inside_the_root() {
        assert_eq!(
            resolve_link("etc", "../usr/lib/os-release"),
            "usr/lib/os-release"
        );
        assert_eq!(resolve_link("etc", "/x/y"), "x/y");
        assert_eq!(resolve_link("a", "../../../etc"), "etc");
        assert_eq!(resolve_link("", "usr/lib"), "usr/lib");
    }

    #[test]
    fn ancestors_come_nearest_first() {
        assert_eq!(ancestors("a/b/c").collect::<Vec<_>>(), ["a/b", "a"]);
        assert_eq!(ancestors("a").count(), 0);
    }
}
