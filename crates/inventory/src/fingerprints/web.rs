//! Servers and proxies of the web, of mail and of names.

use crate::fingerprint::{Fingerprint, Group, Pattern};

pub(crate) static GROUP: Group = Group(&[
    Fingerprint {
        name: "nginx",
        paths: &["nginx", "nginx-debug"],
        patterns: &[Pattern::holding(
            "nginx version: ",
            r"nginx version: [^/\x00]{1,40}/([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "openresty",
        paths: &["nginx"],
        patterns: &[Pattern::holding(
            "nginx version: openresty/",
            r"nginx version: openresty/([0-9]{1,2}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "httpd",
        paths: &["httpd", "apache2"],
        patterns: &[Pattern::holding(
            "Apache/",
            r"Apache/([0-9]\.[0-9]{1,2}\.[0-9]{1,3})",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "haproxy",
        paths: &["haproxy"],
        patterns: &[
            Pattern::holding(
                ", released 20",
                r" version ([0-9]{1,2}\.[0-9]{1,3}(?:\.|-dev|-rc)[0-9]{1,3})[-+~._0-9a-zA-Z]{0,40}, released 20",
            ),
            Pattern::holding(
                "HA-Proxy version ",
                r"HA-Proxy version ([0-9]\.[0-9]{1,3}(?:\.|-dev)[0-9]{1,3})",
            ),
            Pattern::before(
                "HAProxy version",
                200,
                r"([0-9]\.[0-9]{1,3}(?:\.|-dev)[0-9]{1,3})-[0-9a-zA-Z]{7}",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "lighttpd",
        paths: &["lighttpd"],
        patterns: &[Pattern::holding(
            "\0lighttpd/",
            r"\x00lighttpd/([0-9]\.[0-9]{1,2}\.[0-9]{1,3})[\x00 ]",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "traefik",
        paths: &["traefik"],
        patterns: &[Pattern::holding(
            "\0",
            r"(?:\x00v?|[\x80-\xFF].?)([1-9]\.[0-9]{1,2}\.[0-9]{1,2}(?:-(?:alpha|beta|rc)\.?[0-9]{1,2})?)\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "envoy",
        paths: &["envoy"],
        patterns: &[
            Pattern::before(
                "envoy_reloadable_features",
                1000,
                r"\x00(1\.3[0-9]\.[0-9]{1,2}(?:-dev)?)\x00",
            ),
            Pattern::before(
                "envoy.reloadable_features",
                200,
                r"\x00(1\.34\.[0-9]{1,2})\x00",
            ),
            Pattern::after(
                "envoy_quic_",
                1000,
                r"\x00(1\.2[0-9]\.[0-9]{1,2}(?:-dev)?)\x00",
            ),
            Pattern::before(
                "Unable to",
                1000,
                r"\x00(1\.[12][0-9]\.[0-9]{1,2}(?:-dev)?)\x00",
            ),
            Pattern::before(
                "ValidationError",
                1000,
                r"\x00(1\.[12][0-9]\.[0-9]{1,2}(?:-dev)?)\x00",
            ),
            Pattern::after("[source/", 200, r"\x00(1\.1[0-9]\.[0-9]{1,2}(?:-dev)?)\x00"),
            Pattern::holding(
                "RELEASE",
                r"\x00(1\.[0-9]\.[0-9]{1,2}(?:-dev)?)\x00.{0,20}RELEASE",
            ),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "varnish",
        paths: &["varnishd"],
        patterns: &[Pattern::holding(
            "varnish-",
            r"varnish-([0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,2}) revision ",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "squid",
        paths: &["squid"],
        patterns: &[Pattern::holding(
            "\0squid/",
            r"\x00squid/([0-9]{1,2}(?:\.[0-9]{1,3}){1,3})\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "proftpd",
        paths: &["proftpd"],
        patterns: &[Pattern::holding(
            "\0ProFTPD Version ",
            r"\x00ProFTPD Version ([0-9]\.[0-9]{1,2}\.[0-9]{1,2}[a-z]?)",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "exim",
        paths: &["exim", "exim4"],
        patterns: &[Pattern::holding(
            "<<eximcnumber>>",
            r"\x00([0-9]\.[0-9]{2,3}(?:\.[0-9]{1,2})?)\x00<<eximversion>>",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "postfix",
        paths: &["postfix", "sbin/master"],
        patterns: &[Pattern::holding(
            "mail_version=",
            r"\x00mail_version=([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "unbound",
        paths: &["unbound"],
        patterns: &[Pattern::holding(
            "\0unbound ",
            r"\x00unbound ([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "bind",
        paths: &["named"],
        patterns: &[
            Pattern::holding("libisc-9.", r"\x00libisc-(9\.[0-9]{1,2}\.[0-9]{1,3})[-.]"),
            Pattern::holding("BIND 9.", r"BIND (9\.[0-9]{1,2}\.[0-9]{1,3})"),
        ],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "openssh",
        paths: &["sshd", "ssh", "sshd-session"],
        patterns: &[Pattern::holding(
            "OpenSSH_",
            r"OpenSSH_([0-9]{1,2}\.[0-9]{1,2}(?:\.[0-9])?p[0-9])[\x00 ]",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "tor",
        paths: &["tor"],
        patterns: &[Pattern::holding(
            "(on Tor ",
            r"\(on Tor ([0-9](?:\.[0-9]{1,2}){3}) ",
        )],
        ..Fingerprint::PLAIN
    },
    Fingerprint {
        name: "mosquitto",
        paths: &["mosquitto"],
        patterns: &[Pattern::holding(
            "mosquitto version ",
            r"\x00([0-9]\.[0-9]{1,2}\.[0-9]{1,2})\x00mosquitto version ",
        )],
        ..Fingerprint::PLAIN
    },
]);
