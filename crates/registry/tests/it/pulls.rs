//! Manifests, by tag and digest, from registries that other tools filled.

use std::process::Command;

use seawall_model::Digest;
use seawall_registry::{Client, Error};
use seawall_testkit::{Act, Answer, Delivery, Proxy, Registry, have, run};

use crate::stage::{client, hasty, json, named, read, stage, stage_in};
use crate::support::said;

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

#[test]
fn an_image_is_read_by_tag_and_by_digest_as_the_tool_pushed_it() {
    let Some(stage) = stage() else { return };
    let client = client();
    let by_tag = client.manifest(&stage.name("app:1")).unwrap();
    assert_eq!(by_tag.digest, stage.digest);
    assert_eq!(by_tag.media_type, DOCKER);
    assert_eq!(by_tag.host, stage.registry.host());
    let repository = stage.name("app").repository().clone();
    let by_digest = client.manifest(&repository.at(stage.digest)).unwrap();
    assert_eq!(by_digest, by_tag);
    let now = client.digest(&stage.name("app:1")).unwrap();
    assert_eq!(now, Some(stage.digest));
    for layer in json(&by_tag)["layers"].as_array().unwrap() {
        let digest: Digest = layer["digest"].as_str().unwrap().parse().unwrap();
        let size = layer["size"].as_u64();
        let blob = client.open(&repository, digest, size).unwrap();
        assert_eq!(blob.host(), stage.registry.host());
        let bytes = read(blob).unwrap();
        assert_eq!(bytes.len() as u64, size.unwrap());
        assert_eq!(Digest::of(&bytes), digest);
        let bytes = read(client.blob(&repository, digest).unwrap()).unwrap();
        assert_eq!(Digest::of(&bytes), digest);
    }
}

#[test]
fn both_registries_and_both_forms_agree_with_skopeo() {
    let Some(stage) = stage() else { return };
    let source = format!("docker://{}/app:1", stage.registry.host());
    let Some(other) = Registry::start_oci() else {
        return;
    };
    for (registry, format, media_type) in [
        (&stage.registry, "oci", OCI),
        (&stage.registry, "v2s2", DOCKER),
        (&other, "oci", OCI),
        (&other, "v2s2", DOCKER),
    ] {
        let name = format!("copy/{format}:1.0");
        let copied = registry.copy(&source, &name, &["--format", format]);
        if copied.is_none() {
            return;
        }
        let manifest = client().manifest(&named(registry.host(), &name)).unwrap();
        assert_eq!(manifest.media_type, media_type);
        let mut skopeo = Command::new("skopeo");
        skopeo
            .args(["inspect", "--raw", "--tls-verify=false"])
            .arg(format!("docker://{}/{name}", registry.host()));
        assert_eq!(run(&mut skopeo).unwrap().stdout, manifest.bytes);
    }
}

#[test]
fn an_index_of_platforms_is_given_as_it_is() {
    let Some(stage) = stage() else { return };
    if !have(&["crane"]) {
        return;
    }
    let host = stage.registry.host();
    let mut crane = Command::new("crane");
    crane.args(["index", "append", "--insecure"]);
    crane.args([
        "-m",
        &format!("{host}/app:1"),
        "-t",
        &format!("{host}/app:all"),
    ]);
    run(&mut crane).unwrap();
    let manifest = client().manifest(&stage.name("app:all")).unwrap();
    assert_eq!(
        manifest.media_type,
        "application/vnd.oci.image.index.v1+json"
    );
    let listed = json(&manifest)["manifests"][0]["digest"].clone();
    assert_eq!(listed, stage.digest.to_string());
}

#[test]
fn what_is_not_there_is_said_so() {
    let Some(stage) = stage() else { return };
    let client = client();
    for name in ["app:2", "nothing:1"] {
        let error = client.manifest(&stage.name(name)).unwrap_err();
        assert!(matches!(error, Error::NotThere(_)), "{error:?}");
        assert!(error.hint().is_some());
        let error = client.digest(&stage.name(name)).unwrap_err();
        assert!(matches!(error, Error::NotThere(_)), "{error:?}");
    }
    let repository = stage.name("app").repository().clone();
    let error = client.blob(&repository, Digest::of(b"nothing")).err();
    assert!(matches!(error, Some(Error::NotThere(_))), "{error:?}");
    let error = client.tags(stage.name("nothing").repository()).unwrap_err();
    assert!(matches!(error, Error::NotThere(_)), "{error:?}");
}

#[test]
fn a_registry_that_is_away_is_an_error_at_once() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let error = client()
        .manifest(&named(&format!("127.0.0.1:{port}"), "app:1"))
        .unwrap_err();
    assert!(said(&error).contains("refused"), "{}", said(&error));
}

/// What the client makes of an answer to the question for a manifest.
fn told(answer: Answer) -> Result<seawall_registry::Manifest, Error> {
    let server = Proxy::alone(move |_| answer.clone()).unwrap();
    Client::new(&hasty()).manifest(&named(&server.host(), "app:1"))
}

#[test]
fn manifests_that_are_not_what_they_seem_are_refused() {
    let body = r#"{"schemaVersion":2,"layers":[]}"#;
    let right = Answer::new(200, body).with("content-type", OCI);
    assert_eq!(told(right.clone()).unwrap().bytes, body.as_bytes());
    // Another algorithm is no reason to refuse.
    let sha512 = right.clone().with("docker-content-digest", "sha512:00");
    assert!(told(sha512).is_ok());

    let other = Digest::of(b"other").to_string();
    let error = told(right.clone().with("docker-content-digest", &other)).unwrap_err();
    assert!(matches!(error, Error::Told { .. }), "{error:?}");
    assert!(error.to_string().contains(&other), "{error}");

    let both = Answer::new(200, r#"{"manifests":[],"layers":[]}"#).with("content-type", OCI);
    let error = told(both).unwrap_err();
    assert!(error.to_string().contains("at once"), "{error}");

    let body = format!(r#"{{"mediaType":"{DOCKER}","layers":[]}}"#);
    let error = told(Answer::new(200, body.clone()).with("content-type", OCI)).unwrap_err();
    assert!(error.to_string().contains("the manifest itself"), "{error}");
    // A header that says nothing.
    for header in ["application/json", "text/plain; charset=utf-8", ""] {
        let answer = Answer::new(200, body.clone()).with("content-type", header);
        assert_eq!(told(answer).unwrap().media_type, DOCKER);
    }

    let page = Answer::new(200, "<html></html>").with("content-type", "text/html");
    assert!(told(page).unwrap_err().to_string().contains("web page"));

    let encoded = right.with("content-encoding", "zstd");
    let error = told(encoded).unwrap_err();
    assert!(error.to_string().contains("encodes"), "{error}");
}

#[test]
fn dockers_first_form_is_refused_by_its_name() {
    // As docker-image-spec's schema 1 is documented (distribution, manifest-v2-1.md).
    let body = r#"{"name":"hello-world","tag":"latest","architecture":"amd64","fsLayers":
        [{"blobSum":"sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}],
        "history":[],"schemaVersion":1,"signatures":[]}"#;
    for header in [
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/json",
    ] {
        let error = told(Answer::new(200, body).with("content-type", header)).unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
        assert!(error.to_string().contains("schema 1"), "{error}");
        assert!(error.hint().unwrap().contains("again"), "{error}");
    }
}

#[test]
fn bombs_are_refused_with_their_limit() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let error = told(Answer::new(200, deep)).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    let long = format!(r#"{{"layers":[{}0]}}"#, "0,".repeat(3 << 20));
    let error = told(Answer::new(200, long)).unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error:?}");
    // One that never ends, with and without a length.
    let server = Proxy::start("127.0.0.1:0", |_| {
        Act::Say(Answer::new(200, ""), Delivery::Endless)
    })
    .unwrap();
    let error = Client::new(&hasty()).manifest(&named(&server.host(), "app:1"));
    assert!(matches!(error, Err(Error::Limit { .. })), "{error:?}");
    let header = Answer::new(200, "{}").with("x-long", &"a".repeat(1 << 20));
    assert!(told(header).is_err());
}

#[test]
fn a_wrong_manifest_under_a_digest_is_refused() {
    let Some(stage) = stage() else { return };
    let proxy = Proxy::start(stage.registry.host(), |_| {
        Act::Edit(|answer| {
            let mut edited = answer.clone();
            edited.body.push(b'\n');
            edited
                .headers
                .retain(|(name, _)| name != "docker-content-digest");
            edited
        })
    })
    .unwrap();
    let wanted = named(&proxy.host(), "app").repository().at(stage.digest);
    let error = client().manifest(&wanted).unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error:?}");
}

#[test]
fn refusals_carry_the_registrys_words() {
    let body = r#"{"errors":[{"code":"DENIED","message":"not\u001b for you"}]}"#;
    let error = told(Answer::new(403, body)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.ends_with("refused with status 403 without credentials: DENIED: not  for you"),
        "{text}"
    );
    assert!(error.hint().unwrap().contains("log in"));
    // One whose words never come.
    let server = Proxy::start("127.0.0.1:0", move |_| {
        Act::Say(Answer::new(403, body), Delivery::Stall(5))
    })
    .unwrap();
    let error = Client::new(&hasty()).manifest(&named(&server.host(), "app:1"));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .ends_with("without credentials")
    );
}

#[test]
fn connections_are_used_again_by_all_threads() {
    let Some(stage) = stage() else { return };
    let proxy = Proxy::start(stage.registry.host(), |_| Act::Pass).unwrap();
    let client = client();
    let name = named(&proxy.host(), "app:1");
    for _ in 0..5 {
        client.manifest(&name).unwrap();
    }
    std::thread::scope(|scope| {
        scope.spawn(|| client.manifest(&name).unwrap());
    });
    assert_eq!(proxy.connections(), 1);
    assert_eq!(proxy.asked().len(), 6);
}

#[test]
fn an_oci_registry_serves_the_same() {
    let Some(registry) = Registry::start_oci() else {
        return;
    };
    let Some(stage) = stage_in(registry) else {
        return;
    };
    let manifest = client().manifest(&stage.name("app:1")).unwrap();
    assert_eq!(manifest.digest, stage.digest);
}
