//! Money.

use crate::{
    checks,
    detector::{Detector, around, assigned, token},
};

pub(crate) static DETECTORS: &[Detector] = &[
    token(
        "secret/stripe-key",
        "Stripe secret key",
        &["sk_live_", "rk_live_", "sk_prod_"],
        "(?:sk|rk)_(?:live|prod)_[0-9A-Za-z]{20,120}",
    )
    .critical()
    .see(&["https://docs.stripe.com/keys"])
    .finds(&["STRIPE_SECRET_KEY=sk_live_<b62:24>"])
    .passes(&[
        "STRIPE_SECRET_KEY=sk_live_<b62:8>",
        "STRIPE_SECRET_KEY=sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/stripe-test-key",
        "Stripe secret key for tests",
        &["sk_test_", "rk_test_"],
        "(?:sk|rk)_test_[0-9A-Za-z]{20,120}",
    )
    .low()
    .finds(&["STRIPE_SECRET_KEY=sk_test_<b62:24>"])
    .passes(&[
        "STRIPE_SECRET_KEY=sk_test_<b62:8>",
        "STRIPE_SECRET_KEY=sk_test_xxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/stripe-webhook-secret",
        "Stripe webhook secret",
        &["whsec_"],
        "whsec_[0-9A-Za-z+/]{32,64}={0,2}",
    )
    .medium()
    .finds(&["STRIPE_WEBHOOK_SECRET=whsec_<b62:32>"])
    .passes(&[
        "STRIPE_WEBHOOK_SECRET=whsec_<b62:10>",
        "STRIPE_WEBHOOK_SECRET=whsec_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/square-token",
        "Square access token",
        &["sq0atp-", "eaaa"],
        r"(?:sq0atp-[\w-]{22}|EAAA[EFlm][\w-]{59,60})",
    )
    .url_safe()
    .check(checks::mixed)
    .finds(&["SQUARE_ACCESS_TOKEN=sq0atp-<url:22>"])
    .passes(&[
        "SQUARE_ACCESS_TOKEN=sq0atp-<url:7>",
        "SQUARE_ACCESS_TOKEN=sq0atp-xxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/square-secret",
        "Square OAuth secret",
        &["sq0csp-"],
        r"sq0csp-[\w-]{43}",
    )
    .url_safe()
    .finds(&["SQUARE_SECRET=sq0csp-<url:43>"])
    .passes(&[
        "SQUARE_SECRET=sq0csp-<url:14>",
        "SQUARE_SECRET=sq0csp-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/paypal-braintree-token",
        "PayPal Braintree access token",
        &["access_token$"],
        r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}",
    )
    .critical()
    .finds(&["token = access_token$production$<low:16>$<hex:32>"])
    .passes(&[
        "token = access_token$production$<low:16>$<hex:10>",
        "token = access_token$production$<low:16>$00000000000000000000000000000000",
    ]),
    assigned(
        "secret/paypal-secret",
        "PayPal client secret",
        &["paypal"],
        "E[A-Za-z0-9_-]{79}",
    )
    .url_safe()
    .finds(&["PAYPAL_CLIENT_SECRET=E<url:79>"])
    .passes(&[
        "PAYPAL_CLIENT_SECRET=E<url:26>",
        "PAYPAL_CLIENT_SECRET=Exxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    around(
        "secret/adyen-key",
        "Adyen API key",
        &["aqe"],
        0,
        r"AQE[a-z]hmf[0-9A-Za-z+/=]{60,200}-[0-9A-Za-z+/=]{43,44}-[0-9A-Za-z%+/=<>&{}^()$#!?,.:;*~_|\[\]-]{10,20}",
    )
    .critical()
    .edge(b"_")
    .finds(&["x-API-key: AQEyhmf<b62:70>-<b62:43>=-<b62:16>"])
    .passes(&[
        "x-API-key: AQEyhmf<b62:23>-<b62:43>=-<b62:16>",
        "x-API-key: AQEyhmfxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-<b62:43>=-<b62:16>",
    ]),
    token(
        "secret/razorpay-key",
        "Razorpay live key",
        &["rzp_live_"],
        "rzp_live_[0-9A-Za-z]{14}",
    )
    .medium()
    .finds(&["RAZORPAY_KEY=rzp_live_<b62:14>"])
    .passes(&["RAZORPAY_KEY=rzp_live_<b62:4>", "RAZORPAY_KEY=rzp_live_xxxxxxxxxxxxxx"]),
    token(
        "secret/flutterwave-key",
        "Flutterwave secret key",
        &["flwseck"],
        "FLWSECK(?:_TEST)?-[0-9a-zA-Z]{32}-X",
    )
    .finds(&["FLW_SECRET_KEY=FLWSECK-<hex:32>-X"])
    .passes(&[
        "FLW_SECRET_KEY=FLWSECK-<hex:10>-X",
        "FLW_SECRET_KEY=FLWSECK-00000000000000000000000000000000-X",
    ]),
    token(
        "secret/paystack-key",
        "Paystack secret key",
        &["sk_live_", "sk_test_"],
        "sk_(?:live|test)_[0-9a-f]{40}",
    )
    .first()
    .finds(&["PAYSTACK_SECRET_KEY=sk_live_<hex:40>"])
    .passes(&[
        "PAYSTACK_SECRET_KEY=sk_live_<hex:13>",
        "PAYSTACK_SECRET_KEY=sk_live_0000000000000000000000000000000000000000",
    ]),
    token(
        "secret/gocardless-token",
        "GoCardless access token",
        &["live_"],
        "live_[0-9A-Za-z_-]{40}",
    )
    .likely()
    .url_safe()
    .check(checks::motley)
    .entropy(4.0)
    .finds(&["GOCARDLESS_ACCESS_TOKEN=live_<url:40>"])
    .passes(&[
        "GOCARDLESS_ACCESS_TOKEN=live_<url:13>",
        "GOCARDLESS_ACCESS_TOKEN=live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/easypost-key",
        "EasyPost API key",
        &["ezak", "eztk"],
        "EZ[AT]K[0-9a-zA-Z]{54}",
    )
    .medium()
    .finds(&["EASYPOST_API_KEY=EZAK<low:54>"])
    .passes(&[
        "EASYPOST_API_KEY=EZAK<low:18>",
        "EASYPOST_API_KEY=EZAKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/shippo-token",
        "Shippo token",
        &["shippo_live_", "shippo_test_"],
        "shippo_(?:live|test)_[0-9a-fA-F]{40}",
    )
    .medium()
    .finds(&["SHIPPO_TOKEN=shippo_live_<hex:40>"])
    .passes(&[
        "SHIPPO_TOKEN=shippo_live_<hex:13>",
        "SHIPPO_TOKEN=shippo_live_0000000000000000000000000000000000000000",
    ]),
    token(
        "secret/duffel-token",
        "Duffel API token",
        &["duffel_live_", "duffel_test_"],
        "duffel_(?:live|test)_[0-9A-Za-z_=-]{43}",
    )
    .url_safe()
    .medium()
    .finds(&["DUFFEL_TOKEN=duffel_live_<url:43>"])
    .passes(&[
        "DUFFEL_TOKEN=duffel_live_<url:14>",
        "DUFFEL_TOKEN=duffel_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    token(
        "secret/shopify-token",
        "Shopify access token",
        &["shpat_", "shpca_", "shppa_"],
        "shp(?:at|ca|pa)_[0-9a-fA-F]{32}",
    )
    .finds(&["SHOPIFY_TOKEN=shpat_<hex:32>"])
    .passes(&[
        "SHOPIFY_TOKEN=shpat_<hex:10>",
        "SHOPIFY_TOKEN=shpat_00000000000000000000000000000000",
    ]),
    token(
        "secret/shopify-secret",
        "Shopify shared secret",
        &["shpss_"],
        "shpss_[0-9a-fA-F]{32}",
    )
    .finds(&["SHOPIFY_SECRET=shpss_<hex:32>"])
    .passes(&[
        "SHOPIFY_SECRET=shpss_<hex:10>",
        "SHOPIFY_SECRET=shpss_00000000000000000000000000000000",
    ]),
    token(
        "secret/lemonsqueezy-key",
        "Lemon Squeezy or Paddle key",
        &["pdl_live_apikey_", "pdl_sdbx_apikey_"],
        "pdl_(?:live|sdbx)_apikey_[0-9a-z]{26}_[0-9A-Za-z]{22}_[0-9A-Za-z]{3}",
    )
    .finds(&["PADDLE_API_KEY=pdl_live_apikey_<low:26>_<b62:22>_<b62:3>"])
    .passes(&[
        "PADDLE_API_KEY=pdl_live_apikey_<low:8>_<b62:22>_<b62:3>",
        "PADDLE_API_KEY=pdl_live_apikey_xxxxxxxxxxxxxxxxxxxxxxxxxx_<b62:22>_<b62:3>",
    ]),
    assigned(
        "secret/plaid-secret",
        "Plaid secret",
        &["plaid"],
        "[0-9a-f]{30}",
    )
    .check(checks::mixed)
    .finds(&["PLAID_SECRET=<hex:30>"])
    .passes(&["PLAID_SECRET=<hex:10>", "PLAID_SECRET=000000000000000000000000000000"]),
    assigned(
        "secret/coinbase-token",
        "Coinbase token",
        &["coinbase"],
        "[0-9A-Za-z_-]{64}",
    )
    .check(checks::mixed)
    .url_safe()
    .finds(&["COINBASE_API_SECRET=<url:64>"])
    .passes(&[
        "COINBASE_API_SECRET=<url:21>",
        "COINBASE_API_SECRET=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/kraken-secret",
        "Kraken private key",
        &["kraken"],
        "[0-9A-Za-z/+]{86}==",
    )
    .check(checks::mixed)
    .edge(b"/+=_-")
    .finds(&["KRAKEN_PRIVATE_KEY=<b64:86>=="])
    .passes(&[
        "KRAKEN_PRIVATE_KEY=<b64:28>==",
        "KRAKEN_PRIVATE_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx==",
    ]),
    assigned(
        "secret/kucoin-secret",
        "KuCoin secret",
        &["kucoin"],
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    )
    .check(checks::mixed)
    .finds(&["KUCOIN_SECRET=<uuid>"])
    .passes(&["KUCOIN_SECRET=00000000-0000-0000-0000-000000000000"]),
    assigned(
        "secret/binance-secret",
        "Binance secret key",
        &["binance"],
        "[0-9A-Za-z]{64}",
    )
    .check(checks::mixed)
    .finds(&["BINANCE_SECRET_KEY=<b62:64>"])
    .passes(&[
        "BINANCE_SECRET_KEY=<b62:21>",
        "BINANCE_SECRET_KEY=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
    assigned(
        "secret/mollie-key",
        "Mollie live key",
        &["mollie"],
        "live_[0-9A-Za-z]{30,40}",
    )
    .check(checks::mixed)
    .finds(&["MOLLIE_API_KEY=live_<b62:32>"])
    .passes(&[
        "MOLLIE_API_KEY=live_<b62:10>",
        "MOLLIE_API_KEY=live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ]),
];
