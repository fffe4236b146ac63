//! What everybody is told by the server, and its end.

use clap::{Args, Subcommand};

use super::terminal;
use crate::admin::Request;

#[derive(Debug, Subcommand)]
pub(super) enum NoticeCommand {
    /// Show what is told
    Show,
    /// Tell everybody who is online
    Now {
        /// What they are told
        text: String,
    },
    /// Set the message of the day: everybody is told it once
    Motd {
        /// What they are told
        #[arg(required_unless_present = "delete", conflicts_with = "delete")]
        text: Option<String>,
        /// Only correct it: those who have it are not told again
        #[arg(long, conflicts_with = "delete")]
        correct: bool,
        /// There is none any more
        #[arg(long)]
        delete: bool,
    },
    /// Set what new users are told
    Welcome {
        /// What they are told
        #[arg(required_unless_present = "delete", conflicts_with = "delete")]
        text: Option<String>,
        /// They are told nothing any more
        #[arg(long)]
        delete: bool,
    },
}

/// What comes before the end.
#[derive(Debug, Args)]
pub(super) struct Before {
    /// When, such as 2m or 1h from now; at once when absent
    #[arg(long = "in", value_name = "TIME", value_parser = terminal::duration)]
    after: Option<u64>,
    /// What everybody who is online is told before
    #[arg(long, value_name = "TEXT")]
    tell: Option<String>,
    /// Call off the restart or the stop that was ordered
    #[arg(long, conflicts_with = "after")]
    cancel: bool,
}

/// The question that a command asks.
pub(super) fn request(command: NoticeCommand) -> Request {
    match command {
        NoticeCommand::Show => Request::NoticesShow {},
        NoticeCommand::Now { text } => Request::NoticeNow { text },
        NoticeCommand::Motd { text, correct, delete: _ } => {
            Request::NoticeDay { anew: !correct && text.is_some(), text }
        }
        NoticeCommand::Welcome { text, delete: _ } => Request::NoticeWelcome { text },
    }
}

impl Before {
    pub(super) fn request(self, restart: bool) -> Request {
        match self.cancel {
            true => Request::StopCancel { text: self.tell },
            false => Request::Stop { restart, after: self.after.unwrap_or(0), text: self.tell },
        }
    }
}
