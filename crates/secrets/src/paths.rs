//! Which files are looked into, and which say nothing about their owner.
//!
//! Every file of an image is asked for, so that what most paths are not is
//! told in one step.

use std::{collections::HashSet, sync::LazyLock};

use aho_corasick::AhoCorasick;

/// Bytes of the longest of [`ENDINGS`].
const LONGEST_ENDING: usize = 12;

/// Ends of names whose content is no text, or text made of other files' hashes.
const ENDINGS: [&str; 88] = [
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".webp",
    ".ico",
    ".icns",
    ".bmp",
    ".tif",
    ".tiff",
    ".psd",
    ".avif",
    ".woff",
    ".woff2",
    ".ttf",
    ".otf",
    ".eot",
    ".pfb",
    ".afm",
    ".mp3",
    ".mp4",
    ".mkv",
    ".avi",
    ".mov",
    ".ogg",
    ".wav",
    ".flac",
    ".webm",
    ".zip",
    ".gz",
    ".tgz",
    ".xz",
    ".bz2",
    ".zst",
    ".lz4",
    ".7z",
    ".rar",
    ".jar",
    ".war",
    ".ear",
    ".whl",
    ".deb",
    ".rpm",
    ".apk",
    ".gem",
    ".class",
    ".so",
    ".a",
    ".o",
    ".lo",
    ".ko",
    ".dll",
    ".exe",
    ".dylib",
    ".lib",
    ".pdb",
    ".wasm",
    ".node",
    ".pdf",
    ".doc",
    ".docx",
    ".xls",
    ".xlsx",
    ".ppt",
    ".pptx",
    ".odt",
    ".mo",
    ".gmo",
    ".qm",
    ".rlib",
    ".rmeta",
    ".bin",
    ".iso",
    ".img",
    ".mmdb",
    ".pack",
    ".idx",
    ".glb",
    ".gltf",
    ".hyb",
    ".elc",
    ".beam",
    ".dict",
    ".aff",
    ".rdb",
    ".dat",
    ".md5sums",
    ".sha256sums",
];

/// Names of files made by tools of hashes alone.
const NAMES: [&str; 14] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "Cargo.lock",
    "go.sum",
    "go.work.sum",
    "poetry.lock",
    "uv.lock",
    "pdm.lock",
    "Gemfile.lock",
    "composer.lock",
    "RECORD",
];

/// Whether a file at `path` is worth looking into.
pub fn wants(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if NAMES.contains(&name) || is_trial_of_others(path) {
        return false;
    }
    match name.rfind('.').and_then(|dot| name.get(dot..)) {
        Some(ending) => !is_no_text(ending) && !name.contains(".so."),
        None => true,
    }
}

/// Whether an ending is one of [`ENDINGS`], in letters of either case.
fn is_no_text(ending: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&[u8]>> =
        LazyLock::new(|| ENDINGS.iter().map(|known| known.as_bytes()).collect());
    let mut lower = [0; LONGEST_ENDING];
    let Some(lower) = lower.get_mut(..ending.len()) else {
        return false;
    };
    lower.copy_from_slice(ending.as_bytes());
    lower.make_ascii_lowercase();
    KNOWN.contains(&*lower)
}

/// Folders that a package manager fills.
const INSTALLED: [&str; 20] = [
    "node_modules/",
    "site-packages/",
    "dist-packages/",
    "bower_components/",
    "usr/share/",
    "usr/lib/",
    "usr/lib64/",
    "usr/local/lib/",
    "usr/local/share/",
    "usr/local/go/",
    "usr/src/linux",
    "/gems/",
    "vendor/bundle/",
    "go/pkg/mod/",
    ".cargo/registry/",
    "usr/include/",
    ".m2/",
    "vendor/github.com/",
    "vendor/golang.org/",
    "usr/local/rustup/",
];

/// Folders among those that images serve their own pages from.
const WEB_ROOTS: [&str; 2] = ["usr/share/nginx/html/", "usr/share/caddy/"];

/// Folders in which programs keep what their tests and manuals need.
const TRIALS: [&str; 22] = [
    "test",
    "tests",
    "testing",
    "__tests__",
    "testdata",
    "test-data",
    "test_data",
    "fixtures",
    "__fixtures__",
    "spec",
    "specs",
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "doc",
    "docs",
    "man",
    "benchmark",
    "mocks",
];

/// Parts of names of tests, manuals and declarations, and of maps that repeat
/// a source for a debugger.
const TRIAL_NAMES: [&str; 13] = [
    ".test.",
    ".spec.",
    "_test.",
    ".example.",
    ".examples.",
    ".sample.",
    ".md",
    ".rst",
    ".d.ts",
    ".d.cts",
    ".map",
    "README",
    "CHANGELOG",
];

/// Whether the file is a test's or a manual's of an installed program: the keys
/// in there are known to everybody and open nothing.
fn is_trial_of_others(path: &str) -> bool {
    let is_trial = |inner: &str| {
        let mut parts = inner.rsplit('/');
        let name = parts.next().unwrap_or_default();
        let is_test_file =
            name.starts_with("test_") || TRIAL_NAMES.iter().any(|sign| name.contains(sign));
        is_test_file
            || parts.any(|part| TRIALS.iter().any(|trial| trial.eq_ignore_ascii_case(part)))
    };
    installed(path).any(is_trial)
}

/// What of `path` lies in folders that a package manager fills.
fn installed(path: &str) -> impl Iterator<Item = &str> {
    static ANY: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(INSTALLED).ok());
    let may_be = ANY.as_ref().is_none_or(|any| any.is_match(path));
    let folders = INSTALLED.iter().filter(move |_| may_be);
    folders.filter_map(move |folder| {
        let at = path.find(folder)?;
        // `/gems/` has its own slash; the others start a component.
        let starts =
            at == 0 || folder.starts_with('/') || path.as_bytes().get(at - 1) == Some(&b'/');
        let rest = path.get(at..).filter(|_| starts)?;
        let is_own = WEB_ROOTS
            .iter()
            .any(|root| root.starts_with(folder) && rest.starts_with(root));
        rest.strip_prefix(folder).filter(|_| !is_own)
    })
}

/// Endings of programs' sources.
const SOURCES: [&str; 18] = [
    "py", "pyi", "js", "cjs", "mjs", "jsx", "ts", "tsx", "rb", "php", "pl", "pm", "java", "go",
    "rs", "lua", "c", "h",
];

/// Whether the file is a source of an installed program. Its comments explain
/// how a password is given (SQLAlchemy's with `scott:tiger`), and none of it is
/// its user's.
pub(crate) fn is_source_of_others(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| SOURCES.contains(&ending)) && installed(path).next().is_some()
}

/// Whether `path` ends in `end`, which starts a component; `.env*` stands for
/// every last component that starts so.
pub(crate) fn ends_in(path: &str, end: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some(start) = end.strip_suffix('*') {
        return name.starts_with(start);
    }
    if end.starts_with('.') && name.len() > end.len() && name.ends_with(end) {
        return true;
    }
    path.strip_suffix(end)
        .is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_kept_in_the_form_in_which_they_are_looked_up() {
        for ending in ENDINGS {
            assert!(ending.len() <= LONGEST_ENDING, "{ending}");
            assert_eq!(ending, ending.to_ascii_lowercase());
            assert!(is_no_text(&ending.to_ascii_uppercase()), "{ending}");
        }
    }

    #[test]
    fn what_is_not_looked_into() {
        for path in [
            "a/b.PNG",
            "usr/lib/libssl.so.3",
            "web/package-lock.json",
            "x.tar.gz",
        ] {
            assert!(!wants(path), "{path}");
        }
        for path in [
            ".env",
            "id_rsa",
            "src/main.rs",
            "a.js",
            "home/.npmrc",
            "x.pem",
            "module.pyc",
            "soap.son",
        ] {
            assert!(wants(path), "{path}");
        }
    }

    #[test]
    fn tests_of_installed_programs_are_others() {
        for path in [
            "app/node_modules/ssh2/test/fixtures/id_rsa",
            "usr/share/doc/openssl/key.pem",
            "usr/lib/python3/dist-packages/x/tests/k.py",
            "usr/local/lib/ruby/gems/3.2/gems/x-1/spec/k.rb",
            "node_modules/x/lib/a.test.js",
            "usr/lib/python3.11/test_ssl.py",
            "usr/src/linux-headers-6.1/Documentation/README",
            "usr/src/app/node_modules/x/test/key.pem",
            "usr/share/nginx/html/node_modules/x/README",
        ] {
            assert!(is_trial_of_others(path), "{path}");
        }
        for path in [
            "app/test/id_rsa",
            "etc/ssl/private/key.pem",
            "node_modules/x/index.js",
            "my_node_modules/test/k",
            "usr/share/app/key.pem",
            "usr/lib/app/contest_keys.json",
            "usr/src/app/tests/settings.env",
            "usr/src/app/README.md",
            "usr/share/nginx/html/docs/config.js",
            "usr/share/caddy/test/.env",
        ] {
            assert!(!is_trial_of_others(path), "{path}");
        }
    }

    #[test]
    fn ends_of_paths() {
        assert!(ends_in("a/.env.production", ".env*"));
        assert!(ends_in("root/.npmrc", ".npmrc"));
        assert!(ends_in("a/b.properties", ".properties"));
        assert!(ends_in("x/.aws/credentials", ".aws/credentials"));
        assert!(!ends_in("x/my.aws/credentials", ".aws/credentials"));
    }

    #[test]
    fn sources_of_installed_programs_are_told() {
        for path in [
            "usr/local/lib/python3.11/site-packages/sqlalchemy/engine/base.py",
            "app/node_modules/pg/lib/index.js",
        ] {
            assert!(is_source_of_others(path), "{path}");
        }
        for path in [
            "app/settings.py",
            "usr/src/app/settings.py",
            "usr/share/nginx/html/app.js",
            "usr/share/x/config.ini",
            "node_modules.py",
        ] {
            assert!(!is_source_of_others(path), "{path}");
        }
    }
}
