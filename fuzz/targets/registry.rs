//! What registries and files about them say: challenges, credentials.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seawall_registry::{Reference, challenge, credentials};

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    match first % 2 {
        0 => challenges(rest),
        _ => {
            if let Ok(name) = "r.io/team/app".parse::<Reference>() {
                credentials::hostile(rest, name.repository());
            }
        }
    }
});

/// Whatever is understood says the same when it is written out and read again.
fn challenges(bytes: &[u8]) {
    let fields = bytes.split(|byte| *byte == b'\n');
    let Ok(all) = challenge::parse(fields) else {
        return;
    };
    let mut written = Vec::new();
    for one in &all {
        let mut field = one.scheme.clone();
        if let Some(token) = &one.token {
            field.push_str(&format!(" {token}"));
        }
        for (index, (name, value)) in one.parameters.iter().enumerate() {
            let comma = if index == 0 { " " } else { "," };
            let value = value.replace('\\', "\\\\").replace('"', "\\\"");
            field.push_str(&format!("{comma}{name}=\"{value}\""));
        }
        written.push(field);
    }
    // Quotes and escapes may make it longer than what is read.
    if let Ok(again) = challenge::parse(written.iter().map(|field| field.as_bytes())) {
        assert_eq!(again, all);
    }
}
