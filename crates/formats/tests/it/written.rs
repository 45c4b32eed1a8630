//! What we write: it says everything, reads back as it was, follows the
//! published schemas, and other tools read it.

use std::{collections::HashSet, fs, path::Path, process::Command};

use seawall_formats::{Content, Format, read, write};
use seawall_model::{Package, Target, graph};
use serde_json::Value;

use crate::{
    sample::{self, CREATED},
    support::{have, run, skip},
};

fn written(target: &Target, packages: &[Package], format: Format) -> String {
    let content = Content {
        target,
        packages,
        findings: &[],
        version: "1.2.3",
        created: Some(CREATED),
    };
    write(&content, format).unwrap()
}

/// Every sample, by name.
fn samples() -> Vec<(&'static str, Target, Vec<Package>)> {
    let (target, packages) = sample::hostile();
    vec![
        ("image", sample::image(), sample::installed()),
        ("project", sample::project(), sample::declared()),
        ("hostile", target, packages),
        ("empty", sample::project(), Vec::new()),
    ]
}

#[test]
fn what_is_written_reads_back_as_it_was() {
    for (name, target, packages) in samples().into_iter().filter(|one| one.0 != "hostile") {
        for format in Format::ALL {
            let text = written(&target, &packages, format);
            let document = read(text.as_bytes()).unwrap();
            let what = format!("{name} as {}", format.as_str());
            assert_eq!(document.gaps, [], "{what}");
            assert!(!document.epochs_left_out || name == "empty", "{what}");
            let back = &document.target;
            assert_eq!(back.what(), target.what(), "{what}");
            assert_eq!(back.name, target.name, "{what}");
            assert_eq!(back.os, target.os, "{what}");
            assert_eq!(back.digest, target.digest, "{what}");
            assert_eq!(back.manifest, target.manifest, "{what}");
            assert_eq!(back.platform, target.platform, "{what}");
            assert_eq!(back.layers, target.layers, "{what}");
            assert_eq!(document.packages.len(), packages.len(), "{what}");
            assert_eq!(graph(&document.packages), graph(&packages), "{what}");
            for (back, package) in document.packages.iter().zip(&packages) {
                let mut back = back.clone();
                // Names are the same; an edge may name the version that serves.
                back.requires.clone_from(&package.requires);
                assert_eq!(&back, package, "{what}");
            }
        }
    }
}

/// Also where text means harm: whatever JSON and XML can hold reads back.
#[test]
fn hostile_text_stays_text() {
    let (target, packages) = sample::hostile();
    for format in Format::ALL {
        let text = written(&target, &packages, format);
        let is_harmful =
            |letter: &char| *letter != '\n' && seawall_formats::text::is_harmful(*letter);
        assert_eq!(text.chars().find(is_harmful), None, "{format:?}");
        let document = read(text.as_bytes()).unwrap();
        assert_eq!(document.packages.len(), packages.len(), "{format:?}");
        assert_eq!(document.gaps, [], "{format:?}");
        let is_json = !matches!(format, Format::CycloneDxXml | Format::SpdxTagValue);
        for (back, package) in document.packages.iter().zip(&packages) {
            assert_eq!(back.purl, package.purl);
            if is_json {
                assert_eq!(back.name, package.name, "{format:?}");
                assert_eq!(back.version, package.version, "{format:?}");
                assert_eq!(back.origin, package.origin, "{format:?}");
                assert_eq!(back.owner, package.owner, "{format:?}");
            }
        }
    }
}

/// One line of a file again and again: each has an id of its own.
#[test]
fn many_identical_packages_are_told_apart() {
    let one = sample::declared().remove(0);
    let packages = vec![one; 5_000];
    let text = written(&sample::project(), &packages, Format::CycloneDx);
    let document: Value = serde_json::from_str(&text).unwrap();
    let components = document["components"].as_array().unwrap();
    let of_packages = components.iter().filter(|one| one["purl"].is_string());
    let ids: HashSet<&str> = of_packages
        .filter_map(|one| one["bom-ref"].as_str())
        .collect();
    assert_eq!(ids.len(), packages.len());
}

#[test]
fn the_same_content_gives_the_same_bytes_and_other_content_another_serial() {
    let (target, packages) = (sample::image(), sample::installed());
    for format in Format::ALL {
        let text = written(&target, &packages, format);
        assert_eq!(text, written(&target, &packages, format));
        let serial = |text: &str| read(text.as_bytes()).unwrap().serial;
        let fewer = written(&target, &packages[1..], format);
        if format != Format::Syft {
            assert_ne!(serial(&text), serial(&fewer), "{format:?}");
        }
    }
    let content = Content {
        target: &target,
        packages: &packages,
        findings: &[],
        version: "1",
        created: None,
    };
    let text = write(&content, Format::Spdx).unwrap();
    assert!(text.contains("\"created\": \"1970-01-01T00:00:00Z\""));
    assert!(
        !write(&content, Format::CycloneDx)
            .unwrap()
            .contains("timestamp")
    );
}

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/schemas")
        .join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The schemas that one of them refers to; nothing is fetched.
struct Vendored;

impl jsonschema::Retrieve for Vendored {
    fn retrieve(
        &self,
        uri: &jsonschema::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.as_str().rsplit('/').next().unwrap_or_default();
        Ok(schema(name))
    }
}

fn validate(validator: &jsonschema::Validator, text: &str, what: &str) {
    let value: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .take(5)
        .map(|error| {
            format!("{}: {error}", error.instance_path())
                .chars()
                .take(600)
                .collect()
        })
        .collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

#[test]
fn json_documents_follow_the_published_schemas() {
    let of = |schema: &Value| {
        jsonschema::options()
            .with_retriever(Vendored)
            .should_validate_formats(true)
            .build(schema)
            .unwrap()
    };
    let schemas = [
        (
            Format::CycloneDx,
            of(&schema("bom-1.6.SNAPSHOT.schema.json")),
        ),
        (Format::Spdx, of(&schema("spdx-schema-2.3.json"))),
        (Format::Spdx3, of(&schema("spdx-3.0.1.json"))),
        (Format::Syft, of(&schema("syft-16.1.3.json"))),
    ];
    for (format, validator) in &schemas {
        for (name, target, packages) in samples() {
            let text = written(&target, &packages, *format);
            validate(validator, &text, &format!("{name} as {}", format.as_str()));
        }
    }
    // A schema that takes anything would prove nothing.
    for ((format, validator), place) in schemas.iter().zip([
        "/components/0/type",
        "/packages/0/primaryPackagePurpose",
        "/@graph/0/specVersion",
        "/artifacts/0/name",
    ]) {
        let text = written(&sample::image(), &sample::installed(), *format);
        let mut value: Value = serde_json::from_str(&text).unwrap();
        *value.pointer_mut(place).unwrap() = Value::Bool(true);
        assert!(!validator.is_valid(&value), "{format:?}");
    }
    let (target, packages, findings) = (sample::image(), sample::installed(), sample::findings());
    let content = Content {
        target: &target,
        packages: &packages,
        findings: &findings,
        version: "1.2.3",
        created: Some(CREATED),
    };
    let text = write(&content, Format::CycloneDx).unwrap();
    validate(&schemas[0].1, &text, "findings");
    let bom: Value = serde_json::from_str(&text).unwrap();
    let flaws = bom["vulnerabilities"].as_array().unwrap();
    assert_eq!(flaws.len(), 2);
    assert_eq!(flaws[1]["id"], "CVE-2021-44228");
    assert_eq!(flaws[1]["ratings"][0]["severity"], "critical");
    assert_eq!(flaws[1]["ratings"][1]["method"], "CVSSv2");
    let affected = flaws[0]["affects"].as_array().unwrap();
    assert_eq!(affected.len(), 2);
    assert_eq!(flaws[0]["recommendation"], "upgrade left-pad to 1.3.0");
    let refs: Vec<&Value> = bom["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["bom-ref"])
        .collect();
    for flaw in flaws {
        assert!(refs.contains(&&flaw["affects"][0]["ref"]));
    }
    xml_follows(&write(&content, Format::CycloneDxXml).unwrap(), "findings");
}

fn xml_follows(text: &str, what: &str) {
    if !have(&["xmllint"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bom.xml");
    fs::write(&file, text).unwrap();
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas");
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema", "bom-1.6.SNAPSHOT.xsd"])
        .arg(&file)
        .current_dir(schemas)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
}

#[test]
fn xml_documents_follow_the_published_schema() {
    for (name, target, packages) in samples() {
        xml_follows(&written(&target, &packages, Format::CycloneDxXml), name);
    }
}

/// Runs Python with a module, if it is here.
fn python(module: &str, script: &str, file: &Path) {
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(file)
        .output();
    let Ok(output) = output else {
        skip("there is no `python3`");
        return;
    };
    let error = String::from_utf8_lossy(&output.stderr);
    if error.contains("ModuleNotFoundError") {
        skip(&format!("python3 has no {module}: {error}"));
        return;
    }
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}: {out}{error}", file.display());
}

/// The SPDX project's own tools, which check more than a schema can: that ids
/// are there, that licences are on the list or declared.
#[test]
fn the_spdx_projects_own_readers_find_nothing_wrong() {
    const TWO: &str = "
import sys
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
document = parse_file(sys.argv[1])
wrong = validate_full_spdx_document(document)
sys.exit('\\n'.join(str(one) for one in wrong[:5]) if wrong else 0)";
    // The bindings check classes, cardinalities and types as SHACL has them.
    const THREE: &str = "
import sys
from spdx_python_model import v3_0_1 as spdx
objects = spdx.SHACLObjectSet()
with open(sys.argv[1]) as file:
    spdx.JSONLDDeserializer().read(file, objects)
missing = objects.link()
assert not missing, list(missing)[:5]
assert len(list(objects.foreach_type(spdx.software_Package))) > 0
for one in objects.objects:
    for _ in one._iter_all_props() if hasattr(one, '_iter_all_props') else []:
        pass";
    let dir = tempfile::tempdir().unwrap();
    for (name, target, packages) in samples() {
        for (format, ending, script) in [
            (Format::Spdx, "spdx.json", TWO),
            (Format::SpdxTagValue, "spdx", TWO),
            (Format::Spdx3, "spdx3.json", THREE),
        ] {
            let file = dir.path().join(format!("{name}.{ending}"));
            fs::write(&file, written(&target, &packages, format)).unwrap();
            python("spdx-tools", script, &file);
        }
    }
}

#[test]
fn the_cyclonedx_projects_own_validator_finds_nothing_wrong() {
    const STRICT: &str = "
import sys
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.model.bom import Bom
import json
text = open(sys.argv[1]).read()
if sys.argv[1].endswith('json'):
    wrong = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    Bom.from_json(data=json.loads(text)).validate()
else:
    wrong = make_schemabased_validator(OutputFormat.XML, SchemaVersion.V1_6).validate_str(text)
    Bom.from_xml(open(sys.argv[1]))
sys.exit(str(wrong)[:2000] if wrong else 0)";
    let dir = tempfile::tempdir().unwrap();
    for (name, target, packages) in samples() {
        for (format, ending) in [(Format::CycloneDx, "json"), (Format::CycloneDxXml, "xml")] {
            let file = dir.path().join(format!("{name}.{ending}"));
            fs::write(&file, written(&target, &packages, format)).unwrap();
            python("cyclonedx-python-lib", STRICT, &file);
        }
    }
}

/// Syft reads ours and writes it again: the packages are the same.
#[test]
fn syft_reads_what_we_write() {
    if !have(&["syft"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (target, packages) = (sample::image(), sample::installed());
    // Syft does not read SPDX 3.
    for format in Format::ALL
        .into_iter()
        .filter(|format| *format != Format::Spdx3)
    {
        let file = dir.path().join(format.as_str());
        fs::write(&file, written(&target, &packages, format)).unwrap();
        let mut command = Command::new("syft");
        command
            .args(["convert", "--quiet"])
            .arg(&file)
            .args(["-o", "syft-json"]);
        let output = run(command.env("SYFT_CHECK_FOR_APP_UPDATE", "false"));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        let artifacts = said["artifacts"].as_array().unwrap();
        // A distribution among SPDX's packages is an artifact without package URL.
        let purls = artifacts.iter().map(|one| one["purl"].as_str().unwrap());
        let mut theirs: Vec<&str> = purls.filter(|purl| !purl.is_empty()).collect();
        let mut ours: Vec<&str> = packages.iter().map(|one| one.purl.as_str()).collect();
        theirs.sort_unstable();
        ours.sort_unstable();
        assert_eq!(theirs, ours, "{format:?}");
        let edges = said["artifactRelationships"].as_array().unwrap();
        let edges = edges
            .iter()
            .filter(|one| one["type"] == "dependency-of")
            .count();
        assert_eq!(edges, 3, "{format:?}");
        if !matches!(format, Format::Spdx | Format::SpdxTagValue) {
            assert_eq!(said["distro"]["id"], "almalinux", "{format:?}");
            let rpm = artifacts
                .iter()
                .find(|one| one["name"] == "openssl-libs")
                .unwrap();
            assert_eq!(
                rpm["metadata"]["sourceRpm"], "openssl-3.0.7-25.el9_3.src.rpm",
                "{format:?}"
            );
            let origin = &rpm["locations"][0];
            assert_eq!(origin["path"], "/var/lib/rpm/rpmdb.sqlite", "{format:?}");
        }
    }
}
