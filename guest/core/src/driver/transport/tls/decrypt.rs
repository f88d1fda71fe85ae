//! Encrypted keys: PKCS#8 with PBES2 (RFC 8018, section 6.2), and OpenSSL's older PEM encryption.
//!
//! The hashes and PBKDF2 are ring's, which is in the component anyway: the crates that do all of PBES2 bring their own of each.

use std::num::NonZeroU32;

use aes::cipher::{Block, BlockCipherDecrypt, KeyInit};
use aes::{Aes128Dec, Aes192Dec, Aes256Dec};
use des::TdesEde3;
use md5::{Digest as _, Md5};
use ring::pbkdf2;

use super::der::{INTEGER, OCTETS, OID, Reader, SEQUENCE, is_sequence};
use super::hex::unhexed;

/// More rounds than anyone uses would keep the caller waiting for minutes.
const MAX_ROUNDS: u32 = 10_000_000;

// Object identifiers (RFC 8018, appendix C), without their tags.
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
const HMAC_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x07];
const HMAC_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
const HMAC_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x0a];
const HMAC_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x0b];
const AES_128_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02];
const AES_192_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x16];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
const DES_EDE3_CBC: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x03, 0x07];

/// Why a key cannot be decrypted.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// The password is not the one.
    WrongPassword,
    /// It is encrypted in a way that is not known here, or is not what it says.
    Unknown(&'static str),
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    DesEde3,
}

impl Cipher {
    const fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::DesEde3 => 24,
            Self::Aes256 => 32,
        }
    }

    fn decrypt(self, key: &[u8], iv: &[u8], encrypted: &[u8]) -> Result<Vec<u8>, Refusal> {
        let plain = match self {
            Self::Aes128 => undo::<Aes128Dec>(key, iv, encrypted),
            Self::Aes192 => undo::<Aes192Dec>(key, iv, encrypted),
            Self::Aes256 => undo::<Aes256Dec>(key, iv, encrypted),
            Self::DesEde3 => undo::<TdesEde3>(key, iv, encrypted),
        };
        // A wrong password leaves the padding right once in 256 times, and this as well hardly ever.
        plain
            .filter(|plain| is_sequence(plain))
            .ok_or(Refusal::WrongPassword)
    }
}

/// Undoes cipher block chaining and its padding, block by block: `cbc` works on several at a time, for which the component has no room.
fn undo<C: KeyInit + BlockCipherDecrypt>(
    key: &[u8],
    iv: &[u8],
    encrypted: &[u8],
) -> Option<Vec<u8>> {
    let cipher = C::new_from_slice(key).ok()?;
    let size = iv.len();
    let mut plain = Vec::with_capacity(encrypted.len());
    let mut before = iv;
    for block in encrypted.chunks(size.max(1)) {
        let mut bytes = Block::<C>::try_from(block).ok()?;
        cipher.decrypt_block(&mut bytes);
        plain.extend(bytes.iter().zip(before).map(|(byte, mask)| byte ^ mask));
        before = block;
    }
    let padding = *plain.last()?;
    let length = plain.len().checked_sub(usize::from(padding))?;
    let (_, end) = plain.split_at_checked(length)?;
    if padding == 0 || usize::from(padding) > size || end.iter().any(|byte| *byte != padding) {
        return None;
    }
    plain.truncate(length);
    Some(plain)
}

/// Whether these bytes are a PKCS#8 key that is encrypted: what other keys begin with is a number.
pub(super) fn is_encrypted(der: &[u8]) -> bool {
    let inside = Reader::new(der).sequence();
    inside.is_some_and(|inside| inside.peek() == Some(SEQUENCE))
}

/// The PKCS#8 key inside an encrypted one (RFC 5958, section 3).
pub(super) fn pkcs8(der: &[u8], password: &[u8]) -> Result<Vec<u8>, Refusal> {
    let malformed = Refusal::Unknown("it is malformed");
    let (scheme, encrypted) = info(der).ok_or(malformed)?;
    let (algorithm, parameters) = scheme;
    if algorithm != PBES2 {
        return Err(Refusal::Unknown("it is encrypted otherwise than by PBES2"));
    }
    let ((function, derivation), (cipher, mut iv)) =
        schemes(parameters).ok_or(Refusal::Unknown("its PBES2 parameters are malformed"))?;
    if function != PBKDF2 {
        return Err(Refusal::Unknown(
            "its encryption key is derived otherwise than by PBKDF2",
        ));
    }
    let cipher = match cipher {
        AES_128_CBC => Cipher::Aes128,
        AES_192_CBC => Cipher::Aes192,
        AES_256_CBC => Cipher::Aes256,
        DES_EDE3_CBC => Cipher::DesEde3,
        _ => {
            return Err(Refusal::Unknown(
                "its cipher is neither AES-CBC nor DES-EDE3-CBC",
            ));
        }
    };
    let iv = iv
        .next(OCTETS)
        .ok_or(Refusal::Unknown("its initialization vector is malformed"))?;
    let Derivation { salt, rounds, hash } =
        derived(derivation).ok_or(Refusal::Unknown("its PBKDF2 parameters are malformed"))?;
    let hash = match hash {
        None | Some(HMAC_SHA1) => pbkdf2::PBKDF2_HMAC_SHA1,
        Some(HMAC_SHA256) => pbkdf2::PBKDF2_HMAC_SHA256,
        Some(HMAC_SHA384) => pbkdf2::PBKDF2_HMAC_SHA384,
        Some(HMAC_SHA512) => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => return Err(Refusal::Unknown("its PBKDF2 is not over SHA-1 or SHA-2")),
    };
    let rounds = NonZeroU32::new(rounds)
        .filter(|rounds| rounds.get() <= MAX_ROUNDS)
        .ok_or(Refusal::Unknown("its PBKDF2 has no or too many rounds"))?;
    let mut key = vec![0; cipher.key_length()];
    pbkdf2::derive(hash, rounds, salt, password, &mut key);
    cipher.decrypt(&key, iv, encrypted)
}

/// An algorithm and what its parameters are read from.
type Algorithm<'a> = (&'a [u8], Reader<'a>);

/// `EncryptedPrivateKeyInfo`.
fn info(der: &[u8]) -> Option<(Algorithm<'_>, &[u8])> {
    let mut info = Reader::new(der).sequence()?;
    let mut algorithm = info.sequence()?;
    let identifier = algorithm.next(OID)?;
    Some(((identifier, algorithm), info.next(OCTETS)?))
}

/// `PBES2-params`: how the key is derived, and the cipher, whose initialization vector is its parameter.
fn schemes(mut parameters: Reader<'_>) -> Option<(Algorithm<'_>, Algorithm<'_>)> {
    let mut schemes = parameters.sequence()?;
    let mut derivation = schemes.sequence()?;
    let function = derivation.next(OID)?;
    let mut encryption = schemes.sequence()?;
    let cipher = encryption.next(OID)?;
    Some(((function, derivation), (cipher, encryption)))
}

/// `PBKDF2-params`.
struct Derivation<'a> {
    salt: &'a [u8],
    rounds: u32,
    /// `None` for the default.
    hash: Option<&'a [u8]>,
}

fn derived(mut parameters: Reader<'_>) -> Option<Derivation<'_>> {
    let mut parameters = parameters.sequence()?;
    let salt = parameters.next(OCTETS)?;
    let rounds = parameters.number()?;
    if parameters.peek() == Some(INTEGER) {
        // The length of the key, which its cipher tells as well.
        parameters.number()?;
    }
    let hash = if parameters.is_empty() {
        None
    } else {
        Some(parameters.sequence()?.next(OID)?)
    };
    Some(Derivation { salt, rounds, hash })
}

/// The key inside a PEM block whose `DEK-Info` names a cipher and an initialization vector (RFC 1423), as OpenSSL derives the key of it.
pub(super) fn legacy(info: &str, encrypted: &[u8], password: &[u8]) -> Result<Vec<u8>, Refusal> {
    let malformed = Refusal::Unknown("its DEK-Info is malformed");
    let Some((cipher, iv)) = info.split_once(',') else {
        return Err(malformed);
    };
    let cipher = match cipher.trim() {
        "AES-128-CBC" => Cipher::Aes128,
        "AES-192-CBC" => Cipher::Aes192,
        "AES-256-CBC" => Cipher::Aes256,
        "DES-EDE3-CBC" => Cipher::DesEde3,
        _ => {
            return Err(Refusal::Unknown(
                "its cipher is neither AES-CBC nor DES-EDE3-CBC",
            ));
        }
    };
    let Some((iv, salt)) = unhexed(iv.trim()).and_then(|iv| {
        let salt = iv.get(..8)?.to_vec();
        Some((iv, salt))
    }) else {
        return Err(malformed);
    };
    let mut key = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    while key.len() < cipher.key_length() {
        let round = Md5::new().chain_update(&last);
        let round = round.chain_update(password).chain_update(&salt);
        last = round.finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(cipher.key_length());
    cipher.decrypt(&key, &iv, encrypted)
}
