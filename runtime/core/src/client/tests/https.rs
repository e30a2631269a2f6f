//! Upstreams behind TLS.

use super::*;
use crate::client::tls;
use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// An authority, and an upstream on `localhost` with a certificate of it for `name`.
struct Secured {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    roots: RootCertStore,
    url: String,
}

impl Secured {
    async fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        // Two authorities of one name would be told apart by their signatures only.
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("authority of {name}"));
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        let own = params.signed_by(&key, &authority).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).expect("an authority");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let url = format!("https://localhost:{port}");
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)), roots, url }
    }

    fn trusted_by(&self, scope: &Scope) {
        scope.worker().client.trust(tls::config(self.roots.clone()).expect("a configuration"));
    }

    async fn accept(&self) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(self.listener.accept().await?.0).await
    }

    async fn accept_head(&self) -> TlsStream<TcpStream> {
        let mut stream = self.accept().await.expect("a handshake");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a head"));
        }
        stream
    }
}

#[tokio::test]
async fn certificates_that_are_trusted() {
    let s = &mut testing::scope();
    let upstream = Secured::new("localhost").await;
    upstream.trusted_by(s);
    let serving = async {
        let mut stream = upstream.accept_head().await;
        assert_eq!(stream.get_ref().1.server_name(), Some("localhost"));
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.expect("room");
        stream.flush().await.expect("room");
        let mut again = Vec::new();
        while !again.ends_with(b"\r\n\r\n") {
            again.push(stream.read_u8().await.expect("a second request on the connection"));
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.expect("room");
        stream.flush().await.expect("room");
        stream
    };
    let asking = async {
        for _ in 0..2 {
            let answer = ask(s, get(&upstream.url)).await.expect("an answer");
            assert_eq!(read(s, answer).await.expect("a body"), "ok");
            assert_eq!(connections(s), (1, 0));
        }
    };
    tokio::join!(asking, serving);
}

#[tokio::test]
async fn certificates_that_are_not() {
    let s = &mut testing::scope();
    let (other, foreign) = (Secured::new("example.com").await, Secured::new("localhost").await);
    let cases =
        [(&other, &other, "it is for another name"), (&foreign, &other, "nobody that this system trusts")];
    for (upstream, trusted, why) in cases {
        trusted.trusted_by(s);
        let (asked, _) = tokio::join!(ask(s, get(&upstream.url)), upstream.accept());
        let failure = failure(asked);
        assert!(failure.kind == "upstream" && failure.message.contains(why), "{failure}");
        assert!(!failure.message.contains("nobody that this system trusts has issued it: "), "{failure}");
        assert_eq!(connections(s), (0, 0));
    }
}

#[tokio::test]
async fn a_body_without_an_end_of_tls_is_cut() {
    for is_ended in [true, false] {
        let s = &mut testing::scope();
        let upstream = Secured::new("localhost").await;
        upstream.trusted_by(s);
        let serving = async {
            let mut stream = upstream.accept_head().await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok").await.expect("room");
            stream.flush().await.expect("room");
            if is_ended {
                stream.shutdown().await.expect("room");
            }
        };
        let asking = async {
            let answer = ask(s, get(&upstream.url)).await.expect("an answer");
            read(s, answer).await
        };
        let (body, ()) = tokio::join!(asking, serving);
        match is_ended {
            true => assert_eq!(body.expect("a body"), "ok"),
            false => assert!(body.expect_err("a cut").message.contains("broke off")),
        }
    }
}

#[tokio::test]
async fn a_dropped_handshake_closes_its_socket() {
    let s = &mut testing::scope();
    let upstream = Secured::new("localhost").await;
    upstream.trusted_by(s);
    let mut asking = Asking::new(get(&upstream.url), None, s).expect("room");
    let mut socket = tokio::select! {
        _ = poll_fn(|cx| asking.poll(s, cx)) => panic!("nobody answered"),
        socket = async {
            let mut socket = upstream.listener.accept().await.expect("a connection").0;
            socket.read_u8().await.expect("a client's hello");
            socket
        } => socket,
    };
    drop(asking);
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest).await;
    assert_eq!(connections(s), (0, 0));
}

#[tokio::test]
async fn what_speaks_no_tls_is_told() {
    let s = &mut testing::scope();
    let secured = Secured::new("localhost").await;
    secured.trusted_by(s);
    let upstream = Upstream::new().await;
    let url = upstream.url.replace("http://", "https://");
    let serving = async {
        let mut peer = upstream.accept().await;
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    };
    let (asked, ()) = tokio::join!(ask(s, get(&url)), serving);
    let failure = failure(asked);
    assert!(failure.kind == "upstream" && failure.message.contains("cannot be trusted"), "{failure}");
}
