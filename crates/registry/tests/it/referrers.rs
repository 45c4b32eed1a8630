//! What is about an image, by the API and by its tag, written by us and by
//! others.

use std::{
    fs,
    process::Command,
    sync::{Arc, Mutex},
};

use seawall_model::Digest;
use seawall_registry::{Client, Error, Listed, Referrers};
use seawall_testkit::{Act, Answer, Delivery, Proxy, Registry, Setup, have, request, run};
use serde_json::{Value, json};

use crate::{
    pushes::{KIND, artifact, subject},
    stage::{Stage, client, hasty, repository, stage_in},
};

/// A registry without the referrers API, and one with it.
fn stages() -> Vec<(Stage, Listed)> {
    let old = Registry::start(&Setup::default()).and_then(stage_in);
    let new = Registry::start_oci().and_then(stage_in);
    let old = old.map(|stage| (stage, Listed::Tag));
    let new = new.map(|stage| (stage, Listed::Registry));
    old.into_iter().chain(new).collect()
}

fn about(stage: &Stage, artifact_type: Option<&str>) -> Referrers {
    let repository = stage.name("app").repository().clone();
    client()
        .referrers(&repository, stage.digest, artifact_type)
        .unwrap()
}

fn types(found: &Referrers) -> Vec<&str> {
    let types = found.list.iter();
    let mut types: Vec<_> = types.map(|one| one.artifact_type.as_str()).collect();
    types.sort_unstable();
    types
}

#[test]
fn nothing_is_about_a_new_image() {
    for (stage, listed) in stages() {
        let found = about(&stage, None);
        assert_eq!(found.list, []);
        assert_eq!(found.listed, listed);
        assert_eq!(found.passed_over, [""; 0]);
    }
}

#[test]
fn oras_finds_what_we_attach() {
    if !have(&["oras"]) {
        return;
    }
    for (stage, listed) in stages() {
        let repository = stage.name("app").repository().clone();
        for text in ["one", "two"] {
            let pushed = client()
                .push_artifact(&repository, None, &artifact(text, Some(subject(&stage))))
                .unwrap();
            assert_eq!(pushed.listed, Some(listed));
        }
        let mut oras = Command::new("oras");
        oras.args(["discover", "--plain-http", "--format", "json"]);
        oras.arg(format!("{}/app:1", stage.registry.host()));
        let found: Value = serde_json::from_slice(&run(&mut oras).unwrap().stdout).unwrap();
        let found = found["referrers"].as_array().unwrap().clone();
        assert_eq!(found.len(), 2);
        for one in &found {
            // The registry's list has the form of the config in its place:
            // what is not to be believed.
            let told = match listed {
                Listed::Tag => KIND,
                Listed::Registry => "application/vnd.oci.empty.v1+json",
            };
            assert_eq!(one["artifactType"], told);
        }
        // And we ourselves.
        let own = about(&stage, Some(KIND));
        assert_eq!(types(&own), [KIND, KIND]);
        assert_eq!(own.listed, listed);
        let texts: Vec<_> = own.list.iter().map(|one| one.annotations.clone()).collect();
        assert!(
            texts.iter().flatten().any(|(_, text)| text == "one"),
            "{texts:?}"
        );
        assert_eq!(about(&stage, Some("other/type")).list, []);
    }
}

#[test]
fn we_find_what_oras_and_regctl_attach() {
    if !have(&["oras", "regctl"]) {
        return;
    }
    for (stage, listed) in stages() {
        let host = stage.registry.host();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file.txt"), "hello").unwrap();
        let mut oras = Command::new("oras");
        oras.current_dir(dir.path())
            .args(["attach", "--plain-http", "--artifact-type", "text/oras"])
            .args(["--annotation", "who=oras"])
            .arg(format!("{host}/app:1"))
            .arg("file.txt:text/plain");
        run(&mut oras).unwrap();
        let mut regctl = Command::new("regctl");
        regctl
            .args(["--host", &format!("reg={host},tls=disabled")])
            .args(["artifact", "put", "--artifact-type", "text/regctl"])
            .args(["--subject", &format!("{host}/app:1"), "--file"])
            .arg(dir.path().join("file.txt"));
        run(&mut regctl).unwrap();
        let found = about(&stage, None);
        assert_eq!(found.listed, listed);
        assert_eq!(types(&found), ["text/oras", "text/regctl"]);
        assert_eq!(found.passed_over, [""; 0]);
        let found = about(&stage, Some("text/oras"));
        assert_eq!(types(&found), ["text/oras"]);
        let note = ("who".to_owned(), "oras".to_owned());
        assert!(found.list[0].annotations.contains(&note));
    }
}

#[test]
fn what_was_deleted_does_not_stop_the_next_push() {
    if !have(&["oras"]) {
        return;
    }
    let Some(stage) = Registry::start(&Setup::default()).and_then(stage_in) else {
        return;
    };
    let repository = stage.name("app").repository().clone();
    let push = |text: &str| {
        let artifact = artifact(text, Some(subject(&stage)));
        client()
            .push_artifact(&repository, None, &artifact)
            .unwrap()
    };
    let [gone, kept] = [push("gone"), push("kept")];
    let mut oras = Command::new("oras");
    oras.args(["manifest", "delete", "--plain-http", "--force"]);
    oras.arg(format!("{}/app@{}", stage.registry.host(), gone.digest));
    run(&mut oras).unwrap();
    // Oras takes it off the list by itself: put it on again, as a client that
    // does not care would leave it. The registry refuses that, so it can only
    // have come from before.
    let new = push("new");
    let found = about(&stage, None);
    let digests: Vec<_> = found.list.iter().map(|one| one.manifest.digest).collect();
    assert_eq!(digests, [kept.digest, new.digest]);
}

#[test]
fn dead_entries_are_taken_off_a_list() {
    let Some(stage) = Registry::start(&Setup::default()).and_then(stage_in) else {
        return;
    };
    let repository = stage.name("app").repository().clone();
    let artifact_of = |text: &str| artifact(text, Some(subject(&stage)));
    let first = client().push_artifact(&repository, None, &artifact_of("first"));
    let first = first.unwrap().digest;
    // Deleted behind the list's back.
    let target = format!("/v2/app/manifests/{first}");
    let answer = request(stage.registry.host(), "DELETE", &target, "");
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    let found = about(&stage, None);
    assert_eq!(found.list, []);
    assert!(found.passed_over[0].contains("there is no"), "{found:?}");
    let second = client().push_artifact(&repository, None, &artifact_of("second"));
    let second = second.unwrap();
    assert_eq!(second.listed, Some(Listed::Tag));
    let found = about(&stage, None);
    assert_eq!(found.passed_over, [""; 0]);
    assert_eq!(found.list[0].manifest.digest, second.digest);
}

#[test]
fn what_others_wrote_into_a_list_stays_in_it() {
    let Some(stage) = Registry::start(&Setup::default()).and_then(stage_in) else {
        return;
    };
    let repository = stage.name("app").repository().clone();
    let digest = format!("sha512:{}", "0f".repeat(64));
    let foreign = json!({"mediaType": "a/b", "digest": digest, "size": 7, "x": {"y": 1}});
    let list = json!({"schemaVersion": 2, "manifests": [foreign],
        "annotations": {"who": "somebody"}});
    // The registry takes no entry that it does not know: somebody else holds
    // the list.
    let tag = format!("/v2/app/manifests/sha256-{}", stage.digest.hex());
    let held = Arc::new(Mutex::new(list.to_string().into_bytes()));
    let (there, at) = (Arc::clone(&held), tag.clone());
    let proxy = Proxy::start(stage.registry.host(), move |asked| {
        if asked.target != at {
            return Act::Pass;
        }
        let mut held = there.lock().unwrap();
        let answer = match asked.method.as_str() {
            "PUT" => {
                held.clone_from(&asked.body);
                Answer::new(201, "")
            }
            _ => Answer::new(200, held.clone()),
        };
        Act::Say(answer, Delivery::Whole)
    })
    .unwrap();
    let there = self::repository(&proxy.host(), repository.path());
    let pushed = client()
        .push_artifact(&there, None, &artifact("x", Some(subject(&stage))))
        .unwrap();
    assert_eq!(pushed.listed, Some(Listed::Tag));
    let list: Value = serde_json::from_slice(&held.lock().unwrap()).unwrap();
    assert_eq!(list["manifests"][0], foreign);
    assert_eq!(list["manifests"][1]["digest"], pushed.digest.to_string());
    assert_eq!(list["annotations"]["who"], "somebody");
}

#[test]
fn threads_that_attach_at_once_lose_nothing() {
    let Some(stage) = Registry::start(&Setup::default()).and_then(stage_in) else {
        return;
    };
    let client = client();
    let repository = stage.name("app").repository().clone();
    let subject = subject(&stage);
    std::thread::scope(|scope| {
        for thread in 0..6 {
            let artifact = artifact(&format!("{thread}"), Some(subject.clone()));
            scope.spawn(|| {
                let artifact = artifact;
                client.push_artifact(&repository, None, &artifact).unwrap();
            });
        }
    });
    assert_eq!(about(&stage, None).list.len(), 6);
}

#[test]
fn a_list_is_written_under_the_condition_that_nobody_else_did() {
    let Some(stage) = Registry::start(&Setup::default()).and_then(stage_in) else {
        return;
    };
    let mut writes = 0;
    let proxy = Proxy::start(stage.registry.host(), move |asked| {
        let is_list = asked.target.contains("/manifests/sha256-");
        if !(is_list && asked.method == "PUT") {
            return Act::Pass;
        }
        writes += 1;
        match writes {
            1 | 3 => Act::Say(Answer::new(412, ""), Delivery::Whole),
            _ => Act::Pass,
        }
    })
    .unwrap();
    let client = Client::new(&hasty());
    let repository = repository(&proxy.host(), "app");
    for text in ["one", "two"] {
        let artifact = artifact(text, Some(subject(&stage)));
        client.push_artifact(&repository, None, &artifact).unwrap();
    }
    assert_eq!(about(&stage, None).list.len(), 2);
    let asked = proxy.asked();
    let writes: Vec<_> = asked
        .iter()
        .filter(|asked| asked.method == "PUT" && asked.target.contains("/manifests/sha256-"))
        .collect();
    assert_eq!(writes.len(), 4);
    assert_eq!(writes[0].header("if-none-match"), Some("*"));
    // The state that docker-registry gives: the index' digest, in quotes.
    let state = writes[2].header("if-match").unwrap();
    assert_eq!(state, format!("\"{}\"", Digest::of(&writes[1].body)));
}

/// A registry that lies: it has an image's list of referrers and manifests, as
/// they are given.
fn liar(list: &Value, manifests: Vec<Vec<u8>>) -> Proxy {
    let list = Arc::new(list.to_string());
    Proxy::alone(move |asked| {
        let form = "application/vnd.oci.image.index.v1+json";
        if asked.target.contains("/referrers/") {
            return Answer::new(200, list.as_bytes()).with("content-type", form);
        }
        let found = manifests
            .iter()
            .find(|bytes| asked.target.ends_with(&Digest::of(bytes).to_string()));
        match found {
            Some(bytes) => Answer::new(200, bytes.clone()),
            None => Answer::new(404, ""),
        }
    })
    .unwrap()
}

fn entry(bytes: &[u8], artifact_type: &str) -> Value {
    json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": Digest::of(bytes).to_string(),
        "size": bytes.len(),
        "artifactType": artifact_type,
    })
}

#[test]
fn the_list_is_not_believed() {
    let image = Digest::of(b"image");
    let of = |subject: Value, artifact_type: &str| {
        let manifest = json!({
            "schemaVersion": 2,
            "artifactType": artifact_type,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json"},
            "layers": [],
            "subject": subject,
        });
        manifest.to_string().into_bytes()
    };
    let right = of(json!({"digest": image.to_string()}), "text/signature");
    let stranger = of(
        json!({"digest": Digest::of(b"other").to_string()}),
        "text/signature",
    );
    let nothing = of(Value::Null, "text/signature");
    let odd = of(
        json!({"digest": format!("SHA256:{}", image.hex())}),
        "text/signature",
    );
    let config = json!({"config": {"mediaType": "text/by-config"}, "layers": [],
        "subject": {"digest": image.to_string()}});
    let config = config.to_string().into_bytes();
    let page = b"no manifest".to_vec();
    let all = vec![right.clone(), stranger, nothing, odd, config, page];
    let mut list: Vec<Value> = all.iter().map(|bytes| entry(bytes, "text/lie")).collect();
    list.push(entry(b"gone", "text/signature"));
    list.push(entry(&right, "text/again"));
    list.push(json!({"digest": "sha512:00"}));
    let server = liar(&json!({"manifests": list}), all);
    let repository = repository(&server.host(), "app");
    let client = client();
    let found = client.referrers(&repository, image, None).unwrap();
    assert_eq!(types(&found), ["text/by-config", "text/signature"]);
    assert_eq!(found.list[0].manifest.bytes, right);
    let why = found.passed_over.join("\n");
    assert_eq!(found.passed_over.len(), 6, "{why}");
    for part in [
        "is about `sha256:",
        "is about nothing",
        "is about `SHA256:",
        "there is no",
        "1 entries",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    // The type that the list claims is not what is looked for.
    let found = client
        .referrers(&repository, image, Some("text/lie"))
        .unwrap();
    assert_eq!(found.list, []);
    let asked = server.asked();
    let filtered = asked
        .iter()
        .filter(|asked| asked.target.ends_with("?artifactType=text%2Flie"));
    assert_eq!(filtered.count(), 1);
}

#[test]
fn lists_come_in_pages_and_have_limits() {
    let image = Digest::of(b"image");
    let manifest = move |number: usize| {
        let manifest = json!({"artifactType": format!("text/{number}"), "layers": [],
            "subject": {"digest": image.to_string()}});
        manifest.to_string().into_bytes()
    };
    let server = Proxy::alone(move |asked| {
        if !asked.target.contains("/referrers/") {
            let found = (0..3)
                .map(manifest)
                .find(|bytes| asked.target.ends_with(&Digest::of(bytes).to_string()));
            return Answer::new(200, found.unwrap());
        }
        let page = asked.target.split("page=").nth(1).unwrap_or("0");
        let page: usize = page.parse().unwrap();
        let list = json!({"manifests": [entry(&manifest(page), "")]});
        let answer = Answer::new(200, list.to_string());
        match page {
            2 => answer,
            _ => answer.with("link", &format!("<?page={}>; rel=\"next\"", page + 1)),
        }
    })
    .unwrap();
    let repository = repository(&server.host(), "app");
    let found = client().referrers(&repository, image, None).unwrap();
    assert_eq!(types(&found), ["text/0", "text/1", "text/2"]);

    let many: Vec<Value> = (0..1001)
        .map(|number| entry(&manifest(number), ""))
        .collect();
    let server = liar(&json!({ "manifests": many }), Vec::new());
    let error = client()
        .referrers(&self::repository(&server.host(), "app"), image, None)
        .unwrap_err();
    assert!(matches!(error, Error::Limit { .. }), "{error:?}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_registry_that_answers_everything_with_a_page_has_no_list() {
    let image = Digest::of(b"image");
    for (status, body, form) in [
        (200, "<html>hello</html>", "text/html"),
        (404, "404 page not found", "text/plain"),
        (405, "", "text/plain"),
        (
            400,
            r#"{"errors":[{"code":"UNSUPPORTED"}]}"#,
            "application/json",
        ),
    ] {
        let server = Proxy::alone(move |asked| {
            if asked.target.contains("/referrers/") {
                return Answer::new(status, body).with("content-type", form);
            }
            Answer::new(404, "")
        })
        .unwrap();
        let found = client().referrers(&repository(&server.host(), "app"), image, None);
        let found = found.unwrap();
        assert_eq!(
            (found.list.len(), found.listed),
            (0, Listed::Tag),
            "{status}"
        );
        let asked = server.asked();
        assert!(
            asked[1]
                .target
                .ends_with(&format!("/manifests/sha256-{}", image.hex()))
        );
    }
    // One that is broken is not taken for one without.
    let server = Proxy::alone(|_| Answer::new(500, "")).unwrap();
    let client = Client::new(&hasty());
    let found = client.referrers(&repository(&server.host(), "app"), image, None);
    assert!(
        matches!(found, Err(Error::Refused { status: 500, .. })),
        "{found:?}"
    );
}

#[test]
fn a_filter_that_leaves_nothing_is_not_believed_either() {
    let image = Digest::of(b"image");
    let manifest = json!({"artifactType": "text/own", "layers": [],
        "subject": {"digest": image.to_string()}});
    let manifest = manifest.to_string().into_bytes();
    let listed = entry(&manifest, "text/other");
    let server = Proxy::alone(move |asked| {
        if !asked.target.contains("/referrers/") {
            return Answer::new(200, manifest.clone());
        }
        let is_filtered = asked.target.contains("artifactType=");
        let list = if is_filtered {
            json!([])
        } else {
            json!([listed])
        };
        let answer = Answer::new(200, json!({ "manifests": list }).to_string());
        match is_filtered {
            true => answer.with("oci-filters-applied", "artifactType"),
            false => answer,
        }
    })
    .unwrap();
    let repository = repository(&server.host(), "app");
    let found = client().referrers(&repository, image, Some("text/own"));
    assert_eq!(types(&found.unwrap()), ["text/own"]);
    assert_eq!(server.asked().len(), 3);
}
