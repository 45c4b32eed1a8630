//! Social networks, identity providers and the rest.

use crate::{
    checks,
    detector::{Detector, assigned, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    token(
        "secret/facebook-token",
        "Facebook access token",
        &["eaac", "eaab", "eaag", "eaam"],
        "EAA[BCGM][0-9A-Za-z]{100,}",
    )
    .entropy(4.0)
    .finds(&["FB_TOKEN=EAAB<b62:150>"])
    .passes(&[
        "FB_TOKEN=EAAB<b62:50>",
        "FB_TOKEN=EAABxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/facebook-secret",
        "Facebook app secret",
        &["facebook", "fb_app", "fb_secret"],
        "[0-9a-f]{32}",
    )
    .finds(&["FACEBOOK_APP_SECRET=<hex:32>"])
    .passes(&[
        "FACEBOOK_APP_SECRET=<hex:10>",
        "FACEBOOK_APP_SECRET=00000000000000000000000000000000",
    ]),
    assigned(
        "secret/twitter-secret",
        "Twitter API secret",
        &["twitter"],
        "[0-9A-Za-z]{45,50}",
    )
    .check(checks::no_word)
    .finds(&["TWITTER_API_SECRET=<b62:50>"])
    .passes(&[
        "TWITTER_API_SECRET=<b62:16>",
        "TWITTER_API_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/linkedin-secret",
        "LinkedIn client secret",
        &["linkedin"],
        r"(?:WPL_AP1\.)?[0-9A-Za-z]{16}(?:\.[0-9A-Za-z]{6}==)?",
    )
    .edge(b"=_")
    .finds(&["LINKEDIN_CLIENT_SECRET=WPL_AP1.<b62:16>.<b62:6>=="])
    .passes(&[
        "LINKEDIN_CLIENT_SECRET=client_secret_in",
        "LINKEDIN_CLIENT_SECRET=WPL_AP1.<b62:5>.<b62:6>==",
        "LINKEDIN_CLIENT_SECRET=WPL_AP1.xxxxxxxxxxxxxxxx.<b62:6>==",
    ]),
    assigned(
        "secret/spotify-secret",
        "Spotify client secret",
        &["spotify"],
        "[0-9a-f]{32}",
    )
    .finds(&["SPOTIFY_CLIENT_SECRET=<hex:32>"])
    .passes(&[
        "SPOTIFY_CLIENT_SECRET=<hex:10>",
        "SPOTIFY_CLIENT_SECRET=00000000000000000000000000000000",
    ]),
    assigned(
        "secret/twitch-secret",
        "Twitch client secret",
        &["twitch"],
        "[0-9a-z]{30}",
    )
    .check(checks::no_word)
    .finds(&["TWITCH_CLIENT_SECRET=<low:30>"])
    .passes(&[
        "TWITCH_CLIENT_SECRET=<low:10>",
        "TWITCH_CLIENT_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/zendesk-token",
        "Zendesk token",
        &["zendesk"],
        "[0-9A-Za-z]{40}",
    )
    .check(checks::no_word)
    .finds(&["ZENDESK_API_TOKEN=<b62:40>"])
    .passes(&[
        "ZENDESK_API_TOKEN=<b62:13>",
        "ZENDESK_API_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/okta-token",
        "Okta API token",
        &["okta"],
        "00[0-9A-Za-z_-]{40}",
    )
    .url_safe()
    .finds(&["OKTA_API_TOKEN=00<url:40>"])
    .passes(&[
        "OKTA_API_TOKEN=00<url:13>",
        "OKTA_API_TOKEN=00xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/auth0-secret",
        "Auth0 client secret",
        &["auth0"],
        "[0-9A-Za-z_-]{64}",
    )
    .url_safe()
    .check(checks::motley)
    .finds(&["AUTH0_CLIENT_SECRET=<url:64>"])
    .passes(&[
        "AUTH0_CLIENT_SECRET=<url:21>",
        "AUTH0_CLIENT_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/cognito-secret",
        "identity provider client secret",
        &["keycloak", "cognito"],
        "[0-9A-Za-z]{32,52}",
    )
    .check(checks::no_word)
    .finds(&["KEYCLOAK_CLIENT_SECRET=<b62:32>"])
    .passes(&[
        "KEYCLOAK_CLIENT_SECRET=<b62:10>",
        "KEYCLOAK_CLIENT_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/clerk-key",
        "Clerk secret key (with its name)",
        &["clerk_secret"],
        r#"(?i:clerk_secret_key)["\x27 ]{0,3}[=:]["\x27 ]{0,3}(sk_(?:live|test)_[0-9A-Za-z]{40,60})"#,
    )
    .first()
    .finds(&["CLERK_SECRET_KEY=sk_live_<b62:42>"])
    .passes(&[
        "CLERK_SECRET_KEY=sk_live_<b62:14>",
        "CLERK_SECRET_KEY=sk_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/workos-key",
        "WorkOS key (with its name)",
        &["workos_api"],
        r#"(?i:workos_api_key)["\x27 ]{0,3}[=:]["\x27 ]{0,3}(sk_(?:live_|test_)?[0-9A-Za-z]{40,120})"#,
    )
    .first()
    .finds(&["WORKOS_API_KEY=sk_live_<b62:60>"])
    .passes(&[
        "WORKOS_API_KEY=sk_live_<b62:20>",
        "WORKOS_API_KEY=sk_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/asana-secret",
        "Asana client secret",
        &["asana"],
        "[0-9a-f]{32}",
    )
    .finds(&["ASANA_CLIENT_SECRET=<hex:32>"])
    .passes(&[
        "ASANA_CLIENT_SECRET=<hex:10>",
        "ASANA_CLIENT_SECRET=00000000000000000000000000000000",
    ]),
    assigned(
        "secret/asana-token",
        "Asana personal access token",
        &["asana"],
        "[0-9]/[0-9]{13,17}(?:/[0-9]{13,17})?:[0-9a-f]{32}",
    )
    .first()
    .finds(&["ASANA_TOKEN=2/<dec:16>/<dec:16>:<hex:32>"])
    .passes(&[
        "ASANA_TOKEN=2/<dec:16>/<dec:16>:<hex:10>",
        "ASANA_TOKEN=2/<dec:16>/<dec:16>:00000000000000000000000000000000",
    ]),
    assigned(
        "secret/trello-token",
        "Trello token",
        &["trello"],
        "(?:ATTA[0-9a-f]{64}[0-9A-F]{8}|[0-9a-f]{64}|[0-9a-f]{32})",
    )
    .finds(&["TRELLO_TOKEN=ATTA<hex:64><HEX:8>"])
    .passes(&[
        "TRELLO_TOKEN=ATTA<hex:21><HEX:8>",
        "TRELLO_TOKEN=ATTA0000000000000000000000000000000000000000000000000000000000000000<HEX:8>",
    ]),
    token(
        "secret/clickup-token",
        "ClickUp token",
        &["pk_"],
        "pk_[0-9]{7,9}_[0-9A-Z]{32}",
    )
    .finds(&["CLICKUP_TOKEN=pk_<dec:8>_<up:32>"])
    .passes(&[
        "CLICKUP_TOKEN=pk_<dec:8>_<up:10>",
        "CLICKUP_TOKEN=pk_<dec:8>_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
    ]),
    token(
        "secret/frameio-token",
        "Frame.io token",
        &["fio-u-"],
        "fio-u-[0-9A-Za-z_=-]{64}",
    )
    .edge(b"_-=")
    .finds(&["FRAMEIO_TOKEN=fio-u-<url:64>"])
    .passes(&[
        "FRAMEIO_TOKEN=fio-u-<url:21>",
        "FRAMEIO_TOKEN=fio-u-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/readme-key",
        "ReadMe API key",
        &["rdme_"],
        "rdme_[0-9a-z]{70}",
    )
    .finds(&["README_API_KEY=rdme_<low:70>"])
    .passes(&[
        "README_API_KEY=rdme_<low:23>",
        "README_API_KEY=rdme_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/rapidapi-key",
        "RapidAPI key",
        &["rapidapi"],
        "[0-9A-Za-z]{10}msh[0-9A-Za-z]{15}p1[0-9A-Za-z]{6}jsn[0-9A-Za-z]{12}",
    )
    .finds(&["X-RapidAPI-Key: <low:10>msh<low:15>p1<low:6>jsn<low:12>"])
    .passes(&[
        "X-RapidAPI-Key: <low:10>msh<low:5>p1<low:6>jsn<low:12>",
        "X-RapidAPI-Key: <low:10>mshxxxxxxxxxxxxxxxp1<low:6>jsn<low:12>",
    ]),
    assigned(
        "secret/recaptcha-secret",
        "reCAPTCHA secret",
        &["recaptcha"],
        "6L[0-9A-Za-z_-]{38}",
    )
    .medium()
    .url_safe()
    .finds(&["RECAPTCHA_SECRET_KEY=6L<url:38>"])
    .passes(&[
        "RECAPTCHA_SECRET_KEY=6L<url:12>",
        "RECAPTCHA_SECRET_KEY=6Lxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/hcaptcha-secret",
        "hCaptcha secret",
        &["es_"],
        "ES_[0-9a-f]{32}",
    )
    .medium()
    .finds(&["HCAPTCHA_SECRET=ES_<hex:32>"])
    .passes(&[
        "HCAPTCHA_SECRET=ES_<hex:10>",
        "HCAPTCHA_SECRET=ES_00000000000000000000000000000000",
    ]),
    token(
        "secret/turnstile-secret",
        "Cloudflare Turnstile secret",
        &["0x4aaaaaaa"],
        "0x4AAAAAAA[0-9A-Za-z_-]{25}",
    )
    .medium()
    .url_safe()
    .finds(&["TURNSTILE_SECRET_KEY=0x4AAAAAAA<url:25>"])
    .passes(&[
        "TURNSTILE_SECRET_KEY=0x4AAAAAAA<url:8>",
        "TURNSTILE_SECRET_KEY=0x4AAAAAAAxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/fastly-token",
        "Fastly API token",
        &["fastly"],
        "[0-9A-Za-z_-]{32}",
    )
    .url_safe()
    .check(checks::no_word)
    .finds(&["FASTLY_API_TOKEN=<url:32>"])
    .passes(&["FASTLY_API_TOKEN=<url:10>", "FASTLY_API_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/cursor-key",
        "Cursor API key",
        &["key_"],
        "key_[0-9a-f]{64}",
    )
    .finds(&["CURSOR_API_KEY=key_<hex:64>"])
    .passes(&[
        "CURSOR_API_KEY=key_<hex:21>",
        "CURSOR_API_KEY=key_0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/mergify-key",
        "Warp, Mergify or similar key",
        &["wk-"],
        r"wk-[0-9]\.[0-9a-f]{64}",
    )
    .medium()
    .finds(&["WARP_API_KEY=wk-1.<hex:64>"])
    .passes(&[
        "WARP_API_KEY=wk-1.<hex:21>",
        "WARP_API_KEY=wk-1.0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/deno-token",
        "Deno Deploy token",
        &["ddp_", "ddo_", "ddw_"],
        "dd[pow]_[0-9A-Za-z]{36}",
    )
    .finds(&["DENO_DEPLOY_TOKEN=ddp_<b62:36>"])
    .passes(&[
        "DENO_DEPLOY_TOKEN=ddp_<b62:12>",
        "DENO_DEPLOY_TOKEN=ddp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/crowdin-token",
        "Crowdin token",
        &["crowdin"],
        "[0-9a-f]{80}",
    )
    .medium()
    .finds(&["CROWDIN_PERSONAL_TOKEN=<hex:80>"])
    .passes(&[
        "CROWDIN_PERSONAL_TOKEN=<hex:26>",
        "CROWDIN_PERSONAL_TOKEN=00000000000000000000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/phrase-lokalise",
        "Defined Networking key",
        &["dnkey-"],
        "dnkey-[0-9A-Z]{26}-[0-9A-Z]{52}",
    )
    .finds(&["DN_KEY=dnkey-<up:26>-<up:52>"])
    .passes(&[
        "DN_KEY=dnkey-<up:26>-<up:17>",
        "DN_KEY=dnkey-<up:26>-XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
    ]),
    assigned(
        "secret/bitly-token",
        "Bitly token",
        &["bitly"],
        "[0-9a-f]{40}",
    )
    .low()
    .finds(&["BITLY_TOKEN=<hex:40>"])
    .passes(&["BITLY_TOKEN=<hex:13>", "BITLY_TOKEN=0000000000000000000000000000000000000000"]),
    assigned(
        "secret/steam-key",
        "Steam web API key",
        &["steam_api", "steam_web"],
        "[0-9A-F]{32}",
    )
    .low()
    .finds(&["STEAM_API_KEY=<HEX:32>"])
    .passes(&["STEAM_API_KEY=<HEX:10>", "STEAM_API_KEY=00000000000000000000000000000000"]),
];
