//! How Python's tools write names and archives.

/// The version in the name of a wheel, `NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl`
/// (Binary distribution format, "File name convention").
pub(crate) fn wheel_version(url: &str) -> Option<&str> {
    let path = url.split(['#', '?']).next()?;
    let name = path.rsplit('/').next()?.strip_suffix(".whl")?;
    let version = name.split('-').nth(1)?;
    let is_plain =
        version.starts_with(|first: char| first.is_ascii_digit()) && !version.contains(['%', '$']);
    is_plain.then_some(version)
}

/// The form in which names are compared (Names and normalization, PyPA).
pub(crate) fn normal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            _ => out.extend(letter.to_lowercase()),
        }
    }
    out
}

/// The name that a requirement starts with (Dependency specifiers, PyPA).
pub(crate) fn required(requirement: &str) -> &str {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let requirement = requirement.trim_start();
    let end = requirement.find(|letter| !is_name(letter));
    requirement
        .get(..end.unwrap_or(requirement.len()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_without_signs() {
        assert_eq!(normal("Zope._-Event"), "zope-event");
        assert_eq!(required(" a.b[x]>=1; c"), "a.b");
        let wheel = "https://h/six-1.16.0-py2.py3-none-any.whl#sha256=0";
        assert_eq!(wheel_version(wheel), Some("1.16.0"));
    }
}
