//! Text from outside, made harmless for whoever shows it.

pub(crate) use seawall_formats::text::OLD_COMMAND;
use seawall_formats::text::is_harmful;
pub use seawall_formats::text::plain;

/// Text of several lines, fit for a terminal and for the log of a CI system:
/// line breaks and tabs stay, and no line is a command.
pub fn plain_lines(text: &str) -> String {
    let mend = |letter: char| match letter {
        '\t' => letter,
        letter if is_harmful(letter) => '\u{FFFD}',
        letter => letter,
    };
    let lines = text.split('\n');
    let lines: Vec<String> = lines
        .map(|line| inert(line.chars().map(mend).collect()))
        .collect();
    lines.join("\n")
}

/// A line that GitHub's runner obeys in no way: it takes what starts with `::`
/// behind blanks, and what holds [`OLD_COMMAND`], for a command (Workflow
/// commands for GitHub Actions).
pub(crate) fn inert(line: String) -> String {
    let text = line.trim_start();
    let starts = text.starts_with("::");
    if !starts && !line.contains(OLD_COMMAND) {
        return line;
    }
    let blank = line.len() - text.len();
    let mut out = line;
    if starts {
        out.replace_range(blank..=blank, "\u{FFFD}");
    }
    out.replace(OLD_COMMAND, "#\u{FFFD}[")
}

/// [`plain`], and at most `most` letters of it: a name as long as a book must
/// not push everything else out of sight.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    let mut letters = text.chars();
    let start: String = letters.by_ref().take(most).collect();
    let rest = letters.count();
    match rest {
        0 => plain(&start),
        rest => format!("{}… ({rest} more letters)", plain(&start)),
    }
}
