//! requirements.txt against pip's own reader, run here.

use std::{collections::BTreeSet, process::Command};

use super::{file, names, project};
use crate::support::{gaps, have, run, write};

/// pip's reader of one file, without what it includes: of each requirement the
/// name and the only version that will do, `?` where several will, `@` where it
/// is an address.
const SCRIPT: &str = r#"
import sys
from pip._internal.network.session import PipSession
from pip._internal.req import req_file
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._vendor.packaging.utils import canonicalize_name

finder = req_file.RequirementsFileParser(PipSession(), req_file.get_line_parser(None))
for line in finder._parse_file(sys.argv[1], False):
    if not line.is_requirement:
        continue
    parsed = req_file.handle_requirement_line(line)
    one = install_req_from_parsed_requirement(parsed)
    if one.editable or one.link:
        wheel = getattr(one.req, "url", None) and one.link.filename.endswith(".whl")
        print(canonicalize_name(one.req.name) + " " + one.link.filename.split("-")[1] if wheel else "@")
        continue
    pins = [s.version for s in one.req.specifier if s.operator in ("==", "===") and not s.version.endswith(".*")]
    print(canonicalize_name(one.req.name) + " " + pins[0] if pins else "?")
"#;

const LINES: &[&str] = &[
    "plain==1.0",
    "  indented == 1.0  ",
    "Mixed_Case.Name==1.0",
    "extras[one, two]==1.0",
    "extras-empty[]==1.0",
    "spaced [one] == 1.0",
    "marked==1.0; python_version < '3.8'",
    "marked2==1.0;python_version<'3.8'",
    "marked3==1.0 ; sys_platform == \"win32\" and extra == 'x'",
    "both==1.0,<2",
    "reverse<2,==1.0",
    "paren (==1.0)",
    "paren2(==1.0)",
    "arbitrary===2004-banana",
    "local==1.0+ubuntu.1",
    "epoch==1!2.0",
    "pre==1.0rc1",
    "wild==1.*",
    "compatible~=1.4",
    "open>=1.0",
    "bare",
    "not-this!=1.0",
    "commented==1.0 # why",
    "tabbed==1.0\t# why",
    "hashed==1.0 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000",
    "continued==1.0 \\\n    --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000 \\\n    --hash=sha256:1111111111111111111111111111111111111111111111111111111111111111",
    "split \\\n==1.0",
    "split2==\\\n1.0",
    "options==1.0 --config-settings=\"a=b\"",
    "with-comment==1.0 \\\n# a comment in between\nnext==2.0",
    "# a comment that ends in a backslash \\\nafter==1.0",
    "direct @ https://example.org/direct-1.2.3-py3-none-any.whl",
    "direct2@https://example.org/direct2-1.2.3-1-py3-none-any.whl#sha256=00",
    "direct3 @ https://example.org/direct3-1.2.3.tar.gz",
    "direct4 @ git+https://git.example.org/gitty.git@v1.0 ; python_version > '3'",
    "https://example.org/archive-1.0.zip",
    "git+https://git.example.org/gitty.git#egg=gitty",
    "./folder/wheel-1.0-py3-none-any.whl",
    "-e git+https://git.example.org/gitty.git@main#egg=gitty",
    "--editable=git+https://git.example.org/gitty.git#egg=gitty",
    "variable==${THE_VERSION}",
    "--index-url https://example.org/simple",
    "--pre",
    "--no-binary :all:",
];

fn ours(text: &[u8]) -> Vec<String> {
    let inventory = file("requirements.txt", text);
    let canonical = |name: &str| name.to_lowercase().replace(['_', '.'], "-");
    let mut rows: Vec<String> = inventory
        .packages
        .iter()
        .map(|one| format!("{} {}", canonical(&one.name), one.version))
        .collect();
    for (what, sign) in [("name no single", "?"), ("name an address", "@")] {
        let count = inventory.gaps.iter().find(|gap| gap.reason.contains(what));
        let count = count.map_or(0, |gap| {
            gap.reason.split(' ').next().unwrap().parse().unwrap()
        });
        rows.extend(std::iter::repeat_n(sign.to_owned(), count));
    }
    rows.sort();
    rows
}

fn pip(content: &[u8]) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "requirements.txt", content);
    // What is a folder is there.
    write(root.path(), "folder/wheel-1.0-py3-none-any.whl", "");
    let mut command = Command::new("python3");
    let said = run(command
        .args(["-c", SCRIPT, "requirements.txt"])
        .env_remove("THE_VERSION")
        .current_dir(root.path()));
    let mut rows: Vec<String> = said.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

/// Line by line, so that a difference names its line, and all together.
#[test]
fn pip_reads_the_same() {
    if !have(&["python3"]) {
        return;
    }
    // A variable that is not set is left as it stands, which no version is.
    let known = |line: &&&str| !line.contains("${");
    let together: String = LINES
        .iter()
        .filter(known)
        .map(|line| format!("{line}\n"))
        .collect();
    let separately: BTreeSet<(String, Vec<String>)> = LINES
        .iter()
        .map(|line| ((*line).to_owned(), ours(line.as_bytes())))
        .collect();
    for text in [
        together.clone(),
        together.replace('\n', "\r\n"),
        together.replace('\n', "\r"),
    ] {
        assert_eq!(ours(text.as_bytes()), pip(text.as_bytes()));
    }
    for (line, ours) in separately.iter().filter(|(line, _)| !line.contains("${")) {
        assert_eq!(ours, &pip(line.as_bytes()), "{line}");
    }
    assert_eq!(ours(b"variable==${THE_VERSION}"), ["?"]);
}

/// Windows PowerShell writes UTF-16 with a mark; editors write UTF-8 with one.
#[test]
fn encodings_are_those_that_pip_reads() {
    if !have(&["python3"]) {
        return;
    }
    let text =
        "\u{FEFF}# na\u{EF}ve \u{1D11E}\r\nplain==1.0\r\n  b[x]==2.0 ; python_version > '3'\r\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [text.as_bytes().to_vec(), little.clone(), big] {
        let rows = ours(&bytes);
        assert_eq!(rows, ["b 2.0", "plain 1.0"]);
        assert_eq!(rows, pip(&bytes));
        let inventory = file("requirements.txt", &bytes);
        assert_eq!(gaps(&inventory), Vec::<String>::new());
        let range = inventory.packages[0].origin.range.unwrap();
        assert_eq!((range.start.line, range.start.column), (3, 3));
        assert_eq!((range.end.line, range.end.column), (3, 12));
        // The span is that of the file's bytes.
        let piece = &bytes[range.span.start..range.span.end];
        let piece: Vec<u8> = piece.iter().copied().filter(|byte| *byte != 0).collect();
        assert_eq!(piece, b"b[x]==2.0");
    }
}

#[test]
fn a_joined_line_has_places_in_each_of_its_pieces() {
    let text = "# x\nsplit \\\n  ==1.0 \\\n  --hash=sha256:00\nnext==2\n";
    let inventory = file("requirements.txt", text);
    let places: Vec<(u32, u32, u32, u32, &str)> = inventory
        .packages
        .iter()
        .map(|one| one.origin.range.unwrap())
        .map(|one| {
            let part = &text[one.span.start..one.span.end];
            (
                one.start.line,
                one.start.column,
                one.end.line,
                one.end.column,
                part,
            )
        })
        .collect();
    assert_eq!(
        places,
        [(5, 1, 5, 8, "next==2"), (2, 1, 3, 8, "split \\\n  ==1.0")]
    );
}

#[test]
fn files_that_are_included_are_there_or_named() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    write(
        root,
        "a/requirements.txt",
        "-r ../requirements-dev.txt\n-c constraints.txt\n--requirement=\"requirements-test.txt\"\n-rodd.txt\n\
         -r https://example.org/requirements.txt\n--constraint ../../requirements.txt\n",
    );
    // There, and empty.
    write(root, "requirements-dev.txt", "# nothing\n");
    write(root, "a/constraints.txt", "a==1\n");
    let inventory = project(root);
    assert_eq!(names(&inventory), ["a 1"]);
    assert_eq!(
        gaps(&inventory),
        [
            "unsupported a/requirements.txt: it includes `https://example.org/requirements.txt`, which is not read under that name",
            "unsupported a/requirements.txt: it includes `odd.txt`, which is not read under that name",
            "missing a/requirements.txt: it includes `../../requirements.txt`, which is not there",
            "missing a/requirements.txt: it includes `requirements-test.txt`, which is not there",
        ]
    );
}

#[test]
fn lines_that_pip_refuses_are_gaps() {
    for line in ["a==1 b==2", "==1.0", "a=1.0", "?", "a[b==1.0", "a==1.0 <2"] {
        let inventory = file("requirements.txt", format!("good==1.0\n{line}\n"));
        assert_eq!(names(&inventory), ["good 1.0"], "{line}");
        let expected = "damaged requirements.txt: a line is no requirement (line 2, column 1)";
        assert_eq!(gaps(&inventory), [expected], "{line}");
        if have(&["python3"]) {
            let root = tempfile::tempdir().unwrap();
            write(root.path(), "requirements.txt", line);
            let mut command = Command::new("python3");
            command
                .args(["-c", SCRIPT, "requirements.txt"])
                .current_dir(root.path());
            assert!(!command.output().unwrap().status.success(), "{line}");
        }
    }
}
