//! Java: what a runtime says of itself in `release`, and its launcher where
//! that file is missing.

use crate::fingerprint::{Fingerprint, Group, Pattern};

/// `JAVA_RUNTIME_VERSION`, else `FULL_VERSION` of Java 8, else the short one.
const RELEASE: &[Pattern] = &[
    Pattern::holding(
        "JAVA_RUNTIME_VERSION=\"",
        r#"JAVA_RUNTIME_VERSION="([0-9][-+._0-9A-Za-z]{0,60})""#,
    ),
    Pattern::holding(
        "FULL_VERSION=\"",
        r#"FULL_VERSION="([0-9][-+._0-9A-Za-z]{0,60})""#,
    ),
    Pattern::holding(
        "JAVA_VERSION=\"",
        r#"JAVA_VERSION="([0-9][-+._0-9A-Za-z]{0,60})""#,
    ),
];
/// The two orders in which linkers lay the launcher's constants out.
const LAUNCHER: &[Pattern] = &[
    Pattern::holding(
        "openjdk\0",
        r"openjdk\x00(?:java|jdb)\x00[0-9.]{1,12}\x00([0-9][-+._0-9A-Za-z]{2,60})\x00",
    ),
    Pattern::holding(
        "openjdk\0",
        r"\x00[0-9.]{1,12}\x00{1,16}([0-9][-+._0-9A-Za-z]{2,60})\x00{1,16}openjdk\x00(?:java|jdb)",
    ),
    Pattern::holding(
        "+",
        r"\x00([0-9]{1,2}(?:\.[0-9]{1,4}){0,4}\+[-0-9]{1,20})\x00",
    ),
];
const GRAAL: &[Pattern] = &[
    Pattern::holding(
        "GRAALVM_VERSION=\"",
        r#"GRAALVM_VERSION="([0-9][-+._0-9A-Za-z]{0,60})""#,
    ),
    RELEASE_RUNTIME,
];
const RELEASE_RUNTIME: Pattern = Pattern::holding(
    "JAVA_RUNTIME_VERSION=\"",
    r#"JAVA_RUNTIME_VERSION="([0-9][-+._0-9A-Za-z]{0,60})""#,
);
const JVMCI: Pattern = Pattern::holding(
    "-jvmci-",
    r"\x00([0-9]{1,2}[.0-9]{1,12}\+[0-9]{1,3}-jvmci-[0-9][.0-9]{1,12}-b[0-9]{1,4})\x00",
);

pub(crate) static GROUP: Group = Group(&[
    Fingerprint {
        name: "oracle/openjdk",
        paths: &["release"],
        patterns: RELEASE,
        with: &["JAVA_VERSION="],
        without: &[
            "IMPLEMENTOR=\"Azul",
            "IMPLEMENTOR=\"Oracle",
            "IMPLEMENTOR=\"IBM",
            "IMPLEMENTOR=\"International Business Machines",
            "IMPLEMENTOR=\"GraalVM",
            "GRAALVM_VERSION=",
            "BUILD_TYPE=\"commercial",
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "azul/zulu",
        paths: &["release"],
        patterns: RELEASE,
        with: &["JAVA_VERSION=", "IMPLEMENTOR=\"Azul"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "oracle/jdk",
        paths: &["release"],
        patterns: RELEASE,
        with: &["JAVA_VERSION=", "IMPLEMENTOR=\"Oracle"],
        without: &["GRAALVM_VERSION="],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "oracle/jdk",
        paths: &["release"],
        patterns: RELEASE,
        with: &["JAVA_VERSION=", "BUILD_TYPE=\"commercial"],
        without: &["IMPLEMENTOR=\"Oracle"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "ibm/java_sdk",
        paths: &["release"],
        patterns: RELEASE,
        with: &["JAVA_VERSION=", "IMPLEMENTOR=\"I"],
        without: &["IMPLEMENTOR=\"Im", "IMPLEMENTOR=\"Inst"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "oracle/graalvm",
        paths: &["release"],
        patterns: GRAAL,
        with: &["GRAALVM_VERSION="],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "oracle/graalvm",
        paths: &["java", "jdb"],
        patterns: &[JVMCI],
        beside: Some("../release"),
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "oracle/openjdk",
        paths: &["java", "jdb"],
        patterns: LAUNCHER,
        with: &["openjdk"],
        without: &["-jvmci-"],
        beside: Some("../release"),
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "oracle/jre",
        paths: &["java"],
        patterns: &[
            Pattern::holding(
                "java\0",
                r"\x00java\x00[0-9.]{1,12}\x00{1,16}([0-9][-+._0-9A-Za-z]{2,60})\x00",
            ),
            Pattern::holding(
                "+",
                r"\x00([0-9]{1,2}(?:\.[0-9]{1,4}){0,4}\+[-0-9]{1,20})\x00",
            ),
        ],
        without: &["openjdk", "-jvmci-"],
        beside: Some("../release"),
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "oracle/jdk",
        paths: &["jdb"],
        patterns: &[Pattern::holding(
            ".",
            r"\x00([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}(?:\+[0-9]{1,3})?[-._a-zA-Z0-9]{0,40})\x00",
        )],
        without: &["openjdk", "-jvmci-"],
        beside: Some("../release"),
        ..Fingerprint::PLAIN
    },
]);
