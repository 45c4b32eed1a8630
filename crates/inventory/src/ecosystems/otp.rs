//! Applications of Erlang and Elixir: `ebin/NAME.app` of an installation, of a
//! build and of a release (Erlang, app(4)).
//!
//! What is not of Erlang or Elixir themselves comes from Hex, the only registry
//! that their tools have, or is somebody's own. A release does not say which:
//! all of them are looked for in Hex but the ones that releases are named after.

use std::collections::HashSet;

use seawall_image::{Analyser, Body, Entry, Interest, Need, View};

use crate::{
    Context, Ecosystem, Inventory,
    erlang::{list, text, uncommented, value},
    found::{self, Finds, Found},
    purl::Purl,
    requires::{self, folder},
};

pub(crate) static ECOSYSTEM: Ecosystem = Ecosystem {
    name: "otp",
    contexts: &[Context::Installed],
    analysers: &[&App, &Release],
    read,
};

/// `ebin/NAME.app`.
struct App;
/// `releases/VERSION/NAME.rel`: its name says whose release it is.
struct Release;

/// Applications of Erlang/OTP, the ones that older releases had among them
/// (Erlang/OTP, "Applications"), and of Elixir.
const OWN: &[&str] = &[
    "appmon",
    "asn1",
    "common_test",
    "compiler",
    "cosEvent",
    "cosEventDomain",
    "cosFileTransfer",
    "cosNotification",
    "cosProperty",
    "cosTime",
    "cosTransactions",
    "crypto",
    "debugger",
    "dialyzer",
    "diameter",
    "edoc",
    "eex",
    "eldap",
    "elixir",
    "erl_docgen",
    "erl_interface",
    "erts",
    "et",
    "eunit",
    "ex_unit",
    "ftp",
    "gs",
    "hipe",
    "ic",
    "iex",
    "inets",
    "inviso",
    "jinterface",
    "kernel",
    "logger",
    "megaco",
    "mix",
    "mnesia",
    "observer",
    "odbc",
    "orber",
    "os_mon",
    "ose",
    "otp_mibs",
    "parsetools",
    "percept",
    "pman",
    "public_key",
    "reltool",
    "runtime_tools",
    "sasl",
    "snmp",
    "ssh",
    "ssl",
    "stdlib",
    "syntax_tools",
    "test_server",
    "tftp",
    "toolbar",
    "tools",
    "tv",
    "typer",
    "webtool",
    "wx",
    "xmerl",
];

impl Analyser for App {
    fn name(&self) -> &'static str {
        "otp"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Suffix(".app")]
    }

    fn wants(&self, path: &str) -> bool {
        folder(path).rsplit('/').next() == Some("ebin")
    }

    fn need(&self) -> Need {
        Need::Whole(8 << 20)
    }

    fn analyse(&self, entry: &Entry<'_>, body: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        found::evidence(entry.path, &body, parse)
    }
}

impl Analyser for Release {
    fn name(&self) -> &'static str {
        "otp-release"
    }

    fn version(&self) -> u32 {
        1
    }

    fn interests(&self) -> &'static [Interest] {
        &[Interest::Suffix(".rel")]
    }

    fn wants(&self, path: &str) -> bool {
        path.starts_with("releases/") || path.contains("/releases/")
    }

    fn need(&self) -> Need {
        Need::Header
    }

    fn analyse(&self, _: &Entry<'_>, _: Body<'_>) -> Result<Option<Vec<u8>>, String> {
        Ok(Some(Vec::new()))
    }
}

fn parse(_: &str, code: &str, out: &mut Finds) -> Result<(), String> {
    let code = uncommented(code);
    let name = value(&code, "application").and_then(text);
    let version = value(&code, "vsn").and_then(text);
    let (Some(name), Some(version)) = (name, version) else {
        return Err("it names no application or no version".to_owned());
    };
    let lists = ["applications", "included_applications"];
    let names = lists.into_iter().filter_map(|key| value(&code, key));
    out.push(&Found {
        kind: match OWN.contains(&name.as_str()) {
            true => "otp",
            false => "hex",
        },
        name,
        version,
        requires: found::names(names.flat_map(list)),
        ..Found::default()
    });
    Ok(())
}

fn read(view: &View, inventory: &mut Inventory) {
    let mut read = Inventory::default();
    found::read("otp", view, &mut read);
    let releases: HashSet<&str> = view
        .of("otp-release")
        .filter_map(|evidence| evidence.path.rsplit('/').next()?.strip_suffix(".rel"))
        .collect();
    for package in &mut read.packages {
        if package.kind == "hex" && releases.contains(package.name.as_str()) {
            package.kind = "otp".into();
            package.purl = Purl::new("otp", &package.name, &package.version).build();
        }
    }
    requires::settle(&mut read.packages, |path| folder(folder(folder(path))));
    inventory.packages.append(&mut read.packages);
    inventory.gaps.append(&mut read.gaps);
}
