//! How much of everything is done.

use std::time::Duration;

use crate::mode::upload;

/// How much of everything.
#[derive(Debug, Clone)]
pub struct Scale {
    /// Idle sessions whose memory is measured.
    pub sessions: usize,
    /// How long a server rests before its memory is measured.
    pub rest: Duration,
    /// How long pairs chat.
    pub chat: Duration,
    /// The same with the archive on disk.
    pub durable: Duration,
    /// How long latency is measured.
    pub latency: Duration,
    /// Logins.
    pub logins: u64,
    /// Messages in the archive that is read.
    pub archive_messages: u64,
    /// How long it is read.
    pub archive: Duration,
    /// Occupants of the room.
    pub occupants: usize,
    /// How long they talk.
    pub talk: Duration,
    /// Files.
    pub files: upload::Options,
    /// People who all know each other.
    pub people: usize,
    /// How often each changes its presence.
    pub changes: u64,
}

impl Scale {
    /// For figures.
    pub const FULL: Self = Self {
        sessions: 1000,
        rest: Duration::from_secs(5),
        chat: Duration::from_secs(5),
        durable: Duration::from_secs(12),
        latency: Duration::from_secs(10),
        logins: 1000,
        archive_messages: 2000,
        archive: Duration::from_secs(5),
        occupants: 1000,
        talk: Duration::from_secs(10),
        files: upload::Options {
            clients: 8,
            large: 4,
            // Prosody's default is the smallest limit of the three.
            large_bytes: 10 * 1024 * 1024,
            small: 125,
            small_bytes: 64 * 1024,
        },
        people: 200,
        changes: 5,
    };

    /// To see that everything works.
    pub const QUICK: Self = Self {
        sessions: 100,
        rest: Duration::from_secs(1),
        chat: Duration::from_secs(1),
        durable: Duration::from_secs(4),
        latency: Duration::from_secs(1),
        logins: 100,
        archive_messages: 300,
        archive: Duration::from_secs(1),
        occupants: 40,
        talk: Duration::from_secs(1),
        files: upload::Options {
            clients: 4,
            large: 1,
            large_bytes: 4 * 1024 * 1024,
            small: 10,
            small_bytes: 64 * 1024,
        },
        people: 20,
        changes: 3,
    };

    /// Sessions that are there before memory is measured.
    pub fn first(&self) -> usize {
        self.sessions / 20
    }
}
