//! Private keys, tokens that are signed, and hashes of passwords.

use crate::{
    checks,
    detector::{Detector, around, coded, named, token},
    pem,
};

pub(crate) static DETECTORS: &[Detector] = &[
    coded(
        "secret/private-key",
        "private key",
        &["-----begin"],
        pem::block,
    )
    .critical()
    .password()
    .reach(pem::REACH)
    .check(pem::check)
    .edge(b"")
    .also(&["private-key"])
    .see(&["https://www.rfc-editor.org/rfc/rfc7468"])
    .finds(&["<rsa>"])
    .passes(&[
        "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END PRIVATE KEY-----",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ]),
    coded(
        "secret/putty-key",
        "PuTTY private key",
        &["putty-user-key-file-"],
        pem::putty,
    )
    .critical()
    .password()
    .reach(8192)
    .check(pem::putty_check)
    .edge(b"")
    .finds(&[
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\nPublic-Lines: 2\n<b64:64>\n<b64:16>\nPrivate-Lines: 1\n<b64:48>\nPrivate-MAC: <hex:64>\n",
    ])
    .passes(&["PuTTY-User-Key-File-3: ssh-ed25519"]),
    token(
        "secret/age-key",
        "age secret key",
        &["age-secret-key-1"],
        "AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    )
    .critical()
    .finds(&["AGE-SECRET-KEY-1<bech:58>"])
    .passes(&[
        "AGE-SECRET-KEY-1<bech:19>",
        "AGE-SECRET-KEY-1XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
    ]),
    token(
        "secret/age-plugin-key",
        "age plugin or post-quantum secret key",
        &["age-secret-key-pq-1"],
        "AGE-SECRET-KEY-PQ-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}",
    )
    .critical()
    .finds(&["AGE-SECRET-KEY-PQ-1<bech:58>"])
    .passes(&[
        "AGE-SECRET-KEY-PQ-1<bech:19>",
        "AGE-SECRET-KEY-PQ-1XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
    ]),
    token(
        "secret/jwt",
        "JSON Web Token",
        &["eyj"],
        r"eyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{20,}",
    )
    .medium()
    .likely()
    .url_safe()
    .edge(b"_-.")
    .reach(5200)
    .check(checks::jwt)
    .see(&["https://www.rfc-editor.org/rfc/rfc7519"])
    .finds(&["Authorization: Bearer <jwt>"])
    .passes(&[
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
        "eyJ<url:20>.eyJ<url:20>.<url:43>",
    ]),
    named(
        "secret/jwk-private",
        "private part of a JSON Web Key",
        &["\"d\""],
        "[0-9A-Za-z_-]{43,}",
    )
    .critical()
    .url_safe()
    .reach(800)
    .entropy(4.5)
    .check(checks::motley)
    .finds(&[
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"<url:43>\",\"y\":\"<url:43>\",\"d\":\"<url:43>\"}",
    ])
    .passes(&["{\"d\": \"M0 0 L 10 10\"}"]),
    named(
        "secret/kubeconfig-key",
        "client key in a kubeconfig",
        &["client-key-data"],
        "[0-9A-Za-z+/=]{64,}",
    )
    .critical()
    .password()
    .reach(pem::REACH)
    .check(checks::packed_pem)
    .edge(b"/+=")
    .finds(&["    client-key-data: <packed>"])
    .passes(&["client-key-data: DATA+OMITTED", "client-key-data: <b64:300>"]),
    named(
        "secret/wireguard-key",
        "WireGuard private key",
        &["privatekey", "presharedkey"],
        "[0-9A-Za-z+/]{42}[AEIMQUYcgkosw048]=",
    )
    .critical()
    .edge(b"/+=")
    .check(checks::bytes32)
    .entropy(4.0)
    .finds(&["[Interface]\nPrivateKey = <b64:42>A="])
    .passes(&[
        "[Interface]\nPrivateKey = <b64:14>A=",
        "[Interface]\nPrivateKey = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxA=",
    ]),
    named(
        "secret/kubernetes-bootstrap-token",
        "Kubernetes bootstrap token",
        &["bootstrap-token", "--token", "kubeadm"],
        r"[0-9a-z]{6}\.[0-9a-z]{16}",
    )
    .check(checks::mixed)
    .finds(&["bootstrap-token: <low:6>.<low:16>"])
    .passes(&["bootstrap-token: <low:6>.<low:5>", "bootstrap-token: <low:6>.xxxxxxxxxxxxxxxx"]),
    around(
        "secret/shadow-hash",
        "password hash in etc/shadow",
        &[":$6$", ":$y$", ":$5$", ":$1$", ":$7$", ":$gy$", ":$2y$", ":$2b$"],
        40,
        r"(?m-u:^)[a-z_][a-z0-9_.-]{0,31}:(\$[0-9a-z]{1,2}\$[^:\s]{8,200})",
    )
    .medium()
    .password()
    .edge(b"")
    .files(&["etc/shadow", "etc/shadow-", "etc/master.passwd"])
    .finds(&["root:$6$<b62:16>$<b62:86>:19700:0:99999:7:::"])
    .passes(&["root:*:19700:0:99999:7:::", "root:!:19700:0:99999:7:::"]),
    around(
        "secret/htpasswd-hash",
        "password hash in an htpasswd file",
        &[":$apr1$", ":$2y$", ":$2a$", ":{sha}"],
        64,
        r"(?m-u:^)[^\s:]{1,60}:((?:\$apr1\$|\$2[aby]\$|\{SHA\})[0-9A-Za-z./+=$]{20,80})",
    )
    .medium()
    .password()
    .edge(b"")
    .finds(&["deploy:$apr1$<b62:8>$<b62:22>"])
    .passes(&["deploy:$apr1$", "the form is user:$apr1$salt$hash"]),
    token(
        "secret/sops-age-recipient-key",
        "key group of Mozilla SOPS",
        &["sops_age_key"],
        r#"(?i:SOPS_AGE_KEY)["\x27 ]{0,3}[=:]["\x27 ]{0,3}([A-Za-z0-9/+=-]{40,200})"#,
    )
    .edge(b"")
    .last()
    .finds(&["SOPS_AGE_KEY=<b62:60>"])
    .passes(&[
        "SOPS_AGE_KEY=<b62:20>",
        "SOPS_AGE_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    named(
        "secret/django-secret-key",
        "Django secret key",
        &["secret_key"],
        r"(?:django-insecure-)?[0-9A-Za-z!@#$%^&*(\-_=+)]{40,100}",
    )
    .files(&["settings.py", ".env*", "base.py", "production.py"])
    .entropy(4.0)
    .edge(b"")
    .finds(&["SECRET_KEY = 'k9#<b62:20>@<b62:27>'"])
    .passes(&[
        "SECRET_KEY = 'django-insecure-change-me-please-change-me-please-0'",
        "SECRET_KEY = 'k9#<b62:20>@<b62:9>'",
        "SECRET_KEY = 'k9#<b62:20>@xxxxxxxxxxxxxxxxxxxxxxxxxxx'",
    ]),
    named(
        "secret/rails-secret",
        "Rails secret key base",
        &["secret_key_base"],
        "[0-9a-f]{64,128}",
    )
    .reach(200)
    .finds(&["secret_key_base: <hex:128>"])
    .passes(&[
        "secret_key_base: <hex:42>",
        "secret_key_base: 00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    ]),
    around(
        "secret/rails-master-key",
        "Rails master key",
        &[],
        0,
        r"(?m-u:^)([0-9a-f]{32})\s{0,2}(?m-u:$)",
    )
    .critical()
    .files(&["config/master.key", "config/credentials/production.key"])
    .edge(b"")
    .finds(&["<hex:32>"])
    .passes(&["nothing here"]),
    named(
        "secret/laravel-key",
        "Laravel application key",
        &["app_key"],
        "base64:[0-9A-Za-z+/]{43}=",
    )
    .edge(b"/+=")
    .finds(&["APP_KEY=base64:<b64:43>="])
    .passes(&[
        "APP_KEY=base64:<b64:14>=",
        "APP_KEY=base64:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=",
    ]),
    named(
        "secret/symfony-secret",
        "Symfony application secret",
        &["app_secret"],
        "[0-9a-f]{32}",
    )
    .files(&[".env*"])
    .entropy(3.0)
    .finds(&["APP_SECRET=<hex:32>"])
    .passes(&["APP_SECRET=<hex:10>", "APP_SECRET=00000000000000000000000000000000"]),
    named(
        "secret/vapid-key",
        "VAPID private key",
        &["vapid_private", "vapidprivate"],
        "[0-9A-Za-z_-]{43}",
    )
    .url_safe()
    .finds(&["VAPID_PRIVATE_KEY=<url:43>"])
    .passes(&[
        "VAPID_PRIVATE_KEY=<url:14>",
        "VAPID_PRIVATE_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/tink-keyset",
        "Tink keyset in clear",
        &["type.googleapis.com/google.crypto.tink."],
        r#"type\.googleapis\.com/google\.crypto\.tink\.[A-Za-z0-9]{4,40}Key"\s{0,4},\s{0,40}"value"\s{0,4}:\s{0,4}"([0-9A-Za-z+/=]{24,})""#,
    )
    .reach(2200)
    .edge(b"")
    .finds(&[
        "\"typeUrl\": \"type.googleapis.com/google.crypto.tink.AesGcmKey\", \"value\": \"<b64:40>\"",
    ])
    .passes(&["\"typeUrl\": \"type.googleapis.com/google.crypto.tink.AesGcmKey\""]),
];
