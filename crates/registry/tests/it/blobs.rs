//! Blobs over bad connections: all of it arrives, or an error says why not.

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use seawall_model::Digest;
use seawall_registry::{Blob, Client, Error, Settings};
use seawall_testkit::{Act, Answer, Asked, Delivery, Proxy};

use crate::stage::{Stage, hasty, inner, read, repository, stage};
use crate::support::said;

/// A proxy before the stage's registry that treats the `n`th request for a
/// blob (from 0) as `rule` says.
fn bad(stage: &Stage, mut rule: impl FnMut(usize, &Asked) -> Act + Send + 'static) -> Proxy {
    let mut count = 0;
    Proxy::start(stage.registry.host(), move |asked| {
        if !asked.target.contains("/blobs/") {
            return Act::Pass;
        }
        count += 1;
        rule(count - 1, asked)
    })
    .unwrap()
}

fn open(proxy: &Proxy, settings: &Settings, digest: Digest, size: Option<u64>) -> Blob {
    let client = Client::new(settings);
    let repository = repository(&proxy.host(), "app");
    client.open(&repository, digest, size).unwrap()
}

/// Reads the large layer through a bad proxy; it has to be whole. Gives the
/// ranges that were asked for.
fn whole(stage: &Stage, rule: impl FnMut(usize, &Asked) -> Act + Send + 'static) -> Vec<String> {
    let (digest, size) = stage.large();
    let proxy = bad(stage, rule);
    let bytes = read(open(&proxy, &hasty(), digest, Some(size))).unwrap();
    assert_eq!(bytes.len() as u64, size);
    assert_eq!(Digest::of(&bytes), digest);
    let asked = proxy.asked();
    let range = |asked: &Asked| asked.header("range").unwrap_or("-").to_owned();
    asked.iter().map(range).collect()
}

#[test]
fn a_cut_connection_is_taken_up_where_it_ended() {
    let Some(stage) = stage() else { return };
    let ranges = whole(&stage, |nth, _| match nth {
        0 => Act::Deliver(Delivery::Cut(100_000)),
        1 => Act::Deliver(Delivery::Cut(50_000)),
        2 => Act::Deliver(Delivery::Cut(0)),
        3 => Act::Hang,
        _ => Act::Pass,
    });
    let expected = [
        "-",
        "bytes=100000-",
        "bytes=150000-",
        "bytes=150000-",
        "bytes=150000-",
    ];
    assert_eq!(ranges, expected);
}

#[test]
fn a_stalled_body_is_noticed_and_taken_up() {
    let Some(stage) = stage() else { return };
    let ranges = whole(&stage, |nth, _| match nth {
        0 => Act::Deliver(Delivery::Stall(70_000)),
        _ => Act::Pass,
    });
    assert_eq!(ranges, ["-", "bytes=70000-"]);
}

#[test]
fn a_slow_body_is_read_to_its_end() {
    let Some(stage) = stage() else { return };
    let ranges = whole(&stage, |_, _| {
        Act::Deliver(Delivery::Slow(20_000, Duration::from_millis(2)))
    });
    assert_eq!(ranges, ["-"]);
}

#[test]
fn errors_of_the_server_in_the_middle_are_waited_out() {
    let Some(stage) = stage() else { return };
    let ranges = whole(&stage, |nth, _| match nth {
        0 => Act::Say(Answer::new(503, ""), Delivery::Whole),
        1 => Act::Deliver(Delivery::Cut(100_000)),
        2 => Act::Say(Answer::new(500, "oops"), Delivery::Whole),
        3 => Act::Say(
            Answer::new(429, "").with("retry-after", "1"),
            Delivery::Whole,
        ),
        _ => Act::Pass,
    });
    assert_eq!(ranges.len(), 5);
    assert_eq!(ranges[4], "bytes=100000-");
}

#[test]
fn a_server_that_ignores_ranges_is_read_again_and_skipped() {
    let Some(stage) = stage() else { return };
    let ranges = whole(&stage, |nth, _| match nth {
        0 => Act::Deliver(Delivery::Cut(100_000)),
        // The whole body with status 200, cut before the place that is wanted.
        1 => Act::Edit(|_| Answer::new(502, "")),
        _ => Act::Pass,
    });
    assert_eq!(ranges.len(), 3);

    let (digest, size) = stage.large();
    let body = read(open(&bad(&stage, |_, _| Act::Pass), &hasty(), digest, None)).unwrap();
    let served = body.clone();
    let proxy = Proxy::start("127.0.0.1:0", {
        let mut nth = 0;
        move |_| {
            nth += 1;
            let answer = Answer::new(200, served.clone());
            match nth {
                1 => Act::Say(answer, Delivery::Cut(100_000)),
                2 => Act::Say(answer, Delivery::Cut(50_000)),
                3 => Act::Say(answer, Delivery::Cut(150_000)),
                _ => Act::Say(answer, Delivery::Whole),
            }
        }
    })
    .unwrap();
    let bytes = read(open(&proxy, &hasty(), digest, Some(size))).unwrap();
    assert_eq!(bytes, body);
    assert_eq!(proxy.asked().len(), 4);
}

#[test]
fn a_wrong_range_is_not_believed() {
    let Some(stage) = stage() else { return };
    for wrong in [
        "bytes 0-9/10",
        "bytes 100001-2/3",
        "nonsense",
        "bytes 99999-700000/700001",
    ] {
        let header = Arc::new(wrong.to_owned());
        let ranges = whole(&stage, move |nth, _| match nth {
            0 => Act::Deliver(Delivery::Cut(100_000)),
            1 => {
                let answer = Answer::new(206, "x".repeat(10)).with("content-range", &header);
                Act::Say(answer, Delivery::Whole)
            }
            _ => Act::Pass,
        });
        // All of it again, rather than asking for a part once more.
        assert_eq!(ranges, ["-", "bytes=100000-", "-"], "{wrong}");
    }
}

#[test]
fn tries_end() {
    let Some(stage) = stage() else { return };
    let (digest, size) = stage.large();
    let settings = Settings {
        tries: 3,
        ..hasty()
    };
    let proxy = bad(&stage, |_, _| Act::Deliver(Delivery::Cut(1000)));
    let error = read(open(&proxy, &settings, digest, Some(size))).unwrap_err();
    assert!(matches!(inner(&error), Error::Body { .. }), "{error:?}");
    assert_eq!(proxy.asked().len(), 4);

    let proxy = bad(&stage, |_, _| {
        Act::Say(Answer::new(503, ""), Delivery::Whole)
    });
    let client = Client::new(&settings);
    let error = client.open(&repository(&proxy.host(), "app"), digest, None);
    let error = error.unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 503, .. }),
        "{error:?}"
    );
    assert_eq!(proxy.asked().len(), 4);
}

#[test]
fn a_storm_of_429_is_left_alone_for_as_long_as_it_asks() {
    let Some(stage) = stage() else { return };
    let (digest, size) = stage.large();
    // More than is waited for: it is given up at once.
    let storm = |wait: &'static str| {
        bad(&stage, move |_, _| {
            let answer = Answer::new(429, r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#);
            Act::Say(answer.with("retry-after", wait), Delivery::Whole)
        })
    };
    for wait in ["3600", "Fri, 31 Dec 2999 23:59:59 GMT"] {
        let proxy = storm(wait);
        let client = Client::new(&hasty());
        let error = client.open(&repository(&proxy.host(), "app"), digest, Some(size));
        let error = error.unwrap_err();
        assert!(
            error.to_string().contains("429: TOOMANYREQUESTS"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("wait"));
        assert_eq!(proxy.asked().len(), 1);
    }
    // A date that is over means at once.
    let ranges = whole(&stage, |nth, _| match nth {
        0..3 => {
            let answer = Answer::new(429, "").with("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT");
            Act::Say(answer, Delivery::Whole)
        }
        _ => Act::Pass,
    });
    assert_eq!(ranges.len(), 4);
}

#[test]
fn lengths_are_held_against_the_descriptor() {
    let Some(stage) = stage() else { return };
    let (digest, size) = stage.large();
    let client = Client::new(&hasty());
    for wrong in [size - 1, size + 1, 0] {
        let error = client
            .open(stage.name("app").repository(), digest, Some(wrong))
            .unwrap_err();
        assert!(matches!(error, Error::Length { .. }), "{error:?}");
        let text = error.to_string();
        assert!(
            text.contains(&format!("has {size} bytes, {wrong} bytes are expected")),
            "{text}"
        );
    }
    // Without a length there is nothing to hold against before it comes.
    let proxy = bad(&stage, |_, _| {
        Act::Say(Answer::new(200, "0123456789"), Delivery::Endless)
    });
    let error = read(open(&proxy, &hasty(), digest, Some(size))).unwrap_err();
    assert!(matches!(inner(&error), Error::Length { .. }), "{error:?}");
    // Shorter than its own header says, every time.
    let proxy = bad(&stage, move |_, _| {
        let answer = Answer::new(200, "short").with("content-length", &size.to_string());
        Act::Say(answer, Delivery::Cut(5))
    });
    let error = read(open(&proxy, &hasty(), digest, Some(size))).unwrap_err();
    assert!(said(inner(&error)).contains("to its end"), "{error:?}");
}

#[test]
fn dropping_the_reader_ends_the_connection() {
    let Some(stage) = stage() else { return };
    let (digest, _) = stage.large();
    let proxy = bad(&stage, |_, _| {
        Act::Say(Answer::new(200, vec![0; 1 << 20]), Delivery::Endless)
    });
    let mut blob = open(&proxy, &hasty(), digest, None);
    let mut piece = [0; 1000];
    assert_eq!(blob.read(&mut piece).unwrap(), 1000);
    drop(blob);
    // The endless body ends with its connection.
    while proxy.broken() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_reader_that_takes_its_time_is_not_taken_for_a_slow_server() {
    let Some(stage) = stage() else { return };
    let (digest, size) = stage.large();
    let settings = Settings {
        silence: Duration::from_secs(3),
        slowest: 1 << 40,
        ..hasty()
    };
    let proxy = bad(&stage, |_, _| Act::Pass);
    let mut blob = open(&proxy, &settings, digest, Some(size));
    let mut piece = vec![0; 100_000];
    let mut all = blob.read(&mut piece).unwrap() as u64;
    std::thread::sleep(Duration::from_millis(3200));
    all += read(&mut blob).unwrap().len() as u64;
    assert_eq!(all, size);
    assert_eq!(proxy.asked().len(), 1);
}

#[test]
fn blobs_are_read_side_by_side() {
    let Some(stage) = stage() else { return };
    let (digest, size) = stage.large();
    let client = Client::new(&hasty());
    let repository = stage.name("app").repository().clone();
    let sum = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let blob = client.open(&repository, digest, Some(size)).unwrap();
                sum.fetch_add(read(blob).unwrap().len(), Ordering::SeqCst);
            });
        }
    });
    assert_eq!(sum.into_inner() as u64, size * 8);
}
