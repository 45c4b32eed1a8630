//! Shells and everyday tools, and browsers.

use crate::fingerprint::{Fingerprint, Group, Pattern};

pub(crate) static GROUP: Group = Group(&[
    Fingerprint {
        name: "busybox",
        paths: &["busybox", "busybox*", "[", "bin/sh"],
        patterns: &[Pattern::holding(
            "BusyBox v",
            r"BusyBox v([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "toybox",
        paths: &["toybox"],
        patterns: &[Pattern::holding(
            "toybox ",
            r"toybox ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "bash",
        paths: &["bash", "bash-static", "bin/sh"],
        patterns: &[Pattern::holding(
            "@(#)Bash version ",
            r"@\(#\)Bash version ([0-9]\.[0-9]{1,2}\.[0-9]{1,3})\([0-9]{1,2}\) [a-z0-9]{1,12} GNU",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "zsh",
        paths: &["zsh", "zsh5", "zsh-static"],
        patterns: &[Pattern::holding(
            "zsh-",
            r"\x00zsh-([0-9](?:\.[0-9]{1,2}){1,2})(?:-0-g[0-9a-f]{7,12})?\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "curl",
        paths: &["curl"],
        patterns: &[Pattern::holding(
            "curl/",
            r"curl/([0-9]\.[0-9]{1,3}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "wget",
        paths: &["wget"],
        patterns: &[
            Pattern::holding(
                "1.",
                r"\x00(1\.[0-9]{1,2}(?:\.[0-9]{1,2})?)\x00{1,64}ABCDEFGHIJKLMNOPQRSTUVWXYZ23456",
            ),
            Pattern::holding("1.", r"\x00(1\.2[0-9](?:\.[0-9]{1,2})?)\x00"),
        ],
        with: &["GNU Wget"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "openssl",
        paths: &["openssl"],
        patterns: &[Pattern::holding(
            "OpenSSL ",
            r"\x00OpenSSL ([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:[a-z]{1,2}|-alpha[0-9]{1,2}|-beta[0-9]{1,2}|-rc[0-9])?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "git",
        paths: &["bin/git", "git-core/git"],
        patterns: &[Pattern::holding(
            "git/2.",
            r"\x00?git/([0-9]\.[0-9]{1,3}(?:\.[0-9]{1,3}){1,3})[-\x00.]",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "gzip",
        paths: &["gzip"],
        patterns: &[Pattern::holding("1.", r"\x00(1\.[0-9]{1,2})\x00")],
        with: &["gzip"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "xz",
        paths: &["xz"],
        patterns: &[Pattern::holding(
            "xz (XZ Utils) ",
            r"\x00xz \(XZ Utils\) ([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:alpha|beta)?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "zstd",
        paths: &["zstd"],
        patterns: &[Pattern::holding(
            "\0v",
            r"\x00v([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "util-linux",
        paths: &["getopt", "mount", "agetty"],
        patterns: &[Pattern::holding(
            "util-linux ",
            r"\x00util-linux ([0-9]\.[0-9]{1,2}(?:\.[0-9]{1,2})?)\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "jq",
        paths: &["jq"],
        patterns: &[
            Pattern::holding("jq-1.", r"\x00jq-([0-9]\.[0-9]{1,2}(?:\.[0-9]{1,2})?)\x00"),
            Pattern::holding("\0", r"\x00([0-9]{1,3}\.[0-9]{1,3}(?:\.[0-9]{1,3})?)\x00"),
        ],
        with: &["jq: error"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "gawk",
        paths: &["gawk"],
        patterns: &[Pattern::holding(
            "GNU Awk ",
            r"GNU Awk ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "grep",
        paths: &["grep"],
        patterns: &[Pattern::holding(
            "GNU grep",
            r"\x00([0-9]\.[0-9]{1,2}(?:\.[0-9]{1,2})?)\x00GNU grep\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "nano",
        paths: &["nano"],
        patterns: &[Pattern::holding(
            "GNU nano ",
            r"\x00GNU nano ([0-9](?:\.[0-9]{1,2}){1,2})\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "vim",
        paths: &["vim", "vim.*"],
        patterns: &[
            Pattern::holding("/vim-", r"/vim-([0-9]{1,2}\.[0-9]\.[0-9]{4})[=/]"),
            Pattern::holding(
                "VIM - Vi IMproved ",
                r"VIM - Vi IMproved ([0-9]{1,2}\.[0-9])",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "ghostscript",
        paths: &["gs", "libgs.so*"],
        patterns: &[Pattern::holding(
            "/ghostscript/",
            r"/ghostscript/([0-9]{1,2}(?:\.[0-9]{1,2}){1,2})/",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "ffmpeg",
        paths: &["ffmpeg", "ffprobe"],
        patterns: &[Pattern::holding(
            "%s version ",
            r"%s version n?([0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9]{1,2})?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "chrome",
        paths: &["chrome", "chrome-headless-shell", "headless_shell"],
        patterns: &[
            Pattern::holding(
                "\0Default",
                r"\x00([0-9]{2,3}\.[0-9]\.[0-9]{4,5}\.[0-9]{1,3})\x00Default",
            ),
            Pattern::holding("\0", r"\x00([0-9]{2,3}\.0\.[0-9]{4,5}\.[0-9]{1,3})\x00"),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "chromium",
        paths: &["chromium", "chromium-browser"],
        patterns: &[Pattern::holding(
            "\0",
            r"\x00([0-9]{2,3}\.0\.[0-9]{4,5}\.[0-9]{1,3})\x00",
        )],
        ..Fingerprint::PLAIN
    },
]);
