//! TLS: which certificates of servers are accepted, and the certificate of the client.
//!
//! Uses the options of the environment. Keys stay in here: no message repeats a part of a file.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper_rustls::ConfigBuilderExt as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::environment::{ConnectionOptions, OptionError};

/// How connections are encrypted.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// For new connections.
    pub(super) config: Arc<ClientConfig>,
    /// The client's certificate.
    pub(super) client: Arc<ClientCertificate>,
    /// Whether the authorities come from a file.
    pub(super) has_own_authorities: bool,
}

impl Tls {
    /// Reads the files that the options name. If no address `uses` TLS, the system's certificates are not read.
    pub(crate) fn new(options: &ConnectionOptions, uses: bool) -> Result<Tls, OptionError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let client = Arc::new(ClientCertificate::new(options, &provider)?);
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| OptionError { option: "--target", problem: error.to_string() })?;
        let builder = match &options.ca_file {
            Some(_) if options.insecure => {
                let problem = "it accepts any certificate, so that --cacert has no effect; leave one of them out";
                return Err(OptionError { option: "--insecure", problem: problem.to_owned() });
            }
            Some(file) => {
                let verifier = FileAuthorities::read(file, &provider)
                    .map_err(|problem| OptionError { option: "--cacert", problem })?;
                builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
            None if options.insecure => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            }
            None if uses => builder.try_with_platform_verifier().map_err(|error| OptionError {
                option: "--target",
                problem: format!(
                    "the system's certificates cannot be used: {error}; name the authority's certificate with --cacert"
                ),
            })?,
            None => builder.with_root_certificates(RootCertStore::empty()),
        };
        let resolver: Arc<dyn ResolvesClientCert> = Arc::clone(&client) as Arc<_>;
        let config = builder.with_client_cert_resolver(resolver);
        Ok(Tls { config: Arc::new(config), client, has_own_authorities: options.ca_file.is_some() })
    }

    /// For a connection that only shows whether the server speaks TLS.
    pub(super) fn without_verification() -> Option<Arc<ClientConfig>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().ok()?;
        let verifier = Arc::new(AnyCertificate(provider));
        Some(Arc::new(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
    }
}

/// The client's certificate, if it has one, and whether a server has asked for it.
#[derive(Debug)]
pub(super) struct ClientCertificate {
    certified: Option<Arc<CertifiedKey>>,
    is_requested: AtomicBool,
}

impl ClientCertificate {
    fn new(options: &ConnectionOptions, provider: &CryptoProvider) -> Result<ClientCertificate, OptionError> {
        let certified = match (&options.certificate_file, &options.key_file) {
            (None, None) => None,
            (None, Some(_)) => {
                let problem = "needs the certificate to which the key belongs, --cert".to_owned();
                return Err(OptionError { option: "--key", problem });
            }
            (Some(file), key_file) => {
                let chain =
                    certificates(file).map_err(|problem| OptionError { option: "--cert", problem })?;
                let option = if key_file.is_some() { "--key" } else { "--cert" };
                let key_file = key_file.as_ref().unwrap_or(file);
                let key = certified(chain, key_file, provider);
                Some(Arc::new(key.map_err(|problem| OptionError { option, problem })?))
            }
        };
        Ok(ClientCertificate { certified, is_requested: AtomicBool::new(false) })
    }

    /// Forgets the requests so far.
    pub(super) fn reset(&self) {
        self.is_requested.store(false, Ordering::Relaxed);
    }

    /// Whether a server has asked for the certificate.
    pub(super) fn is_requested(&self) -> bool {
        self.is_requested.load(Ordering::Relaxed)
    }

    /// Whether there is one.
    pub(super) fn is_given(&self) -> bool {
        self.certified.is_some()
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.is_requested.store(true, Ordering::Relaxed);
        self.certified.clone()
    }

    /// True without a certificate as well, so that a request for one is noticed.
    fn has_certs(&self) -> bool {
        true
    }
}

fn certified(
    chain: Vec<CertificateDer<'static>>,
    key_file: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, String> {
    let file = key_file.display();
    let key = PrivateKeyDer::from_pem_file(key_file).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            format!("{file} has no private key in PEM, or an encrypted one; decrypt it first")
        }
        error => unreadable(key_file, &error),
    })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => format!("the key in {file} belongs to another certificate"),
        error => format!("the key in {file} cannot be used: {error}"),
    })
}

/// The certificates in a file, of which there is at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => {
            Err(format!("{} has no certificate in PEM", file.display()))
        }
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unreadable(file, &error)),
    }
}

fn unreadable(file: &Path, error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => format!("cannot read {}: {error}", file.display()),
        // The error of the parser repeats lines of the file.
        _ => format!("{} is not valid PEM", file.display()),
    }
}

/// Accepts certificates of the authorities in a file, and no others, as `--cacert` of curl does.
#[derive(Debug)]
struct FileAuthorities {
    inner: Arc<WebPkiServerVerifier>,
    given: Vec<CertificateDer<'static>>,
}

impl FileAuthorities {
    fn read(file: &Path, provider: &Arc<CryptoProvider>) -> Result<FileAuthorities, String> {
        let given = certificates(file)?;
        let mut roots = RootCertStore::empty();
        for certificate in &given {
            roots.add(certificate.clone()).map_err(|error| {
                format!("{} has a certificate that cannot be used: {error}", file.display())
            })?;
        }
        let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let inner = builder.build().map_err(|error| error.to_string())?;
        Ok(FileAuthorities { inner, given })
    }
}

/// Whether the only objection is that the server's own certificate is that of an authority. Its dates have been verified by
/// then.
pub(super) fn is_authority_as_server(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity"))
}

impl ServerCertVerifier for FileAuthorities {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // A self-signed certificate as `openssl req -x509` makes it: whoever names the file trusts just this one.
            Err(rustls::Error::InvalidCertificate(error))
                if is_authority_as_server(&error)
                    && self.given.iter().any(|given| given.as_ref() == end_entity.as_ref()) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Accepts every certificate. The user has asked for it with `--insecure`.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    // A signature says nothing where any certificate is accepted, and old certificates could not be read.
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
