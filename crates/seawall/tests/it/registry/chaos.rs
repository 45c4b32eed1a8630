//! Registries that give something else than they should: never a report.

use seawall_testkit::{Act, Answer, Asked, Delivery, Proxy, Registry, Setup};

use super::{Push, base, home, write};

/// How the registry fails, for which part of the image, and what is said.
struct Case {
    what: &'static str,
    /// Whether the request is the one that fails.
    of: fn(&Asked) -> bool,
    act: fn() -> Act,
    said: &'static str,
}

fn is_blob(asked: &Asked) -> bool {
    asked.target.contains("/blobs/")
}

fn is_manifest(asked: &Asked) -> bool {
    asked.target.contains("/manifests/")
}

/// The same number of other bytes.
fn other(mut answer: Answer) -> Answer {
    answer.body.reverse();
    answer
}

fn longer(mut answer: Answer) -> Answer {
    answer
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
    answer.body.extend([0; 4096]);
    answer
}

#[test]
fn a_registry_that_cheats_gets_no_report() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let first = base(&push, &dir, "first", "musl");
    let noise: Vec<u8> = (0..200_000u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let last = push.layer(&dir, "last", |root| write(root, "srv/a", noise));
    let manifest = push.image(Some("1"), &[&first, &last], &[]);
    let digest = manifest["digest"].as_str().unwrap().to_owned();
    let cases = [
        Case {
            what: "bytes that are not the layer's",
            of: is_blob,
            act: || Act::Edit(other),
            said: "",
        },
        Case {
            what: "more bytes than the manifest says",
            of: is_blob,
            act: || Act::Edit(longer),
            said: "",
        },
        Case {
            what: "a layer without an end",
            of: is_blob,
            act: || Act::Deliver(Delivery::Endless),
            said: "",
        },
        Case {
            what: "a manifest that is not the one of the digest",
            of: is_manifest,
            act: || Act::Say(Answer::new(200, "{}"), Delivery::Whole),
            said: "is expected",
        },
        Case {
            what: "a page in the place of a manifest",
            of: is_manifest,
            act: || Act::Say(Answer::new(200, "<html>sign in</html>"), Delivery::Whole),
            said: "",
        },
        Case {
            what: "a blob that is gone",
            of: is_blob,
            act: || Act::Say(Answer::new(404, "{}"), Delivery::Whole),
            said: "not there",
        },
    ];
    for case in cases {
        let (of, act) = (case.of, case.act);
        let proxy = Proxy::start(registry.host(), move |asked| match of(asked) {
            true => act(),
            false => Act::Pass,
        });
        let proxy = proxy.unwrap();
        for name in ["app:1".to_owned(), format!("app@{digest}")] {
            let target = format!("registry:{}/{name}", proxy.host());
            // By its tag a manifest is what the registry says it is.
            if case.said == "is expected" && !name.contains('@') {
                continue;
            }
            let said = home.run(&["scan", "--no-cache", "--format", "json", &target]);
            let what = case.what;
            assert_eq!(
                (said.code, said.out.as_str()),
                (2, ""),
                "{what}: {}",
                said.err
            );
            assert!(
                said.err.contains("error: cannot scan"),
                "{what}: {}",
                said.err
            );
            assert!(said.err.contains(case.said), "{what}: {}", said.err);
        }
    }
}

/// The configuration is right and the layers are not.
#[test]
fn a_layer_is_held_against_its_digest_and_its_length() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let first = base(&push, &dir, "first", "musl");
    // Plain, so that no checksum but the digest's tells.
    let tar = super::push::archive(&dir, "last", |root| write(root, "srv/a", [7; 100_000]));
    let bytes = std::fs::read(&tar).unwrap();
    let last = super::Layer {
        descriptor: push.blob("application/vnd.oci.image.layer.v1.tar", &bytes),
        diff_id: seawall_image::Digest::of(&bytes),
    };
    push.image(Some("1"), &[&first, &last], &[]);
    fn changed(mut answer: Answer) -> Answer {
        let at = answer.body.iter().position(|byte| *byte == 7).unwrap();
        answer.body[at] = 8;
        answer
    }
    for (edit, expected) in [
        (changed as fn(Answer) -> Answer, "with the digest"),
        (longer, "bytes are expected"),
    ] {
        let slow = last.digest().to_owned();
        let proxy = Proxy::start(registry.host(), move |asked| {
            match asked.target.ends_with(&slow) {
                true => Act::Edit(edit),
                false => Act::Pass,
            }
        });
        let proxy = proxy.unwrap();
        let target = format!("registry:{}/app:1", proxy.host());
        // What was read of it is not kept either.
        for _ in 0..2 {
            let said = home.run(&["scan", "--format", "json", &target]);
            assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
            assert!(said.err.contains(expected), "{expected}: {}", said.err);
        }
    }
}

/// A mirror that sends a layer of the right length and other bytes.
#[test]
fn a_mirror_that_cheats_costs_a_second_fetch_and_a_registry_that_does_is_named() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    let packed = base(&push, &dir, "first", "musl");
    let tar = super::push::archive(&dir, "last", |root| write(root, "srv/a", [7; 900_000]));
    let bytes = std::fs::read(&tar).unwrap();
    let plain = super::Layer {
        descriptor: push.blob("application/vnd.oci.image.layer.v1.tar", &bytes),
        diff_id: seawall_image::Digest::of(&bytes),
    };
    push.image(Some("1"), &[&packed, &plain], &[]);
    fn broken(mut answer: Answer) -> Answer {
        // After the header of gzip, within the first header of a tar.
        answer.body[20..].reverse();
        answer
    }
    for bad in [&packed, &plain] {
        let digest = bad.digest().to_owned();
        let proxy = Proxy::start(registry.host(), move |asked| {
            match asked.target.ends_with(&digest) {
                true => Act::Edit(broken),
                false => Act::Pass,
            }
        });
        let proxy = proxy.unwrap();
        let (host, mirror) = (registry.host(), proxy.host());
        let target = format!("registry:{mirror}/app:1");
        let said = home.run(&["scan", "--no-cache", "--format", "json", &target]);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
        let expected = format!("`{mirror}` sends `{}` with the digest", bad.digest());
        assert!(said.err.contains(&expected), "{}", said.err);
        assert!(!said.err.contains("checksum"), "{}", said.err);
        let of = format!("{host}={mirror}");
        let target = format!("registry:{host}/app:1");
        let options = ["scan", "--no-cache", "--packages", "--format", "json"];
        let more = ["--verbose", "--registry-mirror", &of, &target];
        let said = home.run(&[&options[..], &more].concat());
        assert_eq!(super::names(&super::json_of(&said)), ["musl"]);
        let expected = format!("the mirror `{mirror}` is left alone");
        assert!(said.err.contains(&expected), "{}", said.err);
        let expected = format!("the mirror `{mirror}` answers in the place of `{host}`");
        assert!(said.err.contains(&expected), "{}", said.err);
    }
}

/// Only the mirror answers: what is known is asked of it alone.
#[test]
fn a_registry_that_is_silent_is_not_asked_where_its_mirror_answers() {
    let Some(registry) = Registry::start(&Setup::default()) else {
        return;
    };
    let home = home();
    let dir = registry.dir().join("made");
    let push = Push::app(&registry);
    push.image(Some("1"), &[&base(&push, &dir, "first", "musl")], &[]);
    let silent = Proxy::start(registry.host(), |_| Act::Hang).unwrap();
    let mirror = Proxy::start(registry.host(), |_| Act::Pass).unwrap();
    let of = format!("{}={}", silent.host(), mirror.host());
    let target = format!("registry:{}/app:1", silent.host());
    let scan = [
        "scan",
        "--format",
        "json",
        "--registry-mirror",
        &of,
        &target,
    ];
    super::json_of(&home.run(&scan));
    let before = mirror.asked().len();
    super::json_of(&home.run(&scan));
    assert_eq!(silent.asked(), []);
    let asked = mirror.asked();
    let asked: Vec<_> = asked[before..].iter().map(|one| &one.method).collect();
    assert_eq!(asked, ["HEAD"]);
}
