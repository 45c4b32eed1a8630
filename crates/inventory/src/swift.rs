//! Names of Swift packages: the address of their repository, as advisories
//! write it (OSV schema, "SwiftURL").

/// `github.com/apple/swift-nio` of `https://github.com/apple/swift-nio.git` or
/// `git@github.com:apple/swift-nio.git`.
pub(crate) fn name_of(address: &str) -> String {
    let (is_url, rest) = match address.split_once("://") {
        Some((_, rest)) => (true, rest),
        None => (false, address),
    };
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) if is_url || !host.contains(':') => (host, path),
        // `user@host:path`, as ssh has it.
        _ => rest.split_once(':').unwrap_or((rest, "")),
    };
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = match is_url {
        // A port is no part of the name.
        true => host.split(':').next().unwrap_or(host),
        false => host,
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let host = host.to_ascii_lowercase();
    match path {
        "" => host,
        path => format!("{host}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_repository_are_one_name() {
        for address in [
            "https://github.com/apple/swift-nio.git",
            "https://github.com/apple/swift-nio",
            "https://GitHub.com/apple/swift-nio/",
            "https://user@github.com:443/apple/swift-nio.git",
            "ssh://git@github.com/apple/swift-nio.git",
            "git@github.com:apple/swift-nio.git",
            "github.com:apple/swift-nio",
        ] {
            assert_eq!(name_of(address), "github.com/apple/swift-nio", "{address}");
        }
        assert_eq!(name_of("https://example.org"), "example.org");
    }
}
