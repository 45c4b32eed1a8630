//! Code hosts.

use crate::{
    checks,
    detector::{Detector, assigned, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    token(
        "secret/github-token",
        "GitHub personal access token",
        &["ghp_"],
        "ghp_[0-9A-Za-z]{36}",
    )
    .critical()
    .check(checks::crc62_must)
    .also(&["github-pat"])
    .see(&["https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/"])
    .finds(&["GH_TOKEN=ghp_<crc:30>"])
    .passes(&[
        "GH_TOKEN=ghp_<b62:36>",
        "GH_TOKEN=ghp_<crc:10>",
        "GH_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/github-fine-grained-token",
        "GitHub fine-grained personal access token",
        &["github_pat_"],
        "github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}",
    )
    .critical()
    .also(&["github-fine-grained-pat"])
    .finds(&["GH_TOKEN=github_pat_<b62:22>_<b62:59>"])
    .passes(&[
        "GH_TOKEN=github_pat_<b62:22>_<b62:19>",
        "GH_TOKEN=github_pat_<b62:22>_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/github-oauth-token",
        "GitHub OAuth token",
        &["gho_"],
        "gho_[0-9A-Za-z]{36}",
    )
    .critical()
    .check(checks::crc62_must)
    .also(&["github-oauth"])
    .finds(&["oauth_token: gho_<crc:30>"])
    .passes(&[
        "gho_<b62:36>",
        "oauth_token: gho_<crc:10>",
        "oauth_token: gho_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/github-app-token",
        "GitHub app token",
        &["ghu_", "ghs_"],
        "gh[us]_[0-9A-Za-z]{36}",
    )
    .check(checks::crc62_may)
    .entropy(3.5)
    .finds(&["TOKEN=ghs_<crc:30>"])
    .passes(&["TOKEN=ghs_<crc:10>", "TOKEN=ghs_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/github-refresh-token",
        "GitHub refresh token",
        &["ghr_"],
        "ghr_[0-9A-Za-z]{36,76}",
    )
    .check(checks::crc62_must)
    .finds(&["TOKEN=ghr_<crc:70>"])
    .passes(&[
        "TOKEN=ghr_<b62:76>",
        "TOKEN=ghr_<crc:23>",
        "TOKEN=ghr_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/gitlab-token",
        "GitLab personal access token",
        &["glpat-"],
        "glpat-[0-9A-Za-z_-]{20}",
    )
    .critical()
    .url_safe()
    .edge(b"_-.")
    .also(&["gitlab-pat"])
    .finds(&["GITLAB_TOKEN=glpat-<url:20>"])
    .passes(&["GITLAB_TOKEN=glpat-<url:6>", "GITLAB_TOKEN=glpat-xxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/gitlab-routable-token",
        "GitLab routable personal access token",
        &["glpat-"],
        r"glpat-[0-9A-Za-z_-]{27,}\.[0-9a-z]{2}\.[0-9a-z]{9}",
    )
    .critical()
    .url_safe()
    .check(checks::crc36)
    .finds(&["GITLAB_TOKEN=<gitlab>"])
    .passes(&["GITLAB_TOKEN=glpat-<url:27>.01.<low:9>"]),
    token(
        "secret/gitlab-runner-authentication-token",
        "GitLab runner authentication token",
        &["glrt-"],
        "glrt-(?:t[0-9]_)?[0-9A-Za-z_-]{20,50}",
    )
    .url_safe()
    .finds(&["TOKEN=glrt-<url:20>"])
    .passes(&["TOKEN=glrt-<url:6>", "TOKEN=glrt-xxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/gitlab-deploy-token",
        "GitLab deploy token",
        &["gldt-"],
        "gldt-(?:t[0-9]_)?[0-9A-Za-z_-]{20,50}",
    )
    .url_safe()
    .finds(&["TOKEN=gldt-<url:20>"])
    .passes(&["TOKEN=gldt-<url:6>", "TOKEN=gldt-xxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/gitlab-pipeline-trigger-token",
        "GitLab pipeline trigger token",
        &["glptt-"],
        "glptt-(?:t[0-9]_)?[0-9A-Za-z_-]{40,70}",
    )
    .url_safe()
    .finds(&["TOKEN=glptt-<url:40>"])
    .passes(&["TOKEN=glptt-<url:13>", "TOKEN=glptt-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/gitlab-oauth-application-secret",
        "GitLab OAuth application secret",
        &["gloas-"],
        "gloas-(?:t[0-9]_)?[0-9A-Za-z_-]{64,94}",
    )
    .url_safe()
    .finds(&["TOKEN=gloas-<url:64>"])
    .passes(&[
        "TOKEN=gloas-<url:21>",
        "TOKEN=gloas-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/gitlab-scim-token",
        "GitLab SCIM token",
        &["glsoat-"],
        "glsoat-(?:t[0-9]_)?[0-9A-Za-z_-]{20,50}",
    )
    .url_safe()
    .finds(&["TOKEN=glsoat-<url:20>"])
    .passes(&["TOKEN=glsoat-<url:6>", "TOKEN=glsoat-xxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/gitlab-feature-flags-client-token",
        "GitLab feature flags client token",
        &["glffct-"],
        "glffct-(?:t[0-9]_)?[0-9A-Za-z_-]{20,50}",
    )
    .url_safe()
    .finds(&["TOKEN=glffct-<url:20>"])
    .passes(&["TOKEN=glffct-<url:6>", "TOKEN=glffct-xxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/gitlab-incoming-mail-token",
        "GitLab incoming mail token",
        &["glimt-"],
        "glimt-(?:t[0-9]_)?[0-9A-Za-z_-]{25,55}",
    )
    .url_safe()
    .finds(&["TOKEN=glimt-<url:25>"])
    .passes(&["TOKEN=glimt-<url:8>", "TOKEN=glimt-xxxxxxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/gitlab-feed-token",
        "GitLab feed token",
        &["glft-"],
        "glft-(?:t[0-9]_)?[0-9A-Za-z_-]{20,50}",
    )
    .url_safe()
    .finds(&["TOKEN=glft-<url:20>"])
    .passes(&["TOKEN=glft-<url:6>", "TOKEN=glft-xxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/gitlab-kubernetes-agent-token",
        "GitLab Kubernetes agent token",
        &["glagent-"],
        "glagent-(?:t[0-9]_)?[0-9A-Za-z_-]{50,80}",
    )
    .url_safe()
    .finds(&["TOKEN=glagent-<url:50>"])
    .passes(&[
        "TOKEN=glagent-<url:16>",
        "TOKEN=glagent-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/gitlab-job-token",
        "GitLab CI job token",
        &["glcbt-"],
        "glcbt-[0-9a-zA-Z]{1,5}_[0-9A-Za-z_-]{20}",
    )
    .medium()
    .url_safe()
    .finds(&["CI_JOB_TOKEN=glcbt-64_<url:20>"])
    .passes(&["CI_JOB_TOKEN=glcbt-64_<url:6>", "CI_JOB_TOKEN=glcbt-64_xxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/gitlab-runner-registration-token",
        "GitLab runner registration token",
        &["gr1348941"],
        "GR1348941[0-9A-Za-z_-]{20}",
    )
    .url_safe()
    .finds(&["token = \"GR1348941<url:20>\""])
    .passes(&["token = \"GR1348941<url:6>\"", "token = \"GR1348941xxxxxxxxxxxxxxxxxxxx\""]),
    token(
        "secret/bitbucket-app-password",
        "Bitbucket app password",
        &["atbb"],
        "ATBB[0-9A-Za-z]{24}[0-9A-F]{8}",
    )
    .finds(&["BITBUCKET_APP_PASSWORD=ATBB<b62:24><HEX:8>"])
    .passes(&[
        "BITBUCKET_APP_PASSWORD=ATBB<b62:8><HEX:8>",
        "BITBUCKET_APP_PASSWORD=ATBBxxxxxxxxxxxxxxxxxxxxxxxx<HEX:8>",
    ]),
    token(
        "secret/bitbucket-access-token",
        "Bitbucket access token",
        &["atctt3"],
        "ATCTT3xFfG[0-9A-Za-z_=-]{160,200}",
    )
    .edge(b"_-=")
    .finds(&["TOKEN=ATCTT3xFfG<url:170>"])
    .passes(&[
        "TOKEN=ATCTT3xFfG<url:56>",
        "TOKEN=ATCTT3xFfGxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/bitbucket-client-secret",
        "Bitbucket client secret",
        &["bitbucket"],
        "[0-9A-Za-z]{32}",
    )
    .check(checks::no_word)
    .finds(&["BITBUCKET_CLIENT_SECRET=<b62:32>"])
    .passes(&[
        "BITBUCKET_CLIENT_SECRET=<b62:10>",
        "BITBUCKET_CLIENT_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/sourcegraph-token",
        "Sourcegraph access token",
        &["sgp_"],
        "sgp_(?:(?:[0-9a-fA-F]{16}|local)_)?[0-9a-fA-F]{40}",
    )
    .finds(&["SRC_ACCESS_TOKEN=sgp_<hex:40>"])
    .passes(&[
        "SRC_ACCESS_TOKEN=sgp_<hex:13>",
        "SRC_ACCESS_TOKEN=sgp_0000000000000000000000000000000000000000",
    ]),
    token(
        "secret/gitea-token",
        "Gitea or Forgejo access token (with its name)",
        &["gitea_token", "forgejo_token"],
        r#"(?i:gitea|forgejo)_TOKEN["\x27 ]{0,3}[=:]["\x27 ]{0,3}([0-9a-f]{40})"#,
    )
    .finds(&["GITEA_TOKEN=<hex:40>"])
    .passes(&["GITEA_TOKEN=<hex:13>", "GITEA_TOKEN=0000000000000000000000000000000000000000"]),
    token(
        "secret/codecov-token",
        "Codecov upload token",
        &["codecov_token"],
        r#"(?i:codecov)_TOKEN["\x27 ]{0,3}[=:]["\x27 ]{0,3}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"#,
    )
    .medium()
    .finds(&["CODECOV_TOKEN=<uuid>"])
    .passes(&["CODECOV_TOKEN=00000000-0000-0000-0000-000000000000"]),
];
