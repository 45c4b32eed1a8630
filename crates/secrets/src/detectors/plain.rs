//! Passwords that somebody made up: known by the name that they are given to.

use crate::{
    checks,
    detector::{Detector, coded, named, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    coded(
        "secret/basic-auth-header",
        "credentials of an Authorization header",
        &[
            "authorization: basic ",
            "authorization: \\\"basic ",
            "\"authorization\": \"basic ",
            "authorization': 'basic ",
        ],
        checks::basic_header,
    )
    .password()
    .check(checks::basic)
    .edge(b"")
    .finds(&["curl -H \"Authorization: Basic <basic>\" https://acme.io"])
    .passes(&[
        "Authorization: Basic <credentials>",
        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
    ]),
    token(
        "secret/curl-user",
        "password on a command line",
        &["curl "],
        r#"curl [^\n]{0,200}?(?:-u|--user)[ =]["\x27]?[\w.@-]{0,40}:([^\s"\x27:]{4,60})["\x27]?"#,
    )
    .password()
    .likely()
    .check(checks::literal)
    .edge(b"")
    .finds(&["curl -u deploy:<b62:14> https://acme.io/"])
    .passes(&[
        "curl -u user:password https://acme.io/",
        "curl -u $USER:$PASSWORD https://acme.io",
    ]),
    token(
        "secret/sshpass",
        "password on a command line (sshpass)",
        &["sshpass "],
        r#"sshpass -p ?["\x27]?([^\s"\x27]{4,60})"#,
    )
    .password()
    .check(checks::literal)
    .edge(b"")
    .finds(&["sshpass -p <b62:12> ssh deploy@acme.io"])
    .passes(&["sshpass -p \"$PASS\" ssh a@b"]),
    token(
        "secret/docker-login-password",
        "password of docker login on a command line",
        &["docker login", "podman login"],
        r#"(?:docker|podman) login [^\n]{0,120}?(?:-p|--password)[ =]["\x27]?([^\s"\x27]{4,100})"#,
    )
    .password()
    .likely()
    .check(checks::literal)
    .edge(b"")
    .last()
    .finds(&["docker login -u deploy -p <b62:14> registry.acme.io"])
    .passes(&[
        "docker login -u a -p $PASSWORD r",
        "docker login --password-stdin",
    ]),
    named(
        "secret/environment-secret",
        "secret in an environment",
        &[
            "password",
            "passwd",
            "secret",
            "token",
            "api_key",
            "apikey",
            "access_key",
            "private_key",
            "pwd",
        ],
        r#"[^\s"\x27`]{6,200}"#,
    )
    .password()
    .likely()
    .files(&[
        ".env*",
        "Dockerfile*",
        "Containerfile*",
        "docker-compose.yml",
        "docker-compose.yaml",
        "compose.yaml",
        "compose.yml",
        ".envrc",
    ])
    .check(checks::environment)
    .edge(b"")
    .last()
    .finds(&["DB_PASSWORD=<b62:14>"])
    .passes(&[
        "DB_PASSWORD=changeme",
        "DB_PASSWORD=${DB_PASSWORD}",
        "DB_PASSWORD_FILE=/run/secrets/db",
        "TOKEN_URL=https://acme.io/token",
        "SECRET_NAME=database-credentials",
        "MYSQL_ALLOW_EMPTY_PASSWORD=yes-please",
    ]),
    named(
        "secret/generic-secret",
        "secret given to a name",
        &[
            "password",
            "passwd",
            "secret",
            "token",
            "api_key",
            "apikey",
            "access_key",
        ],
        r#"[^\s"\x27`]{8,200}"#,
    )
    .password()
    .guess()
    .entropy(3.0)
    .check(checks::generic)
    .edge(b"")
    .finds(&["db_password = \"<b62:16>\""])
    .passes(&[
        "password = \"changeme\"",
        "token = getToken()",
        "secret = config.secret",
        "password: \"Enter your password\"",
    ]),
];
