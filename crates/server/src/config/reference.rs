//! The manual of `anemone.toml`, made from the comments of the sections.

use std::fmt::Write as _;

use super::{
    Abuse, Acme, Archive, Bytestreams, Calls, Components, Contact, DataPolicy, Federation,
    FrontDoor, Limits, Listen, Log, Login, Metrics, Outage, Pubsub, Push, Registration, Rooms, Tls,
    Turn, UnifiedPush, Upload, Web, schema::Chapter,
};

/// Every section of the file in the order of the manual.
pub fn chapters() -> Vec<Chapter> {
    vec![
        Listen::chapter(),
        Registration::chapter(),
        Tls::chapter(),
        Acme::chapter(),
        Login::chapter(),
        Limits::chapter(),
        Federation::chapter(),
        Archive::chapter(),
        Rooms::chapter(),
        Pubsub::chapter(),
        Upload::chapter(),
        Calls::chapter(),
        Turn::chapter(),
        Bytestreams::chapter(),
        Components::chapter(),
        Push::chapter(),
        UnifiedPush::chapter(),
        Web::chapter(),
        Contact::chapter(),
        Abuse::chapter(),
        Outage::chapter(),
        DataPolicy::chapter(),
        FrontDoor::chapter(),
        Metrics::chapter(),
        Log::chapter(),
    ]
}

/// The manual in Markdown: the content of `docs/config.md`.
pub fn markdown() -> String {
    let mut page = String::from(PREFACE);
    for chapter in chapters() {
        let _ = write!(page, "\n## [{}]\n\n{}\n", chapter.name, prose(chapter.docs));
        for key in &chapter.keys {
            let default = match &key.default {
                Some(default) => format!("default `{default}`"),
                None => "absent by default".to_owned(),
            };
            let _ = write!(
                page,
                "\n### `{}`\n\n{}\n\nMust be {}; {default}.\n",
                key.name,
                prose(key.docs),
                key.allowed
            );
        }
    }
    page
}

/// Doc comment lines as one paragraph.
fn prose(docs: &[&str]) -> String {
    docs.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

const PREFACE: &str = "\
# Configuration

<!-- Printed by `anemone config --reference`; a test compares. -->

The server reads `anemone.toml` in its data directory. Only `domain` is required; every other key
has the default shown here. A key that does not exist is an error, so a misspelt one cannot go
unnoticed. `anemone check` reads the file without starting anything, and `anemone reload` (or
SIGHUP) makes a running server read it again, certificates included. Everything changes at once
then, also how long things are kept, except for `[listen]`, `[metrics]`, `[push]`, `required` in
`[tls]`, `address` in `[rooms]` and `listen` in `[components]`, and which addresses other keys open:
these change at the next start, and `reload` says which did not yet.

```toml
domain = \"example.org\"

[registration]
policy = \"invite\"
```

## `domain`

The domain served: what stands behind the `@` in every address. It cannot change once there are
accounts.
";
