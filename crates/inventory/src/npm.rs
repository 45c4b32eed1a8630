//! How npm's registry and the tools around it write names and addresses.

/// Splits `name@range` or `@scope/name@range`.
pub(crate) fn split(descriptor: &str) -> Option<(&str, &str)> {
    // The sign at the head of a scope is a part of the name.
    let scope = usize::from(descriptor.starts_with('@'));
    let at = scope + descriptor.get(scope..)?.find('@')?;
    let (name, range) = descriptor.split_at_checked(at)?;
    (name.len() > scope).then_some((name, range.strip_prefix('@')?))
}

/// The name of the package whose archive lies at this address of a registry,
/// `https://host/name/-/name-1.0.0.tgz`.
pub(crate) fn registry_name(address: &str) -> Option<&str> {
    let (path, _) = address.split_once("/-/")?;
    let mut slashes = path.rmatch_indices('/').map(|(at, _)| at);
    let last = slashes.next().map_or(0, |at| at + 1);
    let before = slashes.next().map_or(0, |at| at + 1);
    let scoped = path.get(before..).filter(|name| name.starts_with('@'));
    scoped.or_else(|| path.get(last..))
}

/// Whether it is a version, not a range or an address.
pub(crate) fn is_version(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
        && !text.contains(|letter: char| matches!(letter, '/' | ':') || letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_a_scope() {
        assert_eq!(split("a@1"), Some(("a", "1")));
        assert_eq!(split("@s/a@npm:b@1"), Some(("@s/a", "npm:b@1")));
        assert_eq!((split("@s/a"), split("@1"), split("")), (None, None, None));
        let at = |path: &str| registry_name(path).map(str::to_owned);
        assert_eq!(at("https://h/x/@s/a/-/a-1.tgz").as_deref(), Some("@s/a"));
        assert_eq!(at("https://h/x/a/-/a-1.tgz").as_deref(), Some("a"));
        assert_eq!(at("https://h/x/a-1.tgz"), None);
    }
}
