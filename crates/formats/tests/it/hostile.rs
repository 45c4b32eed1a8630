//! Documents that are damaged, or that mean harm.

use seawall_formats::{Content, Document, Error, Format, read, write};

const DEEP: usize = 100_000;

/// The same two packages, the first asking for the second, in every format.
pub(crate) const SMALL: [(&str, &str); 6] = [
    (
        "CycloneDX JSON",
        r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
            {"type":"library","bom-ref":"a","name":"a","purl":"pkg:npm/a@1"},
            {"type":"library","bom-ref":"b","name":"b","purl":"pkg:npm/b@2"}],
            "dependencies":[{"ref":"a","dependsOn":["b","gone"]},{"ref":"b","dependsOn":["a"]}]}"#,
    ),
    (
        "CycloneDX XML",
        r#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components>
            <component type="library" bom-ref="a"><name>a</name><purl>pkg:npm/a@1</purl></component>
            <component type="library" bom-ref="b"><name>b</name><purl>pkg:npm/b@2</purl></component>
            </components><dependencies><dependency ref="a"><dependency ref="b"/><dependency ref="gone"/>
            </dependency><dependency ref="b"><dependency ref="a"/></dependency></dependencies></bom>"#,
    ),
    (
        "SPDX JSON",
        r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"SPDXID":"SPDXRef-a","name":"a","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/a@1"}]},
            {"SPDXID":"SPDXRef-b","name":"b","externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:npm/b@2"}]}],
            "relationships":[
            {"spdxElementId":"SPDXRef-a","relationshipType":"DEPENDS_ON","relatedSpdxElement":"SPDXRef-b"},
            {"spdxElementId":"SPDXRef-a","relationshipType":"DEPENDENCY_OF","relatedSpdxElement":"SPDXRef-b"},
            {"spdxElementId":"SPDXRef-a","relationshipType":"DEPENDS_ON","relatedSpdxElement":"NOASSERTION"}]}"#,
    ),
    (
        "SPDX tag-value",
        "SPDXVersion: SPDX-2.3\nDocumentComment: <text>over\nPackageName: two lines</text>\n\
         PackageName: a\nSPDXID: SPDXRef-a\nExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\n\
         PackageName: b\nSPDXID: SPDXRef-b\nExternalRef: PACKAGE_MANAGER purl pkg:npm/b@2\n\
         Relationship: SPDXRef-a DEPENDS_ON SPDXRef-b\nRelationship: SPDXRef-a DEPENDENCY_OF SPDXRef-b\n",
    ),
    (
        "SPDX 3 JSON-LD",
        r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
            {"type":"CreationInfo","specVersion":"3.0.1"},{"type":"SpdxDocument","spdxId":"d"},
            {"type":"software_Package","spdxId":"a","name":"a","software_packageUrl":"pkg:npm/a@1"},
            {"type":"software_Package","spdxId":"b","name":"b",
             "externalIdentifier":[{"externalIdentifierType":"packageUrl","identifier":"pkg:npm/b@2"}]},
            {"type":"Relationship","from":"a","relationshipType":"dependsOn","to":["b","gone"]},
            {"type":"Relationship","from":"b","relationshipType":"dependsOn","to":"a"}]}"#,
    ),
    (
        "Syft JSON",
        r#"{"artifacts":[{"id":"a","name":"a","purl":"pkg:npm/a@1","metadata":{"source":{"x":[1]}}},
            {"id":"b","name":"b","purl":"pkg:npm/b@2","licenses":["MIT",{"value":"X"}],"metadata":[]}],
            "artifactRelationships":[{"parent":"b","child":"a","type":"dependency-of"},
            {"parent":"a","child":"b","type":"dependency-of"}],"descriptor":{"name":"syft"}}"#,
    ),
];

#[test]
fn every_format_is_told_by_itself_and_a_cycle_is_one() {
    for (name, text) in SMALL {
        let document = read(text.as_bytes()).unwrap();
        assert_eq!(document.kind.as_str(), name);
        let purls: Vec<_> = document.packages.iter().map(|one| &one.purl).collect();
        assert_eq!(purls, ["pkg:npm/a@1", "pkg:npm/b@2"], "{name}");
        assert_eq!(
            seawall_model::graph(&document.packages),
            [[1], [0]],
            "{name}"
        );
        assert!(seawall_formats::is_likely(text.as_bytes()), "{name}");
        assert_eq!(document.gaps, [], "{name}");
    }
}

/// What PowerShell's `>` makes of a document, and a byte order mark.
#[test]
fn documents_in_utf_16_and_with_a_mark_are_read() {
    for (name, text) in SMALL {
        let marked = format!("\u{feff}{text}");
        let little = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [marked.clone().into_bytes(), little, big] {
            assert_eq!(read(&bytes).unwrap().packages.len(), 2, "{name}");
            assert!(seawall_formats::is_likely(&bytes), "{name}");
        }
    }
}

/// in-toto's statement, DSSE's envelope, Sigstore's bundle, cosign's wrapping.
#[test]
fn envelopes_are_opened() {
    use base64::{Engine, prelude::BASE64_STANDARD};
    for (name, text) in SMALL {
        let quoted = serde_json::to_string(text).unwrap();
        let mut predicates = vec![quoted.clone(), format!(r#"{{"Data":{quoted}}}"#)];
        if text.starts_with('{') {
            predicates.push(text.to_owned());
        }
        for predicate in predicates {
            let statement = format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[],
                "predicateType":"https://spdx.dev/Document","predicate":{predicate}}}"#
            );
            let payload = BASE64_STANDARD.encode(&statement);
            let envelope = format!(
                r#"{{"payloadType":"application/vnd.in-toto+json","payload":"{payload}","signatures":[]}}"#
            );
            let bundle = format!(
                r#"{{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{envelope}}}"#
            );
            for wrapped in [&statement, &envelope, &bundle] {
                let document = read(wrapped.as_bytes()).unwrap();
                assert_eq!(document.packages.len(), 2, "{name}");
                assert!(seawall_formats::is_likely(wrapped.as_bytes()), "{name}");
            }
        }
    }
    let mut deep = "{}".to_owned();
    for _ in 0..6 {
        deep = format!(r#"{{"payload":"{}"}}"#, BASE64_STANDARD.encode(deep));
    }
    let said = read(deep.as_bytes()).unwrap_err().to_string();
    assert!(said.contains("too many envelopes"), "{said}");
    let said = read(br#"{"payload":"!"}"#).unwrap_err().to_string();
    assert!(said.contains("no Base64"), "{said}");
}

#[test]
fn a_document_cut_anywhere_is_no_panic_and_never_whole() {
    for (name, text) in SMALL {
        for end in 0..text.len() {
            let Ok(document) = read(&text.as_bytes()[..end]) else {
                continue;
            };
            // Only tag-value has no end by which one could tell.
            assert_eq!(name, "SPDX tag-value");
            assert!(document.packages.len() <= 2);
        }
        for at in 0..text.len() {
            for byte in [0, b'"', b'{', b'<', 0xFF] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = byte;
                if let Ok(document) = read(&bytes) {
                    // What reads is written in turn; a few ways are enough.
                    writes(&document, Format::ALL[at % Format::ALL.len()]);
                }
            }
        }
    }
}

/// Whatever can be read can be written, and reads back.
fn writes(document: &Document, format: Format) {
    let content = Content {
        target: &document.target,
        packages: &document.packages,
        findings: &[],
        version: "0",
        created: None,
    };
    let text = write(&content, format).unwrap();
    let back = read(text.as_bytes()).unwrap();
    assert_eq!(back.packages.len(), document.packages.len(), "{text}");
}

#[test]
fn odd_package_urls_are_written_and_read_again() {
    for purl in [
        " pkg:npm/a@1 ",
        "pkg:npm/a b@1\n",
        "PKG:npm/a",
        "pkg:/npm/\u{202e}@1?x=<y>&z=\"#s",
        "pkg:deb/debian/x@1?upstream=%20&distro=%0a",
        "pkg:maven/a%3Ab/c@1?classifier=]]>",
        "pkg:npm/%3C%2Ftext%3E@</text>",
        "pkg:oci/image@sha256%3A00",
    ] {
        let text = serde_json::json!({
            "bomFormat": "CycloneDX",
            "components": [{"type": "library", "name": "x", "version": "-", "purl": purl}],
        });
        let document = read(text.to_string().as_bytes()).unwrap();
        for format in Format::ALL {
            writes(&document, format);
        }
    }
}

#[test]
fn entities_are_not_expanded() {
    let lol = "<!ENTITY a \"lol\">".to_owned()
        + &(0..30)
            .map(|n| format!("<!ENTITY a{n} \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">"))
            .collect::<String>();
    for dtd in [lol.as_str(), "<!ENTITY a SYSTEM \"file:///etc/passwd\">"] {
        let text = format!(
            "<!DOCTYPE bom [{dtd}]><bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"><components>\
             <component><name>&a;</name></component></components></bom>"
        );
        let error = read(text.as_bytes()).unwrap_err();
        assert!(
            matches!(error, Error::Xml(roxmltree::Error::DtdDetected)),
            "{error:?}"
        );
    }
}

#[test]
fn what_is_deep_is_refused() {
    let component = "<component type=\"library\"><components>";
    let nested = format!(
        "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"><components>{}{}</components></bom>",
        component.repeat(DEEP),
        "</components></component>".repeat(DEEP)
    );
    for text in [
        "[".repeat(DEEP),
        r#"{"a":"#.repeat(DEEP),
        format!(
            r#"{{"bomFormat":"CycloneDX","components":{}"#,
            r#"[{"components":"#.repeat(DEEP)
        ),
        format!(
            r#"{{"bomFormat":"CycloneDX","components":{}{}}}"#,
            "[".repeat(DEEP),
            "]".repeat(DEEP)
        ),
        format!(r#"{{"predicate":{}"#, r#"{"predicate":"#.repeat(DEEP)),
        "<a>".repeat(DEEP),
        nested,
    ] {
        assert!(read(text.as_bytes()).is_err());
    }
}

#[test]
fn gigantic_lists_are_refused_by_their_count() {
    let list = |many: usize| {
        let mut list = "{},".repeat(many);
        list.pop();
        list
    };
    let components = format!(
        r#"{{"bomFormat":"CycloneDX","components":[{}]}}"#,
        list(500_001)
    );
    let properties = format!(
        r#"{{"bomFormat":"CycloneDX","components":[{{"properties":[{}]}}]}}"#,
        list(4_000_001)
    );
    for text in [components, properties] {
        let error = read(text.as_bytes()).unwrap_err();
        assert!(matches!(error, Error::Large), "{error}");
    }
}

#[test]
fn a_graph_of_long_names_is_cut_with_a_gap() {
    let name = "n".repeat(4000);
    let parts: Vec<String> = (0..300)
        .map(|n| format!(r#"{{"type":"library","bom-ref":"{n}","purl":"pkg:npm/{name}{n}@1"}}"#))
        .collect();
    let all: Vec<String> = (0..300).map(|n| format!("\"{n}\"")).collect();
    let edges: Vec<String> = (0..300)
        .map(|n| format!(r#"{{"ref":"{n}","dependsOn":[{}]}}"#, all.join(",")))
        .collect();
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","components":[{}],"dependencies":[{}]}}"#,
        parts.join(","),
        edges.join(",")
    );
    let document = read(text.as_bytes()).unwrap();
    assert_eq!(document.packages.len(), 300);
    let [gap] = document.gaps.as_slice() else {
        panic!("{:?}", document.gaps);
    };
    assert_eq!(gap.subject, "dependency graph");
}

#[test]
fn what_cannot_be_used_is_a_gap() {
    let text = r#"{"bomFormat":"CycloneDX","specVersion":1.6,"components":[
        {"type":"library","bom-ref":"a","name":"a","purl":"pkg:npm/a@1","hashes":[{"alg":"SHA-256","content":"no"}]},
        {"type":"library","bom-ref":"a","name":"b","purl":"pkg:npm/b@1","licenses":null},
        {"type":"library","bom-ref":"c","name":"c","purl":"not a purl"},
        {"type":"library","bom-ref":"d","name":"d","cpe":"cpe:2.3:a:x:y:1:*:*:*:*:*:*:*"}]}"#;
    let document = read(text.as_bytes()).unwrap();
    assert_eq!(document.packages.len(), 2);
    let reasons: Vec<&str> = document.gaps.iter().map(|gap| &*gap.reason).collect();
    assert_eq!(
        reasons,
        [
            "1 components have no package URL, so that nothing can be said of them",
            "1 components have a package URL that is none",
            "1 components bear a reference that another one bears: what asks for them is not known",
        ]
    );
    for (bytes, want) in [
        (b"\xFF\xFEx".as_slice(), "neither UTF-8 nor UTF-16"),
        (b"<bom>\xFF</bom>", "neither UTF-8 nor UTF-16"),
        (
            b"SPDXVersion: SPDX-2.3\nPackageName: \xFF\n",
            "neither UTF-8 nor UTF-16",
        ),
        (br#"{"spdxVersion":"SPDX-1.2"}"#, "version `SPDX-1.2`"),
        (
            b"SPDXVersion: SPDX-2.3\nno tag\n",
            "line 2 is no `Tag: value`",
        ),
        (
            b"SPDXVersion: SPDX-2.3\n\nPackageComment: <text>x\n",
            "line 3 is the start",
        ),
        (
            br#"{"@context":"x","@graph":[]}"#,
            "JSON-LD of another kind",
        ),
    ] {
        let said = read(bytes).unwrap_err().to_string();
        assert!(said.contains(want), "{said}");
    }
}
