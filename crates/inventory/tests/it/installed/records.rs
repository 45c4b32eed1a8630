//! Records of smaller languages: made by their tools here where those are at
//! hand, else by `data/make-installed`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{asked, find, of_kind, purls, rows};
use crate::support::{self, gaps, have, run, syft, tree, write};

fn data(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/installed")
        .join(case)
}

/// The rows of a `listing.tsv`.
fn listing(case: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(data(case).join("listing.tsv")).unwrap();
    let row = |line: &str| line.split('\t').map(str::to_owned).collect();
    text.lines().map(row).collect()
}

#[test]
fn r_packages_are_those_of_r() {
    if !have(&["R", "syft", "jq"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().canonicalize().unwrap().join("root");
    let library = root.join("usr/lib/R/site-library");
    fs::create_dir_all(&library).unwrap();
    let mut sources = Vec::new();
    for (name, rest) in [
        (
            "be.ta",
            "Version: 0.1-3\nLicense: GPL (>= 2) | file LICENCE\n",
        ),
        (
            "alpha",
            "Version: 1.10.0\nLicense: MIT + file LICENSE\nDepends: R (>= 3.5), methods\n\
             Imports: be.ta (>=\n        0.1),\n    stats\nSuggests: be.ta\n\
             RemoteType: github\nRemoteUsername: acme\nRemoteRepo: alpha\nRemoteSha: 0a1b2c\n",
        ),
    ] {
        let source = work.path().join(name);
        write(
            &source,
            "DESCRIPTION",
            format!("Package: {name}\nTitle: T\nAuthor: A\nMaintainer: A <a@x.org>\n{rest}"),
        );
        write(&source, "NAMESPACE", "");
        sources.push(source);
    }
    let mut install = Command::new("R");
    install.args(["CMD", "INSTALL", "--no-test-load", "--no-docs", "-l"]);
    run(install.arg(&library).args(&sources).env("R_LIBS", &library));
    // R's own packages, which these ask for.
    let own = run(Command::new("R").args(["-s", "-e", "cat(.Library)"]));
    run(Command::new("cp")
        .arg("-r")
        .args([&format!("{own}/stats"), &format!("{own}/methods")])
        .arg(&library));
    let inventory = tree(&root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let script = "p <- installed.packages(lib.loc = commandArgs(TRUE)[1]);
        cat(paste(p[, 'Package'], p[, 'Version']), sep = '\n')";
    let said = run(Command::new("R")
        .args(["-s", "-e", script, "--args"])
        .arg(&library));
    let theirs: BTreeSet<String> = said.lines().map(str::to_owned).collect();
    assert_eq!(rows(&inventory, "cran"), theirs);
    assert_eq!(theirs.len(), 4);
    let plain: Vec<String> = purls(&inventory, "cran")
        .iter()
        .map(|purl| purl.split('?').next().unwrap().to_owned())
        .collect();
    assert_eq!(plain, syft(&root, "R-package"));
    let alpha = find(&inventory, "alpha", "1.10.0");
    assert_eq!(
        alpha.purl,
        "pkg:cran/alpha@1.10.0?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Facme%2Falpha%400a1b2c"
    );
    let asks: Vec<String> = asked(alpha).into_iter().collect();
    let own = &find(&inventory, "be.ta", "0.1-3").version;
    let r = of_kind(&inventory, "cran")
        .into_iter()
        .find(|one| one.name == "stats")
        .unwrap();
    assert_eq!(
        asks,
        [
            format!("be.ta {own}"),
            format!("methods {}", r.version),
            format!("stats {}", r.version)
        ]
    );
    assert_eq!(alpha.licenses, ["MIT"]);
    assert_eq!(find(&inventory, "be.ta", "0.1-3").licenses, ["GPL (>= 2)"]);
}

#[test]
fn rocks_are_those_of_luarocks() {
    if !have(&["luarocks", "syft", "jq"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    let tree_dir = root.join("usr/local");
    let luarocks = |arguments: &[&str]| {
        let mut luarocks = Command::new("luarocks");
        luarocks
            .args(["--tree".as_ref(), tree_dir.as_os_str()])
            .args(arguments);
        run(luarocks.current_dir(work.path()).env("HOME", work.path()))
    };
    for (name, version, rest) in [
        ("be-ta", "0.1-2", "description = { license = [[BSD]] }"),
        (
            "alpha",
            "scm-1",
            "description = {\n   summary = \"license = 'X'\", license = \"MIT/X11\"\n}\n\
             dependencies = {\n   \"lua >= 5.1\",\n   'be-ta>=0.1'\n}",
        ),
    ] {
        let file = format!("{name}-{version}.rockspec");
        write(work.path(), "m.lua", "return 1");
        write(
            work.path(),
            &file,
            format!(
                "package = \"{name}\"\nversion = \"{version}\"\nsource = {{ url = \"file://m.lua\" }}\n\
                 {rest}\nbuild = {{ type = \"builtin\", modules = {{ {} = \"m.lua\" }} }}\n",
                name.replace('-', "_")
            ),
        );
        luarocks(&["make", "--deps-mode", "one", &file]);
    }
    let inventory = tree(&root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let said = luarocks(&["list", "--porcelain"]);
    let theirs: BTreeSet<String> = said
        .lines()
        .map(|line| line.split('\t').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(rows(&inventory, "luarocks"), theirs);
    assert_eq!(theirs.len(), 2);
    assert_eq!(purls(&inventory, "luarocks"), syft(&root, "lua-rocks"));
    let alpha = find(&inventory, "alpha", "scm-1");
    assert_eq!(
        asked(alpha).into_iter().collect::<Vec<_>>(),
        ["be-ta 0.1-2"]
    );
    assert_eq!(find(&inventory, "be-ta", "0.1-2").licenses, ["BSD"]);
}

#[test]
fn distributions_are_those_that_perl_installed() {
    if !have(&["perl", "make"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    for (module, version) in [
        ("Acme::Be::Ta", "0.10"),
        ("Acme::Alpha", "1.002003"),
        ("Acme::Be::Ta", "0.11"),
    ] {
        let source = work.path().join("source");
        drop(fs::remove_dir_all(&source));
        let path = format!("lib/{}.pm", module.replace("::", "/"));
        write(
            &source,
            "Makefile.PL",
            format!(
                "use ExtUtils::MakeMaker;\nWriteMakefile(NAME => '{module}', VERSION_FROM => '{path}',\n\
                 INSTALL_BASE => '/opt/perl', AUTHOR => 'x', LICENSE => 'perl',\n\
                 PREREQ_PM => {{ 'Acme::Be::Ta' => 0, 'strict' => 0 }});\n"
            ),
        );
        write(
            &source,
            &path,
            format!("package {module};\nour $VERSION = '{version}';\n1;\n"),
        );
        let within =
            |command: &mut Command| run(command.current_dir(&source).env_remove("PERL_MM_OPT"));
        within(Command::new("perl").args(["-I.", "Makefile.PL"]));
        within(
            Command::new("make")
                .arg("install")
                .arg(format!("DESTDIR={}", root.display())),
        );
        if module == "Acme::Alpha" {
            // As cpanm keeps it.
            let meta = fs::read(source.join("MYMETA.json")).unwrap();
            write(
                &root,
                "opt/perl/lib/perl5/arch/.meta/Acme-Alpha-1.002003/MYMETA.json",
                meta,
            );
        }
    }
    let inventory = tree(&root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    assert_eq!(
        purls(&inventory, "cpan"),
        ["pkg:cpan/Acme-Alpha@1.002003", "pkg:cpan/Acme-Be-Ta@0.11"]
    );
    let alpha = find(&inventory, "Acme-Alpha", "1.002003");
    assert_eq!(
        asked(alpha).into_iter().collect::<Vec<_>>(),
        ["Acme-Be-Ta 0.11"]
    );
    assert_eq!(alpha.licenses, ["perl_5"]);
    // ExtUtils::Packlist reads what was written.
    let script = "use ExtUtils::Packlist; my ($p) = @ARGV; print \"$_\\n\" for sort keys %{ExtUtils::Packlist->new($p)}";
    let found = run(Command::new("find")
        .arg(&root)
        .args(["-path", "*/Ta/.packlist"]));
    let said = run(Command::new("perl").args(["-e", script, found.trim()]));
    let theirs: Vec<&str> = said
        .lines()
        .map(|line| line.trim_start_matches('/'))
        .collect();
    let files: BTreeSet<&str> = find(&inventory, "Acme-Be-Ta", "0.11")
        .files
        .iter()
        .collect();
    assert_eq!(files.into_iter().collect::<Vec<_>>(), theirs);
    assert!(
        theirs[0].ends_with("opt/perl/lib/perl5/Acme/Be/Ta.pm"),
        "{theirs:?}"
    );
}

/// The applications of this machine's Erlang and Elixir.
#[test]
fn applications_are_those_of_erlang() {
    if !have(&["erl", "syft", "jq"]) {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let said = run(Command::new("erl").args([
        "-noshell",
        "-eval",
        "io:put_chars(code:lib_dir()), halt().",
    ]));
    let mut folders = vec![said.trim().to_owned()];
    if Path::new("/usr/lib/elixir/lib").is_dir() {
        folders.push("/usr/lib/elixir/lib".to_owned());
    }
    let paths: Vec<String> = folders
        .iter()
        .map(|it| format!("{it}/*/ebin/*.app"))
        .collect();
    run(Command::new("sh")
        .args([
            "-c",
            &format!("cp --parents {} \"$1\"", paths.join(" ")),
            "sh",
        ])
        .arg(root));
    let list = r#"[begin {ok, [{application, N, P}]} = file:consult(F),
        A = [X || X <- proplists:get_value(applications, P, [])],
        io:format("~s\t~s\t~s~n", [N, proplists:get_value(vsn, P), lists:join(",", [atom_to_list(X) || X <- A])])
        end || F <- filelib:wildcard(hd(init:get_plain_arguments()) ++ "/**/*.app")], halt()."#;
    let said = run(Command::new("erl")
        .args(["-noshell", "-eval", list, "-extra"])
        .arg(root));
    let inventory = tree(root);
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let mut theirs = BTreeMap::new();
    for line in said.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let asks: BTreeSet<String> = fields[2]
            .split(',')
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect();
        theirs.insert(format!("{} {}", fields[0], fields[1]), asks);
    }
    let ours: BTreeMap<String, BTreeSet<String>> = of_kind(&inventory, "otp")
        .into_iter()
        .map(|one| {
            let asks = one.requires.iter().map(|it| it.name.clone()).collect();
            (format!("{} {}", one.name, one.version), asks)
        })
        .collect();
    assert_eq!(ours, theirs);
    assert!(theirs.len() > 10);
    // Syft's reader does not take every term that Erlang does (`ssh`).
    let ours = purls(&inventory, "otp");
    let more: Vec<String> = syft(root, "erlang-otp")
        .into_iter()
        .filter(|purl| !ours.contains(purl))
        .collect();
    assert_eq!(more, Vec::<String>::new());
}

/// A release as Mix lays it out, and dependencies with what Hex keeps of each
/// (hex_core, `hex_tarball`).
#[test]
fn what_is_from_hex_is_told_from_a_release() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let app = |name: &str, version: &str, asks: &str| {
        write(
            root,
            &format!("app/lib/{name}-{version}/ebin/{name}.app"),
            format!(
                "{{application,{name},\n             [{{modules,['Elixir.X']}},\n              \
                 {{optional_applications,[]}},\n              {{applications,[{asks}]}},\n              \
                 {{description,\"vsn, {{vsn\"}},\n              {{registered,[]}},\n              \
                 {{vsn,\"{version}\"}}]}}.\n"
            ),
        );
    };
    app("jason", "1.4.1", "kernel,stdlib,elixir");
    app(
        "shop",
        "0.1.0",
        "kernel,jason,\n                                   elixir",
    );
    app("elixir", "1.15.7", "kernel,stdlib,compiler");
    write(
        root,
        "app/releases/0.1.0/shop.rel",
        "{release,{\"shop\",\"0.1.0\"},[]}.",
    );
    write(
        root,
        "src/deps/plug/hex_metadata.config",
        "{<<\"links\">>,[{<<\"GitHub\">>,<<\"https://github.com/elixir-plug/plug\">>}]}.\n\
         {<<\"name\">>,<<\"plug\">>}.\n{<<\"version\">>,<<\"1.15.2\">>}.\n\
         {<<\"description\">>,<<\"Compose web applications\">>}.\n\
         {<<\"licenses\">>,[<<\"Apache-2.0\">>]}.\n\
         {<<\"requirements\">>,\n [[{<<\"name\">>,<<\"mime\">>},{<<\"app\">>,<<\"mime\">>}]]}.\n",
    );
    write(root, "bad/ebin/bad.app", "{application,bad,[{vsn,");
    write(root, "bad/deps/x/hex_metadata.config", "\0");
    let inventory = tree(root);
    assert_eq!(
        support::purls(&inventory),
        [
            "pkg:hex/jason@1.4.1",
            "pkg:hex/plug@1.15.2",
            "pkg:otp/elixir@1.15.7",
            "pkg:otp/shop@0.1.0",
        ]
    );
    let shop = find(&inventory, "shop", "0.1.0");
    assert_eq!(
        asked(shop).into_iter().collect::<Vec<_>>(),
        ["elixir 1.15.7", "jason 1.4.1"]
    );
    assert_eq!(find(&inventory, "plug", "1.15.2").licenses, ["Apache-2.0"]);
    assert_eq!(
        gaps(&inventory),
        [
            "damaged bad/deps/x/hex_metadata.config: it names no package or no version",
            "damaged bad/ebin/bad.app: it names no application or no version",
        ]
    );
}

#[test]
fn haskell_packages_are_those_of_ghc_pkg() {
    let inventory = tree(&data("ghc"));
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let names: BTreeSet<String> = listing("ghc").iter().map(|row| row[0].clone()).collect();
    let theirs: Vec<String> = listing("ghc")
        .iter()
        .map(|row| {
            // A unit's name is the package's with a hash behind it.
            let is_there = |unit: &&str| {
                let starts = |name: &String| unit.strip_prefix(name.as_str());
                names
                    .iter()
                    .filter_map(starts)
                    .any(|it| it.is_empty() || it.starts_with('-'))
            };
            let there = row[2].split(',').filter(is_there);
            let asks: BTreeSet<&str> = there
                .map(|unit| {
                    names
                        .iter()
                        .find(|name| unit.starts_with(name.as_str()))
                        .unwrap()
                        .as_str()
                })
                .collect();
            let asks: Vec<&str> = asks.into_iter().collect();
            format!("{}\t{}\t{}", row[0], row[1], asks.join(","))
        })
        .collect();
    let ours: Vec<String> = of_kind(&inventory, "hackage")
        .into_iter()
        .map(|one| {
            let asks = asked(one).into_iter().map(|it| it.replace(' ', "-"));
            let asks: Vec<String> = asks.collect();
            format!(
                "{}-{}\t{}\t{}",
                one.name,
                one.version,
                one.licenses.join(","),
                asks.join(",")
            )
        })
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(inventory.packages[0].purl, "pkg:hackage/attoparsec@0.14.4");
}

#[test]
fn ocaml_packages_are_those_of_opam() {
    let inventory = tree(&data("opam"));
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    let theirs: Vec<String> = listing("opam")
        .iter()
        .map(|row| row.join("\t").replace("\" \"", ",").replace('"', ""))
        .collect();
    let ours: Vec<String> = of_kind(&inventory, "opam")
        .into_iter()
        .map(|one| {
            let row = format!("{}\t{}\t{}", one.name, one.version, one.licenses.join(","));
            row.trim_end().to_owned()
        })
        .collect();
    assert_eq!(ours, theirs);
    let alpha = find(&inventory, "alpha", "1.2~beta1");
    assert_eq!(
        asked(alpha).into_iter().collect::<Vec<_>>(),
        ["beta 2.0.1", "gamma 3"]
    );
    if have(&["syft", "jq"]) {
        assert_eq!(purls(&inventory, "opam"), syft(&data("opam"), "opam"));
    }
}

#[test]
fn conda_packages_are_those_of_rattler() {
    let inventory = tree(&data("conda"));
    assert_eq!(gaps(&inventory), Vec::<String>::new());
    assert_eq!(
        purls(&inventory, "conda"),
        [
            "pkg:conda/py-thing@4.0.0rc1?build=pyhd8ed1ab_0&channel=conda-forge&subdir=noarch\
             &type=tar.bz2",
            "pkg:conda/zed@1.2.11?build=h90dfc92_4&channel=conda-forge&subdir=linux-64&type=tar.bz2",
        ]
    );
    let thing = find(&inventory, "py-thing", "4.0.0rc1");
    assert_eq!(asked(thing).into_iter().collect::<Vec<_>>(), ["zed 1.2.11"]);
    assert_eq!(thing.relation.direct, Some(true));
    let zed = find(&inventory, "zed", "1.2.11");
    assert_eq!(zed.relation.direct, None);
    assert_eq!(
        zed.files.iter().collect::<Vec<_>>(),
        ["include/zed.h", "lib/libzed.a"]
    );
    assert_eq!(zed.licenses, ["Zlib"]);
    assert_eq!(zed.hashes.len(), 2);
}

/// Files as the manuals of Julia's Pkg and of Nimble show them.
#[test]
fn depots_of_julia_and_nim() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(
        root,
        "root/.julia/packages/JSON/93Ea8/Project.toml",
        "name = \"JSON\"\nuuid = \"682c06a0-de6a-54ab-a142-c8b1cf79cde6\"\nversion = \"0.21.4\"\n\n\
         [deps]\nParsers = \"69de0a69-1ddd-5017-9359-2bf0b02dc9f0\"\n\n[compat]\njulia = \"0.7, 1\"\n",
    );
    write(
        root,
        "root/.julia/packages/Parsers/ab0cd/Project.toml",
        "name = \"Parsers\"\nuuid = \"69de0a69-1ddd-5017-9359-2bf0b02dc9f0\"\nversion = \"2.8.1\"\n",
    );
    write(
        root,
        "root/.julia/packages/Bad/aaaaa/Project.toml",
        "name =",
    );
    write(
        root,
        "root/.nimble/pkgs2/jester-0.6.0-3a1b0c/jester.nimble",
        "# Package\nversion = \"0.6.0\"\nlicense       = \"MIT\"\n\nrequires \"nim >= 1.0\", \"httpbeast >= 0.4\"\n",
    );
    write(
        root,
        "root/.nimble/pkgs/httpbeast-0.4.1/httpbeast.nimble",
        "",
    );
    let inventory = tree(root);
    assert_eq!(
        support::purls(&inventory),
        [
            "pkg:julia/JSON@0.21.4?uuid=682c06a0-de6a-54ab-a142-c8b1cf79cde6",
            "pkg:julia/Parsers@2.8.1?uuid=69de0a69-1ddd-5017-9359-2bf0b02dc9f0",
            "pkg:nim/httpbeast@0.4.1",
            "pkg:nim/jester@0.6.0",
        ]
    );
    let asks = |name: &str, version: &str| -> Vec<String> {
        asked(find(&inventory, name, version)).into_iter().collect()
    };
    assert_eq!(asks("JSON", "0.21.4"), ["Parsers 2.8.1"]);
    assert_eq!(asks("jester", "0.6.0"), ["httpbeast 0.4.1"]);
    assert_eq!(gaps(&inventory).len(), 1);
}
