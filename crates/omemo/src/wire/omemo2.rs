//! `urn:xmpp:omemo:2`: the protocol buffers of XEP-0384 0.9.1, "Protobuf Schema".

use super::protobuf::{Fields, Once, WireError, write_bytes, write_number};
use super::{Element, Header, KeyExchange, Message, Opening};
use crate::secret::Secret;

/// Field 1 of a key exchange is a number, fields 1 and 2 of a message are bytes: the first byte
/// tells them apart.
pub(super) fn parse(bytes: &[u8]) -> Result<Element<'_>, WireError> {
    match bytes.first() {
        Some(0x0a | 0x12) => parse_message(bytes).map(Element::Message),
        Some(_) => parse_key_exchange(bytes).map(Element::KeyExchange),
        None => Err(WireError::Truncated),
    }
}

/// `OMEMOKeyExchange`
fn parse_key_exchange(bytes: &[u8]) -> Result<KeyExchange<'_>, WireError> {
    let mut pk_id = Once::number(1);
    let mut spk_id = Once::number(2);
    let mut ik = Once::bytes(3);
    let mut ek = Once::bytes(4);
    let mut message = Once::bytes(5);
    let mut fields = Fields::new(bytes);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => pk_id.set(value)?,
            2 => spk_id.set(value)?,
            3 => ik.set(value)?,
            4 => ek.set(value)?,
            5 => message.set(value)?,
            _ => {}
        }
    }
    Ok(KeyExchange {
        pre_key_id: pk_id.optional(),
        signed_pre_key_id: spk_id.required()?,
        identity_key: ik.required()?,
        base_key: ek.parse(|key| key.try_into().ok())?,
        message: parse_message(message.required()?)?,
    })
}

/// `OMEMOAuthenticatedMessage`, and the `OMEMOMessage` in it.
fn parse_message(bytes: &[u8]) -> Result<Message<'_>, WireError> {
    let mut mac = Once::bytes(1);
    let mut message = Once::bytes(2);
    let mut fields = Fields::new(bytes);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => mac.set(value)?,
            2 => message.set(value)?,
            _ => {}
        }
    }
    let tag = mac.parse(|tag| (tag.len() == TAG_LEN).then_some(tag))?;
    let authenticated = message.required()?;
    let (header, ciphertext) = parse_ratchet_message(authenticated)?;
    Ok(Message { header, ciphertext, authenticated, tag })
}

fn parse_ratchet_message(bytes: &[u8]) -> Result<(Header, &[u8]), WireError> {
    let mut n = Once::number(1);
    let mut pn = Once::number(2);
    let mut dh_pub = Once::bytes(3);
    let mut ciphertext = Once::bytes(4);
    let mut fields = Fields::new(bytes);
    while let Some((field, value)) = fields.next()? {
        match field {
            1 => n.set(value)?,
            2 => pn.set(value)?,
            3 => dh_pub.set(value)?,
            4 => ciphertext.set(value)?,
            _ => {}
        }
    }
    let header = Header {
        ratchet_key: dh_pub.parse(|key| key.try_into().ok())?,
        counter: n.required()?,
        previous_counter: pn.required()?,
    };
    Ok((header, ciphertext.required()?))
}

pub(super) fn write_message(
    header: &Header,
    ciphertext: &[u8],
    tag: impl FnOnce(&[u8]) -> Secret<32>,
) -> Vec<u8> {
    let mut message = Vec::with_capacity(64 + ciphertext.len());
    write_number(&mut message, 1, header.counter);
    write_number(&mut message, 2, header.previous_counter);
    write_bytes(&mut message, 3, &header.ratchet_key);
    write_bytes(&mut message, 4, ciphertext);
    let tag = tag(&message);
    let mut out = Vec::with_capacity(message.len() + 32);
    write_bytes(&mut out, 1, tag.as_bytes().first_chunk::<TAG_LEN>().map_or(&[], |tag| tag));
    write_bytes(&mut out, 2, &message);
    out
}

pub(super) fn write_key_exchange(opening: &Opening<'_>, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(96 + message.len());
    write_number(&mut out, 1, opening.pre_key_id);
    write_number(&mut out, 2, opening.signed_pre_key_id);
    write_bytes(&mut out, 3, opening.identity_key.as_ed25519());
    write_bytes(&mut out, 4, opening.base_key.as_bytes());
    write_bytes(&mut out, 5, message);
    out
}

/// Bytes of the truncated HMAC.
const TAG_LEN: usize = 16;
