//! What a licence asks for: the categories of Google's licenseclassifier
//! (`license_type.go`), which Trivy and others show too.

use spdx::{
    Expression, LicenseItem, LicenseReq,
    expression::{ExprNode, Operator},
};

/// What a licence asks for, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Nothing: public domain and its like.
    Unencumbered,
    /// Hardly more than that its text is kept (notices are not asked for).
    Permissive,
    /// That its notice is kept.
    Notice,
    /// That changes to the files themselves are published.
    Reciprocal,
    /// Odd conditions that somebody has to look at.
    ByException,
    /// That the whole program's source is published with it.
    Restricted,
    /// More than most can give: also over a network, or no commerce.
    Forbidden,
}

impl Category {
    /// All of them, the least first.
    pub const ALL: [Category; 7] = [
        Category::Unencumbered,
        Category::Permissive,
        Category::Notice,
        Category::Reciprocal,
        Category::ByException,
        Category::Restricted,
        Category::Forbidden,
    ];

    /// The name used in every format and in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Unencumbered => "unencumbered",
            Category::Permissive => "permissive",
            Category::Notice => "notice",
            Category::Reciprocal => "reciprocal",
            Category::ByException => "by-exception",
            Category::Restricted => "restricted",
            Category::Forbidden => "forbidden",
        }
    }

    /// The category of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Category::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// Licences by id; a `*` stands for any end. Google's table, with the ids that
/// SPDX has added since and SSPL, which asks for more than AGPL does.
const TABLE: [(Category, &[&str]); 6] = [
    (
        Category::Forbidden,
        &["AGPL-*", "CC-BY-NC-*", "SSPL-*", "WTFPL"],
    ),
    (
        Category::Restricted,
        &[
            "GPL-*",
            "LGPL-*",
            "GFDL-*",
            "CC-BY-ND-*",
            "CC-BY-SA-*",
            "NPL-*",
            "OSL-*",
            "QPL-1.0*",
            "Sleepycat",
        ],
    ),
    (
        Category::ByException,
        &["Beerware", "OFL-1.*", "OpenVision"],
    ),
    (
        Category::Reciprocal,
        &[
            "APSL-*",
            "CDDL-*",
            "CPL-1.0",
            "EPL-*",
            "EUPL-*",
            "FreeImage",
            "IPL-1.0",
            "MPL-*",
            "Ruby",
        ],
    ),
    (
        Category::Notice,
        &[
            "AFL-*",
            "Apache-*",
            "Artistic-*",
            "BSL-1.0",
            "BSD-*",
            "BlueOak-*",
            "CC-BY-1.0",
            "CC-BY-2.*",
            "CC-BY-3.0*",
            "CC-BY-4.0",
            "CNRI-Python*",
            "FSFAP*",
            "FSFUL*",
            "FTL",
            "HPND*",
            "ICU",
            "IJG*",
            "ISC*",
            "ImageMagick",
            "Info-ZIP",
            "Libpng",
            "LPL-*",
            "Linux-OpenIB",
            "MIT*",
            "MS-PL",
            "NCSA",
            "NTP*",
            "OLDAP-*",
            "OpenSSL*",
            "PHP-3.*",
            "PSF-2.0",
            "PostgreSQL",
            "Python-2.0*",
            "SGI-B-*",
            "SSH-*",
            "TCL",
            "UPL-1.0",
            "Unicode-*",
            "Vim",
            "W3C*",
            "X11*",
            "XFree86-*",
            "Xnet",
            "ZPL-*",
            "Zend-2.0",
            "Zlib",
            "blessing",
            "bzip2-*",
            "curl",
            "libpng-2.0",
            "libtiff",
            "zlib-acknowledgement",
        ],
    ),
    (
        Category::Unencumbered,
        &[
            "0BSD",
            "CC-PDDC",
            "CC0-1.0",
            "LicenseRef-Public-Domain",
            "MIT-0",
            "NIST-PD*",
            "Unlicense*",
            "PDDL-1.0",
        ],
    ),
];

/// The category of one licence by its id.
pub(crate) fn of_id(id: &str) -> Option<Category> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => id.starts_with(start),
        None => id == pattern,
    };
    // A whole id says more than the start of one.
    let exact = TABLE.iter().find(|(_, ids)| ids.contains(&id));
    let found = exact.or_else(|| {
        TABLE
            .iter()
            .find(|(_, ids)| ids.iter().any(|one| fits(one)))
    });
    found.map(|(category, _)| *category)
}

/// The id that a requirement names.
pub(crate) fn id(requirement: &LicenseReq) -> String {
    match &requirement.license {
        LicenseItem::Spdx { id, .. } => id.name.to_owned(),
        LicenseItem::Other(other) => other.to_string(),
    }
}

/// The category of an SPDX expression: of its mildest choice, and of the
/// strictest of what holds together. `None` when a licence that decides is in
/// no category, or `expression` is none.
pub fn category(expression: &str) -> Option<Category> {
    let expression = Expression::parse(expression).ok()?;
    let mut stack: Vec<Option<Category>> = Vec::new();
    for node in expression.iter() {
        match node {
            ExprNode::Req(one) => stack.push(of_id(&id(&one.req))),
            ExprNode::Op(operator) => {
                let (right, left) = (stack.pop()?, stack.pop()?);
                stack.push(match operator {
                    Operator::Or => match (left, right) {
                        (Some(left), Some(right)) => Some(left.min(right)),
                        (known, other) => known.or(other),
                    },
                    Operator::And => left.zip(right).map(|(left, right)| left.max(right)),
                });
            }
        }
    }
    stack.pop()?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_mild_and_sums_are_strict() {
        for (expression, want) in [
            ("MIT", Some(Category::Notice)),
            ("MIT OR GPL-2.0-only", Some(Category::Notice)),
            ("MIT AND GPL-2.0-only", Some(Category::Restricted)),
            (
                "(MIT OR AGPL-3.0-only) AND MPL-2.0",
                Some(Category::Reciprocal),
            ),
            ("LicenseRef-x", None),
            ("LicenseRef-x AND MIT", None),
            ("LicenseRef-x OR MIT", Some(Category::Notice)),
            ("MIT-0", Some(Category::Unencumbered)),
            ("AGPL-3.0-or-later", Some(Category::Forbidden)),
            ("not one", None),
        ] {
            assert_eq!(category(expression), want, "{expression}");
        }
    }

    #[test]
    fn every_entry_is_a_licence() {
        for id in TABLE.iter().flat_map(|(_, ids)| *ids) {
            let start = id.trim_end_matches('*');
            let is_one = spdx::identifiers::LICENSES.iter().any(|one| {
                if start == *id {
                    one.name == start
                } else {
                    one.name.starts_with(start)
                }
            });
            assert!(is_one || id.starts_with("LicenseRef-"), "{id}");
        }
    }
}
