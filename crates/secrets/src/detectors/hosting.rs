//! Hosts of applications and smaller clouds.

use crate::{
    checks,
    detector::{Detector, assigned, named, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    named(
        "secret/alibaba-secret-key",
        "Alibaba Cloud access key secret",
        &["aliyun_access", "alibaba_cloud_access_key_secret", "alicloud_secret_key", "accesskeysecret", "access_key_secret"],
        "[A-Za-z0-9]{30}",
    )
    .entropy(3.8)
    .check(checks::motley)
    .finds(&["ALIBABA_CLOUD_ACCESS_KEY_SECRET=<b62:30>"])
    .passes(&[
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET=<b62:10>",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/alibaba-access-key",
        "Alibaba Cloud access key",
        &["ltai"],
        "LTAI[0-9A-Za-z]{20}",
    )
    .likely()
    .check(checks::no_word)
    .finds(&["accessKeyId: LTAI<b62:20>"])
    .passes(&["accessKeyId: LTAI<b62:6>", "accessKeyId: LTAIxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/tencent-secret-id",
        "Tencent Cloud secret id",
        &["akid"],
        "AKID[0-9A-Za-z]{32}",
    )
    .likely()
    .finds(&["SecretId: AKID<b62:32>"])
    .passes(&["SecretId: AKID<b62:10>", "SecretId: AKIDxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/digitalocean-token",
        "DigitalOcean token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        "do[opr]_v1_[0-9a-f]{64}",
    )
    .critical()
    .finds(&["DIGITALOCEAN_TOKEN=dop_v1_<hex:64>"])
    .passes(&[
        "DIGITALOCEAN_TOKEN=dop_v1_<hex:21>",
        "DIGITALOCEAN_TOKEN=dop_v1_0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    assigned(
        "secret/cloudflare-api-key",
        "Cloudflare API key or token",
        &["cloudflare", "cf_api"],
        "(?:[0-9A-Za-z_-]{40}|[0-9a-f]{37})",
    )
    .url_safe()
    .check(checks::no_word)
    .finds(&["CLOUDFLARE_API_TOKEN=<url:40>"])
    .passes(&[
        "CLOUDFLARE_API_TOKEN=<url:13>",
        "CLOUDFLARE_API_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/cloudflare-origin-ca-key",
        "Cloudflare origin CA key",
        &["v1.0-"],
        r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}",
    )
    .finds(&["key: v1.0-<hex:24>-<hex:146>"])
    .passes(&[
        "key: v1.0-<hex:24>-<hex:48>",
        "key: v1.0-<hex:24>-00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    ]),
    token(
        "secret/cloudflare-token",
        "Cloudflare token (with its mark)",
        &["cfut_", "cfat_", "cfk_"],
        "(?:cfut|cfat|cfk)_[0-9A-Za-z]{40}[0-9a-f]{8}",
    )
    .finds(&["CF_TOKEN=cfut_<b62:40><hex:8>"])
    .passes(&[
        "CF_TOKEN=cfut_<b62:13><hex:8>",
        "CF_TOKEN=cfut_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx<hex:8>",
    ]),
    assigned(
        "secret/heroku-api-key",
        "Heroku API key",
        &["heroku"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["HEROKU_API_KEY=<uuid>"])
    .passes(&["HEROKU_APP_ID=<uuid>"]),
    token(
        "secret/heroku-token",
        "Heroku platform key",
        &["hrku-"],
        "HRKU-AA[0-9A-Za-z_-]{58}",
    )
    .url_safe()
    .finds(&["HEROKU_API_KEY=HRKU-AA<url:58>"])
    .passes(&[
        "HEROKU_API_KEY=HRKU-AA<url:19>",
        "HEROKU_API_KEY=HRKU-AAxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/flyio-token",
        "Fly.io access token",
        &["fo1_", "fm1a_", "fm1r_", "fm2_"],
        r"(?:fo1_[\w-]{43}|fm1[ar]_[0-9A-Za-z+/]{100,}={0,3}|fm2_[0-9A-Za-z+/]{100,}={0,3})",
    )
    .edge(b"_-+/=")
    .reach(700)
    .finds(&["FLY_API_TOKEN=fo1_<url:43>"])
    .passes(&[
        "FLY_API_TOKEN=fo1_<url:14>",
        "FLY_API_TOKEN=fo1_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/netlify-token",
        "Netlify access token",
        &["netlify"],
        "[0-9A-Za-z_-]{40,46}",
    )
    .url_safe()
    .check(checks::no_word)
    .finds(&["NETLIFY_AUTH_TOKEN=<url:43>"])
    .passes(&[
        "NETLIFY_AUTH_TOKEN=<url:14>",
        "NETLIFY_AUTH_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/netlify-pat",
        "Netlify personal access token (with its mark)",
        &["nfp_", "nfc_", "nfo_", "nfu_", "nfb_"],
        "nf[pcoub]_[0-9A-Za-z_]{36}",
    )
    .finds(&["NETLIFY_AUTH_TOKEN=nfp_<b62:36>"])
    .passes(&[
        "NETLIFY_AUTH_TOKEN=nfp_<b62:12>",
        "NETLIFY_AUTH_TOKEN=nfp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/vercel-token",
        "Vercel token",
        &["vcp_", "vci_", "vca_", "vcr_", "vck_"],
        "vc[piark]_[0-9A-Za-z]{56}",
    )
    .check(checks::crc62_must)
    .finds(&["VERCEL_TOKEN=vcp_<crc:50>"])
    .passes(&[
        "VERCEL_TOKEN=vcp_<b62:56>",
        "VERCEL_TOKEN=vcp_<crc:16>",
        "VERCEL_TOKEN=vcp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/vercel-api-token",
        "Vercel API token",
        &["vercel"],
        "[0-9A-Za-z]{24}",
    )
    .check(checks::no_word)
    .finds(&["VERCEL_TOKEN=<b62:24>"])
    .passes(&["VERCEL_TOKEN=<b62:8>", "VERCEL_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxx"]),
    assigned(
        "secret/linode-token",
        "Linode API token",
        &["linode"],
        "[0-9a-f]{64}",
    )
    .finds(&["LINODE_TOKEN=<hex:64>"])
    .passes(&[
        "LINODE_TOKEN=<hex:21>",
        "LINODE_TOKEN=0000000000000000000000000000000000000000000000000000000000000000",
    ]),
    assigned(
        "secret/hetzner-token",
        "Hetzner Cloud API token",
        &["hcloud", "hetzner"],
        "[0-9A-Za-z]{64}",
    )
    .check(checks::no_word)
    .finds(&["HCLOUD_TOKEN=<b62:64>"])
    .passes(&[
        "HCLOUD_TOKEN=<b62:21>",
        "HCLOUD_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/scaleway-access-key",
        "Scaleway access key",
        &["scw"],
        "SCW[A-Z0-9]{17}",
    )
    .low()
    .likely()
    .check(checks::mixed)
    .finds(&["SCW_ACCESS_KEY=SCW<up:17>"])
    .passes(&["SCW_ACCESS_KEY=SCW<up:5>", "SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX"]),
    named(
        "secret/scaleway-secret-key",
        "Scaleway secret key",
        &["scw_secret_key", "scw_secret"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["SCW_SECRET_KEY=<uuid>"])
    .passes(&["SCW_PROJECT_ID=<uuid>"]),
    assigned(
        "secret/ovh-secret",
        "OVH application secret or consumer key",
        &["ovh"],
        "[0-9A-Za-z]{32}",
    )
    .check(checks::no_word)
    .finds(&["OVH_APPLICATION_SECRET=<b62:32>"])
    .passes(&[
        "OVH_APPLICATION_SECRET=<b62:10>",
        "OVH_APPLICATION_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/yandex-api-key",
        "Yandex Cloud API key",
        &["aqvn"],
        "AQVN[0-9A-Za-z_-]{35,38}",
    )
    .url_safe()
    .finds(&["api_key: AQVN<url:36>"])
    .passes(&["api_key: AQVN<url:12>", "api_key: AQVNxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]),
    token(
        "secret/yandex-iam-token",
        "Yandex Cloud IAM token",
        &["t1."],
        r"t1\.[0-9A-Za-z_-]{60,}={0,2}\.[0-9A-Za-z_-]{86}={0,2}",
    )
    .edge(b"_-=")
    .finds(&["YC_TOKEN=t1.<url:120>.<url:86>"])
    .passes(&[
        "YC_TOKEN=t1.<url:40>.<url:86>",
        "YC_TOKEN=t1.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.<url:86>",
    ]),
    token(
        "secret/yandex-static-secret",
        "Yandex Cloud static key secret",
        &["ycn", "yco", "ycm", "ycp"],
        "YC[MNOP][0-9A-Za-z_-]{37}",
    )
    .url_safe()
    .likely()
    .check(checks::motley)
    .entropy(4.0)
    .finds(&["AWS_SECRET_ACCESS_KEY=YCN<url:37>"])
    .passes(&[
        "AWS_SECRET_ACCESS_KEY=YCN<url:12>",
        "AWS_SECRET_ACCESS_KEY=YCNxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/planetscale-token",
        "PlanetScale token or password",
        &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
        "pscale_(?:tkn|pw|oauth)_[0-9A-Za-z_.=-]{32,64}",
    )
    .url_safe()
    .finds(&["DATABASE_TOKEN=pscale_tkn_<url:43>"])
    .passes(&[
        "DATABASE_TOKEN=pscale_tkn_<url:14>",
        "DATABASE_TOKEN=pscale_tkn_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/supabase-secret-key",
        "Supabase secret key",
        &["sb_secret_", "sbp_"],
        "(?:sb_secret_[0-9A-Za-z_-]{31,36}|sbp_[0-9a-f]{40})",
    )
    .critical()
    .url_safe()
    .finds(&["SUPABASE_SECRET_KEY=sb_secret_<url:32>"])
    .passes(&[
        "SUPABASE_SECRET_KEY=sb_secret_<url:10>",
        "SUPABASE_SECRET_KEY=sb_secret_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/databricks-token",
        "Databricks token",
        &["dapi"],
        "dapi[0-9a-f]{32}(?:-[0-9])?",
    )
    .finds(&["DATABRICKS_TOKEN=dapi<hex:32>"])
    .passes(&[
        "DATABRICKS_TOKEN=dapi<hex:10>",
        "DATABRICKS_TOKEN=dapi00000000000000000000000000000000",
    ]),
    token(
        "secret/render-key",
        "Render API key",
        &["rnd_"],
        "rnd_[0-9A-Za-z]{32}",
    )
    .finds(&["RENDER_API_KEY=rnd_<b62:32>"])
    .passes(&[
        "RENDER_API_KEY=rnd_<b62:10>",
        "RENDER_API_KEY=rnd_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/railway-token",
        "Railway token",
        &["railway"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .finds(&["RAILWAY_TOKEN=<uuid>"])
    .passes(&["RAILWAY_PROJECT_ID=<uuid>"]),
    token(
        "secret/ibm-cloud-key",
        "IBM Cloud user key (with its mark)",
        &["apikey-"],
        "ApiKey-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .likely()
    .finds(&["key: ApiKey-<uuid>"])
    .passes(&["ApiKey-00000000-0000-0000-0000-000000000000"]),
    assigned(
        "secret/ibm-api-key",
        "IBM Cloud API key",
        &["ibmcloud", "ibm_cloud", "ic_api_key", "bluemix"],
        "[0-9A-Za-z_-]{44}",
    )
    .url_safe()
    .check(checks::no_word)
    .finds(&["IBMCLOUD_API_KEY=<url:44>"])
    .passes(&[
        "IBMCLOUD_API_KEY=<url:14>",
        "IBMCLOUD_API_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/scalingo-token",
        "Scalingo token",
        &["tk-us-"],
        r"tk-us-[\w-]{48}",
    )
    .url_safe()
    .finds(&["SCALINGO_API_TOKEN=tk-us-<url:48>"])
    .passes(&[
        "SCALINGO_API_TOKEN=tk-us-<url:16>",
        "SCALINGO_API_TOKEN=tk-us-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/upcloud-token",
        "UpCloud token",
        &["ucat_"],
        "ucat_[0-9A-Z]{26}",
    )
    .finds(&["UPCLOUD_TOKEN=ucat_<up:26>"])
    .passes(&["UPCLOUD_TOKEN=ucat_<up:8>", "UPCLOUD_TOKEN=ucat_XXXXXXXXXXXXXXXXXXXXXXXXXX"]),
];
