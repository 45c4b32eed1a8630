//! Erlang terms, as far as the records of its tools need them (Erlang reference
//! manual, "Data Types").

/// What is left of the text behind the value of `{key, …}`.
pub(crate) fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once(key)?;
        let before = before.trim_end();
        let after = after.trim_start();
        match after.strip_prefix(',') {
            Some(value) if before.ends_with('{') => return Some(value.trim_start()),
            _ => rest = after,
        }
    }
}

/// The text of a term: an atom, a string, or a binary (`<<"…">>`).
pub(crate) fn text(term: &str) -> Option<String> {
    let term = term.trim_start();
    let term = term.strip_prefix("<<").unwrap_or(term);
    if term.starts_with(['"', '\'']) {
        return crate::literal::literal(term).map(|it| it.0);
    }
    let end = term.find(|it: char| !it.is_ascii_alphanumeric() && !matches!(it, '_' | '@'));
    let atom = term.get(..end.unwrap_or(term.len()))?;
    atom.starts_with(|it: char| it.is_ascii_lowercase())
        .then(|| atom.to_owned())
}

/// The atoms or strings of a flat list.
pub(crate) fn list(term: &str) -> Vec<String> {
    let Some(list) = term.trim_start().strip_prefix('[') else {
        return Vec::new();
    };
    let list = list.split(']').next().unwrap_or(list);
    list.split(',').filter_map(text).collect()
}

/// The text without comments, which take whole lines in what tools write.
pub(crate) fn uncommented(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('%'));
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_of_a_record() {
        let code = "%% {vsn, \"0\"}\n{application, 'a-b',\n [{vsn ,\"1.2\"}, {applications,\n\
            [kernel, stdlib,'x y']},\n{<<\"name\">>,<<\"n\">>}]}.";
        let plain = uncommented(code);
        let of = |key: &str| value(&plain, key).and_then(text);
        assert_eq!(of("application").as_deref(), Some("a-b"));
        assert_eq!(of("vsn").as_deref(), Some("1.2"));
        assert_eq!(of("<<\"name\">>").as_deref(), Some("n"));
        let list = value(&plain, "applications").map(list).unwrap();
        assert_eq!(list, ["kernel", "stdlib", "x y"]);
        assert_eq!(of("gone"), None);
    }
}
