//! Packages of Hex among the dependencies of a project that was built there:
//! `deps/NAME/hex_metadata.config` (Hex, "Package metadata").

use crate::{
    erlang::{list, text, value},
    found::{Finds, Found, records},
    requires::folder,
};

records!(
    "hex-metadata",
    [Interest::Name("hex_metadata.config")],
    |_: &str| true,
    8 << 20,
    parse,
    |path| folder(folder(path))
);

fn parse(_: &str, metadata: &str, out: &mut Finds) -> Result<(), String> {
    let of = |key: &str| value(metadata, key);
    let (Some(name), Some(version)) = (
        of("<<\"name\">>").and_then(text),
        of("<<\"version\">>").and_then(text),
    ) else {
        return Err("it names no package or no version".to_owned());
    };
    out.push(&Found {
        kind: "hex",
        name,
        version,
        licenses: of("<<\"licenses\">>").map(list).unwrap_or_default(),
        ..Found::default()
    });
    Ok(())
}
