//! Progress bars: for what takes over a second, on a terminal only.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use seawall_report::plain;

/// All bars of a run.
pub(crate) struct Bars {
    all: MultiProgress,
    shown: bool,
}

/// How long something may take before it needs a bar.
const PATIENCE: Duration = Duration::from_millis(500);

impl Bars {
    pub(crate) fn new(shown: bool) -> Self {
        let target = if shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Bars {
            all: MultiProgress::with_draw_target(target),
            shown,
        }
    }

    /// A bar of bytes whose number is not known beforehand.
    pub(crate) fn bytes(&self, label: &str) -> ByteBar {
        let bar = ProgressBar::hidden();
        bar.set_message(short(label));
        // What it is gives way to how much of it: a bar is one line.
        let template = "{spinner} {wide_msg}  {bytes} {bytes_per_sec}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        ByteBar {
            bar,
            all: self.shown.then(|| self.all.clone()),
            start: std::time::Instant::now(),
        }
    }
}

/// Digits of a digest that tell layers apart.
const DIGITS: usize = 12;

/// A name without the digits of digests that nobody reads, fit for a terminal.
fn short(text: &str) -> String {
    let mut out = String::new();
    for part in plain(text).split_inclusive(|letter: char| !letter.is_ascii_hexdigit()) {
        let digits = part.trim_end_matches(|letter: char| !letter.is_ascii_hexdigit());
        match digits.get(..DIGITS) {
            Some(start) if digits.len() >= 32 => {
                out += start;
                out.push('…');
                out += part.get(digits.len()..).unwrap_or_default();
            }
            _ => out += part,
        }
    }
    out
}

/// Counts bytes; shows itself once it has lasted.
pub(crate) struct ByteBar {
    bar: ProgressBar,
    all: Option<MultiProgress>,
    start: std::time::Instant,
}

impl ByteBar {
    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        if let Some(all) = &self.all
            && self.bar.is_hidden()
            && self.start.elapsed() > PATIENCE
        {
            all.add(self.bar.clone());
        }
    }
}

impl ByteBar {
    /// Counts bytes of what `label` names.
    pub(crate) fn show(&self, label: &str, bytes: u64) {
        self.bar.set_message(short(label));
        self.advance(bytes);
    }
}

impl Drop for ByteBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl seawall_image::Progress for ByteBar {
    fn bytes(&self, bytes: u64) {
        self.advance(bytes);
    }

    fn label(&self, text: &str) {
        self.bar.set_message(short(text));
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn digests_are_shortened_and_nothing_else() {
        let digest = "bea2e2b3eb0545b28192ad8764540956ef084e11693fb64ae21c36bfb2efe6c5";
        assert_eq!(
            short(&format!("{digest}/layer.tar")),
            "bea2e2b3eb05…/layer.tar"
        );
        assert_eq!(short(&format!("sha256:{digest}")), "sha256:bea2e2b3eb05…");
        assert_eq!(short("deadbeef/a.tar"), "deadbeef/a.tar");
        assert_eq!(short("a\u{1b}[31mé"), "a\u{fffd}[31mé");
    }
}
