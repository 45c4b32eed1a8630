//! pom.xml files against Maven (`tests/data/make-locks-jvm`).

use std::{collections::BTreeMap, fs, path::Path};

use seawall_inventory::Inventory;
use seawall_model::Package;

use super::{data, file, names};
use crate::support::{gaps, project, write};

/// What is said of every project that asks for anything.
const NO_LOCK: &str = "Maven keeps no lock file: what its dependencies bring is known only of what \
    is built, or of a bill of materials";

/// `group:artifact[:type][:classifier]`, as the listing has it.
fn name(package: &Package) -> String {
    let (_, qualifiers) = package.purl.split_once('?').unwrap_or_default();
    let value = |key: &str| {
        let mut all = qualifiers.split('&').filter_map(|one| one.split_once('='));
        all.find(|(name, _)| *name == key)
            .map(|(_, value)| format!(":{value}"))
    };
    let (kind, classifier) = (value("type"), value("classifier"));
    let part = |text: Option<String>| text.unwrap_or_default();
    format!("{}{}{}", package.name, part(kind), part(classifier))
}

/// Names and versions, and whether all that ask for them do so for tests only.
fn rows(inventory: &Inventory) -> BTreeMap<(String, String), bool> {
    let mut rows = BTreeMap::new();
    for one in &inventory.packages {
        assert_eq!(one.relation.direct, Some(true));
        let key = (name(one), one.version.clone());
        *rows.entry(key).or_insert(true) &= one.relation.development;
    }
    rows
}

fn listing(case: &str) -> BTreeMap<(String, String), bool> {
    let text = fs::read_to_string(data(case).join("listing.tsv")).unwrap();
    let row = |line: &str| {
        let parts: Vec<&str> = line.split('\t').collect();
        // A range of one version.
        let version = parts[1].trim_matches(['[', ']']).to_owned();
        ((parts[0].to_owned(), version), parts[3] == "yes")
    };
    text.lines().map(row).collect()
}

/// The text that a package's place underlines, behind the file's name.
fn underlined(root: &Path, package: &Package) -> String {
    let text = fs::read_to_string(root.join(&package.origin.path)).unwrap();
    let range = package.origin.range.unwrap();
    let part = &text[range.span.start..range.span.end];
    let line = text.lines().nth(range.start.line as usize - 1).unwrap();
    let before: String = line.chars().take(range.start.column as usize - 1).collect();
    assert!(line[before.len()..].starts_with(part), "{line}: {part}");
    format!("{} {part}", package.origin.path)
}

#[test]
fn versions_are_those_of_maven() {
    let inventory = project(&data("maven"));
    assert_eq!(rows(&inventory), listing("maven"));
    assert_eq!(gaps(&inventory), [format!("missing pom.xml: {NO_LOCK}")]);
}

/// Properties that options set count before those of the files.
#[test]
fn options_of_the_project_are_read() {
    let root = data("maven-options");
    let inventory = project(&root);
    assert_eq!(rows(&inventory), listing("maven-options"));
    let places: Vec<String> = inventory
        .packages
        .iter()
        .map(|one| underlined(&root, one))
        .collect();
    assert_eq!(
        places,
        [".mvn/maven.config 2.11.0", ".mvn/maven.config 7.5"]
    );
    let inventory = file("pom.xml", "-Drevision=1");
    assert_eq!(
        gaps(&inventory),
        ["damaged pom.xml: it is no `project` in XML"]
    );
}

/// What stands in files that are not here is said to be unknown, and nothing
/// else is taken for it.
#[test]
fn versions_outside_the_project_are_gaps() {
    let inventory = project(&data("maven-outside"));
    let (ours, theirs) = (rows(&inventory), listing("maven-outside"));
    let known: BTreeMap<_, _> = ours
        .iter()
        .filter(|((_, version), _)| !version.is_empty())
        .collect();
    assert_eq!(known.len(), 3);
    assert!(
        known
            .iter()
            .all(|(key, development)| theirs.get(key) == Some(*development))
    );
    let names = |rows: &BTreeMap<(String, String), bool>| -> Vec<String> {
        rows.keys().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&ours), names(&theirs));
    assert_eq!(
        gaps(&inventory),
        [
            format!("missing pom.xml: {NO_LOCK}"),
            "missing pom.xml: the version of `org.jacoco:org.jacoco.agent` stands in what is not in the \
             project: `org.apache.commons:commons-parent:52`"
                .to_owned(),
            "missing pom.xml: the version of `org.junit.jupiter:junit-jupiter-api` stands in what is \
             not in the project: `org.apache.commons:commons-parent:52`, `org.junit:junit-bom:5.9.3`"
                .to_owned(),
        ]
    );
}

/// The place is where the version is to be edited.
#[test]
fn places_are_where_versions_are_written() {
    let root = data("maven");
    let inventory = project(&root);
    let place = |name: &str, version: &str| -> Vec<String> {
        let mut all = inventory.packages.iter();
        let all = all
            .by_ref()
            .filter(|one| one.name == name && one.version == version);
        all.map(|one| underlined(&root, one)).collect()
    };
    for (name, version, expected) in [
        // As it is.
        ("commons-cli:commons-cli", "1.5.0", "pom.xml 1.5.0"),
        (
            "org.apache.commons:commons-text",
            "1.10.0",
            "core/pom.xml [1.10.0]",
        ),
        (
            "org.apache.commons:commons-compress",
            "1.21",
            "deep/down/inner-pom/pom.xml 1.21",
        ),
        // A property of a parent, managed there; of the project itself.
        ("org.slf4j:slf4j-api", "1.7.36", "pom.xml 1.7.36"),
        ("org.slf4j:slf4j-api", "1.7.30", "core/pom.xml 1.7.30"),
        ("org.slf4j:slf4j-nop", "1.7.32", "base/pom.xml 1.7.32"),
        // A property made of another one and more.
        (
            "com.fasterxml.jackson.core:jackson-databind",
            "2.15.3",
            "pom.xml ${jackson.line}.3",
        ),
        ("org.apache.commons:commons-csv", "1.10.0", "pom.xml 1.10.0"),
        // What an import manages.
        (
            "com.google.guava:guava",
            "32.1.2-jre",
            "bom/pom.xml 32.1.2-jre",
        ),
        ("joda-time:joda-time", "2.12.5", "bom/more/pom.xml 2.12.5"),
        ("junit:junit", "4.13.2", "pom.xml 4.13.2"),
    ] {
        assert_eq!(place(name, version), [expected], "{name}");
    }
}

/// A file with these dependencies and what else is given.
fn pom(more: &str, dependencies: &[&str]) -> String {
    let one = |words: &&str| {
        let mut words = words.split(' ');
        let mut tag = |name: &str| {
            let text = words.next().unwrap_or_default();
            format!("<{name}>{text}</{name}>")
        };
        let tags = ["groupId", "artifactId", "version"].map(&mut tag).concat();
        format!("<dependency>{tags}</dependency>\n")
    };
    let dependencies: String = dependencies.iter().map(one).collect();
    format!(
        "<project>\n<groupId>org.example</groupId><artifactId>a</artifactId><version>1</version>\n\
         {more}\n<dependencies>\n{dependencies}</dependencies></project>\n"
    )
}

/// All that is said but that there is no lock file.
fn said(inventory: &Inventory) -> Vec<String> {
    let mut said = gaps(inventory);
    said.retain(|gap| !gap.ends_with(NO_LOCK));
    said
}

#[test]
fn versions_that_cannot_be_told_are_said() {
    for (more, version, expected) in [
        (
            "<properties><a>${b}</a><b>${c}</b><c>${a}</c></properties>",
            "${a}",
            "damaged pom.xml: the version of `x:y` is `${a}`, which leads back to itself",
        ),
        (
            "<properties><a>${a}</a></properties>",
            "1.${a}",
            "damaged pom.xml: the version of `x:y` is `${a}`, which leads back to itself",
        ),
        (
            "",
            "${nowhere}",
            "missing pom.xml: the version of `x:y` is `${nowhere}`, which nothing gives a value",
        ),
        (
            "",
            "${env.VERSION}",
            "missing pom.xml: the version of `x:y` is `${env.VERSION}`, which nothing gives a value",
        ),
        ("", "", "damaged pom.xml: nothing gives `x:y` a version"),
        (
            "",
            "[1.0,2.0)",
            "missing pom.xml: several versions of `x:y` will do, of which Maven takes one when it builds",
        ),
        (
            "",
            "LATEST",
            "missing pom.xml: several versions of `x:y` will do, of which Maven takes one when it builds",
        ),
        (
            "<parent><groupId>x</groupId><artifactId>p</artifactId><version>3</version></parent>",
            "${nowhere}",
            "missing pom.xml: the version of `x:y` stands in what is not in the project: `x:p:3`",
        ),
    ] {
        let text = pom(more, &[&format!("x y {version}"), "good good 1.0.0"]);
        let inventory = file("pom.xml", &text);
        assert_eq!(said(&inventory), [expected]);
        assert_eq!(names(&inventory), ["good:good 1.0.0", "x:y "]);
    }
}

/// Properties that double at every step, a hundred times.
#[test]
fn properties_do_not_grow_without_bound() {
    let limit =
        "limit pom.xml: the version of `x:y` takes too many properties, or is longer than any";
    let properties: String = (0..100)
        .map(|at| format!("<p{at}>${{p{0}}}${{p{0}}}</p{at}>", at + 1))
        .collect();
    for end in ["x", ""] {
        let more = format!("<properties>{properties}<p100>{end}</p100></properties>");
        let inventory = file("pom.xml", pom(&more, &["x y ${p0}", "good good 1.0.0"]));
        let said = said(&inventory);
        assert_eq!(said, [limit]);
    }
    // A chain whose end alone is a text takes many steps without growing.
    let chain: String = (0..30)
        .map(|at| format!("<p{at}>${{p{0}}}${{p{0}}}</p{at}>", at + 1))
        .collect();
    let more = format!("<properties>{chain}<p30></p30></properties>");
    let inventory = file("pom.xml", pom(&more, &["good good 1.0.0", "x y ${p0}"]));
    assert_eq!(said(&inventory), [limit]);
}

#[test]
fn parents_and_imports_that_lead_back_come_to_an_end() {
    let root = tempfile::tempdir().unwrap();
    let one = |name: &str, parent: &str| {
        let import =
            format!("<groupId>x</groupId><artifactId>{parent}</artifactId><version>1</version>");
        format!(
            "<project><parent>{import}<relativePath>../{parent}</relativePath></parent>\
             <artifactId>{name}</artifactId><dependencyManagement><dependencies><dependency>{import}\
             <type>pom</type><scope>import</scope></dependency></dependencies></dependencyManagement>\
             <dependencies><dependency><groupId>g</groupId><artifactId>{name}</artifactId>\
             <version>1.{name}</version></dependency></dependencies></project>"
        )
    };
    for (name, parent) in [("1", "2"), ("2", "3"), ("3", "1"), ("4", "4")] {
        write(root.path(), &format!("{name}/pom.xml"), one(name, parent));
    }
    let inventory = project(root.path());
    assert_eq!(
        names(&inventory),
        ["g:1 1.1", "g:2 1.2", "g:3 1.3", "g:4 1.4"]
    );
    let cycle = "its parents lead back to one of them, or there are too many";
    let expected = ["1", "2", "3", "4"].map(|name| format!("damaged {name}/pom.xml: {cycle}"));
    assert_eq!(said(&inventory), expected);
}

/// Two ways lead to each, so that the ways to the last double with each step.
#[test]
fn imports_that_meet_again_come_to_an_end() {
    let root = tempfile::tempdir().unwrap();
    for level in 0..50 {
        for side in ["a", "b"] {
            let import = |other: &str| {
                format!(
                    "<dependency><groupId>x</groupId><artifactId>{other}{}</artifactId>\
                     <version>1</version><type>pom</type><scope>import</scope></dependency>",
                    level + 1
                )
            };
            let imports = ["a", "b", "a"].map(import).concat();
            let text = format!(
                "<project><groupId>x</groupId><artifactId>{side}{level}</artifactId>\
                 <version>1</version><dependencyManagement><dependencies>{imports}</dependencies>\
                 </dependencyManagement><dependencies><dependency><groupId>g</groupId>\
                 <artifactId>h</artifactId></dependency></dependencies></project>"
            );
            write(root.path(), &format!("{side}{level}/pom.xml"), text);
        }
    }
    let inventory = project(root.path());
    assert_eq!(names(&inventory), ["g:h "; 100]);
    let said = said(&inventory);
    let expected =
        "the version of `g:h` stands in what is not in the project: `x:a50:1`, `x:b50:1`";
    assert_eq!(said.len(), 100, "{said:?}");
    assert!(said.iter().all(|gap| gap.ends_with(expected)), "{said:?}");
}

#[test]
fn modules_that_are_not_there_are_said() {
    let more = "<modules><module>a</module><module>../b</module></modules>";
    assert_eq!(
        gaps(&file("pom.xml", pom(more, &[]))),
        ["missing pom.xml: its modules `../b`, `a` are not there"]
    );
}

/// What is wrong with the text of a file.
#[test]
fn damaged_files_are_said_and_their_rest_is_read() {
    let text = pom("", &["good good 1.0.0", "x y 2"]);
    let cut = text.find("<groupId>x").unwrap();
    for (text, expected) in [
        (
            text[..cut].to_owned(),
            "damaged pom.xml: it ends within `dependency`: it may have been cut off (line 6, column 13)",
        ),
        (
            text.replace("<version>2</version>", "<version>2"),
            "damaged pom.xml: it is no XML: ",
        ),
        (
            format!(
                "<!DOCTYPE p [<!ENTITY v \"1\">]>{}",
                text.replace(">2<", ">&v;<")
            ),
            "damaged pom.xml: `version` holds an entity that is not known (line 6, column 59)",
        ),
        (
            text.replace("<version>2", "<version>")
                .replace("<groupId>x", "<groupId>"),
            "damaged pom.xml: a dependency has no group or no artifact (line 6, column 1)",
        ),
        (
            format!("{text}<project/>"),
            "damaged pom.xml: it has more than one element on top (line 8, column 1)",
        ),
    ] {
        let inventory = file("pom.xml", &text);
        let said = said(&inventory);
        assert!(
            said.iter().any(|gap| gap.starts_with(expected)),
            "{text}: {said:?}"
        );
        assert!(
            names(&inventory).contains(&"good:good 1.0.0".to_owned()),
            "{text}"
        );
        assert!(
            !names(&inventory).contains(&"x:y 2".to_owned()) || expected.contains("on top"),
            "{text}"
        );
    }
    // Wherever it is cut, it is said, and nothing is taken for what it is not.
    for at in 1..text.trim_end().len() {
        let inventory = file("pom.xml", &text[..at]);
        assert!(!said(&inventory).is_empty(), "{at}");
        for name in names(&inventory) {
            assert!(
                ["good:good ", "good:good 1.0.0", "x:y ", "x:y 2"].contains(&name.as_str()),
                "{at} {name}"
            );
        }
    }
    for text in ["", "<html><body>", "{}", "\0\0", "<project", "<settings/>"] {
        let inventory = file("pom.xml", text);
        assert_eq!(gaps(&inventory).len(), 1, "{text}: {:?}", gaps(&inventory));
        assert!(gaps(&inventory)[0].starts_with("damaged pom.xml: it is no `project` in XML"));
    }
}

/// Both sides of a merge, another encoding, an entity that grows a thousandfold
/// at every level, and elements below elements without end.
#[test]
fn odd_files_come_to_an_end() {
    let text = pom("", &["good good 1.0.0", "x y 2"]);
    let merged = text.replace(
        "<dependency><groupId>x",
        "<<<<<<< ours\n<dependency><groupId>z</groupId><artifactId>z</artifactId>\
         <version>5</version></dependency>\n=======\n>>>>>>> theirs\n<dependency><groupId>x",
    );
    let inventory = file("pom.xml", &merged);
    assert_eq!(names(&inventory), ["good:good 1.0.0", "x:y 2", "z:z 5"]);
    assert!(
        said(&inventory)[0].contains("a merge conflict"),
        "{:?}",
        said(&inventory)
    );

    // A text of very many pieces, with space in front.
    let pieces = format!("{}{}", " ".repeat(1 << 20), "a&#98;".repeat(1 << 18));
    let inventory = file(
        "pom.xml",
        text.replace("<artifactId>x", &format!("<artifactId>{pieces}")),
    );
    assert!(names(&inventory).contains(&"good:good 1.0.0".to_owned()));

    let head = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n";
    let latin = [head.as_bytes(), b"<!-- \xE9 -->", text.as_bytes()].concat();
    let inventory = file("pom.xml", latin);
    assert_eq!((names(&inventory).len(), said(&inventory).len()), (2, 0));

    let entities: String = (1..20)
        .map(|level| {
            format!(
                "<!ENTITY e{level} \"{}\">",
                format!("&e{};", level - 1).repeat(1000)
            )
        })
        .collect();
    let bomb = format!(
        "<!DOCTYPE p [<!ENTITY e0 \"x\">{entities}]>{}",
        text.replace(">2<", ">&e19;<")
    );
    assert_eq!(said(&file("pom.xml", &bomb)).len(), 2);

    let deep = format!("<project>{}", "<a>".repeat(1_000_000));
    assert_eq!(
        gaps(&file("pom.xml", &deep)),
        ["limit pom.xml: elements are nested more than 256 levels deep (line 1, column 775)"]
    );
    let wide = format!("<project>{}</project>", "<a/>".repeat(1_000_001));
    assert_eq!(
        gaps(&file("pom.xml", &wide)),
        ["limit pom.xml: there are more than 1000000 elements (line 1, column 4000006)"]
    );
}

/// A thousand modules below one parent that manages a thousand versions.
#[test]
fn large_projects_are_read() {
    let root = tempfile::tempdir().unwrap();
    let managed: String = (0..1000)
        .map(|at| {
            format!(
                "<dependency><groupId>g</groupId><artifactId>a{at}</artifactId><version>${{v}}.{at}\
                 </version></dependency>"
            )
        })
        .collect();
    let more = format!(
        "<properties><v>1</v></properties><dependencyManagement><dependencies>{managed}</dependencies></dependencyManagement>"
    );
    write(root.path(), "pom.xml", pom(&more, &[]));
    for at in 0..1000 {
        let parent = "<parent><groupId>org.example</groupId><artifactId>a</artifactId><version>1</version></parent>";
        let text = pom(parent, &[&format!("g a{at} "), "g a7 "]);
        let text = text.replacen(
            "<artifactId>a</artifactId><version>1</version>\n",
            &format!("<artifactId>m{at}</artifactId>\n"),
            1,
        );
        write(root.path(), &format!("m{at}/pom.xml"), text);
    }
    let inventory = project(root.path());
    assert_eq!(said(&inventory), Vec::<String>::new());
    assert_eq!(inventory.packages.len(), 1000);
    assert!(
        inventory
            .packages
            .iter()
            .all(|one| one.origin.path == "pom.xml")
    );
}
