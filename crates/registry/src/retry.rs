//! When a request is made again, and how long that waits.

use std::{
    hash::{BuildHasher, RandomState},
    thread,
    time::{Duration, Instant, SystemTime},
};

use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use ureq::http::HeaderMap;

use crate::{Settings, http::header};

/// Tries that are left to one request.
#[derive(Debug)]
pub(crate) struct Tries {
    left: u32,
    pause: Duration,
    longest: Duration,
    bound: Option<Bound>,
}

/// Time that a request may take.
#[derive(Debug)]
struct Bound {
    time: Duration,
    since: Instant,
    /// How much of it was a pause that we or the registry wanted.
    paused: Duration,
}

impl Tries {
    pub(crate) fn new(settings: &Settings) -> Self {
        Tries {
            left: settings.tries,
            pause: settings.pause,
            longest: settings.longest_pause,
            bound: None,
        }
    }

    /// From now on all further tries take no longer than this; pauses between
    /// them do not count.
    pub(crate) fn within(&mut self, time: Duration) {
        self.bound = Some(Bound {
            time,
            since: Instant::now(),
            paused: Duration::ZERO,
        });
    }

    /// How much of that time is left.
    pub(crate) fn time(&self) -> Duration {
        self.bound.as_ref().map_or(Duration::MAX, |bound| {
            let spent = bound.since.elapsed().saturating_sub(bound.paused);
            bound.time.saturating_sub(spent)
        })
    }

    /// Few, for a place that has others behind it.
    pub(crate) fn few(settings: &Settings) -> Self {
        Tries {
            left: settings.tries.min(1),
            ..Tries::new(settings)
        }
    }

    /// None, for what is done in another way when it fails.
    pub(crate) fn none(settings: &Settings) -> Self {
        Tries {
            left: 0,
            ..Tries::new(settings)
        }
    }

    /// Waits for the next try; whether there is one. `asked` is what the
    /// registry wants: more than the longest pause is not waited for.
    pub(crate) fn wait(&mut self, asked: Option<Duration>) -> bool {
        if self.left == 0
            || self.time().is_zero()
            || asked.is_some_and(|asked| asked > self.longest)
        {
            return false;
        }
        self.left -= 1;
        let own = self.pause.min(self.longest);
        self.pause = self.pause.saturating_mul(2);
        let pause = asked.unwrap_or_default().max(jitter(own));
        thread::sleep(pause);
        if let Some(bound) = &mut self.bound {
            bound.paused += pause;
        }
        true
    }

    /// After progress the next pause is a short one again.
    pub(crate) fn progressed(&mut self, settings: &Settings) {
        self.pause = settings.pause;
    }
}

/// Between half of a pause and all of it, so that many clients do not come
/// back at once.
fn jitter(pause: Duration) -> Duration {
    // The standard library's keys of hashes are random.
    let random = RandomState::new().hash_one(0_u8) >> 40;
    let half = pause / 2;
    half + half.mul_f64(random as f64 / f64::from(1_u32 << 24))
}

/// How long a registry asks to be left alone (RFC 9110, 10.2.3): seconds, or a
/// date, which is read against the registry's own clock.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = header(headers, "retry-after")?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| {
        let parser = DateTimeParser::new().relaxed_weekday(true);
        let read = parser.parse_timestamp(text);
        read.ok().map(Timestamp::as_second)
    };
    let now = header(headers, "date").and_then(date).or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.ok().and_then(|now| now.as_secs().try_into().ok())
    })?;
    let seconds = date(value)?.saturating_sub(now).max(0);
    Some(Duration::from_secs(seconds.unsigned_abs()))
}

/// Whether a status says that the same request may succeed later.
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderValue;

    use super::*;

    fn after(pairs: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        retry_after(&headers).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_pause_that_is_asked_for_is_read_in_both_forms() {
        assert_eq!(after(&[]), None);
        assert_eq!(after(&[("retry-after", "7")]), Some(7));
        let now = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let later = ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT");
        assert_eq!(after(&[now, later]), Some(30));
        // A date that is over.
        let before = ("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT");
        assert_eq!(after(&[now, before]), Some(0));
        assert_eq!(after(&[before]), Some(0));
        for bad in ["", "-1", "soon", "1e9", "99999999999999999999"] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", HeaderValue::from_str(bad).unwrap());
            assert_eq!(retry_after(&headers), None, "{bad}");
        }
    }

    #[test]
    fn tries_end_and_are_not_spent_on_a_registry_that_asks_for_too_much() {
        let settings = Settings {
            tries: 2,
            pause: Duration::ZERO,
            longest_pause: Duration::from_secs(1),
            ..Settings::default()
        };
        let mut tries = Tries::new(&settings);
        assert!(!tries.wait(Some(Duration::from_secs(2))));
        assert!(tries.wait(None));
        assert!(tries.wait(Some(Duration::ZERO)));
        assert!(!tries.wait(None));
    }

    #[test]
    fn tries_end_with_their_time_of_which_pauses_are_no_part() {
        let settings = Settings {
            pause: Duration::ZERO,
            ..Settings::default()
        };
        let mut tries = Tries::new(&settings);
        tries.within(Duration::from_secs(3600));
        assert!(tries.wait(None));
        tries.within(Duration::ZERO);
        assert!(!tries.wait(None));
        let settings = Settings {
            pause: Duration::from_millis(40),
            ..Settings::default()
        };
        let mut tries = Tries::new(&settings);
        tries.within(Duration::from_secs(3600));
        let before = tries.time();
        assert!(tries.wait(None));
        let bound = tries.bound.as_ref().unwrap();
        assert!(bound.paused >= Duration::from_millis(20));
        assert!(tries.time() <= before);
    }

    #[test]
    fn pauses_differ_and_stay_in_their_bounds() {
        let pause = Duration::from_secs(8);
        let pauses: Vec<_> = (0..32).map(|_| jitter(pause)).collect();
        assert!(pauses.iter().all(|p| *p >= pause / 2 && *p <= pause));
        assert!(pauses.iter().any(|p| p != &pauses[0]));
    }
}
