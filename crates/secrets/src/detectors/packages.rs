//! Package registries: whoever has one of these publishes in your name.

use crate::{
    checks,
    detector::{Detector, around, assigned, named, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    token(
        "secret/npm-token",
        "npm access token",
        &["npm_"],
        "npm_[0-9A-Za-z]{36}",
    )
    .critical()
    .check(checks::crc62_may)
    .entropy(3.6)
    .see(&["https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/"])
    .finds(&["//registry.npmjs.org/:_authToken=npm_<crc:30>"])
    .passes(&[
        "//registry.npmjs.org/:_authToken=npm_<crc:10>",
        "//registry.npmjs.org/:_authToken=npm_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    named(
        "secret/npmrc-auth-token",
        "token of a registry in .npmrc",
        &["_authtoken"],
        "[0-9A-Za-z_+/=.-]{16,}",
    )
    .entropy(3.0)
    .edge(b"")
    .files(&[".npmrc", "npmrc", ".yarnrc", ".yarnrc.yml", "Dockerfile*", "Containerfile*", ".env*", ".sh", ".yml", ".yaml", ".toml"])
    .finds(&["//npm.acme.io/:_authToken=<b62:40>"])
    .passes(&[
        "//registry.npmjs.org/:_authToken=${NPM_TOKEN}",
        "_authToken=xxxxxxxxxxxxxxxxxxxx",
    ]),
    named(
        "secret/npmrc-password",
        "password of a registry in .npmrc",
        &["_password"],
        "[0-9A-Za-z+/]{6,200}={0,2}",
    )
    .password()
    .files(&[".npmrc", "etc/npmrc"])
    .check(checks::packed_password)
    .edge(b"/+=")
    .finds(&["//npm.acme.io/:_password=<password64>"])
    .passes(&["//npm.acme.io/:_password=${PASSWORD}"]),
    named(
        "secret/npmrc-auth",
        "credentials of a registry in .npmrc",
        &["_auth"],
        "[0-9A-Za-z+/]{12,}={0,2}",
    )
    .password()
    .files(&[".npmrc", "etc/npmrc"])
    .check(checks::basic)
    .edge(b"/+=")
    .finds(&["_auth=<basic>"])
    .passes(&["_auth=${AUTH}"]),
    token(
        "secret/pypi-token",
        "PyPI upload token",
        &["pypi-age"],
        "pypi-AgE[0-9A-Za-z_-]{50,}",
    )
    .critical()
    .url_safe()
    .reach(1100)
    .check(checks::pypi)
    .finds(&["password = <pypi>"])
    .passes(&["pypi-AgE<url:100>"]),
    named(
        "secret/pypirc-password",
        "password in .pypirc",
        &["password"],
        r"\S{4,200}",
    )
    .password()
    .files(&[".pypirc"])
    .check(checks::literal)
    .edge(b"")
    .finds(&["[pypi]\nusername = deploy\npassword = <b62:12>"])
    .passes(&["password = changeme"]),
    token(
        "secret/rubygems-key",
        "RubyGems API key",
        &["rubygems_"],
        "rubygems_[0-9a-f]{48}",
    )
    .critical()
    .finds(&[":rubygems_api_key: rubygems_<hex:48>"])
    .passes(&[
        ":rubygems_api_key: rubygems_<hex:16>",
        ":rubygems_api_key: rubygems_000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/crates-io-token",
        "crates.io token",
        &["cio"],
        "cio[0-9A-Za-z]{32}",
    )
    .critical()
    .check(checks::motley)
    .entropy(3.8)
    .finds(&["token = \"cio<b62:32>\""])
    .passes(&["token = \"cio<b62:10>\"", "token = \"cioxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""]),
    around(
        "secret/nuget-key",
        "NuGet API key",
        &["oy2"],
        0,
        "oy2[a-z0-9]{43}",
    )
    .critical()
    .finds(&["dotnet nuget push --api-key oy2<low:43>"])
    .passes(&[
        "dotnet nuget push --api-key oy2<low:14>",
        "dotnet nuget push --api-key oy2xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/nuget-config-password",
        "password in NuGet.Config",
        &["cleartextpassword"],
        r#"(?i:cleartextpassword)"\s{1,4}value="([^"]{4,100})""#,
    )
    .password()
    .check(checks::literal)
    .edge(b"")
    .finds(&["<add key=\"ClearTextPassword\" value=\"<b62:14>\" />"])
    .passes(&["<add key=\"ClearTextPassword\" value=\"%NUGET_PASSWORD%\" />"]),
    token(
        "secret/clojars-token",
        "Clojars token",
        &["clojars_"],
        "CLOJARS_[0-9a-f]{60}",
    )
    .finds(&["CLOJARS_PASSWORD=CLOJARS_<hex:60>"])
    .passes(&[
        "CLOJARS_PASSWORD=CLOJARS_<hex:20>",
        "CLOJARS_PASSWORD=CLOJARS_000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/packagist-token",
        "Packagist token",
        &["packagist_"],
        "packagist_(?:ack|acs|cut|ort|out|uut)_[0-9a-f]{28,96}",
    )
    .finds(&["token: packagist_ack_<hex:32>"])
    .passes(&[
        "token: packagist_ack_<hex:10>",
        "token: packagist_ack_00000000000000000000000000000000",
    ]),
    token(
        "secret/dockerhub-token",
        "Docker Hub token",
        &["dckr_pat_", "dckr_oat_"],
        "dckr_[po]at_[0-9A-Za-z_-]{27,32}",
    )
    .critical()
    .url_safe()
    .finds(&["docker login -p dckr_pat_<url:27>"])
    .passes(&[
        "docker login -p dckr_pat_<url:9>",
        "docker login -p dckr_pat_xxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    named(
        "secret/docker-config-auth",
        "credentials in Docker's config.json",
        &["\"auth\""],
        "[0-9A-Za-z+/]{12,}={0,2}",
    )
    .password()
    .reach(2100)
    .check(checks::basic)
    .edge(b"/+=")
    .finds(&["{\"auths\": {\"registry.acme.io\": {\"auth\": \"<basic>\"}}}"])
    .passes(&[
        "{\"auths\": {\"registry.acme.io\": {\"auth\": \"AAAAAAAAAAAAAAAA\"}}}",
        "\"auth\": \"ZGVwbG95OmNoYW5nZW1l\"",
    ]),
    named(
        "secret/docker-config-token",
        "identity token in Docker's config.json",
        &["\"identitytoken\"", "\"registrytoken\""],
        r#"[^"\s]{20,}"#,
    )
    .reach(2100)
    .edge(b"")
    .finds(&["{\"auths\": {\"a.azurecr.io\": {\"identitytoken\": \"<b62:40>\"}}}"])
    .passes(&["\"identitytoken\": \"${TOKEN}\""]),
    token(
        "secret/artifactory-key",
        "Artifactory API key",
        &["akcp"],
        "AKCp[0-9A-Za-z]{69}",
    )
    .critical()
    .entropy(4.0)
    .finds(&["X-JFrog-Art-Api: AKCp<b62:69>"])
    .passes(&[
        "X-JFrog-Art-Api: AKCp<b62:23>",
        "X-JFrog-Art-Api: AKCpxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/artifactory-reference-token",
        "Artifactory reference token",
        &["cmvmdg"],
        "cmVmdG[0-9A-Za-z]{58}",
    )
    .critical()
    .entropy(4.0)
    .finds(&["ARTIFACTORY_TOKEN=cmVmdG<b62:58>"])
    .passes(&[
        "ARTIFACTORY_TOKEN=cmVmdG<b62:19>",
        "ARTIFACTORY_TOKEN=cmVmdGxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/cloudsmith-key",
        "Cloudsmith API key",
        &["cloudsmith"],
        "[0-9a-f]{40}",
    )
    .finds(&["CLOUDSMITH_API_KEY=<hex:40>"])
    .passes(&[
        "CLOUDSMITH_API_KEY=<hex:13>",
        "CLOUDSMITH_API_KEY=0000000000000000000000000000000000000000",
    ]),
    named(
        "secret/maven-password",
        "password in Maven's settings.xml",
        &["<password"],
        r"[^<\s]{4,128}",
    )
    .password()
    .files(&["settings.xml", ".m2/settings-security.xml"])
    .check(checks::literal)
    .edge(b"")
    .finds(&["<server><id>acme</id><password><b62:14></password></server>"])
    .passes(&["<password>${env.MAVEN_PASSWORD}</password>", "<password>changeme</password>"]),
    named(
        "secret/cargo-registry-token",
        "token in Cargo's credentials",
        &["token"],
        r#"[^"\s]{16,200}"#,
    )
    .files(&[".cargo/credentials", ".cargo/credentials.toml", ".cargo/config.toml"])
    .edge(b"")
    .last()
    .finds(&["[registries.acme]\ntoken = \"<b62:36>\""])
    .passes(&["token = \"xxxxxxxxxxxxxxxxxxxxxxxxxx\""]),
    named(
        "secret/composer-auth",
        "token in Composer's auth.json",
        &["github.com\"", "gitlab.com\""],
        "[0-9A-Za-z_-]{20,255}",
    )
    .files(&["auth.json"])
    .url_safe()
    .last()
    .finds(&["{\"github-oauth\": {\"github.com\": \"<hex:40>\"}}"])
    .passes(&[
        "{\"github-oauth\": {\"github.com\": \"<hex:13>\"}}",
        "{\"github-oauth\": {\"github.com\": \"0000000000000000000000000000000000000000\"}}",
    ]),
    token(
        "secret/terraform-registry-token",
        "JFrog or other reference in .terraformrc",
        &["credentials \""],
        r#"credentials "[^"\n]{3,100}" ?\{\s{1,40}token ?= ?"([^"\s]{16,200})""#,
    )
    .edge(b"")
    .last()
    .finds(&["credentials \"tf.acme.io\" {\n  token = \"<b62:36>\"\n}"])
    .passes(&["credentials \"tf.acme.io\" { token = \"${var.token}\" }"]),
    token(
        "secret/conan-password",
        "password of a Conan remote",
        &["conan_password"],
        r#"(?i:CONAN_PASSWORD[A-Z_]{0,40})["\x27 ]{0,3}[=:]["\x27 ]{0,3}([^\s"\x27]{4,100})"#,
    )
    .password()
    .check(checks::literal)
    .edge(b"")
    .finds(&["CONAN_PASSWORD=<b62:14>"])
    .passes(&["CONAN_PASSWORD=$SECRET"]),
];
