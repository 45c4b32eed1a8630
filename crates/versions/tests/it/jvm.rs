//! Maven's `ComparableVersion`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{agree, ask, generate, lines, need, pairs, scheme, skip};

const MAVEN: &str = r#"
import java.io.*;
import org.apache.maven.artifact.versioning.ComparableVersion;
public class Compare {
    public static void main(String[] args) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out));
        for (String line; (line = in.readLine()) != null; ) {
            String[] pair = line.split("\t", 2);
            int order = new ComparableVersion(pair[0]).compareTo(new ComparableVersion(pair[1]));
            out.println(Integer.signum(order));
        }
        out.flush();
    }
}
"#;

/// `maven-artifact` from the local repository (3.9, the order that we follow)
/// or from Debian (3.8, which reads a dot in front of a word differently), and
/// whether it is the former.
fn jar() -> Option<(PathBuf, bool)> {
    let home = std::env::var_os("HOME").map(PathBuf::from)?;
    let repository = home.join(".m2/repository/org/apache/maven/maven-artifact");
    let mut versions: Vec<_> = fs::read_dir(repository)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("3.9."))
        .collect();
    versions.sort();
    let of_39 = versions.iter().map(|version| {
        let name = format!("{version}/maven-artifact-{version}.jar");
        (
            home.join(".m2/repository/org/apache/maven/maven-artifact")
                .join(name),
            true,
        )
    });
    let debian = ("/usr/share/java/maven3-artifact.jar".into(), false);
    let found = of_39.chain([debian]).find(|(path, _)| path.is_file());
    if found.is_none() {
        skip("no maven-artifact");
    }
    found
}

fn compare(jar: &Path, input: &str) -> Vec<String> {
    let folder = std::env::temp_dir().join(format!("seawall-maven-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let source = folder.join("Compare.java");
    fs::write(&source, MAVEN).unwrap();
    // What ComparableVersion was compiled against is asked for by old jars.
    let path = format!("{}:/usr/share/java/commons-lang3.jar", jar.display());
    let answers = ask(
        Command::new("java").arg("-cp").arg(path).arg(&source),
        input,
    );
    fs::remove_dir_all(&folder).unwrap();
    answers
}

#[test]
fn maven_agrees() {
    if !need("java") {
        return;
    }
    let Some((jar, is_39)) = jar() else { return };
    let scheme = scheme("Maven");
    let words = [
        "alpha",
        "beta",
        "milestone",
        "rc",
        "cr",
        "snapshot",
        "ga",
        "final",
        "release",
        "sp",
        "a",
        "b",
        "m",
        "x",
        "jre",
        "android",
        "SNAPSHOT",
        "RC",
        "Final",
        "RELEASE",
        "v",
        "build",
    ];
    let mut versions = generate(11, 6000, |dice| {
        let mut text = dice.numbers(1, 4);
        for _ in 0..dice.below(3) {
            let separators: &[&str] = if is_39 {
                &["-", ".", "", "-"]
            } else {
                &["-", ""]
            };
            text += dice.pick(separators);
            text += dice.pick(&words);
            text += dice.pick(&["", "", "-", ""]);
            text += &dice.maybe(super::support::Dice::number);
        }
        text
    });
    for version in [
        "1.0",
        "1.0.0.RELEASE",
        "2.3.0-rc1-final",
        "32.1.3-jre",
        "32.1.3-android",
        "9.4.51.v20230217",
        "3.0.0.Beta1",
        "4.1.100.Final",
        "2.0-M1",
        "20040616",
        "1.2.3.4.5.6",
        "1.0-alpha-1",
        "1.0-20231201.101112-3",
        "99999999999999999999",
        "2.0.0-SNAPSHOT",
        "r09",
        "1-0-1",
        "",
    ] {
        versions.insert(version.to_owned());
    }
    versions.remove("");
    if !is_39 {
        versions.retain(|version| {
            !version
                .as_bytes()
                .windows(2)
                .any(|w| w[0] == b'.' && !w[1].is_ascii_digit())
        });
    }
    let pairs = pairs(scheme, &versions, 30_000);
    let mut answers = compare(&jar, &lines(&pairs));
    // Where Maven's own order runs in circles there is nothing to agree with:
    // both versions begin alike, and Maven calls older the one that it puts
    // above their common beginning.
    let mut circles = 0;
    for ((a, b), answer) in pairs.iter().zip(&mut answers) {
        if circle(a, b, &jar, answer, scheme) {
            *answer = "?".to_owned();
            circles += 1;
        }
    }
    eprintln!("maven: {circles} pairs in circles");
    assert!(circles * 100 < pairs.len());
    agree(scheme, &pairs, &answers, 30_000);
}

/// Whether Maven itself has some version between the two the wrong way round.
fn circle(a: &str, b: &str, jar: &Path, answer: &str, scheme: &seawall_versions::Scheme) -> bool {
    let ours = (scheme.compare)(a, b) as i32;
    if answer.trim().parse() == Ok(ours) {
        return false;
    }
    // Every beginning of either is a candidate.
    let beginnings = |text: &str| -> Vec<String> {
        (1..=text.len())
            .filter_map(|end| text.get(..end).map(str::to_owned))
            .collect()
    };
    let candidates: Vec<String> = beginnings(a).into_iter().chain(beginnings(b)).collect();
    let questions: Vec<_> = candidates
        .iter()
        .flat_map(|c| [(a.to_owned(), c.clone()), (c.clone(), b.to_owned())])
        .collect();
    let answers = compare(jar, &lines(&questions));
    let number = |text: &String| text.trim().parse::<i32>().unwrap();
    let maven: i32 = answer.trim().parse().unwrap();
    answers.chunks(2).any(|pair| {
        let (first, second) = (number(&pair[0]), number(&pair[1]));
        // `a` to `c` to `b` goes one way, `a` to `b` the other.
        let (low, high) = (first.min(second), first.max(second));
        let path = if low == -1 && high <= 0 {
            -1
        } else if high == 1 && low >= 0 {
            1
        } else if (low, high) == (0, 0) {
            0
        } else {
            return false;
        };
        path != maven
    })
}
