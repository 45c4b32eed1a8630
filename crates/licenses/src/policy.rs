//! Lists of licences that are allowed, frowned on and denied.

use spdx::{
    AdditionItem, Expression, LicenseItem, LicenseReq,
    expression::{ExprNode, Operator},
};

use crate::{Category, category, normalise};

/// One of a policy's lists.
#[derive(Clone, Debug, Default)]
pub struct List(Vec<Entry>);

#[derive(Clone, Debug)]
enum Entry {
    /// One licence, `-or-later` as the versions that there are, with an
    /// exception where one is named.
    License {
        choices: Vec<String>,
        exception: Option<String>,
    },
    /// All licences of a category.
    Category(Category),
    /// An expression of several, which means just that expression.
    Whole(String),
}

/// A word in a list that is neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryError(String);

impl std::fmt::Display for EntryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = Category::ALL.map(Category::as_str).join(", ");
        write!(
            f,
            "`{}` is neither an SPDX expression nor a category ({known})",
            self.0
        )
    }
}

impl std::error::Error for EntryError {}

impl List {
    /// Takes SPDX expressions, names that mean one, and categories.
    ///
    /// # Errors
    /// At the first that is none of these.
    pub fn new<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Self, EntryError> {
        texts
            .into_iter()
            .map(|text| entry(text.as_ref()))
            .collect::<Result<_, _>>()
            .map(List)
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn holds_whole(&self, expression: &str) -> bool {
        self.0
            .iter()
            .any(|one| matches!(one, Entry::Whole(own) if own == expression))
    }

    /// By id, with this exception or, where `exactly` does not ask for it,
    /// without any.
    fn names(&self, choice: &str, exception: Option<&str>, exactly: bool) -> bool {
        self.0.iter().any(|one| match one {
            Entry::License {
                choices,
                exception: own,
            } => {
                let is_same = own.as_deref() == exception;
                let is_base = own.is_none() && !exactly;
                (is_same || is_base) && choices.iter().any(|own| own == choice)
            }
            _ => false,
        })
    }

    fn has(&self, category: Option<Category>) -> bool {
        let is_one = |one: &Entry| matches!(one, Entry::Category(own) if Some(*own) == category);
        self.0.iter().any(is_one)
    }
}

fn entry(text: &str) -> Result<Entry, EntryError> {
    if let Some(category) = Category::parse(text.trim()) {
        return Ok(Entry::Category(category));
    }
    let wrong = || EntryError(text.to_owned());
    let normal = normalise(text).ok_or_else(wrong)?;
    let expression = Expression::parse(&normal).map_err(|_| wrong())?;
    let mut all = expression.requirements();
    match (all.next(), all.next()) {
        (Some(one), None) => Ok(Entry::License {
            choices: choices(&one.req),
            exception: exception(&one.req),
        }),
        _ => Ok(Entry::Whole(normal)),
    }
}

/// What to do about something, the mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Strictness {
    /// Nothing.
    #[default]
    Allow,
    /// Say so, as a finding of low severity.
    Warn,
    /// Say so, as a finding of high severity.
    Deny,
}

/// What a policy says of a licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against it.
    Allowed,
    /// It is frowned on; the licences that are.
    Warned(Vec<String>),
    /// No list has it; the licences that none has.
    Unlisted(Vec<String>),
    /// It is denied; the licences that are.
    Denied(Vec<String>),
}

/// Lists of licences. An id says more than a category, an id with its
/// exception more than one without; of two lists that say the same, the
/// stricter one counts.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What may be there.
    pub allow: List,
    /// What may be there with a word.
    pub warn: List,
    /// What may not.
    pub deny: List,
}

impl Policy {
    /// Judges an SPDX expression: of a choice the best branch counts, of what
    /// holds together the worst. What is no expression is unlisted; `unlisted`
    /// says how bad that is.
    pub fn judge(&self, expression: &str, unlisted: Strictness) -> Verdict {
        for (list, verdict) in [
            (&self.deny, Verdict::Denied as fn(Vec<String>) -> Verdict),
            (&self.warn, Verdict::Warned),
            (&self.allow, |_| Verdict::Allowed),
        ] {
            if list.holds_whole(expression) {
                return verdict(vec![expression.to_owned()]);
            }
        }
        let untold = || Verdict::Unlisted(vec![expression.to_owned()]);
        let Ok(parsed) = Expression::parse(expression) else {
            return untold();
        };
        let mut stack = Vec::new();
        for node in parsed.iter() {
            match node {
                ExprNode::Req(one) => stack.push(self.of(&one.req, unlisted)),
                ExprNode::Op(operator) => {
                    let (Some(right), Some(left)) = (stack.pop(), stack.pop()) else {
                        return untold();
                    };
                    stack.push(match operator {
                        Operator::Or => best(left, right, unlisted),
                        Operator::And => worst(left, right, unlisted),
                    });
                }
            }
        }
        stack.pop().unwrap_or_else(untold)
    }

    fn of(&self, requirement: &LicenseReq, unlisted: Strictness) -> Verdict {
        let exception = exception(requirement);
        let all = choices(requirement);
        let verdicts = all
            .iter()
            .map(|choice| self.of_choice(choice, exception.as_deref()));
        let best = verdicts.min_by_key(|level| level.rank(unlisted));
        let name = || vec![requirement.to_string()];
        match best.unwrap_or(Level::Unlisted) {
            Level::Allowed => Verdict::Allowed,
            Level::Warned => Verdict::Warned(name()),
            Level::Unlisted => Verdict::Unlisted(name()),
            Level::Denied => Verdict::Denied(name()),
        }
    }

    fn of_choice(&self, choice: &str, exception: Option<&str>) -> Level {
        let own = category::of_id(choice).or_else(|| category::of_id(&format!("{choice}-only")));
        let lists = [
            (&self.deny, Level::Denied),
            (&self.warn, Level::Warned),
            (&self.allow, Level::Allowed),
        ];
        let by = |holds: &dyn Fn(&List) -> bool| {
            let found = lists.iter().find(|(list, _)| holds(list));
            found.map(|(_, level)| *level)
        };
        by(&|list| list.names(choice, exception, true))
            .or_else(|| by(&|list| list.names(choice, exception, false)))
            .or_else(|| by(&|list| list.has(own)))
            .unwrap_or(Level::Unlisted)
    }
}

#[derive(Clone, Copy)]
enum Level {
    Allowed,
    Warned,
    Unlisted,
    Denied,
}

impl Level {
    /// How bad it is: what no list has is as bad as the policy takes it to be,
    /// but never as good as what is allowed, nor as bad as what is denied.
    fn rank(self, unlisted: Strictness) -> u8 {
        match (self, unlisted) {
            (Level::Allowed, _) => 0,
            (Level::Unlisted, Strictness::Allow) => 1,
            (Level::Warned, _) | (Level::Unlisted, Strictness::Warn) => 2,
            (Level::Unlisted, Strictness::Deny) => 3,
            (Level::Denied, _) => 4,
        }
    }
}

fn rank(verdict: &Verdict, unlisted: Strictness) -> u8 {
    let level = match verdict {
        Verdict::Allowed => Level::Allowed,
        Verdict::Warned(_) => Level::Warned,
        Verdict::Unlisted(_) => Level::Unlisted,
        Verdict::Denied(_) => Level::Denied,
    };
    level.rank(unlisted)
}

fn best(left: Verdict, right: Verdict, unlisted: Strictness) -> Verdict {
    match rank(&left, unlisted).cmp(&rank(&right, unlisted)) {
        std::cmp::Ordering::Less => left,
        std::cmp::Ordering::Equal => together(left, right),
        std::cmp::Ordering::Greater => right,
    }
}

fn worst(left: Verdict, right: Verdict, unlisted: Strictness) -> Verdict {
    match rank(&left, unlisted).cmp(&rank(&right, unlisted)) {
        std::cmp::Ordering::Less => right,
        std::cmp::Ordering::Equal => together(left, right),
        std::cmp::Ordering::Greater => left,
    }
}

/// Two verdicts of one kind, with the licences of both; the first of two that
/// are as bad.
fn together(left: Verdict, right: Verdict) -> Verdict {
    let both = |mut all: Vec<String>, more: Vec<String>| {
        all.extend(more);
        all.sort();
        all.dedup();
        all
    };
    match (left, right) {
        (Verdict::Warned(all), Verdict::Warned(more)) => Verdict::Warned(both(all, more)),
        (Verdict::Unlisted(all), Verdict::Unlisted(more)) => Verdict::Unlisted(both(all, more)),
        (Verdict::Denied(all), Verdict::Denied(more)) => Verdict::Denied(both(all, more)),
        (left, _) => left,
    }
}

fn exception(requirement: &LicenseReq) -> Option<String> {
    requirement.addition.as_ref().map(|one| match one {
        AdditionItem::Spdx(id) => id.name.to_owned(),
        AdditionItem::Other(other) => other.to_string(),
    })
}

/// The licences that a requirement leaves to choose from: one, or for
/// `-or-later` and `+` that version and every later one of the SPDX list. GNU
/// licences go by their id without `-only`.
fn choices(requirement: &LicenseReq) -> Vec<String> {
    let (name, plus) = match &requirement.license {
        LicenseItem::Spdx { id, or_later } => (id.name, *or_later),
        LicenseItem::Other(other) => return vec![other.to_string()],
    };
    let (base, is_later) = match name.strip_suffix("-or-later") {
        Some(base) => (base, true),
        None => (name.strip_suffix("-only").unwrap_or(name), plus),
    };
    let Some((family, own)) = base.rsplit_once('-').filter(|_| is_later) else {
        return vec![base.to_owned()];
    };
    let number = |text: &str| -> Option<Vec<u32>> {
        text.split('.').map(|part| part.parse().ok()).collect()
    };
    let Some(own) = number(own) else {
        return vec![base.to_owned()];
    };
    let listed = spdx::identifiers::LICENSES.iter().filter_map(|one| {
        let id = one.name;
        let base = id
            .strip_suffix("-or-later")
            .or(id.strip_suffix("-only"))
            .unwrap_or(id);
        let (other, version) = base.rsplit_once('-')?;
        (other == family && number(version)? >= own).then(|| base.to_owned())
    });
    let mut all: Vec<String> = listed.collect();
    all.push(base.to_owned());
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow: &[&str], warn: &[&str], deny: &[&str]) -> Policy {
        Policy {
            allow: List::new(allow).unwrap(),
            warn: List::new(warn).unwrap(),
            deny: List::new(deny).unwrap(),
        }
    }

    fn judged(policy: &Policy, expression: &str) -> Verdict {
        policy.judge(expression, Strictness::Deny)
    }

    #[test]
    fn what_is_unlisted_is_as_bad_as_the_policy_has_it() {
        let policy = policy(&["MIT"], &["MPL-2.0"], &["GPL-3.0-only"]);
        let judge = |expression, unlisted| policy.judge(expression, unlisted);
        let warned = Verdict::Warned(vec!["MPL-2.0".into()]);
        let unlisted = Verdict::Unlisted(vec!["ISC".into()]);
        for (strictness, both, any) in [
            (Strictness::Allow, &warned, &unlisted),
            (Strictness::Deny, &unlisted, &warned),
        ] {
            assert_eq!(judge("MPL-2.0 AND ISC", strictness), *both);
            assert_eq!(judge("ISC AND MPL-2.0", strictness), *both);
            assert_eq!(judge("MPL-2.0 OR ISC", strictness), *any);
        }
        for strictness in [Strictness::Allow, Strictness::Warn, Strictness::Deny] {
            assert_eq!(judge("ISC AND MIT", strictness), unlisted);
            assert_eq!(judge("ISC OR MIT", strictness), Verdict::Allowed);
            assert_eq!(judge("ISC OR GPL-3.0-only", strictness), unlisted);
            assert_eq!(
                judge("ISC AND GPL-3.0-only", strictness),
                denied(&["GPL-3.0-only"])
            );
        }
    }

    fn denied(names: &[&str]) -> Verdict {
        Verdict::Denied(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn any_branch_is_enough_and_all_parts_count() {
        let policy = policy(&["MIT", "Apache-2.0"], &["MPL-2.0"], &["GPL-3.0-only"]);
        assert_eq!(judged(&policy, "MIT"), Verdict::Allowed);
        assert_eq!(judged(&policy, "GPL-3.0-only OR MIT"), Verdict::Allowed);
        assert_eq!(
            judged(&policy, "GPL-3.0-only AND MIT"),
            denied(&["GPL-3.0-only"])
        );
        assert_eq!(
            judged(&policy, "MPL-2.0 AND MIT"),
            Verdict::Warned(vec!["MPL-2.0".into()])
        );
        assert_eq!(
            judged(&policy, "ISC OR Zlib"),
            Verdict::Unlisted(vec!["ISC".into(), "Zlib".into()])
        );
        assert_eq!(
            judged(&policy, "(MIT OR ISC) AND (GPL-3.0-only OR Apache-2.0)"),
            Verdict::Allowed
        );
    }

    #[test]
    fn later_versions_are_choices() {
        let two = policy(&["GPL-3.0-only"], &[], &["GPL-2.0-only"]);
        // GPL-2.0-or-later may be taken as 3.0.
        assert_eq!(judged(&two, "GPL-2.0-or-later"), Verdict::Allowed);
        assert_eq!(judged(&two, "GPL-2.0-only"), denied(&["GPL-2.0-only"]));
        let three = policy(&[], &[], &["GPL-3.0-only"]);
        assert_eq!(
            judged(&three, "GPL-3.0-or-later"),
            denied(&["GPL-3.0-or-later"])
        );
        assert!(matches!(
            judged(&three, "GPL-2.0-or-later"),
            Verdict::Unlisted(_)
        ));
        let all = policy(&[], &[], &["GPL-2.0-or-later"]);
        assert_eq!(judged(&all, "GPL-2.0-only"), denied(&["GPL-2.0-only"]));
        assert_eq!(
            judged(&all, "GPL-3.0-or-later"),
            denied(&["GPL-3.0-or-later"])
        );
        let lesser = policy(&["LGPL-2.1+"], &[], &[]);
        assert_eq!(judged(&lesser, "LGPL-3.0-only"), Verdict::Allowed);
    }

    #[test]
    fn an_exception_counts_where_it_is_named() {
        let policy = policy(
            &["GPL-2.0-only WITH Classpath-exception-2.0", "Apache-2.0"],
            &[],
            &["GPL-2.0-only"],
        );
        assert_eq!(
            judged(&policy, "GPL-2.0-only WITH Classpath-exception-2.0"),
            Verdict::Allowed
        );
        assert_eq!(judged(&policy, "GPL-2.0-only"), denied(&["GPL-2.0-only"]));
        assert_eq!(
            judged(&policy, "GPL-2.0-only WITH Linux-syscall-note"),
            denied(&["GPL-2.0-only WITH Linux-syscall-note"])
        );
        // An exception only adds permissions.
        assert_eq!(
            judged(&policy, "Apache-2.0 WITH LLVM-exception"),
            Verdict::Allowed
        );
    }

    #[test]
    fn an_id_says_more_than_its_category() {
        let policy = policy(
            &["notice", "LGPL-2.1-only"],
            &["reciprocal"],
            &["restricted", "Zlib"],
        );
        assert_eq!(judged(&policy, "MIT"), Verdict::Allowed);
        assert_eq!(judged(&policy, "Zlib"), denied(&["Zlib"]));
        assert_eq!(judged(&policy, "LGPL-2.1-only"), Verdict::Allowed);
        assert_eq!(judged(&policy, "LGPL-3.0-only"), denied(&["LGPL-3.0-only"]));
        assert_eq!(
            judged(&policy, "EPL-2.0"),
            Verdict::Warned(vec!["EPL-2.0".into()])
        );
        assert!(matches!(
            judged(&policy, "LicenseRef-x"),
            Verdict::Unlisted(_)
        ));
    }

    #[test]
    fn names_of_others_may_stand_in_a_list() {
        let policy = policy(
            &["LicenseRef-Acme", "ASL 2.0"],
            &[],
            &["MIT AND GPL-2.0-only"],
        );
        assert_eq!(judged(&policy, "LicenseRef-Acme"), Verdict::Allowed);
        assert_eq!(judged(&policy, "Apache-2.0"), Verdict::Allowed);
        assert_eq!(
            judged(&policy, "MIT AND GPL-2.0-only"),
            denied(&["MIT AND GPL-2.0-only"])
        );
        let error = List::new(["MIT", "my own"]).unwrap_err();
        assert!(error.to_string().contains("`my own` is neither"), "{error}");
    }
}
