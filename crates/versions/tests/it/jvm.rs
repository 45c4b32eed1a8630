//! Maven's `ComparableVersion`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use seawall_versions::Scheme;

use crate::support::{agree, ask, generate, have, lines, pairs, scheme, skip};

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
    if !have(&["java"]) {
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
    let circles = circles(&jar, scheme, &pairs, &answers);
    eprintln!(
        "maven: {} of {} pairs in circles",
        circles.len(),
        pairs.len()
    );
    assert!(circles.len() * 50 < pairs.len());
    for index in circles {
        answers[index] = "?".to_owned();
    }
    agree(scheme, &pairs, &answers, 30_000);
}

/// The pairs on which Maven agrees neither with us nor with itself: it puts a
/// beginning of one of the two between them the other way round.
fn circles(
    jar: &Path,
    scheme: &Scheme,
    pairs: &[(String, String)],
    answers: &[String],
) -> Vec<usize> {
    let number = |text: &String| text.trim().parse::<i32>().unwrap();
    let differ = |((a, b), answer): (&(String, String), &String)| {
        (scheme.compare)(a, b) as i32 != number(answer)
    };
    let doubtful: Vec<usize> = (0..pairs.len())
        .filter(|index| differ((&pairs[*index], &answers[*index])))
        .collect();
    // What may stand between them: every beginning of either.
    let mut questions = Vec::new();
    let mut asked = Vec::new();
    for index in doubtful {
        let (a, b) = &pairs[index];
        for text in [a, b] {
            for middle in (1..=text.len()).filter_map(|end| text.get(..end)) {
                asked.push(index);
                questions.push((a.clone(), middle.to_owned()));
                questions.push((middle.to_owned(), b.clone()));
            }
        }
    }
    let replies = compare(jar, &lines(&questions));
    let mut circles: Vec<usize> = asked
        .into_iter()
        .zip(replies.chunks(2))
        .filter(|(index, reply)| {
            let (first, second) = (number(&reply[0]), number(&reply[1]));
            // From `a` over the middle to `b`: one way or level all along.
            let way = match (first.min(second), first.max(second)) {
                (-1, 1) => return false,
                (-1, _) => -1,
                (_, high) => high,
            };
            way != number(&answers[*index])
        })
        .map(|(index, _)| index)
        .collect();
    circles.dedup();
    circles
}
