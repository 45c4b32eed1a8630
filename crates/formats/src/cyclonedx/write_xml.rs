//! A CycloneDX 1.6 document as XML (bom-1.6.xsd), whose elements stand in the
//! order of the schema.

use std::fmt::Write as _;

use super::{
    bom::{Bom, Component, Dependency, License, NamedLicense},
    flaws::{Source, Vulnerability},
};
use crate::{content::Prepared, text::escape_xml};

/// Writes a document.
pub(crate) fn write(prepared: &Prepared<'_>) -> String {
    let bom = Bom::new(prepared);
    let mut xml = Xml::default();
    xml.out
        .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let version = bom.version.to_string();
    let attributes = [
        ("xmlns", "http://cyclonedx.org/schema/bom/1.6"),
        ("serialNumber", bom.serial_number.as_str()),
        ("version", &version),
    ];
    xml.element("bom", &attributes, |xml| {
        xml.element("metadata", &[], |xml| {
            if let Some(time) = &bom.metadata.timestamp {
                xml.text("timestamp", time);
            }
            xml.element("tools", &[], |xml| {
                xml.element("components", &[], |xml| {
                    for one in &bom.metadata.tools.components {
                        component(xml, one);
                    }
                });
            });
            component(xml, &bom.metadata.component);
        });
        xml.element("components", &[], |xml| {
            for one in &bom.components {
                component(xml, one);
            }
        });
        xml.element("dependencies", &[], |xml| {
            for one in &bom.dependencies {
                dependency(xml, one);
            }
        });
        xml.list("vulnerabilities", &bom.vulnerabilities, vulnerability);
    });
    xml.out
}

fn component(xml: &mut Xml, one: &Component) {
    let mut attributes = vec![("type", one.kind)];
    if !one.bom_ref.is_empty() {
        attributes.push(("bom-ref", &one.bom_ref));
    }
    xml.element("component", &attributes, |xml| {
        xml.some("group", &one.group);
        xml.text("name", &one.name);
        xml.some("version", &one.version);
        xml.some("description", &one.description);
        xml.some("scope", one.scope.unwrap_or_default());
        xml.list("hashes", &one.hashes, |xml, hash| {
            xml.line("hash", &[("alg", hash.alg)], &hash.content);
        });
        xml.list("licenses", &one.licenses, |xml, license| match license {
            License::Expression { expression } => xml.text("expression", expression),
            License::License(named) => xml.element("license", &[], |xml| match named {
                NamedLicense::Id(id) => xml.text("id", id),
                NamedLicense::Name(name) => xml.text("name", name),
            }),
        });
        xml.some("purl", &one.purl);
        xml.list("properties", &one.properties, |xml, property| {
            xml.line("property", &[("name", &property.name)], &property.value);
        });
        let Some(evidence) = &one.evidence else {
            return;
        };
        xml.element("evidence", &[], |xml| {
            for identity in &evidence.identity {
                xml.element("identity", &[], |xml| {
                    xml.text("field", identity.field);
                    xml.text("confidence", &identity.confidence.to_string());
                    xml.element("methods", &[], |xml| {
                        for method in &identity.methods {
                            xml.element("method", &[], |xml| {
                                xml.text("technique", method.technique);
                                xml.text("confidence", &method.confidence.to_string());
                                xml.some("value", &method.value);
                            });
                        }
                    });
                });
            }
            xml.list("occurrences", &evidence.occurrences, |xml, one| {
                xml.element("occurrence", &[], |xml| {
                    xml.text("location", &one.location);
                    if let Some(line) = one.line {
                        xml.text("line", &line.to_string());
                    }
                    if let Some(context) = &one.additional_context {
                        xml.text("additionalContext", context);
                    }
                });
            });
        });
    });
}

fn dependency(xml: &mut Xml, one: &Dependency) {
    let reference = [("ref", one.reference.as_str())];
    if one.depends_on.is_empty() {
        xml.line("dependency", &reference, "");
        return;
    }
    xml.element("dependency", &reference, |xml| {
        for to in &one.depends_on {
            xml.line("dependency", &[("ref", to)], "");
        }
    });
}

fn vulnerability(xml: &mut Xml, one: &Vulnerability) {
    xml.element("vulnerability", &[("bom-ref", &one.bom_ref)], |xml| {
        xml.text("id", &one.id);
        if let Some(source) = &one.source {
            source_of(xml, source);
        }
        xml.list("references", &one.references, |xml, reference| {
            xml.element("reference", &[], |xml| {
                xml.text("id", &reference.id);
                source_of(xml, &reference.source);
            });
        });
        xml.list("ratings", &one.ratings, |xml, rating| {
            xml.element("rating", &[], |xml| {
                if let Some(source) = &rating.source {
                    source_of(xml, source);
                }
                if let Some(score) = rating.score {
                    xml.text("score", &score.to_string());
                }
                xml.text("severity", rating.severity);
                xml.some("method", rating.method.unwrap_or_default());
                xml.some("vector", rating.vector.as_deref().unwrap_or_default());
            });
        });
        xml.some("description", &one.description);
        xml.some("recommendation", &one.recommendation);
        xml.some("published", one.published.as_deref().unwrap_or_default());
        xml.some("updated", one.updated.as_deref().unwrap_or_default());
        xml.list("affects", &one.affects, |xml, affected| {
            xml.element("target", &[], |xml| {
                xml.text("ref", &affected.reference);
                xml.list("versions", &affected.versions, |xml, one| {
                    xml.element("version", &[], |xml| {
                        xml.text("version", &one.version);
                        xml.text("status", one.status);
                    });
                });
            });
        });
    });
}

fn source_of(xml: &mut Xml, source: &Source) {
    xml.element("source", &[], |xml| {
        xml.text("name", &source.name);
        xml.some("url", source.url.as_deref().unwrap_or_default());
    });
}

/// Indented XML.
#[derive(Default)]
struct Xml {
    out: String,
    depth: usize,
}

impl Xml {
    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
        let _ = write!(self.out, "<{name}");
        for (name, value) in attributes {
            let _ = write!(self.out, " {name}=\"{}\"", escape_xml(value));
        }
    }

    fn element(&mut self, name: &str, attributes: &[(&str, &str)], inner: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        self.out.push_str(">\n");
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
        let _ = writeln!(self.out, "</{name}>");
    }

    /// An element with text alone.
    fn line(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.open(name, attributes);
        let _ = match text {
            "" => writeln!(self.out, "/>"),
            text => writeln!(self.out, ">{}</{name}>", escape_xml(text)),
        };
    }

    fn text(&mut self, name: &str, text: &str) {
        self.line(name, &[], text);
    }

    /// Such an element, unless there is no text.
    fn some(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    /// An element around all items, unless there is none.
    fn list<T>(&mut self, name: &str, items: &[T], inner: impl Fn(&mut Self, &T)) {
        if !items.is_empty() {
            self.element(name, &[], |xml| {
                for item in items {
                    inner(xml, item);
                }
            });
        }
    }
}
