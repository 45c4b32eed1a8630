//! Other services.

use crate::{
    checks,
    detector::{Detector, around, assigned, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    token(
        "secret/notion-token",
        "Notion token",
        &["ntn_", "secret_"],
        "(?:ntn_[0-9]{11}[0-9A-Za-z]{35}|secret_[0-9A-Za-z]{43})",
    )
    .check(checks::no_word)
    .finds(&["NOTION_TOKEN=ntn_<dec:11><b62:35>"])
    .passes(&[
        "NOTION_TOKEN=ntn_<dec:11><b62:11>",
        "NOTION_TOKEN=ntn_<dec:11>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/linear-key",
        "Linear API key",
        &["lin_api_", "lin_oauth_"],
        "lin_(?:api|oauth)_[0-9A-Za-z]{40,64}",
    )
    .finds(&["LINEAR_API_KEY=lin_api_<b62:40>"])
    .passes(&[
        "LINEAR_API_KEY=lin_api_<b62:13>",
        "LINEAR_API_KEY=lin_api_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/atlassian-token",
        "Atlassian API token",
        &["atatt3"],
        "ATATT3[0-9A-Za-z_=-]{180,200}",
    )
    .critical()
    .edge(b"_-=")
    .finds(&["JIRA_API_TOKEN=ATATT3<url:186>"])
    .passes(&[
        "JIRA_API_TOKEN=ATATT3<url:62>",
        "JIRA_API_TOKEN=ATATT3xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/airtable-token",
        "Airtable token",
        &["pat"],
        r"pat[0-9A-Za-z]{14}\.[0-9a-f]{64}",
    )
    .finds(&["AIRTABLE_TOKEN=pat<b62:14>.<hex:64>"])
    .passes(&[
        "AIRTABLE_TOKEN=pat<b62:14>.<hex:21>",
        "AIRTABLE_TOKEN=pat<b62:14>.0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/figma-token",
        "Figma token",
        &["figd_", "figu_", "figo_"],
        "fig[duo]_[0-9A-Za-z_-]{38,50}",
    )
    .url_safe()
    .finds(&["FIGMA_TOKEN=figd_<url:40>"])
    .passes(&[
        "FIGMA_TOKEN=figd_<url:13>",
        "FIGMA_TOKEN=figd_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/postman-key",
        "Postman API key",
        &["pmak-"],
        "PMAK-[0-9a-f]{24}-[0-9a-f]{34}",
    )
    .finds(&["POSTMAN_API_KEY=PMAK-<hex:24>-<hex:34>"])
    .passes(&[
        "POSTMAN_API_KEY=PMAK-<hex:24>-<hex:11>",
        "POSTMAN_API_KEY=PMAK-<hex:24>-0000000000000000000000000000000000",
    ]),
    token(
        "secret/dropbox-token",
        "Dropbox access token",
        &["sl."],
        r"sl\.(?:u\.)?[0-9A-Za-z_-]{130,}",
    )
    .url_safe()
    .reach(1300)
    .entropy(4.0)
    .finds(&["DROPBOX_TOKEN=sl.<url:136>"])
    .passes(&[
        "DROPBOX_TOKEN=sl.<url:45>",
        "DROPBOX_TOKEN=sl.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/box-secret",
        "Box client secret",
        &["box_client", "box_secret", "boxapp"],
        "[0-9A-Za-z]{32}",
    )
    .check(checks::no_word)
    .finds(&["BOX_CLIENT_SECRET=<b62:32>"])
    .passes(&[
        "BOX_CLIENT_SECRET=<b62:10>",
        "BOX_CLIENT_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/contentful-token",
        "Contentful management token",
        &["cfpat-"],
        "CFPAT-[0-9A-Za-z_-]{43}",
    )
    .url_safe()
    .finds(&["CONTENTFUL_TOKEN=CFPAT-<url:43>"])
    .passes(&[
        "CONTENTFUL_TOKEN=CFPAT-<url:14>",
        "CONTENTFUL_TOKEN=CFPAT-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/sanity-token",
        "Sanity token (with its name)",
        &["sanity"],
        r#"(?i:sanity[a-z_]{0,24}token)["\x27 ]{0,3}[=:]["\x27 ]{0,3}(sk[0-9A-Za-z]{80,180})"#,
    )
    .finds(&["SANITY_API_TOKEN=sk<b62:100>"])
    .passes(&[
        "SANITY_API_TOKEN=sk<b62:33>",
        "SANITY_API_TOKEN=skxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/mapbox-token",
        "Mapbox secret token",
        &["sk.eyj"],
        r"sk\.eyJ[0-9A-Za-z_-]{40,200}\.[0-9A-Za-z_-]{22}",
    )
    .url_safe()
    .finds(&["MAPBOX_TOKEN=sk.eyJ<url:80>.<url:22>"])
    .passes(&[
        "MAPBOX_TOKEN=sk.eyJ<url:26>.<url:22>",
        "MAPBOX_TOKEN=sk.eyJxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.<url:22>",
    ]),
    around(
        "secret/maxmind-key",
        "MaxMind licence key",
        &["_mmk"],
        38,
        "[0-9A-Za-z]{6}_[0-9A-Za-z]{29}_mmk",
    )
    .medium()
    .finds(&["MAXMIND_LICENSE_KEY=<b62:6>_<b62:29>_mmk"])
    .passes(&[
        "MAXMIND_LICENSE_KEY=<b62:6>_<b62:9>_mmk",
        "MAXMIND_LICENSE_KEY=<b62:6>_xxxxxxxxxxxxxxxxxxxxxxxxxxxxx_mmk",
    ]),
    token(
        "secret/typeform-token",
        "Typeform token",
        &["tfp_"],
        "tfp_[0-9A-Za-z_.-]{40,60}",
    )
    .edge(b"_-.")
    .finds(&["TYPEFORM_TOKEN=tfp_<url:44>"])
    .passes(&[
        "TYPEFORM_TOKEN=tfp_<url:14>",
        "TYPEFORM_TOKEN=tfp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/hubspot-token",
        "HubSpot private app token",
        &["pat-na1-", "pat-eu1-", "pat-na2-", "pat-ap1-"],
        "pat-(?:na|eu|ap)[0-9]-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["HUBSPOT_TOKEN=pat-na1-<uuid>"])
    .passes(&["pat-na1-00000000-0000-0000-0000-000000000000"]),
    assigned(
        "secret/hubspot-key",
        "HubSpot API key",
        &["hubspot"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["HUBSPOT_API_KEY=<uuid>"])
    .passes(&["HUBSPOT_PORTAL_ID=<uuid>"]),
    token(
        "secret/salesforce-token",
        "Salesforce access token",
        &["00d"],
        "00D[0-9A-Za-z]{12,15}![0-9A-Za-z._]{90,110}",
    )
    .finds(&["SF_TOKEN=00D<b62:12>!<b62:96>"])
    .passes(&[
        "SF_TOKEN=00D<b62:12>!<b62:32>",
        "SF_TOKEN=00D<b62:12>!xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
];
