//! Finds the ecosystems: one file in `src/ecosystems` each.

use std::{env, fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("src/ecosystems");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names: Vec<String> = fs::read_dir(&folder)?
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    let mut code = String::new();
    for name in &names {
        let path = folder.join(name).with_extension("rs");
        code += &format!("#[path = {path:?}]\npub(crate) mod {name};\n");
    }
    code += "pub(crate) static ALL: &[&crate::Ecosystem] = &[";
    for name in &names {
        code += &format!("&{name}::ECOSYSTEM, ");
    }
    code += "];\n";
    fs::write(Path::new(&env::var("OUT_DIR")?).join("ecosystems.rs"), code)?;
    Ok(())
}
