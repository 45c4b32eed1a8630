//! Services that give keys without a mark: known by their names alone.

use crate::{
    checks,
    detector::{Detector, around, assigned, coded, named, token},
    kubernetes,
};

pub(crate) static DETECTORS: &[Detector] = &[
    assigned(
        "secret/adafruit-key",
        "Adafruit IO key",
        &["adafruit"],
        "(?:aio_[0-9A-Za-z]{28}|[0-9a-z_-]{32})",
    )
    .check(checks::no_word)
    .url_safe()
    .finds(&["ADAFRUIT_KEY=<low:32>"])
    .passes(&["ADAFRUIT_KEY=<low:10>", "ADAFRUIT_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/airtable-key",
        "Airtable API key of the old form",
        &["airtable"],
        "(?:key)?[0-9A-Za-z]{14,17}",
    )
    .check(checks::no_word)
    .last()
    .finds(&["AIRTABLE_KEY=key<b62:14>"])
    .passes(&["AIRTABLE_KEY=key<b62:4>", "AIRTABLE_KEY=keyxxxxxxxxxxxxxx"]),
    assigned(
        "secret/beamer-token",
        "Beamer token",
        &["beamer"],
        "b_[0-9A-Za-z=_-]{44}",
    )
    .check(checks::mixed)
    .url_safe()
    .finds(&["BEAMER_KEY=b_<b62:44>"])
    .passes(&[
        "BEAMER_KEY=b_<b62:14>",
        "BEAMER_KEY=b_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/bittrex-key",
        "Bittrex key",
        &["bittrex"],
        "[0-9a-z]{32}",
    )
    .check(checks::no_word)
    .finds(&["BITTREX_KEY=<low:32>"])
    .passes(&["BITTREX_KEY=<low:10>", "BITTREX_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/meraki-key",
        "Cisco Meraki API key",
        &["meraki"],
        "[0-9a-f]{40}",
    )
    .check(checks::mixed)
    .finds(&["MERAKI_KEY=<hex:40>"])
    .passes(&["MERAKI_KEY=<hex:13>", "MERAKI_KEY=0000000000000000000000000000000000000000"]),
    assigned(
        "secret/contentful-delivery-token",
        "Contentful delivery token",
        &["contentful"],
        "[0-9A-Za-z=_-]{43}",
    )
    .check(checks::no_word)
    .url_safe()
    .last()
    .finds(&["CONTENTFUL_KEY=<b62:43>"])
    .passes(&[
        "CONTENTFUL_KEY=<b62:14>",
        "CONTENTFUL_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/discord-secret",
        "Discord client secret",
        &["discord"],
        "(?:[0-9a-f]{64}|[0-9A-Za-z_-]{32})",
    )
    .check(checks::no_word)
    .url_safe()
    .last()
    .finds(&["DISCORD_KEY=<b62:32>"])
    .passes(&["DISCORD_KEY=<b62:10>", "DISCORD_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/dropbox-secret",
        "Dropbox app secret",
        &["dropbox"],
        "[0-9a-z]{15}",
    )
    .check(checks::no_word)
    .last()
    .finds(&["DROPBOX_KEY=<low:15>"])
    .passes(&["DROPBOX_KEY=<low:5>", "DROPBOX_KEY=xxxxxxxxxxxxxxx"]),
    assigned(
        "secret/etsy-key",
        "Etsy key",
        &["etsy"],
        "[0-9a-z]{24}",
    )
    .check(checks::no_word)
    .finds(&["ETSY_KEY=<low:24>"])
    .passes(&["ETSY_KEY=<low:8>", "ETSY_KEY=xxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/finicity-key",
        "Finicity key",
        &["finicity"],
        "(?:[0-9a-f]{32}|[0-9A-Za-z]{20})",
    )
    .check(checks::mixed)
    .finds(&["FINICITY_KEY=<hex:32>"])
    .passes(&["FINICITY_KEY=<hex:10>", "FINICITY_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/finnhub-token",
        "Finnhub token",
        &["finnhub"],
        "[0-9a-z]{20}(?:[0-9a-z]{20})?",
    )
    .check(checks::no_word)
    .finds(&["FINNHUB_KEY=<low:20>"])
    .passes(&["FINNHUB_KEY=<low:6>", "FINNHUB_KEY=xxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/flickr-secret",
        "Flickr key",
        &["flickr"],
        "[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .finds(&["FLICKR_KEY=<hex:32>"])
    .passes(&["FLICKR_KEY=<hex:10>", "FLICKR_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/freshbooks-token",
        "FreshBooks token",
        &["freshbooks"],
        "[0-9a-z]{64}",
    )
    .check(checks::no_word)
    .finds(&["FRESHBOOKS_KEY=<low:64>"])
    .passes(&[
        "FRESHBOOKS_KEY=<low:21>",
        "FRESHBOOKS_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/gitter-token",
        "Gitter token",
        &["gitter"],
        "[0-9a-z_-]{40}",
    )
    .check(checks::no_word)
    .url_safe()
    .finds(&["GITTER_KEY=<low:40>"])
    .passes(&["GITTER_KEY=<low:13>", "GITTER_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/jfrog-key",
        "JFrog key",
        &["jfrog", "artifactory", "bintray", "xray"],
        "(?:[0-9A-Za-z]{73}|[0-9A-Za-z]{64})",
    )
    .check(checks::no_word)
    .last()
    .finds(&["JFROG_KEY=<b62:64>"])
    .passes(&[
        "JFROG_KEY=<b62:21>",
        "JFROG_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/lob-key",
        "Lob key",
        &["lob_", "lobapi", "lob-"],
        "(?:live|test)_[0-9a-f]{35}",
    )
    .check(checks::mixed)
    .finds(&["LOB_API_KEY=live_<hex:35>"])
    .passes(&[
        "LOB_API_KEY=live_<hex:11>",
        "LOB_API_KEY=live_00000000000000000000000000000000000",
    ]),
    assigned(
        "secret/looker-secret",
        "Looker client secret",
        &["looker"],
        "[0-9a-z]{24}",
    )
    .check(checks::no_word)
    .finds(&["LOOKER_KEY=<low:24>"])
    .passes(&["LOOKER_KEY=<low:8>", "LOOKER_KEY=xxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/linear-secret",
        "Linear client secret",
        &["linear"],
        "[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .low()
    .finds(&["LINEAR_KEY=<hex:32>"])
    .passes(&["LINEAR_KEY=<hex:10>", "LINEAR_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/sendbird-token",
        "Sendbird token",
        &["sendbird"],
        "[0-9a-f]{40}",
    )
    .check(checks::mixed)
    .finds(&["SENDBIRD_KEY=<hex:40>"])
    .passes(&["SENDBIRD_KEY=<hex:13>", "SENDBIRD_KEY=0000000000000000000000000000000000000000"]),
    assigned(
        "secret/squarespace-token",
        "Squarespace token",
        &["squarespace"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .check(checks::mixed)
    .finds(&["SQUARESPACE_KEY=<uuid>"])
    .passes(&["SQUARESPACE_KEY=00000000-0000-0000-0000-000000000000"]),
    assigned(
        "secret/plaid-client-id",
        "Plaid client id",
        &["plaid"],
        "[0-9a-f]{24}",
    )
    .check(checks::mixed)
    .last()
    .finds(&["PLAID_KEY=<hex:24>"])
    .passes(&["PLAID_KEY=<hex:8>", "PLAID_KEY=000000000000000000000000"]),
    assigned(
        "secret/private-ai-key",
        "Private AI key",
        &["private_ai", "privateai", "private-ai"],
        "[0-9a-z]{32}",
    )
    .check(checks::no_word)
    .finds(&["PRIVATE_AI_KEY=<low:32>"])
    .passes(&["PRIVATE_AI_KEY=<low:10>", "PRIVATE_AI_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/telegram-token",
        "Telegram token of the old form",
        &["telegr"],
        "[0-9]{5,16}:A[0-9A-Za-z_-]{34}",
    )
    .check(checks::mixed)
    .url_safe()
    .last()
    .finds(&["TELEGR_KEY=<dec:9>:Am<b62:33>"])
    .passes(&[
        "TELEGR_KEY=<dec:9>:Am<b62:11>",
        "TELEGR_KEY=<dec:9>:Amxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/amplitude-secret",
        "Amplitude key",
        &["amplitude"],
        "[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .finds(&["AMPLITUDE_KEY=<hex:32>"])
    .passes(&["AMPLITUDE_KEY=<hex:10>", "AMPLITUDE_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/mixpanel-secret",
        "Mixpanel secret",
        &["mixpanel"],
        "[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .finds(&["MIXPANEL_KEY=<hex:32>"])
    .passes(&["MIXPANEL_KEY=<hex:10>", "MIXPANEL_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/openweather-key",
        "OpenWeather key",
        &["openweather"],
        "[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .finds(&["OPENWEATHER_KEY=<hex:32>"])
    .passes(&["OPENWEATHER_KEY=<hex:10>", "OPENWEATHER_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/shodan-key",
        "Shodan key",
        &["shodan"],
        "[0-9A-Za-z]{32}",
    )
    .check(checks::no_word)
    .finds(&["SHODAN_KEY=<b62:32>"])
    .passes(&["SHODAN_KEY=<b62:10>", "SHODAN_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/virustotal-key",
        "VirusTotal key",
        &["virustotal", "vt_api"],
        "[0-9a-f]{64}",
    )
    .check(checks::mixed)
    .finds(&["VIRUSTOTAL_KEY=<hex:64>"])
    .passes(&[
        "VIRUSTOTAL_KEY=<hex:21>",
        "VIRUSTOTAL_KEY=0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    assigned(
        "secret/censys-secret",
        "Censys secret",
        &["censys"],
        "[0-9A-Za-z]{32}",
    )
    .check(checks::no_word)
    .finds(&["CENSYS_KEY=<b62:32>"])
    .passes(&["CENSYS_KEY=<b62:10>", "CENSYS_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/infura-secret",
        "Infura secret",
        &["infura"],
        "[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .finds(&["INFURA_KEY=<hex:32>"])
    .passes(&["INFURA_KEY=<hex:10>", "INFURA_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/alchemy-key",
        "Alchemy key",
        &["alchemy"],
        "[0-9A-Za-z_-]{32}",
    )
    .check(checks::no_word)
    .url_safe()
    .finds(&["ALCHEMY_KEY=<b62:32>"])
    .passes(&["ALCHEMY_KEY=<b62:10>", "ALCHEMY_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/etherscan-key",
        "Etherscan key",
        &["etherscan"],
        "[0-9A-Z]{34}",
    )
    .check(checks::no_word)
    .finds(&["ETHERSCAN_KEY=<up:34>"])
    .passes(&["ETHERSCAN_KEY=<up:11>", "ETHERSCAN_KEY=XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX"]),
    assigned(
        "secret/zoom-secret",
        "Zoom client secret",
        &["zoom_"],
        "[0-9A-Za-z]{32}",
    )
    .check(checks::no_word)
    .finds(&["ZOOM_KEY=<b62:32>"])
    .passes(&["ZOOM_KEY=<b62:10>", "ZOOM_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/webex-secret",
        "Webex client secret",
        &["webex"],
        "[0-9a-f]{64}",
    )
    .check(checks::mixed)
    .finds(&["WEBEX_KEY=<hex:64>"])
    .passes(&[
        "WEBEX_KEY=<hex:21>",
        "WEBEX_KEY=0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    assigned(
        "secret/line-secret",
        "LINE channel secret",
        &["line_channel"],
        "[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .finds(&["LINE_CHANNEL_KEY=<hex:32>"])
    .passes(&["LINE_CHANNEL_KEY=<hex:10>", "LINE_CHANNEL_KEY=00000000000000000000000000000000"]),
    assigned(
        "secret/wechat-secret",
        "WeChat app secret",
        &["wechat", "weixin"],
        "[0-9a-f]{32}",
    )
    .check(checks::mixed)
    .finds(&["WECHAT_KEY=<hex:32>"])
    .passes(&["WECHAT_KEY=<hex:10>", "WECHAT_KEY=00000000000000000000000000000000"]),
    token(
        "secret/adobe-secret",
        "Adobe client secret",
        &["p8e-"],
        "p8e-[0-9A-Za-z_-]{32}",
    )
    .url_safe()
    .finds(&["ADOBE_CLIENT_SECRET=p8e-<b62:32>"])
    .passes(&[
        "ADOBE_CLIENT_SECRET=p8e-<b62:10>",
        "ADOBE_CLIENT_SECRET=p8e-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/settlemint-token",
        "SettleMint token",
        &["sm_aat_", "sm_pat_", "sm_sat_"],
        "sm_[aps]at_[0-9A-Za-z]{16}",
    )
    .finds(&["TOKEN=sm_pat_<b62:16>"])
    .passes(&["TOKEN=sm_pat_<b62:5>", "TOKEN=sm_pat_xxxxxxxxxxxxxxxx"]),
    token(
        "secret/intra42-secret",
        "Intra 42 client secret",
        &["s-s4t2ud-"],
        "s-s4t2(?:ud|af)-[0-9a-f]{64}",
    )
    .medium()
    .finds(&["secret = s-s4t2ud-<hex:64>"])
    .passes(&[
        "secret = s-s4t2ud-<hex:21>",
        "secret = s-s4t2ud-0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/flutterwave-encryption-key",
        "Flutterwave encryption key",
        &["flwseck_test"],
        "FLWSECK_TEST[0-9a-h]{12}",
    )
    .low()
    .finds(&["FLW_ENCRYPTION_KEY=FLWSECK_TEST<hex:12>"])
    .passes(&[
        "FLW_ENCRYPTION_KEY=FLWSECK_TEST<hex:4>",
        "FLW_ENCRYPTION_KEY=FLWSECK_TEST000000000000",
    ]),
    token(
        "secret/authress-key",
        "Authress access key",
        &["scauth_", "authress_"],
        r"(?:scauth|authress)_[0-9A-Za-z]{5,30}\.[0-9A-Za-z]{4,6}\.acc[_-][0-9A-Za-z-]{10,32}\.[0-9A-Za-z+/_=-]{30,120}",
    )
    .edge(b"_-=+/")
    .finds(&["KEY=authress_<low:16>.<low:5>.acc_<low:16>.<b62:60>"])
    .passes(&[
        "KEY=authress_<low:16>.<low:5>.acc_<low:16>.<b62:20>",
        "KEY=authress_<low:16>.<low:5>.acc_<low:16>.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    named(
        "secret/sidekiq-secret",
        "Sidekiq Pro or Enterprise credentials",
        &["bundle_enterprise__contribsys__com", "bundle_gems__contribsys__com"],
        "[0-9a-f]{8}:[0-9a-f]{8}",
    )
    .password()
    .entropy(2.5)
    .finds(&["BUNDLE_GEMS__CONTRIBSYS__COM=<hex:8>:<hex:8>"])
    .passes(&["BUNDLE_GEMS__CONTRIBSYS__COM=deadbeef:deadbeef"]),
    token(
        "secret/jwt-base64",
        "JSON Web Token in base64",
        &["zxlk"],
        "ZXlK[0-9A-Za-z+/]{60,}={0,2}",
    )
    .medium()
    .likely()
    .edge(b"+/=_-")
    .reach(6000)
    .check(checks::jwt_base64)
    .finds(&["token: <jwt64>"])
    .passes(&["token: ZXlK<b64:120>"]),
    coded(
        "secret/kubernetes-secret",
        "value in a Kubernetes Secret",
        &["kind: secret", "kind: \\\"secret\\\"", "\"kind\": \"secret\"", "\"kind\":\"secret\""],
        kubernetes::secret,
    )
    .password()
    .likely()
    .reach(2048)
    .edge(b"")
    .last()
    .finds(&[
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  password: <password64>\n",
        "apiVersion: v1\ndata:\n  password: <password64>\nkind: Secret\nmetadata:\n  name: db\n",
        "{\n  \"apiVersion\": \"v1\",\n  \"data\": {\n    \"password\": \"<password64>\"\n  },\n  \"kind\": \"Secret\"\n}\n",
        "items:\n- apiVersion: v1\n  data:\n    password: <password64>\n  kind: Secret\n",
    ])
    .passes(&[
        "data:\n  motd: <password64>\n---\nkind: Secret\n",
        "- kind: ConfigMap\n  data:\n    motd: <password64>\n- apiVersion: v1\n  kind: Secret\n",
        "kind: Secret\nmetadata:\n  name: db\ndata:\n  password: {{ .Values.password | b64enc }}\n",
        "kind: Secret\nstringData:\n  password: changeme\n",
        "kind: SecretList\nitems: []\n",
    ]),
    around(
        "secret/ceph-key",
        "Ceph key",
        &["[client.", "[mon."],
        0,
        r"\[(?:client|mon)\.[\w.-]{0,40}\]\s{1,10}key = (AQ[0-9A-Za-z+/]{36}==)",
    )
    .edge(b"/+=")
    .finds(&["[client.admin]\n	key = AQ<b64:36>=="])
    .passes(&[
        "[client.admin]\n	key = AQ<b64:12>==",
        "[client.admin]\n	key = AQxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx==",
    ]),
];
