//! Services that watch others: metrics, errors, feature flags.

use crate::{
    checks,
    detector::{Detector, assigned, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    token(
        "secret/grafana-token",
        "Grafana service account token",
        &["glsa_"],
        "glsa_[0-9A-Za-z]{32}_[0-9a-fA-F]{8}",
    )
    .finds(&["GRAFANA_TOKEN=glsa_<b62:32>_<hex:8>"])
    .passes(&[
        "GRAFANA_TOKEN=glsa_<b62:10>_<hex:8>",
        "GRAFANA_TOKEN=glsa_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_<hex:8>",
    ]),
    token(
        "secret/grafana-cloud-token",
        "Grafana Cloud token",
        &["glc_"],
        "glc_[0-9A-Za-z+/]{60,}={0,3}",
    )
    .edge(b"/+=_")
    .entropy(3.5)
    .finds(&["GRAFANA_CLOUD_TOKEN=glc_<b64:120>"])
    .passes(&[
        "GRAFANA_CLOUD_TOKEN=glc_<b64:40>",
        "GRAFANA_CLOUD_TOKEN=glc_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/grafana-api-key",
        "Grafana API key",
        &["eyjrijoi"],
        "eyJrIjoi[0-9A-Za-z_=-]{42,}",
    )
    .edge(b"_-=.")
    .finds(&["GRAFANA_API_KEY=eyJrIjoi<b62:80>"])
    .passes(&[
        "GRAFANA_API_KEY=eyJrIjoi<b62:26>",
        "GRAFANA_API_KEY=eyJrIjoixxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/datadog-key",
        "Datadog API or application key",
        &["datadog", "dd_api_key", "dd_app_key", "dd-api-key"],
        "(?:[0-9a-f]{40}|[0-9a-f]{32})",
    )
    .entropy(3.0)
    .finds(&["DD_API_KEY=<hex:32>"])
    .passes(&["DD_API_KEY=<hex:10>", "DD_API_KEY=00000000000000000000000000000000"]),
    token(
        "secret/dynatrace-token",
        "Dynatrace token",
        &["dt0c01.", "dt0s16.", "dt0s01.", "dt0s08."],
        r"dt0[cs][0-9]{2}\.[A-Za-z0-9]{8,24}\.[A-Za-z0-9]{64}",
    )
    .finds(&["DT_API_TOKEN=dt0c01.<up:24>.<up:64>"])
    .passes(&[
        "DT_API_TOKEN=dt0c01.<up:24>.<up:21>",
        "DT_API_TOKEN=dt0c01.<up:24>.XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
    ]),
    token(
        "secret/newrelic-key",
        "New Relic key",
        &["nrak-", "nrii-", "nral-", "nrra-"],
        "NR(?:AK|II|AL|RA)-[0-9A-Za-z_-]{27,42}",
    )
    .url_safe()
    .finds(&["NEW_RELIC_API_KEY=NRAK-<up:27>"])
    .passes(&[
        "NEW_RELIC_API_KEY=NRAK-<up:9>",
        "NEW_RELIC_API_KEY=NRAK-XXXXXXXXXXXXXXXXXXXXXXXXXXX",
    ]),
    assigned(
        "secret/newrelic-license",
        "New Relic licence key",
        &["new_relic", "newrelic"],
        "(?:[a-z]{2}[0-9]{2}xx)?[0-9a-f]{30,36}(?:FFFF)?NRAL",
    )
    .finds(&["NEW_RELIC_LICENSE_KEY=<hex:36>NRAL"])
    .passes(&[
        "NEW_RELIC_LICENSE_KEY=<hex:12>NRAL",
        "NEW_RELIC_LICENSE_KEY=000000000000000000000000000000000000NRAL",
    ]),
    token(
        "secret/sentry-user-token",
        "Sentry user token",
        &["sntryu_"],
        "sntryu_[0-9a-f]{64}",
    )
    .finds(&["SENTRY_AUTH_TOKEN=sntryu_<hex:64>"])
    .passes(&[
        "SENTRY_AUTH_TOKEN=sntryu_<hex:21>",
        "SENTRY_AUTH_TOKEN=sntryu_0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/sentry-org-token",
        "Sentry organisation token",
        &["sntrys_"],
        "sntrys_eyJ[0-9A-Za-z+/=]{40,}_[0-9A-Za-z+/]{43}",
    )
    .edge(b"/+=_")
    .finds(&["SENTRY_AUTH_TOKEN=sntrys_eyJ<b62:100>_<b62:43>"])
    .passes(&[
        "SENTRY_AUTH_TOKEN=sntrys_eyJ<b62:33>_<b62:43>",
        "SENTRY_AUTH_TOKEN=sntrys_eyJxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx_<b62:43>",
    ]),
    assigned(
        "secret/sentry-token",
        "Sentry auth token",
        &["sentry"],
        "[0-9a-f]{64}",
    )
    .finds(&["SENTRY_AUTH_TOKEN=<hex:64>"])
    .passes(&[
        "SENTRY_AUTH_TOKEN=<hex:21>",
        "SENTRY_AUTH_TOKEN=0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/honeycomb-key",
        "Honeycomb key",
        &["hcaik_", "hcbik_", "hcamk_", "hcxik_", "hcalk_"],
        "hc[abx][a-z]k_[0-9a-z]{50,70}",
    )
    .finds(&["HONEYCOMB_API_KEY=hcaik_<low:58>"])
    .passes(&[
        "HONEYCOMB_API_KEY=hcaik_<low:19>",
        "HONEYCOMB_API_KEY=hcaik_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/sumologic-key",
        "Sumo Logic access key",
        &["sumologic", "sumo_access"],
        "[0-9A-Za-z]{64}",
    )
    .check(checks::no_word)
    .finds(&["SUMO_ACCESS_KEY=<b62:64>"])
    .passes(&[
        "SUMO_ACCESS_KEY=<b62:21>",
        "SUMO_ACCESS_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/pagerduty-key",
        "PagerDuty API key",
        &["pagerduty", "pd_api"],
        "(?:[0-9A-Za-z+_-]{20}|[0-9a-f]{32})",
    )
    .edge(b"_-+")
    .check(checks::no_word)
    .finds(&["PAGERDUTY_API_KEY=u+<b62:18>"])
    .passes(&["PAGERDUTY_API_KEY=u+<b62:6>", "PAGERDUTY_API_KEY=u+xxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/opsgenie-key",
        "Opsgenie API key",
        &["opsgenie"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["OPSGENIE_API_KEY=<uuid>"])
    .passes(&["OPSGENIE_TEAM_ID=<uuid>"]),
    assigned(
        "secret/rollbar-token",
        "Rollbar access token",
        &["rollbar"],
        "[0-9a-f]{32}",
    )
    .finds(&["ROLLBAR_ACCESS_TOKEN=<hex:32>"])
    .passes(&[
        "ROLLBAR_ACCESS_TOKEN=<hex:10>",
        "ROLLBAR_ACCESS_TOKEN=00000000000000000000000000000000",
    ]),
    assigned(
        "secret/bugsnag-key",
        "Bugsnag token",
        &["bugsnag"],
        "[0-9a-f]{32}",
    )
    .low()
    .finds(&["BUGSNAG_API_KEY=<hex:32>"])
    .passes(&["BUGSNAG_API_KEY=<hex:10>", "BUGSNAG_API_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/logdna-key",
        "LogDNA or Mezmo key",
        &["logdna", "mezmo"],
        "[0-9a-f]{32}",
    )
    .medium()
    .finds(&["LOGDNA_INGESTION_KEY=<hex:32>"])
    .passes(&[
        "LOGDNA_INGESTION_KEY=<hex:10>",
        "LOGDNA_INGESTION_KEY=00000000000000000000000000000000",
    ]),
    assigned(
        "secret/loggly-token",
        "Loggly token",
        &["loggly"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .medium()
    .finds(&["LOGGLY_TOKEN=<uuid>"])
    .passes(&["LOGGLY_TOKEN=00000000-0000-0000-0000-000000000000"]),
    assigned(
        "secret/splunk-token",
        "Splunk HEC token",
        &["splunk"],
        "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}",
    )
    .finds(&["SPLUNK_HEC_TOKEN=<uuid>"])
    .passes(&["SPLUNK_TOKEN=00000000-0000-0000-0000-000000000000"]),
    token(
        "secret/posthog-key",
        "PostHog personal key",
        &["phx_"],
        "phx_[0-9A-Za-z]{43,50}",
    )
    .finds(&["POSTHOG_PERSONAL_API_KEY=phx_<b62:47>"])
    .passes(&[
        "POSTHOG_PERSONAL_API_KEY=phx_<b62:15>",
        "POSTHOG_PERSONAL_API_KEY=phx_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/segment-key",
        "Segment write key",
        &["segment_write", "segment_api", "segment_key"],
        "[0-9A-Za-z]{32}",
    )
    .medium()
    .check(checks::no_word)
    .finds(&["SEGMENT_WRITE_KEY=<b62:32>"])
    .passes(&[
        "SEGMENT_WRITE_KEY=<b62:10>",
        "SEGMENT_WRITE_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/statsig-key",
        "Statsig server secret",
        &["secret-"],
        "secret-[0-9A-Za-z]{43,48}",
    )
    .check(checks::no_word)
    .finds(&["STATSIG_SERVER_KEY=secret-<b62:43>"])
    .passes(&[
        "STATSIG_SERVER_KEY=secret-<b62:14>",
        "STATSIG_SERVER_KEY=secret-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/axiom-token",
        "Axiom token",
        &["xaat-", "xapt-"],
        "xa[ap]t-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["AXIOM_TOKEN=xaat-<uuid>"])
    .passes(&["xaat-00000000-0000-0000-0000-000000000000"]),
];
