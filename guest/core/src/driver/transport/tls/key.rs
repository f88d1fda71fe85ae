//! Our own certificate and its key, in whatever form they come.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{Error, InconsistentKeys};

use super::decrypt::{Refusal, is_encrypted, legacy, pkcs8};
use super::pem::{Block, blocks, is_pem};
use super::roots::certificates;
use crate::types::TlsSettings;

/// A key that may still be encrypted.
enum Found {
    Plain(Vec<u8>),
    Pkcs8(Vec<u8>),
    Legacy { info: String, encrypted: Vec<u8> },
}

/// What settings say about who we are.
pub(super) fn identity(
    settings: &TlsSettings,
    provider: &CryptoProvider,
) -> Result<Option<Arc<SingleCertAndKey>>, String> {
    let TlsSettings {
        client_certificates,
        client_key,
        key_password,
        ..
    } = settings;
    let Some(own) = client_certificates else {
        return match (client_key, key_password) {
            (None, None) => Ok(None),
            (Some(_), _) => Err("There is a client key, but no client certificate.".into()),
            (None, Some(_)) => Err("There is a key password, but no client key.".into()),
        };
    };
    let chain = certificates(own)
        .map_err(|why| format!("The client certificates cannot be used: {why}"))?;
    let unusable = |why: String| format!("The client private key cannot be used: {why}");
    let found = match client_key {
        Some(key) => find(key).map_err(unusable)?,
        None if is_pem(own) => find_in_pem(own).map_err(unusable)?,
        None => None,
    };
    let found = found.ok_or("The client certificate comes without a private key.")?;
    let der = decrypted(found, key_password.as_deref())?;
    let key = PrivateKeyDer::try_from(der)
        .map_err(|_| unusable("it is neither PKCS#8 nor PKCS#1 nor SEC 1".into()))?;
    let pair = CertifiedKey::from_der(chain, key, provider).map_err(|cause| match cause {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            "The client private key does not belong to the client certificate.".into()
        }
        Error::General(_) => unusable(
            "it is no RSA key of 2048 to 8192 bits, ECDSA key over P-256 or P-384, or Ed25519 key"
                .into(),
        ),
        cause => format!("The client certificate cannot be used: {cause}"),
    })?;
    Ok(Some(Arc::new(SingleCertAndKey::from(pair))))
}

fn find(bytes: &[u8]) -> Result<Option<Found>, String> {
    if is_pem(bytes) {
        find_in_pem(bytes)
    } else if is_encrypted(bytes) {
        Ok(Some(Found::Pkcs8(bytes.to_vec())))
    } else {
        Ok(Some(Found::Plain(bytes.to_vec())))
    }
}

/// The only key in a PEM text.
fn find_in_pem(bytes: &[u8]) -> Result<Option<Found>, String> {
    let is_key = |block: &Block| block.label.ends_with("PRIVATE KEY");
    let mut keys = blocks(bytes)?.into_iter().filter(is_key);
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    if keys.next().is_some() {
        return Err("there is more than one".into());
    }
    let is_legacy = key
        .header("Proc-Type")
        .is_some_and(|kind| kind.ends_with("ENCRYPTED"));
    Ok(Some(if is_legacy {
        Found::Legacy {
            info: key.header("DEK-Info").unwrap_or_default().to_owned(),
            encrypted: key.der,
        }
    } else if key.label.starts_with("ENCRYPTED") {
        Found::Pkcs8(key.der)
    } else {
        Found::Plain(key.der)
    }))
}

fn decrypted(found: Found, password: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let password = match (&found, password) {
        (Found::Plain(_), None) => &[],
        (Found::Plain(_), Some(_)) => {
            return Err("Client private key is not encrypted, but there is a password.".into());
        }
        (_, Some(password)) => password,
        (_, None) => {
            return Err("Client private key is encrypted, password is required.".into());
        }
    };
    let outcome = match found {
        Found::Plain(der) => Ok(der),
        Found::Pkcs8(der) => pkcs8(&der, password),
        Found::Legacy { info, encrypted } => legacy(&info, &encrypted, password),
    };
    outcome.map_err(|refusal| match refusal {
        Refusal::WrongPassword => {
            "Client private key cannot be decrypted: the password is wrong.".into()
        }
        Refusal::Unknown(why) => format!("Client private key cannot be decrypted: {why}."),
    })
}
