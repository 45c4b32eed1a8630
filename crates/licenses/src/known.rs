//! Names that package managers, registries and their users give to licences.

use std::{collections::HashMap, sync::OnceLock};

/// Names in the form that [`key`] gives them, with the SPDX expression that
/// they mean. Names of the SPDX list itself are found without an entry here.
///
/// A name without its version means what it mostly means: `BSD` the three
/// clauses, `Apache` 2.0. Trivy and Google's classifier do the same.
const NAMES: &[(&str, &str)] = &[
    // Debian (machine-readable copyright files, 1.0) and its maintainers.
    ("expat", "MIT"),
    ("mit x11", "MIT"),
    ("x11 mit", "MIT"),
    ("mit style", "MIT"),
    ("mit like", "MIT"),
    ("artistic", "Artistic-1.0-Perl"),
    ("artistic gpl", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("public domain", "LicenseRef-Public-Domain"),
    ("pd", "LicenseRef-Public-Domain"),
    ("bsd", "BSD-3-Clause"),
    ("bsd like", "BSD-3-Clause"),
    ("bsd style", "BSD-3-Clause"),
    ("bsd 2 clauses", "BSD-2-Clause"),
    ("bsd 3 clauses", "BSD-3-Clause"),
    ("bsd 4 clauses", "BSD-4-Clause"),
    ("bsd 2 clause netbsd", "BSD-2-Clause"),
    ("bsd variant", "BSD-3-Clause"),
    ("bsd 3 clause alternative", "BSD-3-Clause"),
    ("permissive", "FSFULLR"),
    ("fsf all permissive", "FSFAP"),
    ("all permissive", "FSFAP"),
    ("perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("zlib libpng", "Zlib"),
    ("zlib bsd", "Zlib"),
    ("cc by sa 3 us", "CC-BY-SA-3.0"),
    ("openldap", "OLDAP-2.8"),
    ("openldap 2.8", "OLDAP-2.8"),
    ("sil ofl 1.1", "OFL-1.1"),
    ("isc style", "ISC"),
    ("iscl", "ISC"),
    ("boost", "BSL-1.0"),
    ("boost 1", "BSL-1.0"),
    ("tcl like", "TCL"),
    ("tcl bsd", "TCL"),
    ("gfdl niv 1.2", "GFDL-1.2-no-invariants-only"),
    ("gfdl niv 1.3", "GFDL-1.3-no-invariants-only"),
    ("gfdl niv 1.2+", "GFDL-1.2-no-invariants-or-later"),
    ("gfdl niv 1.3+", "GFDL-1.3-no-invariants-or-later"),
    ("gfdl 1.3+ no invariants", "GFDL-1.3-no-invariants-or-later"),
    ("gfdl 1.2+ no invariants", "GFDL-1.2-no-invariants-or-later"),
    // Fedora's names before SPDX (Licensing:Main).
    ("asl 1", "Apache-1.0"),
    ("asl 1.1", "Apache-1.1"),
    ("asl 2", "Apache-2.0"),
    ("apache", "Apache-2.0"),
    ("mpl 1", "MPL-1.0"),
    ("mpl 1.1", "MPL-1.1"),
    ("mpl 2", "MPL-2.0"),
    ("boost software", "BSL-1.0"),
    ("openssl", "OpenSSL"),
    ("python", "Python-2.0"),
    ("vim", "Vim"),
    ("ofl", "OFL-1.1"),
    ("open font", "OFL-1.1"),
    ("cc 0", "CC0-1.0"),
    ("cc by", "CC-BY-4.0"),
    ("cc by sa", "CC-BY-SA-4.0"),
    ("zpl 2.1", "ZPL-2.1"),
    ("artistic 2", "Artistic-2.0"),
    ("gpl+ or artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
    ("w3c", "W3C"),
    ("sendmail", "Sendmail"),
    ("ncsa", "NCSA"),
    ("uiuc", "NCSA"),
    ("utf 8", "Unicode-DFS-2016"),
    ("mit with advertising", "MIT-advertising"),
    ("bsd with advertising", "BSD-4-Clause"),
    ("sleepycat", "Sleepycat"),
    ("pgplot", "LicenseRef-pgplot"),
    ("kernel", "GPL-2.0-only"),
    ("copyright only", "LicenseRef-Copyright-Only"),
    (
        "freely redistributable without restriction",
        "LicenseRef-Public-Domain",
    ),
    (
        "redistributable no modification permitted",
        "LicenseRef-Redistributable-Only",
    ),
    // Python: trove classifiers, and what stands in `License`.
    ("apache software", "Apache-2.0"),
    ("apache software 2", "Apache-2.0"),
    ("apache 2 software", "Apache-2.0"),
    ("academic free", "AFL-3.0"),
    ("python software foundation", "PSF-2.0"),
    ("psf", "PSF-2.0"),
    ("psfl", "PSF-2.0"),
    ("cnri python", "CNRI-Python"),
    ("mozilla public", "MPL-2.0"),
    ("mozilla public 1", "MPL-1.0"),
    ("mozilla public 1.1", "MPL-1.1"),
    ("mozilla public 2", "MPL-2.0"),
    ("mpl", "MPL-2.0"),
    ("isc iscl", "ISC"),
    ("zope public", "ZPL-2.1"),
    ("zope public 2.1", "ZPL-2.1"),
    ("unlicense", "Unlicense"),
    ("cc 0 1 universal public domain dedication", "CC0-1.0"),
    ("cc 0 1 universal", "CC0-1.0"),
    (
        "cc 0 1 universal cc 0 1 public domain dedication",
        "CC0-1.0",
    ),
    ("eclipse public", "EPL-2.0"),
    ("bsd 3", "BSD-3-Clause"),
    ("bsd 2", "BSD-2-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("bsd new", "BSD-3-Clause"),
    ("modified bsd", "BSD-3-Clause"),
    ("revised bsd", "BSD-3-Clause"),
    ("simplified bsd", "BSD-2-Clause"),
    ("bsd simplified", "BSD-2-Clause"),
    ("freebsd", "BSD-2-Clause"),
    ("3 clause bsd", "BSD-3-Clause"),
    ("2 clause bsd", "BSD-2-Clause"),
    ("0 clause bsd", "0BSD"),
    ("bsd 3 clause new or revised", "BSD-3-Clause"),
    ("bsd 2 clause simplified", "BSD-2-Clause"),
    ("bsd 2 clause freebsd", "BSD-2-Clause"),
    ("historical permission notice and disclaimer hpnd", "HPND"),
    ("universal permissive upl", "UPL-1.0"),
    ("microsoft public", "MS-PL"),
    ("european union public 1.2", "EUPL-1.2"),
    ("european union public 1.2 eupl 1.2", "EUPL-1.2"),
    ("blue oak model", "BlueOak-1.0.0"),
    ("mit no attribution", "MIT-0"),
    ("mit no attribution mit 0", "MIT-0"),
    ("dual", ""),
    ("apache 2 or bsd", "Apache-2.0 OR BSD-3-Clause"),
    ("bsd or apache 2", "BSD-3-Clause OR Apache-2.0"),
    // Java.
    ("apache software foundation 2", "Apache-2.0"),
    ("bouncy castle", "MIT"),
    ("eclipse distribution 1", "BSD-3-Clause"),
    ("edl 1", "BSD-3-Clause"),
    ("epl 1", "EPL-1.0"),
    ("epl 2", "EPL-2.0"),
    ("eclipse public 1", "EPL-1.0"),
    ("eclipse public 2", "EPL-2.0"),
    ("cddl", "CDDL-1.0"),
    ("cddl 1", "CDDL-1.0"),
    ("cddl 1.1", "CDDL-1.1"),
    ("common development and distribution", "CDDL-1.0"),
    ("common development and distribution cddl 1", "CDDL-1.0"),
    (
        "cddl gpl",
        "CDDL-1.0 OR GPL-2.0-only WITH Classpath-exception-2.0",
    ),
    (
        "cddl gpl 1.1",
        "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
    ),
    (
        "cddl gpl 2 with classpath exception",
        "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
    ),
    ("gpl 2 w cpe", "GPL-2.0-only WITH Classpath-exception-2.0"),
    (
        "gpl 2 with classpath exception",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    ),
    ("common public 1", "CPL-1.0"),
    ("bsd 3 clause w edl", "BSD-3-Clause"),
    ("go", "BSD-3-Clause"),
    // Perl (CPAN::Meta::Spec), R, Haskell, Ruby.
    ("perl 5", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("artistic 1", "Artistic-1.0"),
    ("gpl 1", "GPL-1.0-only"),
    ("lgpl 2 1", "LGPL-2.1-only"),
    ("lgpl 3 0", "LGPL-3.0-only"),
    ("ssleay", "OpenSSL"),
    ("sun", "LicenseRef-Sun"),
    ("bsd 3", "BSD-3-Clause"),
    ("bsd 2", "BSD-2-Clause"),
    ("publicdomain", "LicenseRef-Public-Domain"),
    ("ruby s", "Ruby"),
    ("ruby", "Ruby"),
    ("nonstandard", ""),
    // Ids that the SPDX list has given up.
    (
        "gpl 2 with autoconf exception",
        "GPL-2.0-only WITH Autoconf-exception-2.0",
    ),
    (
        "gpl 2 with bison exception",
        "GPL-2.0-only WITH Bison-exception-2.2",
    ),
    (
        "gpl 2 with font exception",
        "GPL-2.0-only WITH Font-exception-2.0",
    ),
    (
        "gpl 2 with gcc exception",
        "GPL-2.0-only WITH GCC-exception-2.0",
    ),
    (
        "gpl 3 with autoconf exception",
        "GPL-3.0-only WITH Autoconf-exception-3.0",
    ),
    (
        "gpl 3 with gcc exception",
        "GPL-3.0-only WITH GCC-exception-3.1",
    ),
    (
        "wxwindows",
        "LGPL-2.0-or-later WITH WxWindows-exception-3.1",
    ),
    ("ecos 2", "GPL-2.0-or-later WITH eCos-exception-2.0"),
    ("standardml nj", "SMLNJ"),
    ("bzip 2 1.0.5", "bzip2-1.0.6"),
    ("bzip 2", "bzip2-1.0.6"),
];

/// Addresses without scheme, `www.`, ending and slash at the end.
const ADDRESSES: &[(&str, &str)] = &[
    ("apache.org/licenses/license-2.0", "Apache-2.0"),
    ("apache.org/licenses", "Apache-2.0"),
    ("apache.org/licenses/license-1.1", "Apache-1.1"),
    ("opensource.org/licenses/mit-license", "MIT"),
    ("opensource.org/license/mit", "MIT"),
    ("opensource.org/licenses/bsd-license", "BSD-2-Clause"),
    ("opensource.org/licenses/apache2.0", "Apache-2.0"),
    ("opensource.org/licenses/lgpl-license", "LGPL-2.1-or-later"),
    ("opensource.org/licenses/cddl1", "CDDL-1.0"),
    ("eclipse.org/legal/epl-v10", "EPL-1.0"),
    ("eclipse.org/legal/epl-v20", "EPL-2.0"),
    ("eclipse.org/legal/epl-2.0", "EPL-2.0"),
    ("eclipse.org/org/documents/epl-v10", "EPL-1.0"),
    ("eclipse.org/org/documents/epl-2.0", "EPL-2.0"),
    ("eclipse.org/org/documents/edl-v10", "BSD-3-Clause"),
    ("gnu.org/licenses/gpl-2.0", "GPL-2.0-only"),
    ("gnu.org/licenses/gpl-3.0", "GPL-3.0-only"),
    ("gnu.org/licenses/gpl", "GPL-3.0-only"),
    ("gnu.org/licenses/lgpl", "LGPL-3.0-only"),
    ("gnu.org/licenses/lgpl-2.1", "LGPL-2.1-only"),
    ("gnu.org/licenses/lgpl-3.0", "LGPL-3.0-only"),
    ("gnu.org/licenses/agpl-3.0", "AGPL-3.0-only"),
    ("gnu.org/licenses/old-licenses/gpl-2.0", "GPL-2.0-only"),
    ("gnu.org/licenses/old-licenses/lgpl-2.1", "LGPL-2.1-only"),
    (
        "gnu.org/software/classpath/license",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    ),
    ("mozilla.org/mpl/2.0", "MPL-2.0"),
    ("mozilla.org/mpl/mpl-1.1", "MPL-1.1"),
    ("creativecommons.org/publicdomain/zero/1.0", "CC0-1.0"),
    ("bouncycastle.org/licence", "MIT"),
    ("golang.org/license", "BSD-3-Clause"),
];

/// Exceptions by the form that [`key`] gives to their names.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("classpath", "Classpath-exception-2.0"),
    ("classpath exception", "Classpath-exception-2.0"),
    ("classpath exceptions", "Classpath-exception-2.0"),
    ("cpe", "Classpath-exception-2.0"),
    ("autoconf exception", "Autoconf-exception-generic"),
    ("autoconf exceptions", "Autoconf-exception-generic"),
    ("autoconf exception macro", "Autoconf-exception-macro"),
    ("bison exception", "Bison-exception-2.2"),
    ("bison", "Bison-exception-2.2"),
    ("libtool exception", "Libtool-exception"),
    ("libtool", "Libtool-exception"),
    ("font exception", "Font-exception-2.0"),
    ("gcc exception", "GCC-exception-3.1"),
    ("gcc runtime library exception", "GCC-exception-3.1"),
    ("gcc runtime library exception 3.1", "GCC-exception-3.1"),
    ("llvm exception", "LLVM-exception"),
    ("llvm exceptions", "LLVM-exception"),
    ("linux syscall note", "Linux-syscall-note"),
    ("linking exception", "LGPL-3.0-linking-exception"),
    ("ocaml linking exception", "OCaml-LGPL-linking-exception"),
    ("texinfo exception", "Texinfo-exception"),
    ("swift exception", "Swift-exception"),
];

/// Words that no two licences differ by.
const EMPTY: [&str; 9] = [
    "the", "license", "licence", "licenses", "licensed", "version", "ver", "v", "under",
];

/// The form of a name in which spellings do not differ: words in lower case,
/// versions without `v` and `.0`, nothing twice in a row.
pub(crate) fn key(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: &str| {
        let word = word.trim_matches('.');
        let (digits, plus) = match word.strip_suffix('+') {
            Some(digits) => (digits, "+"),
            None => (word, ""),
        };
        let digits = digits.strip_suffix(".0").unwrap_or(digits);
        let word = format!("{}{plus}", digits.strip_suffix(".0").unwrap_or(digits));
        let is_empty = matches!(word.as_str(), "" | "+") || EMPTY.contains(&word.as_str());
        if !is_empty && words.last() != Some(&word) {
            words.push(word);
        }
    };
    let lower = text.to_lowercase();
    for word in lower.split(|one: char| !(one.is_alphanumeric() || matches!(one, '.' | '+'))) {
        // `mplv2.0` is `mpl 2`.
        match word
            .find(|one: char| one.is_ascii_digit())
            .filter(|at| *at > 1)
        {
            Some(at) => {
                let (letters, number) = word.split_at_checked(at).unwrap_or((word, ""));
                add(letters.strip_suffix('v').unwrap_or(letters));
                add(number);
            }
            None => add(word
                .strip_prefix('v')
                .filter(|rest| rest.starts_with(|one: char| one.is_ascii_digit()))
                .unwrap_or(word)),
        }
    }
    words.join(" ")
}

/// The expression that a name stands for; an empty one for a name that is
/// known to mean nothing.
pub(crate) fn by_name(text: &str) -> Option<&'static str> {
    static TABLE: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let mut table: HashMap<String, &'static str> = HashMap::new();
        let all = spdx::identifiers::LICENSES.iter();
        // What is not deprecated has the first word, ids before names.
        let (old, current): (Vec<_>, Vec<_>) = all.partition(|one| {
            spdx::license_id(one.name).is_some_and(spdx::LicenseId::is_deprecated)
        });
        for list in [&current, &old] {
            for one in list {
                table.entry(key(one.name)).or_insert(one.name);
            }
            for one in list {
                table.entry(key(one.full_name)).or_insert(one.name);
            }
        }
        table.extend(NAMES.iter().map(|(name, id)| ((*name).to_owned(), *id)));
        table
    });
    table.get(&key(text)).copied()
}

/// The expression that an address stands for.
pub(crate) fn by_address(text: &str) -> Option<&'static str> {
    let (scheme, rest) = text.trim().split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let rest = rest.to_lowercase();
    let rest = rest.split(['?', '#']).next()?.trim_end_matches('/');
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let ends = [".txt", ".html", ".htm", ".php", ".en.html", ".md"];
    let rest = ends
        .iter()
        .find_map(|end| rest.strip_suffix(end))
        .unwrap_or(rest);
    let rest = rest.strip_suffix(".en").unwrap_or(rest);
    if let Some((_, id)) = ADDRESSES.iter().find(|(address, _)| *address == rest) {
        return Some(id);
    }
    // These end with an id.
    let listed = [
        "opensource.org/licenses/",
        "opensource.org/license/",
        "spdx.org/licenses/",
        "choosealicense.com/licenses/",
    ];
    let end = listed.iter().find_map(|start| rest.strip_prefix(start))?;
    by_name(end).filter(|id| !id.is_empty())
}

/// The exception that a name stands for.
pub(crate) fn exception(text: &str) -> Option<&'static str> {
    if let Some(id) = spdx::exception_id(text.trim()) {
        return Some(id.name);
    }
    let key = key(text);
    let known = EXCEPTIONS.iter().find(|(name, _)| *name == key);
    let listed = || {
        let mut all = spdx::identifiers::EXCEPTIONS.iter();
        all.find(|one| self::key(one.name) == key)
            .map(|one| one.name)
    };
    known.map(|(_, id)| *id).or_else(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_their_own_form_and_mean_expressions() {
        for (name, id) in NAMES {
            assert_eq!(&key(name), name);
            assert!(
                id.is_empty() || spdx::Expression::parse(id).is_ok(),
                "{name}: {id}"
            );
        }
        for (_, id) in ADDRESSES {
            assert!(spdx::Expression::parse(id).is_ok(), "{id}");
        }
        for (name, id) in EXCEPTIONS {
            assert_eq!(&key(name), name);
            assert!(spdx::exception_id(id).is_some(), "{id}");
        }
    }

    /// Each name and id of the SPDX list means itself.
    #[test]
    fn the_list_means_itself() {
        let mut other = Vec::new();
        for one in spdx::identifiers::LICENSES {
            let is_old = spdx::license_id(one.name).is_some_and(spdx::LicenseId::is_deprecated);
            if !is_old && by_name(one.name) != Some(one.name) {
                other.push((one.name, by_name(one.name)));
            }
        }
        assert!(other.is_empty(), "{other:?}");
    }
}
