//! What is pushed is what other tools read; uploads go where they belong.

use std::{fs, process::Command};

use seawall_model::Digest;
use seawall_registry::{Artifact, Client, Descriptor, Error, Layer, Listed};
use seawall_testkit::{Act, Answer, Delivery, Proxy, Registry, Setup, have, htpasswd, run};

use crate::stage::{Stage, client, hasty, noise, read, repository, stage, with_password};

pub(crate) const KIND: &str = "application/vnd.example.report.v1+json";

pub(crate) fn artifact(text: &str, subject: Option<Descriptor>) -> Artifact {
    Artifact {
        artifact_type: KIND.to_owned(),
        subject,
        layers: vec![Layer {
            media_type: "application/json".to_owned(),
            bytes: text.as_bytes().to_vec(),
            annotations: vec![(
                "org.opencontainers.image.title".to_owned(),
                "report.json".to_owned(),
            )],
        }],
        annotations: vec![("org.example.text".to_owned(), text.to_owned())],
    }
}

/// The image of a stage, as the subject of something.
pub(crate) fn subject(stage: &Stage) -> Descriptor {
    let manifest = client().manifest(&stage.name("app:1")).unwrap();
    Descriptor {
        media_type: manifest.media_type,
        digest: manifest.digest,
        size: manifest.bytes.len() as u64,
    }
}

#[test]
fn an_artifact_is_pulled_by_oras_crane_and_regctl() {
    if !have(&["oras", "crane", "regctl"]) {
        return;
    }
    for registry in [Registry::start(&Setup::default()), Registry::start_oci()] {
        let Some(registry) = registry else { return };
        let host = registry.host();
        let pushed = client()
            .push_artifact(
                &repository(host, "app"),
                Some("report"),
                &artifact("{}", None),
            )
            .unwrap();
        assert_eq!(pushed.listed, None);
        let name = format!("{host}/app:report");

        let dir = tempfile::tempdir().unwrap();
        let mut oras = Command::new("oras");
        oras.args(["pull", "--plain-http", "--output"])
            .arg(dir.path())
            .arg(&name);
        run(&mut oras).unwrap();
        assert_eq!(fs::read(dir.path().join("report.json")).unwrap(), b"{}");

        let output = run(Command::new("crane").args(["digest", "--insecure", &name])).unwrap();
        let digest = String::from_utf8(output.stdout).unwrap();
        assert_eq!(digest.trim(), pushed.digest.to_string());

        let mut regctl = Command::new("regctl");
        regctl.args(["--host", &format!("reg={host},tls=disabled")]);
        regctl.args(["manifest", "get", "--format", "raw-body", &name]);
        let raw = run(&mut regctl).unwrap().stdout;
        assert_eq!(Digest::of(&raw), pushed.digest);
        assert_eq!(raw.len() as u64, pushed.size);
    }
}

#[test]
fn an_empty_artifact_follows_the_specification() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let repository = repository(registry.host(), "app");
    let empty = Artifact {
        artifact_type: KIND.to_owned(),
        ..Artifact::default()
    };
    let pushed = client().push_artifact(&repository, None, &empty).unwrap();
    let manifest = client().manifest(&repository.at(pushed.digest)).unwrap();
    // image-spec 1.1, manifest.md, "Guidelines for Artifact Usage", 1.
    let written: serde_json::Value = serde_json::from_slice(&manifest.bytes).unwrap();
    let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(written["config"]["digest"], empty);
    assert_eq!(
        written["config"]["mediaType"],
        "application/vnd.oci.empty.v1+json"
    );
    assert_eq!(written["layers"][0]["digest"], empty);
    assert_eq!(written["layers"][0]["size"], 2);
    assert_eq!(written["artifactType"], KIND);
}

#[test]
fn blobs_arrive_whole_once_and_in_as_many_steps_as_the_registry_wants() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let proxy = Proxy::start(registry.host(), |_| Act::Pass).unwrap();
    let repository = repository(&proxy.host(), "app");
    let client = client();
    let asked = |from: usize| -> Vec<String> {
        let asked = proxy.asked();
        asked[from..]
            .iter()
            .map(|asked| asked.method.clone())
            .collect()
    };
    // Docker's registry takes no blob in one request.
    let small = noise(1000);
    let digest = client.push_blob(&repository, &small).unwrap();
    assert_eq!(asked(0), ["HEAD", "POST", "PUT"]);
    assert_eq!(proxy.asked()[1].body, small);
    assert_eq!(
        read(client.blob(&repository, digest).unwrap()).unwrap(),
        small
    );
    // Which is remembered.
    client.push_blob(&repository, &noise(2000)).unwrap();
    assert_eq!(asked(4), ["HEAD", "POST", "PUT"]);
    assert!(proxy.asked()[5].body.is_empty());
    // What is there is not sent again.
    client.push_blob(&repository, &small).unwrap();
    assert_eq!(asked(7), ["HEAD"]);
    client.push_blob(&repository, &noise(3 << 20)).unwrap();
    client.push_blob(&repository, b"").unwrap();

    let Some(other) = Registry::start_oci() else {
        return;
    };
    let proxy = Proxy::start(other.host(), |_| Act::Pass).unwrap();
    let repository = self::repository(&proxy.host(), "app");
    let digest = client.push_blob(&repository, &small).unwrap();
    let methods: Vec<_> = proxy
        .asked()
        .iter()
        .map(|asked| asked.method.clone())
        .collect();
    assert_eq!(methods, ["HEAD", "POST"]);
    assert_eq!(
        read(client.blob(&repository, digest).unwrap()).unwrap(),
        small
    );
}

#[test]
fn a_registry_that_hangs_up_on_one_step_gets_two() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    for bad in [Act::Hang, Act::Say(Answer::new(400, ""), Delivery::Whole)] {
        let proxy = Proxy::start(registry.host(), move |asked| {
            match asked.target.contains("/uploads/?digest=") {
                true => bad.clone(),
                false => Act::Pass,
            }
        })
        .unwrap();
        let repository = repository(&proxy.host(), "app");
        let client = client();
        let blob = proxy.host().into_bytes();
        let digest = client.push_blob(&repository, &blob).unwrap();
        assert_eq!(
            read(client.blob(&repository, digest).unwrap()).unwrap(),
            blob
        );
        let methods: Vec<_> = proxy
            .asked()
            .iter()
            .map(|asked| asked.method.clone())
            .collect();
        assert_eq!(methods, ["HEAD", "POST", "POST", "PUT", "GET"]);
    }
}

#[test]
fn a_blob_is_mounted_from_a_neighbour() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let client = client();
    let [from, to] = ["one", "two/three"].map(|name| repository(registry.host(), name));
    let digest = client.push_blob(&from, b"blob").unwrap();
    assert!(client.mount_blob(&to, digest, &from).unwrap());
    assert_eq!(read(client.blob(&to, digest).unwrap()).unwrap(), b"blob");
    let nothing = Digest::of(b"nothing");
    assert!(!client.mount_blob(&to, nothing, &from).unwrap());
    let elsewhere = repository("127.0.0.1:1", "one");
    assert!(!client.mount_blob(&to, digest, &elsewhere).unwrap());
}

#[test]
fn a_push_with_a_password_shows_it_to_the_registry_alone() {
    let dir = tempfile::tempdir().unwrap();
    let Some(auth) = htpasswd(dir.path(), "user", "secret") else {
        return;
    };
    let Some(registry) = Registry::start(&Setup {
        auth: Some(auth),
        ..Setup::default()
    }) else {
        return;
    };
    let settings = with_password(registry.host(), "user", "secret", dir.path());
    let client = Client::new(&settings);
    let repository = repository(registry.host(), "app");
    let pushed = client.push_artifact(&repository, Some("1"), &artifact("x", None));
    let pushed = pushed.unwrap();
    let manifest = client.manifest(&repository.tagged("1").unwrap()).unwrap();
    assert_eq!(manifest.digest, pushed.digest);

    // An upload that goes on at another host.
    let elsewhere = Proxy::alone(|_| Answer::new(201, "")).unwrap();
    let host = elsewhere.host();
    let proxy = Proxy::start(registry.host(), move |asked| match asked.method.as_str() {
        "POST" if asked.header("authorization").is_some() => {
            let location = format!("http://{host}/upload?session=1");
            let answer = Answer::new(202, "").with("location", &location);
            Act::Say(answer, Delivery::Whole)
        }
        _ => Act::Pass,
    })
    .unwrap();
    let settings = with_password(&proxy.host(), "user", "secret", dir.path());
    let client = Client::new(&settings);
    let blob = self::repository(&proxy.host(), "app");
    let digest = client.push_blob(&blob, b"blob").unwrap();
    let [asked] = &elsewhere.asked()[..] else {
        unreachable!("{:?}", elsewhere.asked())
    };
    assert_eq!(asked.target, format!("/upload?session=1&digest={digest}"));
    assert_eq!(asked.header("authorization"), None);
}

#[test]
fn uploads_that_lead_nowhere_good_are_refused() {
    for (location, why) in [
        (None, "without saying where"),
        (Some("file:///tmp/x"), "neither `http:` nor `https:`"),
        (Some("http://user:pass@h/x"), "a user or a password"),
        (Some("http://169.254.169.254/x"), "169.254.169.254"),
    ] {
        let server = Proxy::alone(move |asked| match (asked.method.as_str(), location) {
            ("HEAD", _) => Answer::new(404, ""),
            (_, None) => Answer::new(202, ""),
            (_, Some(location)) => Answer::new(202, "").with("location", location),
        })
        .unwrap();
        let error = client()
            .push_blob(&repository(&server.host(), "app"), b"blob")
            .unwrap_err();
        assert!(error.to_string().contains(why), "{location:?}: {error}");
        assert!(!error.to_string().contains("pass@"), "{error}");
    }
    // What is pushed is not handed on by a redirect either.
    let server = Proxy::alone(move |asked| match asked.method.as_str() {
        "HEAD" => Answer::new(404, ""),
        _ => Answer::new(307, "").with("location", "http://127.0.0.1:1/x"),
    })
    .unwrap();
    let error = client()
        .push_blob(&repository(&server.host(), "app"), b"blob")
        .unwrap_err();
    assert!(error.to_string().contains("somebody else"), "{error}");
}

#[test]
fn a_registry_that_took_something_else_is_not_believed() {
    let other = Digest::of(b"other").to_string();
    let server = Proxy::alone(move |asked| match asked.method.as_str() {
        "HEAD" => Answer::new(404, ""),
        _ => Answer::new(201, "").with("docker-content-digest", &other),
    })
    .unwrap();
    let repository = repository(&server.host(), "app");
    let error = client().push_blob(&repository, b"blob").unwrap_err();
    assert!(matches!(error, Error::Told { .. }), "{error:?}");
    let error = client()
        .push_manifest(&repository, Some("1"), "application/json", b"{}")
        .unwrap_err();
    assert!(matches!(error, Error::Told { .. }), "{error:?}");
}

#[test]
fn refused_pushes_say_why_and_bad_tags_are_not_asked_for() {
    let Some(stage) = stage() else { return };
    let repository = stage.name("app").repository().clone();
    // A manifest with a layer that is not there.
    let lost = Digest::of(b"lost");
    let body = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{lost}","size":4}},
        "layers":[]}}"#
    );
    let form = "application/vnd.oci.image.manifest.v1+json";
    let error = client()
        .push_manifest(&repository, Some("lost"), form, body.as_bytes())
        .unwrap_err();
    assert!(
        error.to_string().contains("MANIFEST_BLOB_UNKNOWN"),
        "{error}"
    );
    for tag in ["", "../x", "a b", "a?b"] {
        let error = client().push_manifest(&repository, Some(tag), form, b"{}");
        assert!(error.is_err(), "{tag}");
    }
    let large = vec![b' '; 5 << 20];
    let error = client().push_manifest(&repository, None, form, &[b"{}", &large[..]].concat());
    assert!(matches!(error, Err(Error::Limit { .. })), "{error:?}");
}

#[test]
fn an_upload_is_tried_again_after_an_error_of_the_server() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let mut count = 0;
    let proxy = Proxy::start(registry.host(), move |asked| {
        count += 1;
        match (count % 2, asked.method.as_str()) {
            (1, _) => Act::Say(Answer::new(503, ""), Delivery::Whole),
            _ => Act::Pass,
        }
    })
    .unwrap();
    let client = Client::new(&hasty());
    let repository = repository(&proxy.host(), "app");
    let pushed = client.push_artifact(&repository, Some("1"), &artifact("x", None));
    let digest = pushed.unwrap().digest;
    let tagged = client.manifest(&repository.tagged("1").unwrap());
    assert_eq!(tagged.unwrap().digest, digest);
    assert_eq!(subject_free(&client, &proxy), Listed::Tag);
}

/// Pushes something about nothing that is there: the list does not mind.
fn subject_free(client: &Client, proxy: &Proxy) -> Listed {
    let subject = Descriptor {
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        digest: Digest::of(b"not there"),
        size: 9,
    };
    let repository = repository(&proxy.host(), "app");
    let pushed = client.push_artifact(&repository, None, &artifact("y", Some(subject)));
    pushed.unwrap().listed.unwrap()
}
