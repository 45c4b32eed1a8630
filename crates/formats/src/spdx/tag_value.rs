//! SPDX 2 as tag-value: `Tag: value`, and `<text>…</text>` over several lines.

use std::collections::HashMap;

use super::{
    Annotation, Checksum, CreationInfo, ExternalRef, OwnLicense, Relationship, WireDocument,
    WirePackage, document,
};
use crate::{
    Document, Error, Kind,
    part::MOST_PARTS,
    wire::{List, MOST_ENTRIES},
};

/// What the tags that follow speak of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Document,
    Package,
    License,
    /// Files and snippets, which are not read.
    Other,
}

struct Reader<'a> {
    section: Section,
    wire: WireDocument<'a>,
    /// Comments of annotations and the elements that they stand for.
    notes: Vec<(&'a str, &'a str)>,
    /// The element of the annotation at hand.
    annotated: &'a str,
    comment: &'a str,
    /// The id of the element at hand.
    id: &'a str,
    entries: usize,
}

/// Reads a document.
pub(crate) fn read(text: &str) -> Result<Document, Error> {
    let mut reader = Reader {
        section: Section::Document,
        wire: WireDocument::default(),
        notes: Vec::new(),
        annotated: "",
        comment: "",
        id: "",
        entries: 0,
    };
    let mut rest = text;
    let mut line = 0;
    while !rest.is_empty() {
        line += 1;
        let (own, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let trimmed = own.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            rest = after;
            continue;
        }
        let Some((tag, value)) = trimmed.split_once(':') else {
            return Err(Error::Line {
                line,
                what: "no `Tag: value`",
            });
        };
        let mut value = value.trim();
        if value.starts_with("<text>") {
            // A text may go on over lines: it starts behind the mark.
            let body = rest.split_once("<text>").map_or("", |(_, body)| body);
            let Some((all, behind)) = body.split_once("</text>") else {
                return Err(Error::Line {
                    line,
                    what: "the start of a text that has no end",
                });
            };
            line += all.matches('\n').count();
            value = all;
            rest = behind.split_once('\n').map_or("", |(_, rest)| rest);
        } else {
            rest = after;
        }
        reader.tag(tag.trim(), value)?;
    }
    reader.note();
    reader.finish()
}

impl<'a> Reader<'a> {
    fn tag(&mut self, tag: &str, value: &'a str) -> Result<(), Error> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return Err(Error::Large);
        }
        match tag {
            "SPDXVersion" => self.wire.spdx_version = value.into(),
            "DocumentName" => self.wire.name = value.into(),
            "DocumentNamespace" => self.wire.document_namespace = value.into(),
            "Created" => {
                self.wire.creation_info = Some(CreationInfo {
                    created: value.into(),
                });
            }
            "PackageName" => {
                if self.wire.packages.0.len() == MOST_PARTS {
                    return Err(Error::Large);
                }
                self.section = Section::Package;
                self.wire.packages.0.push(WirePackage {
                    name: value.into(),
                    ..WirePackage::default()
                });
            }
            "FileName" | "SnippetSPDXID" => self.section = Section::Other,
            "LicenseID" => {
                self.section = Section::License;
                self.wire.has_extracted_licensing_infos.0.push(OwnLicense {
                    license_id: value.into(),
                    ..OwnLicense::default()
                });
            }
            "SPDXID" => {
                self.id = value;
                if let Some(package) = self.package() {
                    package.id = value.into();
                }
            }
            "Relationship" => {
                let mut words = value.split_whitespace();
                if let (Some(from), Some(kind), Some(to)) =
                    (words.next(), words.next(), words.next())
                {
                    self.wire.relationships.0.push(Relationship {
                        spdx_element_id: from.into(),
                        relationship_type: kind.into(),
                        related_spdx_element: to.into(),
                    });
                }
            }
            "Annotator" => {
                self.note();
                self.annotated = self.id;
            }
            "SPDXREF" => self.annotated = value,
            "AnnotationComment" => self.comment = value,
            "LicenseName" | "ExtractedText" if self.section == Section::License => {
                if let Some(own) = self.wire.has_extracted_licensing_infos.0.last_mut() {
                    let field = if tag == "LicenseName" {
                        &mut own.name
                    } else {
                        &mut own.extracted_text
                    };
                    *field = value.into();
                }
            }
            _ => {
                if let Some(package) = self.package() {
                    of_package(package, tag, value);
                }
            }
        }
        Ok(())
    }

    fn package(&mut self) -> Option<&mut WirePackage<'a>> {
        if self.section != Section::Package {
            return None;
        }
        self.wire.packages.0.last_mut()
    }

    /// Ends the annotation at hand.
    fn note(&mut self) {
        let comment = std::mem::take(&mut self.comment);
        if !comment.is_empty() {
            self.notes.push((self.annotated, comment));
        }
    }

    fn finish(mut self) -> Result<Document, Error> {
        let mut notes: HashMap<&str, Vec<Annotation<'_>>> = HashMap::new();
        for (id, comment) in self.notes {
            notes.entry(id).or_default().push(Annotation {
                comment: comment.into(),
            });
        }
        for package in &mut self.wire.packages.0 {
            package.annotations = List(notes.remove(&*package.id).unwrap_or_default());
        }
        document(&self.wire, Kind::SpdxTagValue)
    }
}

fn of_package<'a>(package: &mut WirePackage<'a>, tag: &str, value: &'a str) {
    match tag {
        "PackageVersion" => package.version_info = value.into(),
        "PackageLicenseDeclared" => package.license_declared = value.into(),
        "PackageLicenseConcluded" => package.license_concluded = value.into(),
        "PrimaryPackagePurpose" => package.primary_package_purpose = value.into(),
        "PackageSourceInfo" => package.source_info = value.into(),
        "PackageAttributionText" => package.attribution_texts.0.push(value.into()),
        "PackageChecksum" => {
            if let Some((algorithm, hex)) = value.split_once(':') {
                package.checksums.0.push(Checksum {
                    algorithm: algorithm.trim().into(),
                    checksum_value: hex.trim().into(),
                });
            }
        }
        "ExternalRef" => {
            let mut words = value.split_whitespace();
            if let (Some(_), Some(kind), Some(locator)) = (words.next(), words.next(), words.next())
            {
                package.external_refs.0.push(ExternalRef {
                    reference_type: kind.into(),
                    reference_locator: locator.into(),
                });
            }
        }
        _ => {}
    }
}
