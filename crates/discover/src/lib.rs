//! For build scripts: finds the files of a folder and writes their table.
//!
//! Rules, ecosystems and version schemes are found, never listed by hand: one
//! file each, and nothing to edit in a second place. (Registration at link time
//! loses entries silently, and a hand-kept list is forgotten.)
//!
//! The table is a Rust file in `OUT_DIR`, named after the folder, holding for a
//! folder `src/rules` and the item `RULE`:
//!
//! - a `mod` line for each file;
//! - `ALL`, every file's item, sorted by file name;
//! - `docs`, for each file a constant in capitals with its `//!` comment, so
//!   that this comment is the only source of a rule's page.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

/// What went wrong, and with which file.
#[derive(Debug)]
pub struct Error {
    doing: &'static str,
    path: PathBuf,
    cause: io::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot {} `{}`: {}",
            self.doing,
            self.path.display(),
            self.cause
        )
    }
}

impl std::error::Error for Error {}

/// Writes the table of the folder `src/NAME` to `OUT_DIR/NAME.rs`. Each file
/// holds a `pub(crate) static ITEM: KIND`.
///
/// # Errors
/// When the folder or a file of it cannot be read, or the table not written.
pub fn write_table(name: &str, item: &str, kind: &str) -> Result<(), Error> {
    let folder = variable("CARGO_MANIFEST_DIR").join("src").join(name);
    say(&format!("rerun-if-changed={}", folder.display()));
    let table = table(&folder, item, kind)?;
    let target = variable("OUT_DIR").join(name).with_extension("rs");
    fs::write(&target, table).map_err(|cause| Error {
        doing: "write",
        path: target,
        cause,
    })
}

fn variable(name: &str) -> PathBuf {
    env::var_os(name).map(PathBuf::from).unwrap_or_default()
}

#[expect(
    clippy::print_stdout,
    reason = "cargo listens to a build script's standard output"
)]
fn say(instruction: &str) {
    println!("cargo::{instruction}");
}

fn table(folder: &Path, item: &str, kind: &str) -> Result<String, Error> {
    let reading = |path: &Path| {
        let path = path.to_owned();
        move |cause| Error {
            doing: "read",
            path,
            cause,
        }
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(reading(folder))? {
        let entry = entry.map_err(reading(folder))?;
        if let Some(name) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.strip_suffix(".rs"))
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    let mut modules = String::new();
    let mut docs = String::new();
    let mut items = String::new();
    for name in &names {
        let path = folder.join(name).with_extension("rs");
        let source = fs::read_to_string(&path).map_err(reading(&path))?;
        modules += &format!("#[path = {path:?}]\npub(crate) mod {name};\n");
        docs += &format!(
            "    pub(crate) const {}: &str = {:?};\n",
            name.to_uppercase(),
            module_docs(&source)
        );
        items += &format!("&{name}::{item}, ");
    }
    Ok(format!(
        "{modules}\
         /// Every item of the folder, sorted by file name.\n\
         pub(crate) static ALL: &[&{kind}] = &[{items}];\n\
         /// The files' module comments.\n\
         #[allow(dead_code, clippy::allow_attributes, reason = \"not every table has pages\")]\n\
         pub(crate) mod docs {{\n{docs}}}\n"
    ))
}

/// The `//!` comment at the head of a file, without its slashes.
fn module_docs(source: &str) -> String {
    source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .fold(String::new(), |docs, line| docs + line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_file_is_its_page() {
        let source = "//! One.\n//!\n//!   Two.\n\nuse x;\n//! no\n";
        assert_eq!(module_docs(source), "One.\n\n  Two.\n");
        assert_eq!(module_docs("fn main() {}"), "");
    }
}
