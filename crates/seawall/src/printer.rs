//! The only owner of stdout and stderr.
//!
//! Data goes to stdout, talk to stderr. Colour is never the only sign: every
//! line starts with a word.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style};
use seawall_report::plain_lines;

use crate::{
    cli::{Color, Output},
    errors,
    progress::Bars,
};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();
const NOTE: Style = Style::new().bold();

/// Owns stdout and stderr.
pub(crate) struct Printer {
    quiet: bool,
    verbose: bool,
    bars: bool,
    color: anstream::ColorChoice,
}

impl Printer {
    pub(crate) fn new(output: &Output) -> Self {
        let color = match output.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::AlwaysAnsi,
            Color::Never => anstream::ColorChoice::Never,
        };
        Printer {
            quiet: output.quiet,
            verbose: output.verbose,
            bars: !output.quiet && !output.no_progress && io::stderr().is_terminal(),
            color,
        }
    }

    /// The result: bytes as they are.
    pub(crate) fn result(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// A result that is text for people and may hold text from outside.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        self.result(plain_lines(text).as_bytes())
    }

    /// Whether results on stdout may bear colour.
    pub(crate) fn colors_result(&self) -> bool {
        match self.color {
            anstream::ColorChoice::Always | anstream::ColorChoice::AlwaysAnsi => true,
            anstream::ColorChoice::Never => false,
            anstream::ColorChoice::Auto => {
                anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
            }
        }
    }

    /// Progress bars on stderr, when they are wanted.
    pub(crate) fn bars(&self) -> Bars {
        Bars::new(self.bars)
    }

    /// Something the user should know, though the run goes on.
    pub(crate) fn warning(&self, text: &str) {
        if !self.quiet {
            self.say(WARNING, "warning", text);
        }
    }

    /// Something to know.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.say(NOTE, "note", text);
        }
    }

    /// Something that only `--verbose` says.
    pub(crate) fn detail(&self, text: &str) {
        if self.verbose {
            self.say(NOTE, "note", text);
        }
    }

    /// The error that ends the run, its causes and what to do.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        self.say(ERROR, "error", &error.to_string());
        let mut above = error.to_string();
        for cause in error.chain().skip(1) {
            let text = cause.to_string();
            // Transparent errors repeat themselves in the chain.
            if text != above {
                self.line(&format!("  caused by: {}", plain_lines(&text)));
            }
            above = text;
        }
        if let Some(hint) = errors::hint(error) {
            self.line("");
            self.say(HINT, "hint", &hint);
        }
    }

    fn say(&self, style: Style, word: &str, text: &str) {
        // Names of files and members of archives are text from outside.
        let text = plain_lines(text);
        self.line(&format!("{style}{word}:{style:#} {text}"));
    }

    fn line(&self, text: &str) {
        let mut err = anstream::AutoStream::new(io::stderr(), self.color);
        // Nowhere is left to say that stderr is closed.
        let _ = writeln!(err, "{text}");
    }
}
