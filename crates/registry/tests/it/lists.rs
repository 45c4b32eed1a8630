//! Lists in pages.

use seawall_model::Digest;
use seawall_registry::{Client, Error, Repository};
use seawall_testkit::{Act, Answer, Delivery, Proxy, Registry};

use crate::stage::{client, hasty, repository, stage};

#[test]
fn tags_are_those_that_were_pushed() {
    let Some(stage) = stage() else { return };
    let source = format!("docker://{}/app:1", stage.registry.host());
    for tag in ["app:2", "app:latest"] {
        if stage.registry.copy(&source, tag, &[]).is_none() {
            return;
        }
    }
    let repository = stage.name("app").repository().clone();
    let mut tags = client().tags(&repository).unwrap();
    // This registry has them in no order.
    tags.sort();
    assert_eq!(tags, ["1", "2", "latest"]);
    let Some(other) = Registry::start_oci() else {
        return;
    };
    for tag in ["1", "2", "3", "4", "5"] {
        other.copy(&source, &format!("app:{tag}"), &[]).unwrap();
    }
    let repository = self::repository(other.host(), "app");
    assert_eq!(
        client().tags(&repository).unwrap(),
        ["1", "2", "3", "4", "5"]
    );
    assert_eq!(
        client().tags_after(&repository, Some("3")).unwrap(),
        ["4", "5"]
    );
    let error = client().tags_after(&repository, Some("../x&n=0"));
    assert!(error.is_err());
}

/// Serves pages of tags: what is asked, and what is answered with which link.
fn pages(pages: &'static [(&'static str, &'static str, &'static str)]) -> (Proxy, Repository) {
    let server = Proxy::alone(move |asked| {
        let found = pages.iter().find(|(target, ..)| *target == asked.target);
        let Some((_, body, link)) = found else {
            return Answer::new(404, "");
        };
        let answer = Answer::new(200, *body);
        match *link {
            "" => answer,
            link => answer.with("link", link),
        }
    })
    .unwrap();
    let repository = repository(&server.host(), "app");
    (server, repository)
}

const FIRST: &str = "/v2/app/tags/list?n=1000";

#[test]
fn pages_are_walked_to_their_end() {
    let (server, repository) = pages(&[
        (
            FIRST,
            r#"{"name":"app","tags":["a","b"]}"#,
            r#"</v2/app/tags/list?n=2&last=b>; rel="next""#,
        ),
        (
            "/v2/app/tags/list?n=2&last=b",
            r#"{"tags":["b","c"]}"#,
            "<list?last=c>; rel=next",
        ),
        ("/v2/app/tags/list?last=c", r#"{"tags":null}"#, ""),
    ]);
    assert_eq!(client().tags(&repository).unwrap(), ["a", "b", "c"]);
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn pages_that_lead_elsewhere_are_not_followed() {
    for link in [
        "<http://127.0.0.1:1/v2/app/tags/list>; rel=next",
        "<//127.0.0.1:1/v2/app/tags/list>; rel=next",
        "</v2/other/tags/list?last=a>; rel=next",
        "</v2/app/tags/list/../../../other/tags/list>; rel=next",
        "<file:///etc/passwd>; rel=next",
        // The same page for ever.
        "</v2/app/tags/list?n=1000>; rel=next",
    ] {
        let server =
            Proxy::alone(move |_| Answer::new(200, r#"{"tags":["a"]}"#).with("link", link))
                .unwrap();
        let error = client()
            .tags(&repository(&server.host(), "app"))
            .unwrap_err();
        assert!(matches!(error, Error::Redirect { .. }), "{link}: {error:?}");
        assert_eq!(server.asked().len(), 1, "{link}");
    }
}

#[test]
fn lists_without_end_are_refused_with_their_limit() {
    let endless = |tags: usize| {
        let mut page = 0;
        Proxy::alone(move |_| {
            page += 1;
            let tags: Vec<String> = (0..tags).map(|tag| format!("\"t{page}-{tag}\"")).collect();
            let link = format!("</v2/app/tags/list?page={page}>; rel=next");
            Answer::new(200, format!("{{\"tags\":[{}]}}", tags.join(","))).with("link", &link)
        })
        .unwrap()
    };
    let server = endless(1);
    let error = client()
        .tags(&repository(&server.host(), "app"))
        .unwrap_err();
    assert!(error.to_string().contains("number of pages"), "{error}");
    assert_eq!(server.asked().len(), 1000);
    let server = endless(50_000);
    let error = client()
        .tags(&repository(&server.host(), "app"))
        .unwrap_err();
    assert!(error.to_string().contains("number of tags"), "{error}");
    assert_eq!(server.asked().len(), 5);
}

#[test]
fn pages_without_end_are_bounded_by_their_bytes() {
    let mut page = 0;
    let large = "x".repeat(4_000_000);
    let server = Proxy::alone(move |asked| {
        page += 1;
        let path = asked.target.split('?').next().unwrap();
        let link = format!("<{path}?page={page}>; rel=next");
        Answer::new(
            200,
            format!("{{\"tags\":[],\"manifests\":[],\"x\":\"{large}\"}}"),
        )
        .with("content-type", "application/vnd.oci.image.index.v1+json")
        .with("link", &link)
    })
    .unwrap();
    let repository = repository(&server.host(), "app");
    let errors = [
        client().tags(&repository).unwrap_err(),
        client()
            .referrers(&repository, Digest::of(b""), None)
            .unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains("size of all pages"), "{error}");
    }
    assert_eq!(server.asked().len(), 2 * 17);
}

#[test]
fn lists_that_are_none_are_refused() {
    let long = format!("{{\"tags\":[\"{}\"]}}", "x".repeat(129));
    for body in [
        "",
        "[]",
        "{\"tags\":1}",
        "{\"tags\":[1]}",
        "<html>",
        "{\"tags\":[\"../x\"]}",
        &long,
    ] {
        let body = body.to_owned();
        let shown = body.clone();
        let server = Proxy::alone(move |_| Answer::new(200, body.as_str())).unwrap();
        let error = client()
            .tags(&repository(&server.host(), "app"))
            .unwrap_err();
        assert!(
            matches!(error, Error::Malformed { .. }),
            "{shown}: {error:?}"
        );
    }
    let server = Proxy::start("127.0.0.1:0", |_| {
        Act::Say(Answer::new(200, "{\"tags\":["), Delivery::Endless)
    })
    .unwrap();
    let error = Client::new(&hasty()).tags(&repository(&server.host(), "app"));
    assert!(matches!(error, Err(Error::Limit { .. })), "{error:?}");
}

#[test]
fn a_page_that_breaks_off_is_asked_for_again() {
    let mut count = 0;
    let server = Proxy::start("127.0.0.1:0", move |_| {
        count += 1;
        let answer = Answer::new(200, r#"{"tags":["a"]}"#);
        match count {
            1 => Act::Say(answer, Delivery::Cut(3)),
            2 => Act::Say(answer, Delivery::Stall(3)),
            3 => Act::Hang,
            _ => Act::Say(answer, Delivery::Whole),
        }
    })
    .unwrap();
    let client = Client::new(&hasty());
    let tags = client.tags(&repository(&server.host(), "app"));
    assert_eq!(tags.unwrap(), ["a"]);
    assert_eq!(server.asked().len(), 4);
}
