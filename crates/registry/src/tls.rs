//! Whom we believe, and who we are, in TLS.

use std::{
    env,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, crypto::ring::sign::any_supported_type, pki_types::CertificateDer,
    sign::CertifiedKey,
};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::{Error, Host, Identity};

/// Bytes of a file with certificates; a system's bundle has about 250 KB.
const FILE_LIMIT: u64 = 16 << 20;

/// Where systems keep the bundle of what they trust: Debian, Fedora, openSUSE,
/// Alpine.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Settings of TLS for a registry.
pub(crate) fn config(host: &Host) -> Result<TlsConfig, Error> {
    let mut roots: Vec<Certificate<'static>> = Vec::new();
    for path in &host.authorities {
        roots.extend(certificates(path)?);
    }
    let system = system_roots()?;
    let roots = match (roots.is_empty(), system) {
        (true, None) => RootCerts::WebPki,
        (true, Some(system)) => RootCerts::Specific(Arc::clone(system)),
        (false, system) => {
            roots.extend(system.into_iter().flat_map(|system| system.iter().cloned()));
            RootCerts::Specific(Arc::new(roots))
        }
    };
    let mut builder = TlsConfig::builder().root_certs(roots);
    if let Some(identity) = &host.identity {
        builder = builder.client_cert(Some(client(identity)?));
    }
    Ok(builder.build())
}

/// What this machine trusts: the file that `SSL_CERT_FILE` names (as OpenSSL,
/// Go and curl understand it), else the system's bundle. `None` where there is
/// none: then Mozilla's list serves that is built in.
fn system_roots() -> Result<Option<&'static Arc<Vec<Certificate<'static>>>>, Error> {
    static ROOTS: OnceLock<Option<Arc<Vec<Certificate<'static>>>>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(roots.as_ref());
    }
    let named = env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty());
    let roots = match named {
        Some(path) => Some(certificates(Path::new(&path))?),
        None => {
            let mut bundles = BUNDLES.iter().filter_map(|path| {
                let read = certificates(Path::new(path)).ok();
                read.filter(|roots| !roots.is_empty())
            });
            bundles.next()
        }
    };
    Ok(ROOTS.get_or_init(|| roots.map(Arc::new)).as_ref())
}

/// The certificates of a PEM file, of which there has to be one.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Error> {
    let bytes = read(path)?;
    let mut found = Vec::new();
    for item in parse_pem(&bytes) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|error| bad(path, error.to_string()))?
        {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(bad(path, "there is no certificate in it"));
    }
    Ok(found)
}

fn client(identity: &Identity) -> Result<ClientCert, Error> {
    let chain = certificates(&identity.certificate)?;
    let path = &identity.key;
    let bytes = read(path)?;
    let key = PrivateKey::from_pem(&bytes).map_err(|_| {
        let encrypted = String::from_utf8_lossy(&bytes).contains("ENCRYPTED");
        let why = if encrypted {
            "its key is encrypted; `openssl pkey` takes the password off"
        } else {
            "there is no private key in it"
        };
        bad(path, why)
    })?;
    // What rustls would find out in the middle of a connection.
    let parsed = rustls::pki_types::PrivateKeyDer::try_from(key.der());
    let parsed = parsed.map_err(|error| bad(path, error.to_string()))?;
    let signer = any_supported_type(&parsed).map_err(|error| bad(path, error.to_string()))?;
    let certificates = chain
        .iter()
        .map(|one| CertificateDer::from(one.der()).into_owned());
    let pair = CertifiedKey::new(certificates.collect(), signer);
    match pair.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(_) => {
            let other = identity.certificate.display();
            return Err(bad(path, format!("it is not the key of `{other}`")));
        }
    }
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let open = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        file.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = open().map_err(|error| bad(path, error.to_string()))?;
    if bytes.len() as u64 > FILE_LIMIT {
        let what = format!("the size of `{}`", path.display());
        let limit = FILE_LIMIT;
        return Err(Error::Limit { what, limit });
    }
    Ok(bytes)
}

fn bad(path: &Path, reason: impl Into<String>) -> Error {
    Error::Certificate {
        path: PathBuf::from(path),
        reason: reason.into(),
    }
}

/// What TLS has against a connection, from wherever in an error it stands.
pub(crate) fn reason(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}

/// What is wrong in words, and what can be done.
pub(crate) fn explain(error: &rustls::Error, host: &str) -> (String, &'static str) {
    use rustls::{AlertDescription as Alert, Error as Tls};
    let certificate = match error {
        Tls::InvalidCertificate(error) => error,
        Tls::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::HandshakeFailure
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::UnsupportedCertificate,
        ) => {
            return (
                format!("`{host}` does not take our client certificate, or wants one"),
                "name the client certificate and its key: `--registry-cert HOST=FILE --registry-key HOST=FILE`",
            );
        }
        Tls::InvalidMessage(_) => {
            return (
                format!("`{host}` does not speak TLS"),
                "if the registry is served over plain HTTP, say so with `--plain-http HOST`",
            );
        }
        other => return (other.to_string(), "check the registry's TLS settings"),
    };
    let own =
        "trust the authority that signed it: name its PEM file with `--registry-ca HOST=FILE`";
    match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("the certificate of `{host}` has expired"),
            "renew the registry's certificate, and check this machine's clock",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            format!("the certificate of `{host}` is not valid yet"),
            "check the clocks of this machine and of the registry",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("the certificate of `{host}` is for another name"),
            "use a name that the certificate has, or give it this one",
        ),
        CertificateError::UnknownIssuer => (
            format!("the certificate of `{host}` is signed by an authority that is not trusted"),
            own,
        ),
        CertificateError::Revoked => (
            format!("the certificate of `{host}` is revoked"),
            "renew the registry's certificate",
        ),
        other => (
            format!("the certificate of `{host}` is refused: {other}"),
            own,
        ),
    }
}
