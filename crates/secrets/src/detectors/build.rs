//! Machines that build, deploy and keep infrastructure.

use crate::{
    checks,
    detector::{Detector, around, assigned, named, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    token(
        "secret/circleci-token",
        "CircleCI token",
        &["ccipat_", "ccipra_", "ccipr"],
        "CCIP(?:AT|RJ|RA)_[0-9A-Za-z]{22}_[0-9a-f]{40}",
    )
    .finds(&["CIRCLE_TOKEN=CCIPAT_<b62:22>_<hex:40>"])
    .passes(&[
        "CIRCLE_TOKEN=CCIPAT_<b62:22>_<hex:13>",
        "CIRCLE_TOKEN=CCIPAT_<b62:22>_0000000000000000000000000000000000000000",
    ]),
    token(
        "secret/buildkite-token",
        "Buildkite token",
        &["bkua_", "bkpt_", "bkct_"],
        "bk(?:ua|pt|ct)_[0-9A-Za-z]{40,64}",
    )
    .finds(&["BUILDKITE_API_TOKEN=bkua_<hex:40>"])
    .passes(&[
        "BUILDKITE_API_TOKEN=bkua_<hex:13>",
        "BUILDKITE_API_TOKEN=bkua_0000000000000000000000000000000000000000",
    ]),
    assigned(
        "secret/buildkite-agent-token",
        "Buildkite agent token",
        &["buildkite"],
        "[0-9a-f]{50}",
    )
    .finds(&["BUILDKITE_AGENT_TOKEN=<hex:50>"])
    .passes(&[
        "BUILDKITE_AGENT_TOKEN=<hex:16>",
        "BUILDKITE_AGENT_TOKEN=00000000000000000000000000000000000000000000000000",
    ]),
    assigned(
        "secret/travis-token",
        "Travis CI token",
        &["travis"],
        "[0-9A-Za-z]{22}",
    )
    .check(checks::no_word)
    .finds(&["TRAVIS_API_TOKEN=<b62:22>"])
    .passes(&["TRAVIS_API_TOKEN=<b62:7>", "TRAVIS_API_TOKEN=xxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/drone-token",
        "Drone CI token",
        &["drone"],
        "[0-9A-Za-z]{32}",
    )
    .check(checks::no_word)
    .finds(&["DRONE_TOKEN=<b62:32>"])
    .passes(&["DRONE_TOKEN=<b62:10>", "DRONE_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/jenkins-token",
        "Jenkins API token",
        &["jenkins"],
        "11[0-9a-f]{32}",
    )
    .finds(&["JENKINS_API_TOKEN=11<hex:32>"])
    .passes(&[
        "JENKINS_API_TOKEN=11<hex:10>",
        "JENKINS_API_TOKEN=1100000000000000000000000000000000",
    ]),
    token(
        "secret/harness-token",
        "Harness token",
        &["pat.", "sat."],
        r"(?:pat|sat)\.[0-9A-Za-z_-]{22}\.[0-9a-f]{24}\.[0-9A-Za-z]{20}",
    )
    .finds(&["HARNESS_TOKEN=pat.<url:22>.<hex:24>.<b62:20>"])
    .passes(&[
        "HARNESS_TOKEN=pat.<url:22>.<hex:8>.<b62:20>",
        "HARNESS_TOKEN=pat.<url:22>.000000000000000000000000.<b62:20>",
    ]),
    token(
        "secret/octopus-key",
        "Octopus Deploy API key",
        &["api-"],
        "API-[A-Z0-9]{26}",
    )
    .likely()
    .check(checks::mixed)
    .entropy(3.3)
    .finds(&["OCTOPUS_API_KEY=API-<up:26>"])
    .passes(&[
        "API-AUTHENTICATIONREQUIREDXX",
        "OCTOPUS_API_KEY=API-<up:8>",
        "OCTOPUS_API_KEY=API-XXXXXXXXXXXXXXXXXXXXXXXXXX",
    ]),
    token(
        "secret/prefect-token",
        "Prefect token",
        &["pnu_", "pnb_"],
        "pn[ub]_[0-9A-Za-z]{36}",
    )
    .finds(&["PREFECT_API_KEY=pnu_<b62:36>"])
    .passes(&[
        "PREFECT_API_KEY=pnu_<b62:12>",
        "PREFECT_API_KEY=pnu_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/pulumi-token",
        "Pulumi access token",
        &["pul-"],
        "pul-[0-9a-f]{40}",
    )
    .finds(&["PULUMI_ACCESS_TOKEN=pul-<hex:40>"])
    .passes(&[
        "PULUMI_ACCESS_TOKEN=pul-<hex:13>",
        "PULUMI_ACCESS_TOKEN=pul-0000000000000000000000000000000000000000",
    ]),
    around(
        "secret/terraform-token",
        "Terraform Cloud token",
        &[".atlasv1."],
        14,
        r"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,70}",
    )
    .critical()
    .edge(b"_-=")
    .finds(&["credentials \"app.terraform.io\" { token = \"<b62:14>.atlasv1.<b62:67>\" }"])
    .passes(&[
        "credentials \"app.terraform.io\" { token = \"<b62:14>.atlasv1.<b62:22>\" }",
        "credentials \"app.terraform.io\" { token = \"<b62:14>.atlasv1.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" }",
    ]),
    token(
        "secret/vault-token",
        "HashiCorp Vault service token",
        &["hvs."],
        r"hvs\.[0-9A-Za-z_-]{90,120}",
    )
    .critical()
    .url_safe()
    .finds(&["VAULT_TOKEN=hvs.<url:95>"])
    .passes(&[
        "VAULT_TOKEN=hvs.<url:31>",
        "VAULT_TOKEN=hvs.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/vault-batch-token",
        "HashiCorp Vault batch token",
        &["hvb."],
        r"hvb\.[0-9A-Za-z_-]{138,}",
    )
    .url_safe()
    .finds(&["VAULT_TOKEN=hvb.<url:150>"])
    .passes(&[
        "VAULT_TOKEN=hvb.<url:50>",
        "VAULT_TOKEN=hvb.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    named(
        "secret/vault-legacy-token",
        "HashiCorp Vault token of the old form",
        &["vault_token", "vault-token", "x-vault-token", "vault_api_token", "vaulttoken"],
        r"s\.[0-9A-Za-z]{24}",
    )
    .finds(&["VAULT_TOKEN=s.<b62:24>"])
    .passes(&["VAULT_TOKEN=s.<b62:8>", "VAULT_TOKEN=s.xxxxxxxxxxxxxxxxxxxxxxxx"]),
    named(
        "secret/vault-secret-id",
        "HashiCorp Vault AppRole secret id",
        &["secret_id", "vault_secret_id"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .likely()
    .finds(&["\"secret_id\": \"<uuid>\""])
    .passes(&["\"secret_id\": \"00000000-0000-0000-0000-000000000000\""]),
    assigned(
        "secret/consul-token",
        "Consul ACL token",
        &["consul"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["CONSUL_HTTP_TOKEN=<uuid>"])
    .passes(&["CONSUL_NODE_ID=<uuid>"]),
    assigned(
        "secret/nomad-token",
        "Nomad ACL token",
        &["nomad"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["NOMAD_TOKEN=<uuid>"])
    .passes(&["NOMAD_NODE_ID=<uuid>"]),
    named(
        "secret/hcp-client-secret",
        "HashiCorp Cloud client secret",
        &["hcp_client_secret"],
        "[0-9A-Za-z._~-]{64}",
    )
    .url_safe()
    .finds(&["HCP_CLIENT_SECRET=<url:64>"])
    .passes(&[
        "HCP_CLIENT_SECRET=<url:21>",
        "HCP_CLIENT_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/doppler-token",
        "Doppler token",
        &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit."],
        r"dp\.(?:pt|ct|sa|scim|audit|st(?:\.[a-z0-9_-]{2,35})?)\.[0-9A-Za-z]{40,44}",
    )
    .finds(&["DOPPLER_TOKEN=dp.pt.<b62:43>"])
    .passes(&[
        "DOPPLER_TOKEN=dp.pt.<b62:14>",
        "DOPPLER_TOKEN=dp.pt.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/infracost-key",
        "Infracost API key",
        &["ico-"],
        "ico-[0-9A-Za-z]{32}",
    )
    .medium()
    .finds(&["INFRACOST_API_KEY=ico-<b62:32>"])
    .passes(&[
        "INFRACOST_API_KEY=ico-<b62:10>",
        "INFRACOST_API_KEY=ico-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/spacelift-token",
        "Spacelift key",
        &["sl_ak_"],
        "sl_ak_[0-9A-Za-z]{32,64}",
    )
    .finds(&["SPACELIFT_API_KEY_SECRET=sl_ak_<b62:40>"])
    .passes(&[
        "SPACELIFT_API_KEY_SECRET=sl_ak_<b62:13>",
        "SPACELIFT_API_KEY_SECRET=sl_ak_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/openshift-token",
        "OpenShift user token",
        &["sha256~"],
        r"sha256~[\w-]{43}",
    )
    .url_safe()
    .entropy(3.5)
    .finds(&["oc login --token=sha256~<url:43>"])
    .passes(&[
        "oc login --token=sha256~<url:14>",
        "oc login --token=sha256~xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/launchdarkly-key",
        "LaunchDarkly SDK or API key",
        &["sdk-", "api-"],
        "(?:sdk|api)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .medium()
    .url_safe()
    .finds(&["LAUNCHDARKLY_SDK_KEY=sdk-<hex:8>-<hex:4>-4<hex:3>-<hex:4>-<hex:12>"])
    .passes(&[
        "LAUNCHDARKLY_SDK_KEY=sdk-<hex:8>-<hex:4>-4<hex:3>-<hex:4>-<hex:4>",
        "LAUNCHDARKLY_SDK_KEY=sdk-<hex:8>-<hex:4>-4<hex:3>-<hex:4>-000000000000",
    ]),
    token(
        "secret/snyk-token",
        "Snyk token (with its name)",
        &["snyk_token", "snyk_api"],
        r#"(?i:snyk_[a-z_]{3,20})["\x27 ]{0,3}[=:]["\x27 ]{0,3}([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"#,
    )
    .finds(&["SNYK_TOKEN=<uuid>"])
    .passes(&["SNYK_ORG=<uuid>"]),
    token(
        "secret/sonarqube-token",
        "SonarQube token",
        &["squ_", "sqp_", "sqa_"],
        "sq[upa]_[0-9a-f]{40}",
    )
    .finds(&["SONAR_TOKEN=squ_<hex:40>"])
    .passes(&[
        "SONAR_TOKEN=squ_<hex:13>",
        "SONAR_TOKEN=squ_0000000000000000000000000000000000000000",
    ]),
    token(
        "secret/1password-service-token",
        "1Password service account token",
        &["ops_eyj"],
        "ops_eyJ[0-9A-Za-z+/]{250,}={0,3}",
    )
    .critical()
    .reach(1000)
    .edge(b"/+=_")
    .finds(&["OP_SERVICE_ACCOUNT_TOKEN=ops_eyJ<b64:300>"])
    .passes(&[
        "OP_SERVICE_ACCOUNT_TOKEN=ops_eyJ<b64:100>",
        "OP_SERVICE_ACCOUNT_TOKEN=ops_eyJxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/1password-secret-key",
        "1Password secret key",
        &["a3-"],
        "A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
    )
    .critical()
    .url_safe()
    .check(checks::mixed)
    .entropy(3.4)
    .finds(&["Secret Key: A3-<up:6>-<up:11>-<up:5>-<up:5>-<up:5>"])
    .passes(&[
        "Secret Key: A3-<up:6>-<up:3>-<up:5>-<up:5>-<up:5>",
        "Secret Key: A3-<up:6>-XXXXXXXXXXX-<up:5>-<up:5>-<up:5>",
    ]),
    token(
        "secret/infisical-token",
        "Infisical service token",
        &["st."],
        r"st\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.[0-9a-f]{32}\.[0-9a-f]{32}",
    )
    .finds(&["INFISICAL_TOKEN=st.<uuid>.<hex:32>.<hex:32>"])
    .passes(&[
        "INFISICAL_TOKEN=st.<uuid>.<hex:10>.<hex:32>",
        "INFISICAL_TOKEN=st.<uuid>.00000000000000000000000000000000.<hex:32>",
    ]),
    token(
        "secret/ngrok-token",
        "ngrok token",
        &["ngrok"],
        r#"(?i:ngrok[_a-z]{0,12}token|NGROK_AUTHTOKEN)["\x27 ]{0,3}[=:]["\x27 ]{0,3}([0-9A-Za-z]{27}_[0-9A-Za-z]{21})"#,
    )
    .finds(&["NGROK_AUTHTOKEN=<b62:27>_<b62:21>"])
    .passes(&[
        "NGROK_AUTHTOKEN=<b62:9>_<b62:21>",
        "NGROK_AUTHTOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxxx_<b62:21>",
    ]),
    token(
        "secret/tailscale-key",
        "Tailscale key",
        &["tskey-"],
        "tskey-(?:auth|api|client|scim|webhook)-[0-9A-Za-z]{8,32}-[0-9A-Za-z]{20,50}",
    )
    .critical()
    .finds(&["TS_AUTHKEY=tskey-auth-<b62:17>-<b62:33>"])
    .passes(&[
        "TS_AUTHKEY=tskey-auth-<b62:17>-<b62:11>",
        "TS_AUTHKEY=tskey-auth-<b62:17>-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/rancher-token",
        "Rancher token",
        &["rancher", "cattle"],
        "token-[0-9a-z]{5}:[0-9a-z]{54}",
    )
    .finds(&["RANCHER_TOKEN=token-<low:5>:<low:54>"])
    .passes(&[
        "RANCHER_TOKEN=token-<low:5>:<low:18>",
        "RANCHER_TOKEN=token-<low:5>:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
];
