//! RFC 6120, RFC 7395: a client's side of a stream, up to a session
//!
//! [`Negotiation::start`] writes the first bytes; then feed it what the reader finds:
//!
//! ```text
//! let mut step = Step::Read(Negotiation::start(settings, tls, seed, &mut out));
//! loop {
//!     /* write out, then out.apply(&mut reader) */
//!     step = match step {
//!         Step::Read(negotiation) => negotiation.handle(event, &mut out),
//!         Step::StartTls(waiting) => waiting.answer(tls, &mut out),
//!         Step::Established(session) => break,
//!         Step::Failed(error) => return Err(error),
//!     }
//! }
//! ```
//!
//! The strongest mechanism both sides know is used, bound to the channel where that is possible.
//! What looks like somebody in between taking offers away ends the negotiation.

mod auth;
mod login;
mod machine;
mod offer;
mod register;
mod session;
mod settings;
mod upgrade;

pub use machine::{Error, Negotiation, Step, TlsPending};
pub use offer::Offer;
pub use session::{Established, IssuedToken, Managed};
pub use settings::{Encryption, Preference, Registration, Settings, Token};
