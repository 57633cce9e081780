//! Random tokens, and what is kept of them.

use sha2::{Digest, Sha256};

use super::AccountError;
use crate::storage::sessions::TokenHash;

/// A new token: 256 random bits as [`TOKEN_LEN`] characters of base64url, so that a link of the bot
/// has room for it.
///
/// Source: RFC 4648 §5 <https://www.rfc-editor.org/rfc/rfc4648#section-5>; a `start` payload is at
/// most 64 of `A-Za-z0-9_-` <https://core.telegram.org/bots/features#deep-linking>.
pub(super) fn new_token() -> Result<String, AccountError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| AccountError::NoRandomness)?;
    Ok(base64url(&bytes))
}

/// Characters of a token.
pub(super) const TOKEN_LEN: usize = 43;

/// What the database keeps of a token.
pub(super) fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// HMAC-SHA256. Source: RFC 2104 <https://www.rfc-editor.org/rfc/rfc2104>.
pub(super) fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut padded = [0_u8; BLOCK];
    if key.len() > BLOCK {
        padded[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        padded[..key.len()].copy_from_slice(key);
    }
    let inner = Sha256::new().chain_update(padded.map(|b| b ^ 0x36)).chain_update(message);
    let outer = Sha256::new().chain_update(padded.map(|b| b ^ 0x5c));
    outer.chain_update(inner.finalize()).finalize().into()
}

fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = [0_u8; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let group = u32::from_be_bytes(group);
        for place in 0..=chunk.len() {
            let digit = (group >> (18 - 6 * place)) & 63;
            text.push(char::from(DIGITS[digit as usize]));
        }
    }
    text
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cases 1, 2 and 6 of RFC 4231 <https://www.rfc-editor.org/rfc/rfc4231>.
    #[test]
    fn hmac_agrees_with_the_published_vectors() {
        let case = |key: &[u8], message: &[u8]| hex(&hmac(key, message));
        assert_eq!(
            case(&[0x0b; 20], b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            case(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            case(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn tokens_do_not_repeat() {
        let (a, b) = (new_token().expect("a token"), new_token().expect("a token"));
        assert_eq!(a.len(), TOKEN_LEN);
        assert_ne!(a, b);
    }

    #[test]
    fn base64url_agrees_with_the_published_vectors() {
        let all = [&b""[..], b"f", b"fo", b"foo", b"foob", b"fooba", b"foobar", &[0xfb, 0xff]];
        let all: Vec<String> = all.map(base64url).into();
        assert_eq!(all, ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy", "-_8"]);
    }
}
