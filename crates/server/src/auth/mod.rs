//! Logging in: keys, tokens, registration. The mechanisms themselves are `xmpp::sasl`.

pub mod credentials;
pub mod registration;
pub mod removal;
pub mod tokens;
