//! Keeps `app/src/core/types.ts` the same as `page.rs`.

use ts_rs::{Config, TS};

use crate::page;

/// The types the page imports by name; what they use comes along.
fn typescript() -> String {
    let config = Config::new().with_large_int("number");
    let mut text = String::from(
        "// Made from web/core/src/page.rs; do not edit. `UPDATE=1 cargo test` in web/ makes it anew.\n",
    );
    macro_rules! declare {
        ($($name:ident),* $(,)?) => {$(
            text.push_str("\nexport ");
            text.push_str(&page::$name::decl(&config));
            text.push('\n');
        )*};
    }
    declare!(
        Request, Command, Notice, Account, Connection, Conversation, Mute, Preview, Readers, Contact,
        Presence, Message, Content, Line, Span, File, Undecryptable, Encryption, Trust, Delivery,
        Reply, Reaction, Earlier, Device, Found, Outcome, Problem, ProblemKind,
    );
    text
}

#[test]
fn the_types_of_the_page_are_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/src/core/types.ts");
    let wanted = typescript();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(std::path::Path::new(path).parent().expect("a folder"))
            .expect("the folder of the types");
        std::fs::write(path, &wanted).expect("the types can be written");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "{path} is not current: run with UPDATE=1");
}
