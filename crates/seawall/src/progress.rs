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
        bar.set_message(plain(label));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {bytes} {bytes_per_sec}")
        {
            bar.set_style(style);
        }
        ByteBar {
            bar,
            all: self.shown.then(|| self.all.clone()),
            start: std::time::Instant::now(),
        }
    }
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
        self.bar.set_message(plain(label));
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
        self.bar.set_message(plain(text));
    }
}
