//! Other servers, and which of them are talked to.

use clap::{Args, Subcommand};

use crate::admin::Request;

#[derive(Debug, Subcommand)]
pub(super) enum FederationCommand {
    /// List other servers: connections, what waits for them, and why one cannot be reached
    List,
    /// Show the domains that administrators chose to talk to or not, beside `allow` and `deny` of
    /// anemone.toml
    Domains,
    /// Talk to a domain no longer
    Deny(Listed),
    /// Put a domain on the list of those to talk to; while there are any on it, all others are left out
    Allow(Listed),
    /// Connect to another server now, and say what came of it
    Try {
        /// Its domain
        domain: String,
    },
    /// Give what waits for a server that is not connected back to its senders
    GiveBack {
        /// Its domain
        domain: String,
    },
    /// End the streams of another server; new ones are opened when there is something to send
    End {
        /// Its domain
        domain: String,
    },
}

/// A domain on a list.
#[derive(Debug, Args)]
pub(super) struct Listed {
    /// The domain, or *.DOMAIN for everything below one
    domain: String,
    /// Take it off the list
    #[arg(long)]
    remove: bool,
}

/// The question that a command asks.
pub(super) fn request(command: FederationCommand) -> Request {
    match command {
        FederationCommand::List => Request::FederationList {},
        FederationCommand::Domains => Request::DomainsShow {},
        FederationCommand::Deny(Listed { domain, remove }) => {
            Request::DomainDeny { domain, listed: !remove }
        }
        FederationCommand::Allow(Listed { domain, remove }) => {
            Request::DomainAllow { domain, listed: !remove }
        }
        FederationCommand::Try { domain } => Request::FederationTry { domain },
        FederationCommand::GiveBack { domain } => Request::FederationGiveBack { domain },
        FederationCommand::End { domain } => Request::FederationEnd { domain },
    }
}
