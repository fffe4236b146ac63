//! RFC 6120, RFC 7395: the server's side of a client's stream, up to a session
//!
//! ```text
//! let mut step = Step::Read(Negotiation::new(settings, framing, tls, seed));
//! loop {
//!     /* write out, then out.apply(&mut reader) */
//!     step = match step {
//!         Step::Read(negotiation) => negotiation.handle(event, &mut out),
//!         Step::StartTls(waiting) => waiting.answer(tls, &mut out),
//!         Step::Scram(lookup, waiting) => waiting.answer(credentials, &mut out),
//!         …
//!         Step::Established(session) => break,
//!         Step::Closed(error) => return,
//!     }
//! }
//! ```
//!
//! Whatever needs accounts, passwords or sessions is a variant of [`Step`]: the question, and a
//! [`Waiting`] that takes exactly one answer. A state that was used is gone, so nothing can happen
//! twice. [`Authenticated`] comes out of successful authentication and from nowhere else.
//!
//! The driver's duties: enforce deadlines and the total of bytes before authentication, close with
//! [`Negotiation::fail`] or [`Waiting::fail`] when they pass, and wait before answering
//! [`Step::Refused`] if it wants to slow guessing down.

mod answers;
mod bind;

mod exchange;
mod features;
mod login;
mod machine;
mod open;
mod proofs;
mod questions;
mod register;
mod settings;
mod state;
mod upgrade;

pub use answers::{
    AccountState, Bound, Candidate, Credentials, IssuedToken, LoginAnswer, LoginSession,
    PasswordCheck, PreauthAnswer, ResumeFailed, Resumed,
};
pub use bind::{BindPending, ResumePending};
pub use exchange::RefusedPending;
pub use login::LoginPending;
pub use machine::{Negotiation, Step, TlsPending, Waiting};
pub use proofs::{PasswordPending, ScramPending, TokenPending};
pub use questions::{
    Authenticated, BindRequest, Established, FastUse, Login, PasswordLookup, Profile, Refused,
    RegisterRequest, ResumeRequest, ScramLookup, Session, TokenLookup, UpgradeLookup,
};
pub use register::{PreauthPending, RegisterPending};
pub use settings::{Registration, Settings, StreamLimits};
pub use upgrade::UpgradePending;
