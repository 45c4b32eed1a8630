//! Packages of rpm, from headers to evidence, whatever kept the headers.

use std::fmt::Display;

use seawall_model::GapKind;

use super::header::{Header, Tag};
use crate::{
    faults::Faults,
    os_package::{Found, Gathered},
    record::Record,
};

/// Packages that are named because their header is damaged.
const MOST_NAMED: usize = 100;

/// What a header was.
pub(crate) enum Added {
    /// The package of this number, counted from 0.
    Package {
        number: usize,
        /// Whether it is what its digest says, if it has one.
        is_intact: bool,
    },
    /// The key of a package signer.
    Key,
    /// None.
    Strange,
}

/// Gathers the packages of one database.
#[derive(Default)]
pub(crate) struct Packages {
    out: Gathered,
    /// Rows that hold no header.
    strange: usize,
    /// Names of packages whose header is not what its digest says.
    digests: Vec<String>,
}

impl Packages {
    /// Adds the package of a header.
    pub(crate) fn add(&mut self, header: &[u8]) -> Added {
        let added = Header::parse(header).map_or(Added::Strange, |header| self.package(&header));
        if let Added::Strange = added {
            self.strange();
        }
        added
    }

    /// Says that there was a row without a header.
    pub(crate) fn strange(&mut self) {
        self.strange += 1;
    }

    /// Adds a package as another evidence of the same database has it.
    pub(crate) fn copy(&mut self, record: &Record<'_>, is_intact: bool) {
        if !is_intact {
            self.broken(record.get(1));
        }
        self.out.copy(record);
    }

    /// Adds all that another evidence of the same database has.
    pub(crate) fn copy_all<'r>(&mut self, records: impl Iterator<Item = Record<'r>>) {
        for record in records {
            self.out.copy(&record);
        }
    }

    /// Keeps something beside the packages.
    pub(crate) fn note(&mut self, fields: &[&str]) {
        self.out.note(fields);
    }

    /// Says that a package's header is not what its digest says.
    fn broken(&mut self, name: &str) {
        if self.digests.len() < MOST_NAMED {
            self.digests.push(name.chars().take(100).collect());
        }
    }

    /// Says what is wrong with the database.
    pub(crate) fn damaged(&mut self, reason: &str) {
        self.out.gap(GapKind::Damaged, reason);
    }

    /// Says what could not be read of it.
    pub(crate) fn faults<F: Display>(&mut self, faults: &Faults<F>) {
        for fault in faults.sentences() {
            self.damaged(&format!("part of the rpm database cannot be read: {fault}"));
        }
    }

    /// The evidence.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        if self.strange > 0 {
            let reason = format!(
                "{} rows of the rpm database hold no package header",
                self.strange
            );
            self.damaged(&reason);
        }
        for name in std::mem::take(&mut self.digests) {
            self.damaged(&format!(
                "the header of package `{name}` is not what its digest says"
            ));
        }
        self.out.finish()
    }

    fn package(&mut self, header: &Header<'_>) -> Added {
        let text = |tag| header.text(tag).unwrap_or_default();
        let name = text(Tag::Name);
        let is_intact = header.is_intact() != Some(false);
        if !is_intact {
            self.broken(&name);
        }
        // Keys of package signers are stored among the packages, and `rpm -qa`
        // lists them. They hold no software.
        if name == "gpg-pubkey" {
            return Added::Key;
        }
        let (version, release) = (text(Tag::Version), text(Tag::Release));
        if name.is_empty() || version.is_empty() {
            return Added::Strange;
        }
        // An epoch of 0 is written where it was given, as rpm does.
        let version = match header.numbers(Tag::Epoch).next() {
            Some(epoch) => format!("{epoch}:{version}-{release}"),
            None => format!("{version}-{release}"),
        };
        header.files(|dir, base| self.out.file(dir, base));
        for name in header.texts(Tag::RequireName) {
            // What rpm itself has to know, and conditions (`(a if b)`), are no
            // packages.
            if !name.starts_with("rpmlib(") && !name.starts_with('(') {
                self.out.requires([name.as_ref()]);
            }
        }
        for provided in header.texts(Tag::ProvideName) {
            if provided != name {
                self.out.provides(&provided);
            }
        }
        let source = text(Tag::SourceRpm);
        let (source, source_version) = source_rpm(&source);
        let number = self.out.records();
        self.out.push(&Found {
            name: &name,
            version: &version,
            arch: &text(Tag::Arch),
            source,
            source_version,
            module: &text(Tag::ModularityLabel),
            licenses: &text(Tag::License),
            ..Found::default()
        });
        // One that is beyond a bound is not kept.
        if self.out.records() == number {
            return Added::Strange;
        }
        Added::Package { number, is_intact }
    }
}

/// `NAME-VERSION-RELEASE.src.rpm`. It has no epoch.
pub(crate) fn source_rpm(file: &str) -> (&str, &str) {
    let stem = file.strip_suffix(".rpm").unwrap_or(file);
    let stem = stem
        .strip_suffix(".src")
        .or_else(|| stem.strip_suffix(".nosrc"))
        .unwrap_or(stem);
    let split = stem
        .rfind('-')
        .and_then(|release| stem.get(..release)?.rfind('-'));
    split
        .and_then(|at| Some((stem.get(..at)?, stem.get(at + 1..)?)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_names_may_have_dashes() {
        assert_eq!(source_rpm("a-b-1.2-3.el9.src.rpm"), ("a-b", "1.2-3.el9"));
        assert_eq!(source_rpm("(none)"), ("", ""));
    }
}
