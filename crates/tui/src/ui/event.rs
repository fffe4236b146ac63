//! What goes into the user interface and what comes out of it.

use std::path::PathBuf;

use client::Request;
use client::store::MessageId;
use client::view::{Change, Notification, Outcome};
use ratatui::crossterm::event::{KeyEvent, MouseEvent};
use xmpp::jid::BareJid;
use xmpp::sasl::Secret;
use xmpp::time::Millis;

use super::app::Key;
use crate::picture::{Picture, Unfit};

/// An account of this program: its place in the order in which they were started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountNumber(pub usize);

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The terminal has another size: columns, rows.
    Resize(u16, u16),
    /// The terminal got or lost the keyboard.
    Focus(bool),
    /// An account is there now, and will tell about itself.
    Account(AccountNumber),
    /// A conversation is wanted.
    GoTo(Key),
    /// An account is gone: logged out.
    AccountGone(AccountNumber),
    /// Something came from the core of an account.
    Core(AccountNumber, FromCore),
    /// Something to tell the person.
    Notice(Notice),
    /// Another program has changed what was being written.
    Written(Key, String),
    /// Whether the terminal shows pictures now. Those that were ready are of no use any more.
    Pictures(bool),
    /// A picture was read.
    Picture(PictureWanted, Result<Picture, Unfit>),
    /// What time it is. Comes before other events, and about once a second.
    Time(Millis),
}

/// A picture in a file of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureWanted {
    /// The file.
    pub path: String,
    /// Columns and rows that there are for it.
    pub most: (u16, u16),
}

/// What the core of an account says.
#[derive(Debug)]
pub enum FromCore {
    /// Something is different.
    View(Change),
    /// Something worth interrupting for.
    Notify(Notification),
    /// What a request wants to be sent is on disk.
    Kept(u64),
    /// A request ended.
    Done(u64, Outcome),
    /// It was built anew, and has no windows open.
    Anew,
}

/// A line for the person, shown for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub text: String,
    /// How much it matters.
    pub weight: Weight,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It went as wanted.
    Good,
    /// It did not.
    Bad,
}

/// What has to be done.
#[derive(Debug)]
pub enum Action {
    /// Ask the core of an account.
    Request(AccountNumber, Request),
    /// Start an account and log in.
    SignIn(SignIn),
    /// Send a file; the path is as it was typed.
    SendFile {
        /// From which account.
        account: AccountNumber,
        /// The number of the request.
        number: u64,
        /// To whom.
        to: BareJid,
        /// Which file.
        path: String,
        /// A text that goes with it.
        caption: Option<String>,
    },
    /// Fetch a file.
    Download {
        /// For which account.
        account: AccountNumber,
        /// The number of the request.
        number: u64,
        /// The message with the file.
        message: MessageId,
        /// The name its sender gave it.
        name: String,
        /// Where to put it.
        into: Place,
    },
    /// Show a file, or the page of a link, with the program that the desktop has for it.
    Show(String),
    /// Let the person change what is being written in another program ($VISUAL or $EDITOR).
    Write(Key, String),
    /// Read a picture.
    Picture(PictureWanted),
    /// Put text into the clipboard (OSC 52).
    Copy(String),
    /// Ring.
    Bell,
    /// Show a notification on the desktop: title, text.
    Desktop(String, String),
    /// Name the terminal's window.
    Title(String),
    /// Keep the settings, and follow them.
    Settings,
    /// Paint everything anew.
    Redraw,
    /// Leave.
    Quit,
}

/// Where a file is put that is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the downloads of the person.
    Downloads,
    /// In a folder, as it was typed.
    Folder(PathBuf),
    /// With the account's own files, to be shown here.
    Account,
}

/// How to get into an account.
#[derive(Debug)]
pub struct SignIn {
    /// The account. With an invitation without a name: only its domain.
    pub address: BareJid,
    /// The password; for a new account, the one it will have.
    pub password: Secret,
    /// What protects the account on this machine.
    pub protection: Protection,
    /// Make the account first.
    pub invitation: Option<Invitation>,
    /// The certificate that is trusted without any authority, SHA-256.
    pub pinned: Option<[u8; 32]>,
    /// The number of the request.
    pub number: u64,
}

/// What protects what is stored of an account on this machine.
#[derive(Clone, Debug)]
pub enum Protection {
    /// The keyring of the system.
    Keyring,
    /// A passphrase.
    Passphrase(Secret),
    /// Nothing more than a file that only its user can read.
    Plain,
}

/// An invitation to a server (XEP-0379, XEP-0445).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Who invites, if it is a person.
    pub inviter: Option<BareJid>,
    /// The server.
    pub domain: BareJid,
    /// The account's name, if it is chosen already.
    pub name: Option<String>,
    /// What proves it.
    pub token: String,
}

impl Notice {
    /// It went as wanted.
    #[must_use]
    pub fn good(text: impl Into<String>) -> Notice {
        Notice { text: text.into(), weight: Weight::Good }
    }

    /// It did not.
    #[must_use]
    pub fn bad(text: impl Into<String>) -> Notice {
        Notice { text: text.into(), weight: Weight::Bad }
    }
}
