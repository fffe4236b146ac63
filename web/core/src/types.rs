//! Keeps the types of the page and of the worker the same as `page.rs` and `worker.rs`.

use ts_rs::{Config, TS};

use crate::{page, worker};

const HEAD: &str = "do not edit. `UPDATE=1 cargo test --workspace --lib types` makes it anew.\n";

macro_rules! declare {
    ($module:ident: $($name:ident),* $(,)?) => {{
        let config = Config::new().with_large_int("number");
        let mut text = String::new();
        $(
            text.push_str("\nexport ");
            text.push_str(&$module::$name::decl(&config));
            text.push('\n');
        )*
        text
    }};
}

/// What the page imports by name, and what that uses.
fn of_page() -> String {
    let types = declare!(
        page:
        Request, Command, FileKind, WebPush, Notice, Occasion, Account, Privacy, Connection, Conversation, Mute, Notify, Preview, Readers, Contact,
        Presence, Message, Content, Line, Span, File, Picture, Undecryptable, Encryption, Trust, Delivery, Reached,
        Reply, Reaction, Earlier, Room, JoinRequest, RoomLink, RoomState, Member, Affiliation, Happening, Happened, Role, Device, Found, Outcome, Problem, ProblemKind,
    );
    format!("// Made from web/core/src/page.rs; {HEAD}{types}")
}

/// What the worker imports beside that.
fn of_worker() -> String {
    let types = declare!(worker: Event, Effect, Cipher, Sealed, Device);
    let import = "\nimport type { Notice, Request } from \"./types\";\n";
    format!("// Made from web/core/src/worker.rs; {HEAD}{import}{types}")
}

/// Limits of the core that the page tells before it asks.
fn of_limits() -> String {
    format!(
        "// Made from the core; {HEAD}\n/** Longest text of one message, in bytes of UTF-8. */\n\
         export const MOST_TEXT_BYTES = {};\n",
        client::command::MAX_TEXT_BYTES
    )
}

fn check(name: &str, wanted: &str) {
    let path = format!("{}/../app/src/core/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{path} is not current: run with UPDATE=1");
}

#[test]
fn the_types_of_page_and_worker_are_current() {
    check("types.ts", &of_page());
    check("worker-types.ts", &of_worker());
    check("limits.ts", &of_limits());
}
