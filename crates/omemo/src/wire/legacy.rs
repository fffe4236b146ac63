//! `eu.siacs.conversations.axolotl`: a version byte, a protocol buffer and, after a message, the
//! truncated HMAC.

use super::protobuf::{Fields, Once, WireError, write_bytes, write_number};
use super::{Element, Header, KeyExchange, Message, Opening};
use crate::curve::{prefixed, strip_prefix};
use crate::secret::Secret;

/// In a message field 1 is bytes and 2 and 3 are numbers, in a key exchange the other way round:
/// the first tag tells them apart.
pub(super) fn parse(bytes: &[u8]) -> Result<Element<'_>, WireError> {
    match strip_version(bytes)?.first() {
        Some(0x0a | 0x10 | 0x18) => parse_message(bytes).map(Element::Message),
        Some(_) => parse_key_exchange(bytes).map(Element::KeyExchange),
        None => Err(WireError::Truncated),
    }
}

/// The fields are 1: prekey id, 2: base key, 3: identity key, 4: message, 5: registration id,
/// which OMEMO has no use for, 6: signed prekey id.
fn parse_key_exchange(bytes: &[u8]) -> Result<KeyExchange<'_>, WireError> {
    let mut pre_key_id = Once::number(1);
    let mut base_key = Once::bytes(2);
    let mut identity_key = Once::bytes(3);
    let mut message = Once::bytes(4);
    let mut signed_pre_key_id = Once::number(6);
    let mut fields = Fields::new(strip_version(bytes)?);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => pre_key_id.set(value)?,
            2 => base_key.set(value)?,
            3 => identity_key.set(value)?,
            4 => message.set(value)?,
            6 => signed_pre_key_id.set(value)?,
            _ => {}
        }
    }
    Ok(KeyExchange {
        pre_key_id: pre_key_id.optional(),
        signed_pre_key_id: signed_pre_key_id.required()?,
        identity_key: identity_key.required()?,
        base_key: base_key.parse(|key| strip_prefix(key).ok().copied())?,
        message: parse_message(message.required()?)?,
    })
}

/// The fields are 1: ratchet key, 2: counter, 3: previous counter, 4: ciphertext.
fn parse_message(bytes: &[u8]) -> Result<Message<'_>, WireError> {
    let (authenticated, tag) = bytes.split_last_chunk::<TAG_LEN>().ok_or(WireError::Truncated)?;
    let mut ratchet_key = Once::bytes(1);
    let mut counter = Once::number(2);
    let mut previous_counter = Once::number(3);
    let mut ciphertext = Once::bytes(4);
    let mut fields = Fields::new(strip_version(authenticated)?);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => ratchet_key.set(value)?,
            2 => counter.set(value)?,
            3 => previous_counter.set(value)?,
            4 => ciphertext.set(value)?,
            _ => {}
        }
    }
    let header = Header {
        ratchet_key: ratchet_key.parse(|key| strip_prefix(key).ok().copied())?,
        counter: counter.required()?,
        previous_counter: previous_counter.optional().unwrap_or(0),
    };
    Ok(Message { header, ciphertext: ciphertext.required()?, authenticated, tag })
}

fn strip_version(bytes: &[u8]) -> Result<&[u8], WireError> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => Ok(rest),
        Some((&version, _)) => Err(WireError::Version(version)),
        None => Err(WireError::Truncated),
    }
}

pub(super) fn write_message(
    header: &Header,
    ciphertext: &[u8],
    tag: impl FnOnce(&[u8]) -> Secret<32>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + ciphertext.len());
    out.push(VERSION);
    write_bytes(&mut out, 1, &prefixed(&header.ratchet_key));
    write_number(&mut out, 2, header.counter);
    write_number(&mut out, 3, header.previous_counter);
    write_bytes(&mut out, 4, ciphertext);
    let tag = tag(&out);
    out.extend(tag.as_bytes().iter().take(TAG_LEN));
    out
}

pub(super) fn write_key_exchange(opening: &Opening<'_>, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 + message.len());
    out.push(VERSION);
    write_number(&mut out, 1, opening.pre_key_id);
    write_bytes(&mut out, 2, &opening.base_key.to_prefixed_bytes());
    write_bytes(&mut out, 3, &opening.identity_key.curve25519().to_prefixed_bytes());
    write_bytes(&mut out, 4, message);
    write_number(&mut out, 6, opening.signed_pre_key_id);
    out
}

/// Version 3, and 3 is the newest that is understood.
const VERSION: u8 = 0x33;

/// Bytes of the truncated HMAC.
const TAG_LEN: usize = 8;
