//! OVAL definitions of rpm distributions (oval.mitre.org, language 5): which
//! packages of which release are older than the version that mends them.
//!
//! [`read`] walks a document as a stream and hands over each definition as what
//! it says: its metadata as a tree, and its criteria taken apart into
//! [`Older`] packages, each with what must be true beside it (a release, an
//! architecture, a module). Definitions come before the tests that they name, so
//! they wait in short form until the end; what they describe at length is let go.
//!
//! A criteria that says more than this (other operators, negation, a definition
//! in a definition, a test that wants none to be there) is refused by name, never taken for less than it says.

use std::{
    collections::{HashMap, HashSet},
    io::BufRead,
};

use super::xml::{self, Tree};

/// Definitions of one document. Oracle's of all years has some 12,000.
const MOST_DEFINITIONS: usize = 1_000_000;
/// Criteria of all definitions of one document.
const MOST_CRITERIA: usize = 50_000_000;
/// Packages that one definition may come to, once taken apart: a kernel for six
/// architectures has some 200.
const MOST_OLDER: usize = 100_000;

/// One definition.
#[derive(Debug)]
pub(crate) struct Definition {
    /// Its `metadata`, without the description.
    pub(crate) metadata: Tree,
    /// What it finds.
    pub(crate) older: Vec<Older>,
}

/// A package that is older than a version, under conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Older {
    pub(crate) name: String,
    /// The first version that is not affected, with its epoch.
    pub(crate) version: String,
    /// The package that stands for the release, and the pattern of its version:
    /// `oraclelinux-release`, `^8`.
    pub(crate) release: Option<(String, String)>,
    /// A pattern of architectures: `aarch64|x86_64`.
    pub(crate) arch: String,
    /// `name:stream` of a module that has to be enabled.
    pub(crate) module: String,
}

/// Reads a document; `each` gets every definition that can be understood, or
/// the id and the reason of one that cannot.
///
/// # Errors
/// When it is no XML, is cut off, or holds more than anybody can want.
pub(crate) fn read(
    input: impl BufRead,
    each: &mut dyn FnMut(Result<Definition, (String, String)>),
) -> Result<(), String> {
    let mut document = Document::default();
    let wanted = |path: &[String]| {
        matches!(
            path.last().map(String::as_str),
            Some("definition" | "rpminfo_test" | "rpminfo_object" | "rpminfo_state")
        )
    };
    xml::walk(input, wanted, &mut |tree| document.take(tree))?;
    for (id, metadata, criteria) in std::mem::take(&mut document.definitions) {
        each(match document.older(&criteria) {
            Ok(older) => Ok(Definition { metadata, older }),
            Err(why) => Err((id, why)),
        });
    }
    Ok(())
}

/// Criteria in short form.
enum Criteria {
    And(Vec<Criteria>),
    Or(Vec<Criteria>),
    /// A test by its number, or a module that has to be enabled.
    Test(u32),
    Module(String),
    /// What cannot be understood.
    Unknown(String),
}

#[derive(Default)]
struct Document {
    definitions: Vec<(String, Tree, Criteria)>,
    criteria: usize,
    /// Ids of tests in the order in which they are first met.
    numbers: HashMap<String, u32>,
    /// Object and state of each, or why it is not understood.
    tests: HashMap<u32, Result<(String, String), String>>,
    objects: HashMap<String, String>,
    states: HashMap<String, State>,
}

/// What a state asks for.
#[derive(Clone)]
enum State {
    Older(String),
    Version(String),
    Arch(String),
    /// A signature or a mark of the build, which say nothing of versions.
    Other,
    Unknown(String),
}

impl Document {
    fn take(&mut self, mut tree: Tree) -> Result<(), String> {
        let id = tree.attribute("id").to_owned();
        match tree.name.as_str() {
            "definition" => {
                if self.definitions.len() == MOST_DEFINITIONS {
                    return Err(format!("it has more than {MOST_DEFINITIONS} definitions"));
                }
                let at = tree.children.iter().position(|one| one.name == "metadata");
                let mut metadata = at
                    .map(|at| tree.children.swap_remove(at))
                    .unwrap_or_default();
                metadata.children.retain(|one| one.name != "description");
                let criteria = match tree.child("criteria") {
                    Some(criteria) => self.criteria(criteria)?,
                    None => Criteria::Unknown("it has no criteria".to_owned()),
                };
                self.definitions.push((id, metadata, criteria));
            }
            "rpminfo_test" => {
                let reference = |child: &str, key: &str| {
                    let child = tree.child(child);
                    child.map_or_else(String::new, |child| child.attribute(key).to_owned())
                };
                let number = self.number(&id);
                let parts = is_plain(&tree).map(|()| {
                    let object = reference("object", "object_ref");
                    (object, reference("state", "state_ref"))
                });
                self.tests.insert(number, parts);
            }
            "rpminfo_object" => {
                self.objects.insert(id, tree.text_of("name").to_owned());
            }
            _ => {
                self.states.insert(id, state(&tree));
            }
        }
        Ok(())
    }

    fn number(&mut self, test: &str) -> u32 {
        let next = self.numbers.len() as u32;
        match self.numbers.get(test) {
            Some(number) => *number,
            None => {
                self.numbers.insert(test.to_owned(), next);
                next
            }
        }
    }

    /// The reader of XML bounds how deep it nests.
    fn criteria(&mut self, tree: &Tree) -> Result<Criteria, String> {
        self.criteria += 1;
        if self.criteria > MOST_CRITERIA {
            return Err(format!("it has more than {MOST_CRITERIA} criteria"));
        }
        if matches!(tree.attribute("negate"), "true" | "1") {
            return Ok(Criteria::Unknown("a criteria is negated".to_owned()));
        }
        match tree.name.as_str() {
            "criteria" => {
                let inner: Result<Vec<Criteria>, String> =
                    tree.children.iter().map(|one| self.criteria(one)).collect();
                Ok(match tree.attribute("operator") {
                    "" | "AND" => Criteria::And(inner?),
                    "OR" => Criteria::Or(inner?),
                    other => Criteria::Unknown(format!("the operator `{other}` is not known")),
                })
            }
            "criterion" => {
                // Its test reads a file of dnf's; the comment says which module.
                let module = tree.attribute("comment").strip_prefix("Module ");
                let module = module.and_then(|rest| rest.strip_suffix(" is enabled"));
                Ok(match module {
                    Some(module) => Criteria::Module(module.to_owned()),
                    None => Criteria::Test(self.number(tree.attribute("test_ref"))),
                })
            }
            other => Ok(Criteria::Unknown(format!("it has `{other}`"))),
        }
    }

    fn older(&self, criteria: &Criteria) -> Result<Vec<Older>, String> {
        let mut found = HashSet::new();
        self.collect(criteria, &Older::default(), &mut found)?;
        if found.is_empty() {
            return Err("it names no package and version".to_owned());
        }
        let mut found: Vec<Older> = found.into_iter().collect();
        found.sort();
        Ok(found)
    }

    /// Adds what `criteria` finds under the conditions that stand around it.
    fn collect(
        &self,
        criteria: &Criteria,
        around: &Older,
        found: &mut HashSet<Older>,
    ) -> Result<(), String> {
        match criteria {
            Criteria::Or(all) => {
                let mut finds = false;
                let mut asks = false;
                for one in all {
                    if self.has_older(one)? {
                        finds = true;
                    } else {
                        asks = true;
                    }
                }
                if finds && asks {
                    return Err("it wants a package or something else".to_owned());
                }
                for one in all {
                    self.collect(one, around, found)?;
                }
            }
            Criteria::And(all) => {
                let mut around = around.clone();
                for one in all {
                    self.condition(one, &mut around)?;
                }
                for one in all {
                    self.collect(one, &around, found)?;
                }
            }
            Criteria::Test(test) => {
                if let (name, State::Older(version)) = self.test(*test)? {
                    let mut older = around.clone();
                    name.clone_into(&mut older.name);
                    older.version = version;
                    found.insert(older);
                    if found.len() > MOST_OLDER {
                        return Err(format!("it comes to more than {MOST_OLDER} packages"));
                    }
                }
            }
            Criteria::Module(_) => {}
            Criteria::Unknown(why) => return Err(why.clone()),
        }
        Ok(())
    }

    /// Adds what a criteria asks for beside others that must be true with it.
    fn condition(&self, criteria: &Criteria, around: &mut Older) -> Result<(), String> {
        match criteria {
            Criteria::Test(test) => match self.test(*test)? {
                (name, State::Version(pattern)) => {
                    around.release = Some((name.to_owned(), pattern));
                }
                (_, State::Arch(pattern)) => around.arch = pattern,
                (name, State::Unknown(why)) => return Err(format!("of `{name}`: {why}")),
                (_, State::Older(_) | State::Other) => {}
            },
            Criteria::Module(module) => module.clone_into(&mut around.module),
            // What finds packages of its own is no condition of the others.
            _ if self.has_older(criteria)? => {}
            Criteria::And(all) => {
                for one in all {
                    self.condition(one, around)?;
                }
            }
            Criteria::Or(all) => {
                let mut archs = Vec::new();
                let mut others = 0;
                for one in all {
                    match one {
                        Criteria::Test(test) => match self.test(*test)?.1 {
                            State::Arch(pattern) => archs.push(pattern),
                            State::Other => others += 1,
                            _ => {}
                        },
                        Criteria::Unknown(why) => return Err(why.clone()),
                        _ => {}
                    }
                }
                if archs.len() == all.len() {
                    around.arch = archs.join("|");
                } else if others != all.len() {
                    return Err("it wants one of several conditions".to_owned());
                }
            }
            Criteria::Unknown(why) => return Err(why.clone()),
        }
        Ok(())
    }

    /// Whether a criteria finds packages that are older than a version.
    fn has_older(&self, criteria: &Criteria) -> Result<bool, String> {
        match criteria {
            Criteria::And(all) | Criteria::Or(all) => {
                for one in all {
                    if self.has_older(one)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Criteria::Test(test) => Ok(matches!(self.test(*test)?.1, State::Older(_))),
            Criteria::Module(_) => Ok(false),
            Criteria::Unknown(why) => Err(why.clone()),
        }
    }

    fn test(&self, number: u32) -> Result<(&str, State), String> {
        let missing = || "it names a test, an object or a state that is not there".to_owned();
        let parts = self.tests.get(&number).ok_or_else(missing)?;
        let (object, state) = parts.as_ref().map_err(String::clone)?;
        let name = self.objects.get(object).ok_or_else(missing)?;
        let state = self.states.get(state).ok_or_else(missing)?;
        Ok((name, state.clone()))
    }
}

/// Whether a test is true where a package is there that has the state.
fn is_plain(test: &Tree) -> Result<(), String> {
    for (name, plain) in [
        ("check", &["", "all", "at least one"][..]),
        (
            "check_existence",
            &["", "all_exist", "at_least_one_exists"][..],
        ),
        ("state_operator", &["", "AND"][..]),
    ] {
        let value = test.attribute(name);
        if !plain.contains(&value) {
            return Err(format!("a test has the {name} `{value}`"));
        }
    }
    if test.all("state").count() > 1 {
        return Err("a test has more than one state".to_owned());
    }
    Ok(())
}

fn state(tree: &Tree) -> State {
    let [only] = tree.children.as_slice() else {
        return State::Unknown("a state has not just one condition".to_owned());
    };
    let text = || only.text.clone();
    match (only.name.as_str(), only.attribute("operation")) {
        ("evr", "less than") => State::Older(text()),
        ("version", "pattern match" | "equals" | "") => State::Version(text()),
        ("arch", "pattern match" | "equals" | "") => State::Arch(text()),
        ("signature_keyid" | "release", _) => State::Other,
        (name, operation) => State::Unknown(format!("`{name}` is compared with `{operation}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn older(criteria: &str) -> Result<Vec<Older>, String> {
        let test = |id: &str, state: &str| {
            format!(
                "<rpminfo_test id=\"{id}\" check=\"at least one\"><object object_ref=\"o\"/>\
                <state state_ref=\"{state}\"/></rpminfo_test>"
            )
        };
        let text = format!(
            "<oval><definition id=\"d\"><metadata/>{criteria}</definition>{}{}{}{}\
            <rpminfo_object id=\"o\"><name>bash</name></rpminfo_object>\
            <rpminfo_state id=\"old\"><evr operation=\"less than\">0:2-1</evr></rpminfo_state>\
            <rpminfo_state id=\"x\"><arch>x86_64</arch></rpminfo_state>\
            <rpminfo_state id=\"a\"><arch>aarch64</arch></rpminfo_state>\
            <rpminfo_state id=\"key\"><signature_keyid>1</signature_keyid></rpminfo_state></oval>",
            test("old", "old"),
            test("x", "x"),
            test("a", "a"),
            test("key", "key"),
        );
        let mut found = Vec::new();
        read(text.as_bytes(), &mut |one| found.push(one)).unwrap();
        let found = found.pop().unwrap();
        found.map(|one| one.older).map_err(|(_, why)| why)
    }

    #[test]
    fn one_of_several_architectures_is_a_condition() {
        let all = |operator: &str, inner: &str| {
            format!("<criteria operator=\"{operator}\">{inner}</criteria>")
        };
        let test = |id: &str| format!("<criterion test_ref=\"{id}\"/>");
        let (old, x, a, key) = (test("old"), test("x"), test("a"), test("key"));
        let archs = |criteria: String| {
            let found = older(&criteria)?;
            Ok::<_, String>(found.into_iter().map(|one| one.arch).collect::<Vec<_>>())
        };
        let either = all("OR", &format!("{x}{a}"));
        let signed = all("OR", &format!("{key}{key}"));
        for (criteria, expected) in [
            (
                all("AND", &format!("{old}{either}")),
                Ok(vec!["x86_64|aarch64".to_owned()]),
            ),
            (
                all("AND", &format!("{old}{}", all("AND", &x))),
                Ok(vec!["x86_64".to_owned()]),
            ),
            (
                all("AND", &format!("{old}{signed}")),
                Ok(vec![String::new()]),
            ),
            (
                all("AND", &format!("{old}{}", all("OR", &format!("{x}{key}")))),
                Err("it wants one of several conditions".to_owned()),
            ),
            (
                all("OR", &format!("{old}{x}")),
                Err("it wants a package or something else".to_owned()),
            ),
        ] {
            assert_eq!(archs(criteria.clone()), expected, "{criteria}");
        }
    }
}
