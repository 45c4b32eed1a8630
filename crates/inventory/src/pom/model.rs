//! What one pom.xml says, as [`crate::ecosystems::pom_xml`] wrote it down.

use std::collections::HashMap;

use seawall_image::Evidence;
use seawall_model::{Gap, TextRange};

use crate::{
    declared::range_of,
    record::{Reader, Record},
};

/// A text and the file and place in which it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Value<'v> {
    pub(super) text: &'v str,
    pub(super) place: Place,
}

/// A place in a file of the project, which goes by its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) range: Option<TextRange>,
}

/// One project.
#[derive(Debug, Default)]
pub(super) struct Model<'v> {
    pub(super) file: usize,
    pub(super) group: Value<'v>,
    pub(super) artifact: Value<'v>,
    pub(super) version: Value<'v>,
    pub(super) packaging: Value<'v>,
    pub(super) parent: Option<Parent<'v>>,
    pub(super) main: Part<'v>,
    pub(super) profiles: Vec<Profile<'v>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Parent<'v> {
    pub(super) group: &'v str,
    pub(super) artifact: &'v str,
    pub(super) version: Value<'v>,
    pub(super) path: &'v str,
}

#[derive(Debug)]
pub(super) struct Profile<'v> {
    /// As [`crate::ecosystems::pom_xml`] tells it: `default`, `unset` or empty.
    activation: &'v str,
    pub(super) is_active: bool,
    pub(super) part: Part<'v>,
}

/// What the project itself says, or one of its profiles.
#[derive(Debug, Default)]
pub(super) struct Part<'v> {
    pub(super) properties: HashMap<&'v str, Value<'v>>,
    pub(super) modules: Vec<Value<'v>>,
    pub(super) declared: Vec<Dependency<'v>>,
    pub(super) managed: Vec<Dependency<'v>>,
    /// Which of the managed ones have this group and artifact, as written.
    pub(super) by_name: HashMap<(&'v str, &'v str), Vec<usize>>,
    /// Which of them take a property for one of both.
    pub(super) by_property: Vec<usize>,
    /// Which of them import what another project manages.
    pub(super) imports: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Dependency<'v> {
    pub(super) group: &'v str,
    pub(super) artifact: &'v str,
    pub(super) version: Value<'v>,
    /// What kind of file it is; `jar` where nothing is said.
    pub(super) kind: &'v str,
    pub(super) classifier: &'v str,
    pub(super) scope: &'v str,
}

/// The properties that the options of a file set.
pub(super) fn options(evidence: &Evidence, file: usize) -> HashMap<&str, Value<'_>> {
    let records = Reader::new(&evidence.data).filter(|record| record.get(0) == "option");
    let mut options = HashMap::new();
    for record in records {
        let value = Value {
            text: record.get(2),
            place: Place {
                file,
                range: Some(range_of(&record, 3)),
            },
        };
        options.insert(record.get(1), value);
    }
    options
}

/// The projects that a file holds: one, or both sides of a merge; and what is
/// wrong with it.
pub(super) fn models(evidence: &Evidence, file: usize) -> (Vec<Model<'_>>, Vec<Gap>) {
    let mut models: Vec<Model<'_>> = Vec::new();
    let mut gaps = Vec::new();
    for record in Reader::new(&evidence.data) {
        if let Some(gap) = record.gap(&evidence.path) {
            gaps.push(gap);
        } else if record.get(0) == "model" {
            models.push(Model {
                file,
                ..Model::default()
            });
        } else if let Some(model) = models.last_mut() {
            model.take(&record);
        }
    }
    models.iter_mut().for_each(Model::finish);
    (models, gaps)
}

impl<'v> Model<'v> {
    fn take(&mut self, record: &Record<'v>) {
        let file = self.file;
        let value = |index: usize, range: usize| Value {
            text: record.get(index),
            place: Place {
                file,
                range: Some(range_of(record, range)),
            },
        };
        match record.get(0) {
            "coordinate" => {
                let place = match record.get(1) {
                    "groupId" => &mut self.group,
                    "artifactId" => &mut self.artifact,
                    "version" => &mut self.version,
                    _ => &mut self.packaging,
                };
                *place = value(2, 3);
            }
            "parent" => {
                self.parent = Some(Parent {
                    group: record.get(1),
                    artifact: record.get(2),
                    version: value(3, 5),
                    path: record.get(4),
                });
            }
            "profile" => self.profiles.push(Profile {
                activation: record.get(2),
                is_active: false,
                part: Part::default(),
            }),
            "property" => {
                let one = value(3, 4);
                self.part(record).properties.insert(record.get(2), one);
            }
            "module" => self.part(record).modules.push(value(2, 3)),
            "dependency" => {
                let one = Dependency {
                    group: record.get(3),
                    artifact: record.get(4),
                    version: value(5, 9),
                    kind: match record.get(6) {
                        "" => "jar",
                        kind => kind,
                    },
                    classifier: record.get(7),
                    scope: record.get(8),
                };
                let part = self.part(record);
                match record.get(2) {
                    "managed" => part.managed.push(one),
                    _ => part.declared.push(one),
                }
            }
            _ => {}
        }
    }
}

impl<'v> Model<'v> {
    /// Group, artifact and version as they are written here or for the parent,
    /// whose group and version are the default.
    pub(super) fn name(&self) -> (&'v str, &'v str, &'v str) {
        let parent = self.parent.as_ref();
        let or = |own: &Value<'v>, other: Option<&'v str>| match own.text {
            "" => other.unwrap_or_default(),
            text => text,
        };
        (
            or(&self.group, parent.map(|it| it.group)),
            self.artifact.text,
            or(&self.version, parent.map(|it| it.version.text)),
        )
    }

    /// The part that a record belongs to.
    fn part(&mut self, record: &Record<'v>) -> &mut Part<'v> {
        let number: usize = record.get(1).parse().unwrap_or(0);
        let profile = number.checked_sub(1);
        match profile.and_then(|at| self.profiles.get_mut(at)) {
            Some(profile) => &mut profile.part,
            None => &mut self.main,
        }
    }

    fn finish(&mut self) {
        let has_active = self.profiles.iter().any(|one| one.activation == "unset");
        for profile in &mut self.profiles {
            profile.is_active = match profile.activation {
                "unset" => true,
                "default" => !has_active,
                _ => false,
            };
            profile.part.finish();
        }
        self.main.finish();
    }

    /// What counts of it: the profiles that are active, of which the last one
    /// has the last word, then the project itself.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part<'v>> {
        let active = self.profiles.iter().rev().filter(|one| one.is_active);
        active.map(|one| &one.part).chain([&self.main])
    }
}

impl Part<'_> {
    fn finish(&mut self) {
        for (index, one) in self.managed.iter().enumerate() {
            if one.scope == "import" {
                self.imports.push(index);
            } else if one.group.contains("${") || one.artifact.contains("${") {
                self.by_property.push(index);
            } else {
                let name = (one.group, one.artifact);
                self.by_name.entry(name).or_default().push(index);
            }
        }
    }
}
