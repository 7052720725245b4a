//! Whose certificates are believed now: those of the newest authority and of the previous one, in connections that
//! come in and in the server's own. It follows a rotation under listeners that run. Knows no files.

use super::{CaError, held::Held};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::{
    fmt::Display,
    sync::{Arc, PoisonError, RwLock},
};

/// `ring`, by name: the process may have no default provider, or another.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Asked at each hand-shake.
#[derive(Debug)]
pub(super) struct Trust(RwLock<Verifiers>);

#[derive(Debug, Clone)]
struct Verifiers {
    of_clients: Arc<dyn ClientCertVerifier>,
    of_servers: Arc<dyn ServerCertVerifier>,
}

impl Verifiers {
    fn of(held: &Held) -> Result<Self, CaError> {
        let tls = |e: &dyn Display| CaError::Tls(e.to_string());
        let mut roots = RootCertStore::empty();
        for root in held.roots() {
            roots.add(root.certificate.clone()).map_err(|e| tls(&e))?;
        }
        let roots = Arc::new(roots);
        Ok(Self {
            of_clients: WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider())
                .build()
                .map_err(|e| tls(&e))?,
            of_servers: WebPkiServerVerifier::builder_with_provider(roots, provider()).build().map_err(|e| tls(&e))?,
        })
    }
}

impl Trust {
    pub fn of(held: &Held) -> Result<Arc<Self>, CaError> {
        Ok(Arc::new(Self(RwLock::new(Verifiers::of(held)?))))
    }

    /// From now on; connections that are there stay.
    pub fn follow(&self, held: &Held) -> Result<(), CaError> {
        let verifiers = Verifiers::of(held)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = verifiers;
        Ok(())
    }

    fn now(&self) -> Verifiers {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientCertVerifier for Trust {
    /// None: they are lent for as long as the listener, and would be of the authority at its start.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.now().of_clients.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().of_clients.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().of_clients.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.now().of_clients.supported_verify_schemes()
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.now().of_servers.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().of_servers.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.now().of_servers.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.now().of_servers.supported_verify_schemes()
    }
}
