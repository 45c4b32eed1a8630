//! Libraries in C that programs bring with them.

use crate::fingerprint::{Fingerprint, Group, Pattern};

pub(crate) static GROUP: Group = Group(&[
    Fingerprint {
        name: "curl",
        paths: &["libcurl.so*", "libcurl-*.so*"],
        patterns: &[
            Pattern::holding(
                "libcurl ",
                r"CLIENT libcurl ([0-9]\.[0-9]{1,3}\.[0-9]{1,2})",
            ),
            Pattern::holding("libcurl/", r"libcurl/([0-9]\.[0-9]{1,3}\.[0-9]{1,2})"),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "openssl",
        paths: &[
            "libcrypto.so*",
            "libcrypto-*.so*",
            "libssl.so*",
            "libssl-*.so*",
        ],
        patterns: &[Pattern::holding(
            "OpenSSL ",
            r"OpenSSL ([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:[a-z]{1,2}|-alpha[0-9]{1,2}|-beta[0-9]{1,2}|-rc[0-9])?) {1,2}(?:\[[^\]]{1,20}\] )?[0-9]{1,2} [A-Z][a-z]{2} 20",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "zlib",
        paths: &["libz.so*", "libz-*.so*"],
        patterns: &[Pattern::holding(
            " deflate ",
            r" (?:de|in)flate ([0-9]\.[0-9]{1,2}(?:\.[0-9]{1,3}){0,2}) Copyright ",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "zstd",
        paths: &["libzstd.so*", "libzstd-*.so*"],
        patterns: &[Pattern::holding(
            "1.",
            r"[^0-9.](1\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        )],
        with: &["ZSTD_versionString"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "xz",
        paths: &["liblzma.so*", "liblzma-*.so*"],
        patterns: &[Pattern::holding(
            "\0",
            r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:alpha|beta)?)\x00",
        )],
        with: &["lzma_version_string"],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "expat",
        paths: &["libexpat.so*", "libexpat-*.so*"],
        patterns: &[Pattern::holding(
            "expat_",
            r"\x00expat_([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "libpng",
        paths: &["libpng*.so*"],
        patterns: &[Pattern::holding(
            "libpng version ",
            r"libpng version ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "libjpeg-turbo",
        paths: &["libjpeg.so*", "libjpeg-*.so*", "libturbojpeg.so*"],
        patterns: &[Pattern::holding(
            "libjpeg-turbo version ",
            r"libjpeg-turbo version ([0-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9]{1,2})?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "libtiff",
        paths: &["libtiff.so*", "libtiff-*.so*"],
        patterns: &[Pattern::holding(
            "LIBTIFF, Version ",
            r"LIBTIFF, Version ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "gnutls",
        paths: &["libgnutls.so*", "libgnutls-*.so*"],
        patterns: &[Pattern::holding(
            "Enabled GnuTLS ",
            r"Enabled GnuTLS ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "pcre2",
        paths: &["libpcre2-*.so*"],
        patterns: &[Pattern::holding(
            "10.",
            r"\x00(10\.[0-9]{2}) 20[0-9]{2}-[0-9]{2}-[0-9]{2}\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "glibc",
        paths: &["libc.so.6", "libc-2*.so"],
        patterns: &[
            Pattern::holding(
                "stable release version ",
                r"GNU C Library \([^)\x00]{1,80}\) stable release version ([0-9]\.[0-9]{1,3})",
            ),
            Pattern::holding("\0glibc ", r"\x00glibc ([0-9]\.[0-9]{1,3})\x00"),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "musl",
        paths: &["ld-musl-*.so.1", "libc.musl-*.so.1"],
        patterns: &[
            Pattern::before(
                "musl libc (",
                400,
                r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
            ),
            Pattern::after(
                "musl libc (",
                400,
                r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "qtbase",
        paths: &["libQt*Core.so*"],
        patterns: &[
            Pattern::holding("\0Qt ", r"\x00Qt ([0-9]\.[0-9]{1,2}\.[0-9]{1,2}) \("),
            Pattern::holding(
                "QtCore library version ",
                r"QtCore library version ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "ffmpeg",
        paths: &[
            "libav*.so*",
            "libswresample*.so*",
            "libswscale*.so*",
            "libpostproc*.so*",
        ],
        patterns: &[Pattern::holding(
            "FFmpeg version ",
            r"FFmpeg version n?([0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9]{1,2})?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "mariadb-connector-c",
        paths: &["libmariadb.so*"],
        patterns: &[Pattern::holding(
            "MARIADB_UNIX_PORT\0",
            r"\x00MARIADB_UNIX_PORT\x00([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        )],
        ..Fingerprint::PLAIN
    },
]);
