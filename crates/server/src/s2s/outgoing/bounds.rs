//! How much is kept, and for how long.

use xmpp::sm;

/// Bounds and times.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Stanzas kept in memory.
    pub stanzas: usize,
    /// Bytes kept in memory.
    pub bytes: usize,
    /// The same where what comes is not durable: enough for everybody in a large room to come in, or to hear
    /// something.
    pub fleeting: usize,
    /// Unacknowledged stanzas and bytes on a stream.
    pub unacked: sm::Limits,
    /// Milliseconds after which durable stanzas go back.
    pub bounce: u64,
    /// Milliseconds after which what is not durable and was not sent goes back.
    pub patience: u64,
}

impl Bounds {
    /// Bytes of what is not durable.
    pub const FLEETING: usize = 16 * 1024 * 1024;

    /// Everything but the time after which messages go back, which the operator chooses.
    #[must_use]
    pub fn with_bounce(bounce: u64) -> Self {
        Self {
            stanzas: 1000,
            bytes: 4 * 1024 * 1024,
            fleeting: Self::FLEETING,
            unacked: sm::Limits { stanzas: 1000, bytes: 4 * 1024 * 1024, ..sm::Limits::SESSION },
            bounce,
            patience: 30_000,
        }
    }
}
