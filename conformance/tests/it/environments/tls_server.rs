//! TLS in front of a server, with certificates that a test makes.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// An authority that issues certificates.
pub(super) struct Authority {
    folder: tempfile::TempDir,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(super) struct Issued {
    certificate: CertificateDer<'static>,
    key: KeyPair,
    pem: String,
}

/// How long a certificate is valid, as years.
pub(super) type Years = std::ops::Range<i32>;

/// Years in which this test runs.
pub(super) const NOW: Years = 2020..2999;

impl Authority {
    pub(super) fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Authority { folder, certificate: certificate.der().clone(), issuer: Issuer::new(params, key) }
    }

    /// The file with its certificate.
    pub(super) fn file(&self) -> String {
        self.path("ca.pem").display().to_string()
    }

    /// A file of its own.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Issues a certificate for these names.
    pub(super) fn issue(&self, names: &[&str], years: Years) -> Issued {
        let key = KeyPair::generate().unwrap();
        let params = params(names, years);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued { certificate: certificate.der().clone(), pem: certificate.pem(), key }
    }

    /// Issues a certificate for a client, and returns the options that name its files.
    pub(super) fn client(&self) -> [String; 4] {
        let issued = self.issue(&["client"], NOW);
        let (certificate, key) = (self.path("client.pem"), self.path("client.key"));
        std::fs::write(&certificate, &issued.pem).unwrap();
        std::fs::write(&key, issued.key.serialize_pem()).unwrap();
        let path = |path: PathBuf| path.display().to_string();
        ["--cert".to_owned(), path(certificate), "--key".to_owned(), path(key)]
    }
}

fn params(names: &[&str], years: Years) -> CertificateParams {
    let mut params =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    params.not_before = date_time_ymd(years.start, 1, 2);
    params.not_after = date_time_ymd(years.end, 1, 2);
    params
}

impl Issued {
    /// A certificate that signs itself, as `openssl req -x509` makes it.
    pub(super) fn by_itself(names: &[&str]) -> Issued {
        let key = KeyPair::generate().unwrap();
        let mut params = params(names, NOW);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Issued { certificate: certificate.der().clone(), pem: certificate.pem(), key }
    }

    /// The certificate in PEM.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }
}

/// Serves TLS with a certificate in front of the server at `upstream`; clients need certificates of `clients`, if it is
/// given. Returns the port.
pub(super) async fn serve_tls(issued: &Issued, clients: Option<&Authority>, upstream: &str) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.certificate.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(issued.key.serialize_der()));
    let config = builder.with_single_cert(vec![issued.certificate.clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let upstream = upstream.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(client).await else { return };
                let mut server = TcpStream::connect(upstream).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}
