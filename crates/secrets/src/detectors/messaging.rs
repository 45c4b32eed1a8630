//! Messages: chat, mail and telephones.

use crate::{
    checks,
    detector::{Detector, around, assigned, named, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    token(
        "secret/slack-bot-token",
        "Slack bot token",
        &["xoxb-"],
        "xoxb-[0-9]{9,14}-(?:[0-9]{9,14}-)?[0-9A-Za-z]{18,34}",
    )
    .url_safe()
    .see(&["https://api.slack.com/authentication/token-types"])
    .finds(&["SLACK_BOT_TOKEN=xoxb-<dec:12>-<dec:12>-<b62:24>"])
    .passes(&[
        "SLACK_BOT_TOKEN=xoxb-<dec:12>-<dec:12>-<b62:8>",
        "SLACK_BOT_TOKEN=xoxb-<dec:12>-<dec:12>-xxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/slack-user-token",
        "Slack user token",
        &["xoxp-", "xoxe-"],
        "xox[pe]-(?:[0-9]{9,14}-){2,3}[0-9A-Za-z]{28,34}",
    )
    .critical()
    .url_safe()
    .finds(&["SLACK_TOKEN=xoxp-<dec:12>-<dec:12>-<dec:13>-<hex:32>"])
    .passes(&[
        "SLACK_TOKEN=xoxp-<dec:12>-<dec:12>-<dec:13>-<hex:10>",
        "SLACK_TOKEN=xoxp-<dec:12>-<dec:12>-<dec:13>-00000000000000000000000000000000",
    ]),
    token(
        "secret/slack-legacy-token",
        "Slack token of the old form",
        &["xoxa-", "xoxr-", "xoxo-", "xoxs-"],
        "xox[aros]-(?:[0-9]{1,14}-){1,3}[0-9A-Za-z]{10,64}",
    )
    .url_safe()
    .finds(&["SLACK_TOKEN=xoxs-<dec:10>-<dec:10>-<dec:10>-<hex:10>"])
    .passes(&["SLACK_TOKEN=xoxs-1-2-3"]),
    token(
        "secret/slack-app-token",
        "Slack app token",
        &["xapp-"],
        "xapp-[0-9]-[A-Z0-9]{9,12}-[0-9]{10,14}-[0-9a-f]{64}",
    )
    .url_safe()
    .finds(&["SLACK_APP_TOKEN=xapp-1-A<up:10>-<dec:13>-<hex:64>"])
    .passes(&[
        "SLACK_APP_TOKEN=xapp-1-A<up:10>-<dec:13>-<hex:21>",
        "SLACK_APP_TOKEN=xapp-1-A<up:10>-<dec:13>-0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/slack-config-token",
        "Slack configuration token",
        &["xoxe.xoxp-", "xoxe.xoxb-", "xoxe-1-"],
        r"xoxe(?:\.xox[bp])?-[0-9]-[0-9A-Za-z]{146,170}",
    )
    .url_safe()
    .finds(&["SLACK_CONFIG_TOKEN=xoxe.xoxp-1-<b62:166>"])
    .passes(&[
        "SLACK_CONFIG_TOKEN=xoxe.xoxp-1-<b62:55>",
        "SLACK_CONFIG_TOKEN=xoxe.xoxp-1-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/slack-webhook",
        "Slack webhook",
        &["hooks.slack.com/"],
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Z0-9]{8,12}/[A-Z0-9]{8,12}/[0-9A-Za-z]{16,26})",
    )
    .medium()
    .edge(b"_-/")
    .finds(&["https://hooks.slack.com/services/T<up:9>/B<up:9>/<b62:24>"])
    .passes(&[
        "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "https://hooks.slack.com/services/T<up:9>/B<up:9>/<b62:8>",
        "https://hooks.slack.com/services/T<up:9>/B<up:9>/xxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    around(
        "secret/discord-bot-token",
        "Discord bot token",
        &["discord"],
        160,
        r#"(?:discord|DISCORD|Discord)[\w.-]{0,40}["\x27\s]{0,3}[=:>,]{1,2}["\x27\s]{0,3}(?:Bot )?([MNO][0-9A-Za-z_-]{23,27}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,40})"#,
    )
    .url_safe()
    .finds(&["DISCORD_TOKEN=M<b62:23>.<url:6>.<url:38>"])
    .passes(&[
        "DISCORD_TOKEN=M<b62:23>.<url:6>.<url:12>",
        "DISCORD_TOKEN=M<b62:23>.<url:6>.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/discord-webhook",
        "Discord webhook",
        &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
        r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/([0-9A-Za-z_-]{60,80})",
    )
    .medium()
    .edge(b"_-")
    .finds(&["https://discord.com/api/webhooks/<dec:18>/<url:68>"])
    .passes(&[
        "https://discord.com/api/webhooks/<dec:18>/<url:22>",
        "https://discord.com/api/webhooks/<dec:18>/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    around(
        "secret/telegram-bot-token",
        "Telegram bot token",
        &[":aa"],
        10,
        "[0-9]{8,10}:AA[0-9A-Za-z_-]{33}",
    )
    .url_safe()
    .finds(&["BOT_TOKEN=<dec:10>:AA<url:33>"])
    .passes(&[
        "BOT_TOKEN=<dec:10>:AA<url:11>",
        "BOT_TOKEN=<dec:10>:AAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/teams-webhook",
        "Microsoft Teams webhook",
        &["webhook.office.com/webhookb2/"],
        r"webhook\.office\.com/webhookb2/([0-9a-z-]{36}@[0-9a-z-]{36}/IncomingWebhook/[0-9a-z]{32}/[0-9a-z-]{36})",
    )
    .medium()
    .finds(&[
        "https://acme.webhook.office.com/webhookb2/<uuid>@<uuid>/IncomingWebhook/<hex:32>/<uuid>",
    ])
    .passes(&[
        "https://acme.webhook.office.com/webhookb2/<uuid>@<uuid>/IncomingWebhook/<hex:10>/<uuid>",
        "https://acme.webhook.office.com/webhookb2/<uuid>@<uuid>/IncomingWebhook/00000000000000000000000000000000/<uuid>",
    ]),
    around(
        "secret/power-automate-webhook",
        "Power Automate webhook",
        &["logic.azure.com"],
        60,
        r#"[a-z0-9.-]{5,60}logic\.azure\.com(?::443)?/workflows/[0-9a-f]{32}/triggers/[^\s"\x27<>]{10,160}sig=([0-9A-Za-z_-]{43})"#,
    )
    .medium()
    .url_safe()
    .finds(&[
        "https://prod-1.westeurope.logic.azure.com:443/workflows/<hex:32>/triggers/manual/paths/invoke?api-version=1&sig=<url:43>",
    ])
    .passes(&[
        "https://prod-1.westeurope.logic.azure.com:443/workflows/<hex:32>/triggers/manual/paths/invoke?api-version=1&sig=<url:14>",
        "https://prod-1.westeurope.logic.azure.com:443/workflows/<hex:32>/triggers/manual/paths/invoke?api-version=1&sig=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/sendgrid-key",
        "SendGrid API key",
        &["sg."],
        r"SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}",
    )
    .url_safe()
    .finds(&["SENDGRID_API_KEY=SG.<url:22>.<url:43>"])
    .passes(&[
        "SENDGRID_API_KEY=SG.<url:22>.<url:14>",
        "SENDGRID_API_KEY=SG.<url:22>.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/mailgun-key",
        "Mailgun API key",
        &["key-"],
        "key-[0-9a-f]{32}",
    )
    .likely()
    .url_safe()
    .finds(&["MAILGUN_API_KEY=key-<hex:32>"])
    .passes(&[
        "MAILGUN_API_KEY=key-<hex:10>",
        "MAILGUN_API_KEY=key-00000000000000000000000000000000",
    ]),
    around(
        "secret/mailchimp-key",
        "Mailchimp API key",
        &["-us"],
        32,
        "[0-9a-f]{32}-us[0-9]{1,2}",
    )
    .url_safe()
    .finds(&["MAILCHIMP_API_KEY=<hex:32>-us12"])
    .passes(&[
        "MAILCHIMP_API_KEY=<hex:10>-us12",
        "MAILCHIMP_API_KEY=00000000000000000000000000000000-us12",
    ]),
    token(
        "secret/brevo-key",
        "Brevo API key",
        &["xkeysib-", "xsmtpsib-"],
        "x(?:key|smtp)sib-[0-9a-f]{64}-[0-9A-Za-z]{16}",
    )
    .url_safe()
    .finds(&["BREVO_API_KEY=xkeysib-<hex:64>-<b62:16>"])
    .passes(&[
        "BREVO_API_KEY=xkeysib-<hex:21>-<b62:16>",
        "BREVO_API_KEY=xkeysib-0000000000000000000000000000000000000000000000000000000000000000-<b62:16>",
    ]),
    token(
        "secret/resend-key",
        "Resend API key",
        &["re_"],
        "re_[0-9A-Za-z]{8}_[0-9A-Za-z]{24}",
    )
    .check(checks::no_word)
    .finds(&["RESEND_API_KEY=re_<b62:8>_<b62:24>"])
    .passes(&[
        "RESEND_API_KEY=re_<b62:8>_<b62:8>",
        "RESEND_API_KEY=re_<b62:8>_xxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/postmark-token",
        "Postmark server token",
        &["postmark"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["POSTMARK_SERVER_TOKEN=<uuid>"])
    .passes(&["POSTMARK_TOKEN=00000000-0000-0000-0000-000000000000"]),
    assigned(
        "secret/sparkpost-key",
        "SparkPost API key",
        &["sparkpost"],
        "[0-9a-f]{40}",
    )
    .finds(&["SPARKPOST_API_KEY=<hex:40>"])
    .passes(&[
        "SPARKPOST_API_KEY=<hex:13>",
        "SPARKPOST_API_KEY=0000000000000000000000000000000000000000",
    ]),
    assigned(
        "secret/mailjet-secret",
        "Mailjet secret",
        &["mailjet", "mj_apikey"],
        "[0-9a-f]{32}",
    )
    .finds(&["MAILJET_SECRET_KEY=<hex:32>"])
    .passes(&[
        "MAILJET_SECRET_KEY=<hex:10>",
        "MAILJET_SECRET_KEY=00000000000000000000000000000000",
    ]),
    token(
        "secret/twilio-key",
        "Twilio API key",
        &["sk"],
        "SK[0-9a-f]{32}",
    )
    .entropy(3.2)
    .finds(&["TWILIO_API_KEY=SK<hex:32>"])
    .passes(&["TWILIO_API_KEY=SK<hex:10>", "TWILIO_API_KEY=SK00000000000000000000000000000000"]),
    named(
        "secret/twilio-auth-token",
        "Twilio auth token",
        &["twilio_auth_token", "twilio_token", "twilioauthtoken"],
        "[0-9a-f]{32}",
    )
    .entropy(3.0)
    .finds(&["TWILIO_AUTH_TOKEN=<hex:32>"])
    .passes(&[
        "TWILIO_AUTH_TOKEN=<hex:10>",
        "TWILIO_AUTH_TOKEN=00000000000000000000000000000000",
    ]),
    assigned(
        "secret/vonage-secret",
        "Vonage API secret",
        &["vonage", "nexmo"],
        "[0-9A-Za-z]{16}",
    )
    .check(checks::no_word)
    .finds(&["NEXMO_API_SECRET=<b62:16>"])
    .passes(&["NEXMO_API_SECRET=<b62:5>", "NEXMO_API_SECRET=xxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/messagebird-key",
        "MessageBird API key",
        &["messagebird"],
        "[0-9A-Za-z]{25}",
    )
    .check(checks::no_word)
    .finds(&["MESSAGEBIRD_API_KEY=<b62:25>"])
    .passes(&["MESSAGEBIRD_API_KEY=<b62:8>", "MESSAGEBIRD_API_KEY=xxxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/mattermost-token",
        "Mattermost token",
        &["mattermost"],
        "[0-9a-z]{26}",
    )
    .check(checks::no_word)
    .finds(&["MATTERMOST_TOKEN=<low:26>"])
    .passes(&["MATTERMOST_TOKEN=<low:8>", "MATTERMOST_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/rocketchat-webhook",
        "Rocket.Chat webhook",
        &["/hooks/"],
        "/hooks/([0-9A-Za-z]{17}/[0-9A-Za-z]{43,50})",
    )
    .medium()
    .edge(b"_")
    .finds(&["https://chat.acme.io/hooks/<b62:17>/<b62:48>"])
    .passes(&[
        "https://chat.acme.io/hooks/<b62:17>/<b62:16>",
        "https://chat.acme.io/hooks/<b62:17>/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/intercom-token",
        "Intercom access token",
        &["dg9rojo"],
        "dG9rOj[0-9A-Za-z+/=]{54,56}",
    )
    .edge(b"/+=_")
    .finds(&["INTERCOM_TOKEN=dG9rOjo<b62:54>"])
    .passes(&[
        "INTERCOM_TOKEN=dG9rOjo<b62:18>",
        "INTERCOM_TOKEN=dG9rOjoxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
];
