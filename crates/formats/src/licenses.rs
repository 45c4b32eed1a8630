//! Licences of documents: SPDX expressions (SPDX 2.3, annex D), and names that
//! are none.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use sha2::{Digest, Sha256};
use spdx::{Expression, LicenseItem, ParseMode};

use crate::content::hex;

/// Bytes of a licence's name; what is longer is its text.
const MOST_NAME: usize = 256;

/// What documents write where nothing is known.
pub(crate) fn is_known(text: &str) -> bool {
    !matches!(text, "" | "NOASSERTION" | "NONE")
}

/// Whether a text is a licence's name, and no whole licence.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() < MOST_NAME
}

/// A licence as it was written before it became a reference into the list of
/// the document's own licences.
pub(crate) fn plain<'a>(text: &'a str, own: &HashMap<&str, &'a str>) -> Cow<'a, str> {
    match own.get(text) {
        Some(name) if is_known(name) && is_name(name) => Cow::Borrowed(*name),
        _ => Cow::Borrowed(text),
    }
}

/// As the specification has it; deprecated ids and `GPL-2.0+` were valid when
/// they were written.
const MODE: ParseMode = ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// A package's licences as one expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    /// The expression; all of several licences hold.
    pub(crate) expression: String,
    /// Whether it is no more than one id of SPDX's list.
    pub(crate) is_id: bool,
    /// Whether it was written so, and no name had to become a reference.
    pub(crate) is_plain: bool,
}

/// The licences that are not on SPDX's list, by the reference that stands for
/// them, with their names.
pub(crate) type OwnLicenses = BTreeMap<String, String>;

/// Makes one expression of a package's licences; `None` when there are none.
pub(crate) fn declared(licenses: &[String], own: &mut OwnLicenses) -> Option<Declared> {
    let mut all: Vec<Declared> = Vec::new();
    for text in licenses.iter().map(|text| text.trim()) {
        if !is_known(text) {
            continue;
        }
        let one = one(text, own);
        if !all.contains(&one) {
            all.push(one);
        }
    }
    if all.len() < 2 {
        return all.pop();
    }
    let parts = all.iter().map(|one| match one.expression.contains(' ') {
        true => format!("({})", one.expression),
        false => one.expression.clone(),
    });
    Some(Declared {
        expression: parts.collect::<Vec<_>>().join(" AND "),
        is_id: false,
        is_plain: all.iter().all(|one| one.is_plain),
    })
}

fn one(text: &str, own: &mut OwnLicenses) -> Declared {
    let parsed = (text.len() < MOST_NAME * 16)
        .then(|| Expression::parse_mode(text, MODE).ok())
        .flatten();
    if let Some(parsed) = parsed {
        let names = || parsed.requirements().map(|one| &one.req);
        let is_foreign = names().any(|one| match &one.license {
            LicenseItem::Other(other) => other.doc_ref.is_some(),
            LicenseItem::Spdx { .. } => false,
        });
        if !is_foreign {
            let is_id = spdx::license_id(text).is_some_and(|id| id.name == text);
            for one in names() {
                if let LicenseItem::Other(other) = &one.license {
                    let id = format!("LicenseRef-{}", other.lic_ref);
                    own.entry(id.clone()).or_insert(id);
                }
            }
            return Declared {
                expression: text.to_owned(),
                is_id,
                is_plain: true,
            };
        }
    }
    let id = reference(text);
    own.insert(id.clone(), text.to_owned());
    Declared {
        expression: id,
        is_id: false,
        is_plain: false,
    }
}

/// `LicenseRef-` and letters, digits, dots and dashes; with digits of its
/// digest where these do not give the name back.
fn reference(name: &str) -> String {
    let kept = |letter: char| letter.is_ascii_alphanumeric() || letter == '.';
    let mut id: String = name
        .chars()
        .take(48)
        .map(|letter| if kept(letter) { letter } else { '-' })
        .collect();
    if id != name {
        id = format!("{id}-{}", hex(&Sha256::digest(name.as_bytes()), 4));
    }
    format!("LicenseRef-{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_expression_becomes_a_reference() {
        let mut own = OwnLicenses::new();
        let mut made = |licenses: &[&str]| {
            let licenses: Vec<String> = licenses.iter().map(|one| (*one).to_owned()).collect();
            declared(&licenses, &mut own).map(|one| (one.expression, one.is_id, one.is_plain))
        };
        let some = |text: &str, is_id, is_plain| Some((text.to_owned(), is_id, is_plain));
        assert_eq!(made(&[]), None);
        assert_eq!(made(&["NOASSERTION"]), None);
        assert_eq!(made(&["MIT"]), some("MIT", true, true));
        assert_eq!(made(&["MIT", "MIT"]), some("MIT", true, true));
        assert_eq!(made(&["GPL-2.0"]), some("GPL-2.0", true, true));
        assert_eq!(made(&["GPL-2.0+"]), some("GPL-2.0+", false, true));
        assert_eq!(
            made(&["MIT OR Apache-2.0", "Zlib"]),
            some("(MIT OR Apache-2.0) AND Zlib", false, true)
        );
        assert_eq!(
            made(&["Artistic"]),
            some("LicenseRef-Artistic", false, false)
        );
        let bsd = made(&["BSD 3-Clause"]).unwrap();
        assert_eq!(bsd.0, "LicenseRef-BSD-3-Clause-f4efa249");
        assert_eq!(made(&["LicenseRef-x"]), some("LicenseRef-x", false, true));
        assert_eq!(own[&bsd.0], "BSD 3-Clause");
        assert_eq!(own.len(), 3);
    }
}
