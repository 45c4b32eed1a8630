//! Reports of the real binary against published schemas.

use std::fs;

use crate::support::{Home, root};

fn scan(format: &str) -> String {
    let shop = root().join("examples/shop");
    let said = Home::new().scan(&["--packages", "--format", format, shop.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.err);
    said.out
}

fn validate(schema: &str, report: &str) {
    let mut schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    // The official schema of SARIF holds a pattern with a bracket too many,
    // which no strict validator compiles; the report has no such field.
    if let Some(language) = schema.pointer_mut("/definitions/run/properties/language") {
        language.as_object_mut().unwrap().remove("pattern");
    }
    if let Some(language) = schema.pointer_mut("/definitions/toolComponent/properties/language") {
        language.as_object_mut().unwrap().remove("pattern");
    }
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .take(5)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn json_follows_the_published_schema() {
    let schema = fs::read_to_string(root().join("docs/report.schema.json")).unwrap();
    validate(&schema, &scan("json"));
}

#[test]
fn sarif_follows_the_official_schema() {
    let path = root().join("crates/report/tests/fixtures/sarif-schema-2.1.0.json");
    validate(&fs::read_to_string(path).unwrap(), &scan("sarif"));
}
