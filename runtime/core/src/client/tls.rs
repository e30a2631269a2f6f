//! TLS to upstreams: whom this system trusts, and the handshake.
//!
//! The certificate authorities are those of the system or, where the environment variables `SSL_CERT_FILE` or `SSL_CERT_DIR` are set,
//! those in that file and folder.
//! They are read once in the process, on the blocking pool, when the first `https` URL is asked.

use super::target::Origin;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

static TRUST: OnceCell<Arc<ClientConfig>> = OnceCell::const_new();

/// What all connections of the process share.
pub async fn trust() -> io::Result<Arc<ClientConfig>> {
    let load = || async {
        let roots = tokio::task::spawn_blocking(roots).await.map_err(io::Error::other)??;
        config(roots)
    };
    TRUST.get_or_try_init(load).await.map(Arc::clone)
}

fn roots() -> io::Result<RootCertStore> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A system may have one that is malformed; the others serve.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let why = found.errors.first().map_or_else(|| "there are none".to_owned(), ToString::to_string);
    Err(io::Error::other(format!(
        "no certificate authorities could be read: {why}; install the system's CA certificates or set SSL_CERT_FILE"
    )))
}

/// TLS 1.2 and 1.3 with these authorities, for HTTP/1.1.
pub fn config(roots: RootCertStore) -> io::Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Shakes hands with the origin, which has to prove its name.
pub async fn connect(
    config: Arc<ClientConfig>,
    origin: &Origin,
    socket: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(origin.host.clone()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, socket).await.map_err(told)
}

/// An error of a handshake in words for people.
fn told(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let Some(Error::InvalidCertificate(why)) = inner else { return error };
    let why = match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".to_owned()
        }
        CertificateError::UnknownIssuer => "nobody that this system trusts has issued it".to_owned(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::BadSignature => "who is said to have issued it has not".to_owned(),
        other => other.to_string(),
    };
    io::Error::new(io::ErrorKind::InvalidData, format!("its certificate is not accepted: {why}"))
}
