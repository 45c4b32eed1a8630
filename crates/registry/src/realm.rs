//! Which token servers may be asked, and which of them with credentials.
//!
//! A registry names its token server freely (`realm`). One that is hostile, or
//! that somebody on the way pretends to be, could so collect the credentials
//! that are kept for it, or have this machine ask others in its stead. So:
//!
//! - credentials of a registry are chosen by its own name alone, never by the
//!   realm, the service or the scope of its challenge;
//! - a realm without TLS is asked only for a registry without TLS, and only on
//!   the registry's own host, on this machine, or where the settings say so;
//! - a realm on this machine or its link is asked only for a registry on this
//!   machine or on that same host;
//! - credentials go to the registry's own host, to hosts below it, to hosts of
//!   the same registrable domain (publicsuffix.org), to the pairs below, and
//!   where the settings say so. Another realm gets none, and because it wanted
//!   some, nothing at all; a registry without credentials may send us to any
//!   realm over TLS.

use std::net::IpAddr;

use crate::Address;

/// Registries whose token servers have another registrable domain: the
/// registry's domain and the token server.
const PAIRS: [(&str, &str); 1] = [
    // Scaleway's documentation, "container registry".
    ("scw.cloud", "api.scaleway.com"),
];

/// Domains below which everybody can have a registry. A neighbour is not the
/// registry itself, whatever the list of public suffixes says.
const SHARED: [&str; 6] = [
    "amazonaws.com",
    "azurecr.io",
    "jfrog.io",
    "pkg.dev",
    "scw.cloud",
    "ocir.io",
];

/// Why a token server is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RealmError {
    /// Everybody on the way could read the token.
    #[error("it is not encrypted")]
    Plain,
    /// It would be asked for by a registry that cannot reach it itself.
    #[error("it leads to this machine")]
    Local,
    /// The credentials are for somebody else.
    #[error("it belongs to another host than the registry, whose credentials it would get")]
    Foreign,
}

/// Whether `realm` may be asked for a token of the registry at `registry`.
/// `is_set` says that the settings name it for this registry.
pub(crate) fn check(
    registry: &Address,
    realm: &Address,
    has_credentials: bool,
    is_set: bool,
) -> Result<(), RealmError> {
    let is_same = realm.host() == registry.host();
    let is_local = realm.is_loopback() && registry.is_loopback();
    if realm.is_plain() && !(registry.is_plain() && (is_same || is_local || is_set)) {
        return Err(RealmError::Plain);
    }
    if realm.is_loopback() && !is_same && !is_local {
        return Err(RealmError::Local);
    }
    let is_own = is_same || is_local || is_set || is_kin(registry.host(), realm.host());
    if has_credentials && !is_own {
        return Err(RealmError::Foreign);
    }
    Ok(())
}

/// Whether two different hosts are of one owner.
fn is_kin(registry: &str, realm: &str) -> bool {
    // Addresses have no owners that could be seen in them.
    let is_address = |host: &str| host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    if is_address(registry) || is_address(realm) {
        return false;
    }
    let is_paired = |(own, other): &(&str, &str)| is_below(registry, own) && realm == *other;
    if is_below(realm, registry) || PAIRS.iter().any(is_paired) {
        return true;
    }
    let domain = psl::domain(registry.as_bytes()).map(|domain| domain.as_bytes());
    domain.is_some()
        && domain == psl::domain(realm.as_bytes()).map(|domain| domain.as_bytes())
        && !SHARED.iter().any(|shared| is_below(registry, shared))
}

/// Whether `host` is `domain` or below it.
fn is_below(host: &str, domain: &str) -> bool {
    let rest = host.strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(registry: &str, realm: &str, has_credentials: bool) -> Result<(), RealmError> {
        let address = |text: &str| Address::parse(text).unwrap();
        check(&address(registry), &address(realm), has_credentials, false)
    }

    #[test]
    fn real_token_servers_get_their_credentials() {
        for (registry, realm) in [
            (
                "https://registry-1.docker.io",
                "https://auth.docker.io/token",
            ),
            ("https://ghcr.io", "https://ghcr.io/token"),
            ("https://quay.io", "https://quay.io/v2/auth"),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth"),
            (
                "https://registry.example.co.uk:5050",
                "https://gitlab.example.co.uk/jwt/auth",
            ),
            ("https://a.azurecr.io", "https://a.azurecr.io/oauth2/token"),
            (
                "https://us-docker.pkg.dev",
                "https://us-docker.pkg.dev/v2/token",
            ),
            (
                "https://registry.digitalocean.com",
                "https://api.digitalocean.com/v2/registry/auth",
            ),
            (
                "https://registry.cn-hangzhou.aliyuncs.com",
                "https://dockerauth.cn-hangzhou.aliyuncs.com/auth",
            ),
            (
                "https://rg.fr-par.scw.cloud",
                "https://api.scaleway.com/registry-internal/v1/token",
            ),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001/auth"),
            ("http://localhost:5000", "http://127.0.0.1:5001/auth"),
            ("http://localhost:5000", "https://localhost:5001/auth"),
            ("http://registry:5000", "http://registry:5001/auth"),
            ("https://10.0.0.1:5000", "https://10.0.0.1/auth"),
        ] {
            assert_eq!(verdict(registry, realm, true), Ok(()), "{registry} {realm}");
        }
    }

    #[test]
    fn credentials_do_not_go_to_others() {
        for (registry, realm) in [
            ("https://ghcr.io", "https://evil.example/token"),
            ("https://ghcr.io", "https://ghcr.io.evil.example/token"),
            ("https://ghcr.io", "https://notghcr.io/token"),
            // Docker Hub's token server, asked for by somebody else.
            ("https://evil.example", "https://auth.docker.io/token"),
            ("https://a.azurecr.io", "https://b.azurecr.io/oauth2/token"),
            ("https://a.azurecr.io", "https://azurecr.io/oauth2/token"),
            ("https://foo.co.uk", "https://bar.co.uk/token"),
            ("https://a.github.io", "https://b.github.io/token"),
            ("https://a.jfrog.io", "https://b.jfrog.io/token"),
            (
                "https://1.dkr.ecr.us-east-1.amazonaws.com",
                "https://2.dkr.ecr.us-east-1.amazonaws.com/",
            ),
            ("https://fr.scw.cloud", "https://evil.scaleway.com/"),
            ("https://10.0.0.1", "https://10.0.0.2/token"),
            ("https://10.1.0.1", "https://9.1.0.1/token"),
            ("https://[2001:db8::1]", "https://[2001:db8::2]/token"),
        ] {
            let refused = Err(RealmError::Foreign);
            assert_eq!(
                verdict(registry, realm, true),
                refused,
                "{registry} {realm}"
            );
            // Nothing of ours can be lost there.
            assert_eq!(
                verdict(registry, realm, false),
                Ok(()),
                "{registry} {realm}"
            );
        }
    }

    #[test]
    fn tokens_are_not_asked_for_in_the_open_nor_here() {
        for has_credentials in [false, true] {
            for (registry, realm, why) in [
                ("https://ghcr.io", "http://ghcr.io/token", RealmError::Plain),
                (
                    "https://ghcr.io",
                    "http://127.0.0.1/token",
                    RealmError::Plain,
                ),
                (
                    "http://registry:5000",
                    "http://other:5001/auth",
                    RealmError::Plain,
                ),
                (
                    "http://127.0.0.1:5000",
                    "http://other/auth",
                    RealmError::Plain,
                ),
                (
                    "https://ghcr.io",
                    "https://127.0.0.1/token",
                    RealmError::Local,
                ),
                (
                    "https://ghcr.io",
                    "https://localhost/token",
                    RealmError::Local,
                ),
                ("https://ghcr.io", "https://[::1]/token", RealmError::Local),
                (
                    "http://registry:5000",
                    "https://127.0.0.1/token",
                    RealmError::Local,
                ),
            ] {
                assert_eq!(
                    verdict(registry, realm, has_credentials),
                    Err(why),
                    "{realm}"
                );
            }
        }
    }
}
