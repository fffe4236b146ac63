//! Payloads of extensions, one XEP to a file.
//!
//! Each type is read from and written to [`Element`](crate::xml::Element). What is accepted is
//! lenient, what is sent is exact. Who sent a payload, and whether that entity may, is not decided
//! here.

pub mod avatar;
mod binary;
pub mod bind2;
pub mod bookmarks;
pub mod caps;
pub mod delay;
pub mod disco;
pub mod eme;
pub mod fast;
pub mod form;
pub mod forward;
pub mod hints;
pub mod muc;
pub mod notify;
pub mod omemo2;
pub mod omemo_legacy;
pub mod pubsub;
pub mod register;
pub mod rsm;
pub mod sasl2;
pub mod sasl_upgrade;
pub mod sce;
pub mod trust_message;
pub mod unified_push;
pub mod upload;
