//! Clouds: keys to machines, storage and everything else.

use crate::{
    checks,
    detector::{Detector, around, coded, named, token},
    pem,
};

pub(crate) static DETECTORS: &[Detector] = &[
    around(
        "secret/aws-access-key",
        "AWS access key",
        &["akia", "asia", "abia", "acca"],
        4,
        "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
    )
    .critical()
    .see(&["https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"])
    .finds(&["aws_access_key_id = AKIA<b32:16>"])
    .passes(&[
        "AKIAIOSFODNN7EXAMPLE",
        "AKIA0123456789ABCDEF",
        "aws_access_key_id = AKIA<b32:5>",
        "aws_access_key_id = AKIAXXXXXXXXXXXXXXXX",
    ]),
    named(
        "secret/aws-secret-key",
        "AWS secret access key",
        &["aws_secret_access_key", "secretaccesskey", "secret_access_key", "aws_secret_key", "secret-access-key", "aws_secret"],
        "[A-Za-z0-9/+]{40}",
    )
    .critical()
    .entropy(4.2)
    .check(checks::motley)
    .edge(b"/+=_-")
    .finds(&["aws_secret_access_key = <b64:40>"])
    .passes(&[
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "secretAccessKey: usr/share/lib/module/path/to/some/file/x",
        "aws_secret_access_key = <b64:13>",
        "aws_secret_access_key = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    named(
        "secret/aws-session-token",
        "AWS session token",
        &["aws_session_token", "sessiontoken"],
        "(?:FwoGZXIv|IQoJb3Jp|FQoGZXIv|FQoDYXdz)[A-Za-z0-9/+=]{100,}",
    )
    .reach(1400)
    .edge(b"/+=_-")
    .finds(&["aws_session_token = IQoJb3JpZ2luX2Vj<b64:240>"])
    .passes(&[
        "aws_session_token = IQoJb3JpZ2luX2Vj<b64:80>",
        "aws_session_token = IQoJb3JpZ2luX2Vjxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/aws-bedrock-key",
        "Amazon Bedrock API key",
        &["absk"],
        "ABSK[A-Za-z0-9+/]{109,269}={0,2}",
    )
    .edge(b"/+=_-")
    .finds(&["AWS_BEARER_TOKEN_BEDROCK=ABSK<b64:120>"])
    .passes(&[
        "AWS_BEARER_TOKEN_BEDROCK=ABSK<b64:40>",
        "AWS_BEARER_TOKEN_BEDROCK=ABSKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/aws-mws-key",
        "Amazon MWS auth token",
        &["amzn.mws."],
        r"amzn\.mws\.[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["token: amzn.mws.<uuid>"])
    .passes(&["amzn.mws.00000000-0000-0000-0000-000000000000"]),
    token(
        "secret/gcp-api-key",
        "Google API key",
        &["aiza"],
        "AIza[0-9A-Za-z_-]{35}",
    )
    .likely()
    .url_safe()
    .medium()
    .see(&["https://cloud.google.com/docs/authentication/api-keys"])
    .finds(&["key=AIza<url:35>"])
    .passes(&["key=AIza<url:11>", "key=AIzaxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    coded(
        "secret/gcp-service-account",
        "Google Cloud service account key",
        &["\"service_account\""],
        checks::service_account,
    )
    .critical()
    .reach(6144)
    .check(pem::check)
    .first()
    .edge(b"")
    .password()
    .see(&["https://cloud.google.com/iam/docs/keys-create-delete"])
    .finds(&[
        "{\"type\": \"service_account\", \"project_id\": \"p\", \"private_key_id\": \"<hex:40>\", \"private_key\": \"<pkcs8line>\\n\", \"client_email\": \"x@p.iam.gserviceaccount.com\"}",
    ])
    .passes(&[
        "{\"type\": \"service_account\", \"private_key\": \"-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----\\n\"}",
    ]),
    token(
        "secret/gcp-oauth-client-secret",
        "Google OAuth client secret",
        &["gocspx-"],
        "GOCSPX-[0-9A-Za-z_-]{28}",
    )
    .url_safe()
    .finds(&["\"client_secret\":\"GOCSPX-<url:28>\""])
    .passes(&[
        "\"client_secret\":\"GOCSPX-<url:9>\"",
        "\"client_secret\":\"GOCSPX-xxxxxxxxxxxxxxxxxxxxxxxxxxxx\"",
    ]),
    token(
        "secret/gcp-oauth-token",
        "Google OAuth access token",
        &["ya29."],
        r"ya29\.[0-9A-Za-z_-]{60,}",
    )
    .url_safe()
    .medium()
    .finds(&["Authorization: Bearer ya29.<url:160>"])
    .passes(&[
        "Authorization: Bearer ya29.<url:53>",
        "Authorization: Bearer ya29.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/gcp-oauth-refresh-token",
        "Google OAuth refresh token",
        &["1//0"],
        "1//0[0-9A-Za-z_-]{90,110}",
    )
    .url_safe()
    .finds(&["refresh_token = 1//0<url:98>"])
    .passes(&[
        "refresh_token = 1//0<url:32>",
        "refresh_token = 1//0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    named(
        "secret/gcp-hmac-secret",
        "Google Cloud Storage HMAC secret",
        &["gs_secret_access_key", "hmac_secret"],
        "[A-Za-z0-9/+]{40}",
    )
    .first()
    .entropy(4.2)
    .check(checks::motley)
    .edge(b"/+=_-")
    .finds(&["gs_secret_access_key = <b64:40>"])
    .passes(&[
        "gs_secret_access_key = <b64:13>",
        "gs_secret_access_key = xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    named(
        "secret/azure-storage-key",
        "Azure storage account key",
        &["accountkey", "azure_storage_key", "azure_storage_account_key", "azure_storage_access_key"],
        "[A-Za-z0-9+/]{86}==",
    )
    .critical()
    .edge(b"/+=_-")
    .first()
    .finds(&[
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=<b64:86>==;EndpointSuffix=core.windows.net",
    ])
    .passes(&[
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=<b64:28>==;EndpointSuffix=core.windows.net",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx==;EndpointSuffix=core.windows.net",
    ]),
    named(
        "secret/azure-shared-access-key",
        "Azure shared access key",
        &["sharedaccesskey"],
        "[A-Za-z0-9+/]{42,43}=",
    )
    .edge(b"/+=_-")
    .finds(&[
        "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=<b64:43>=",
    ])
    .passes(&[
        "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=<b64:14>=",
        "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx=",
    ]),
    around(
        "secret/azure-client-secret",
        "Azure AD client secret",
        &["8q~", "7q~", "6q~", "5q~"],
        3,
        "[0-9A-Za-z_~.]{3}[5-8]Q~[0-9A-Za-z_~.-]{31,34}",
    )
    .critical()
    .edge(b"_~.-")
    .entropy(3.5)
    .finds(&["AZURE_CLIENT_SECRET=<b62:3>8Q~<b62:34>"])
    .passes(&["AZURE_CLIENT_SECRET=abc8Q~<b62:10>"]),
    around(
        "secret/azure-sas-token",
        "Azure shared access signature",
        &["sig="],
        300,
        r#"sv=20[0-9]{2}-[0-9]{2}-[0-9]{2}&[^\s"\x27<>]{10,240}sig=([A-Za-z0-9%+/]{43,70}(?:%3D|=))"#,
    )
    .edge(b"%")
    .finds(&[
        "https://a.blob.core.windows.net/c?sv=2022-11-02&ss=b&srt=sco&sp=rwdlac&se=2030-01-01&sig=<b62:43>%3D",
    ])
    .passes(&[
        "?sv=2022-11-02&sig=short",
        "https://a.blob.core.windows.net/c?sv=2022-11-02&ss=b&srt=sco&sp=rwdlac&se=2030-01-01&sig=<b62:14>%3D",
        "https://a.blob.core.windows.net/c?sv=2022-11-02&ss=b&srt=sco&sp=rwdlac&se=2030-01-01&sig=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx%3D",
    ]),
    named(
        "secret/azure-devops-token",
        "Azure DevOps personal access token",
        &["azure_devops", "azdo", "ado_pat", "vsts", "system_accesstoken"],
        "[a-z2-7]{52}",
    )
    .entropy(3.5)
    .finds(&["AZURE_DEVOPS_PAT=q3k7x2m5p6n4t3r2v5w7y2z4a6b3c5d7e2f4g6h3i5j7k2l4m6n3"])
    .passes(&["AZURE_DEVOPS_PAT=q3k7x2m5p6n4t3r2v5w7"]),
    around(
        "secret/azure-devops-pat",
        "Azure DevOps personal access token (with its mark)",
        &["azdo"],
        90,
        "[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
    )
    .finds(&["AZURE_TOKEN=<b62:76>AZDO<b62:4>"])
    .passes(&[
        "AZURE_TOKEN=<b62:25>AZDO<b62:4>",
        "AZURE_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxAZDO<b62:4>",
    ]),
    named(
        "secret/azure-openai-key",
        "Azure OpenAI key",
        &["azure_openai_api_key", "azure_openai_key", "ocp-apim-subscription-key"],
        "[0-9a-f]{32}",
    )
    .entropy(3.0)
    .finds(&["AZURE_OPENAI_API_KEY=<hex:32>"])
    .passes(&[
        "AZURE_OPENAI_API_KEY=<hex:10>",
        "AZURE_OPENAI_API_KEY=00000000000000000000000000000000",
    ]),
    around(
        "secret/azure-function-key",
        "Azure Functions host key",
        &["azfu"],
        60,
        "[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw]==",
    )
    .edge(b"_-=")
    .finds(&["code=<url:44>AzFu<b62:5>A=="])
    .passes(&[
        "code=<url:14>AzFu<b62:5>A==",
        "code=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxAzFu<b62:5>A==",
    ]),
];
