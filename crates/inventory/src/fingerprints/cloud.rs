//! Tools of the cloud. Most are Go programs whose build information is read
//! elsewhere; it names the module, but seldom the release, which their makers
//! set when they link.

use crate::fingerprint::{Fingerprint, Group, Pattern};

pub(crate) static GROUP: Group = Group(&[
    Fingerprint {
        kind: "golang",
        name: "github.com/hashicorp/consul",
        paths: &["consul"],
        patterns: &[Pattern::holding(
            "CONSUL_VERSION: ",
            r"CONSUL_VERSION: ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        kind: "golang",
        name: "github.com/hashicorp/vault",
        paths: &["vault"],
        patterns: &[Pattern::holding(
            "revoke",
            r"revoke([0-9]\.[0-9]{1,2}\.[0-9]{1,2})[^0-9.]",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        kind: "golang",
        name: "helm.sh/helm",
        paths: &["helm"],
        patterns: &[Pattern::holding(
            "\0v",
            r"\x00v([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:-rc\.[0-9])?)\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "istio",
        paths: &["pilot-discovery", "pilot-agent"],
        patterns: &[
            Pattern::holding(
                "\0",
                r"[0-9]\.[0-9]{1,2}\.[0-9]{1,2}\x00{1,64}([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
            ),
            Pattern::holding(
                "Clean\0",
                r"Clean\x00{1,64}([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
            ),
            Pattern::before("=v<y5", 150, r"([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00"),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "grafana",
        paths: &["grafana", "grafana-server"],
        patterns: &[
            Pattern::holding(
                "-",
                r"\x00([0-9]{2}\.[0-9]{1,2}\.[0-9]{1,2}-[0-9]{6,12})\x00",
            ),
            Pattern::holding(
                "\0release-",
                r"\x00release-([0-9]{2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-beta[0-9]|-test|-preview)?)(?:\+security-[0-9]{1,3})?\x00",
            ),
            Pattern::before(
                "+DT",
                600,
                r"\x00go1\.[0-9]{1,2}\.[0-9]{1,2}\x00{1,64}([0-9]{2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-beta[0-9]|-test|-preview)?)(?:\+security-[0-9]{1,3})?\x00",
            ),
            Pattern::holding(
                "$a",
                r"([0-9]{2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-beta[0-9]|-test|-preview)?)(?:\+security-[0-9]{1,3})?\x00{1,64}\$a",
            ),
            Pattern::holding(
                "10.",
                r"\x00.(10\.[0-9]{1,2}\.[0-9]{1,2}(?:-beta[0-9]|-test|-preview)?)(?:\+security-[0-9]{1,3})?\x00",
            ),
            Pattern::before(
                "+DT",
                250,
                r"([0-9]{2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-beta[0-9]|-test|-preview)?)(?:\+security-[0-9]{1,3})?\x00{1,64}.{1,100}\x00go1\.",
            ),
            Pattern::holding(
                ".x\0",
                r"([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}(?:-beta[0-9]|-test|-preview)?)(?:\+security-[0-9]{1,3})?\x00{1,64}v[0-9]{1,2}\.[0-9]{1,2}\.x\x00",
            ),
            Pattern::after(
                "HEAD\0",
                600,
                r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:-beta[0-9]|-test|-preview)?)(?:\+security-[0-9]{1,3})?\x00",
            ),
            Pattern::holding(
                "/usr/local/go",
                r"[a-z0-9]\x00{1,64}([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:-beta[0-9]|-test|-preview)?)(?:\+security-[0-9]{1,3})?\x00{1,64}/usr/local/go",
            ),
            Pattern::before(
                "\0/u",
                1000,
                r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:-beta[0-9]|-test)?)\x00",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        kind: "github",
        name: "fluent/fluent-bit",
        paths: &["fluent-bit"],
        patterns: &[Pattern::holding(
            "Fluent",
            r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00{1,3}(?:\x1B\[1m\x00{0,2})?(?:%s)?Fluent",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "prometheus",
        paths: &["prometheus", "promtool"],
        patterns: &[Pattern::holding(
            "\0go1.",
            r"\x00go1\.[0-9.]{1,6}\x00{1,16}([0-9]\.[0-9]{1,3}\.[0-9]{1,2}(?:-rc\.[0-9])?)[+\x00]",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "tini",
        paths: &["tini", "tini-static", "docker-init"],
        patterns: &[Pattern::holding(
            "tini version ",
            r"tini version ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "crun",
        paths: &["crun"],
        patterns: &[Pattern::holding(
            "%s version %s\n",
            r"\x00([0-9]\.[0-9]{1,2}(?:\.[0-9]{1,2}){0,2})\x00%s version %s\n",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "qemu",
        paths: &["qemu-*"],
        patterns: &[Pattern::holding(
            " version ",
            r"qemu-[-_a-z0-9]{1,24} version ([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
]);
