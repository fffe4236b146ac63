//! The suite of every store, on disk and in memory, and what is special about this one.

use std::path::Path;

use client::store::conformance::{Case, address, contact, in_step, message, profile, texts};
use client::store::{
    Contacts, Devices, Hidden, Outbox, OwnDevice, Profile, Reference, SessionKey, Store,
    StoreError, Timeline, Version,
};
use rusqlite::{Connection, params};
use xmpp::sasl::Secret;

use crate::seal::Place;
use crate::{Keyring, OpenError, Protection, SqliteStore, Unlock};

mod on_disk {
    pub(crate) fn run(case: super::Case) {
        let folder = tempfile::tempdir().unwrap();
        case(&super::open(folder.path()));
    }
    client::conformance_tests!(crate::tests::on_disk::run);
}

mod in_memory {
    pub(crate) fn run(case: super::Case) {
        case(&crate::SqliteStore::in_memory().unwrap());
    }
    client::conformance_tests!(crate::tests::in_memory::run);
}

mod with_key {
    pub(crate) fn run(case: super::Case) {
        let folder = tempfile::tempdir().unwrap();
        case(&super::open_with_key(folder.path(), 7).unwrap());
    }
    client::conformance_tests!(crate::tests::with_key::run);
}

fn open_with_key(folder: &Path, byte: u8) -> Result<SqliteStore, OpenError> {
    SqliteStore::open_with_key(&folder.join("account.db"), None, &[byte; 32])
}

#[test]
fn a_database_opens_with_its_own_key_only_and_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_canaries(&open_with_key(folder.path(), 7).unwrap());
    let there = bytes(folder.path());
    assert!(CANARIES.iter().all(|canary| !contains(&there, canary.as_bytes())));
    let refused = open_with_key(folder.path(), 8).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    let store = open_with_key(folder.path(), 7).unwrap();
    assert!(store.login().unwrap().is_some());
    store.wipe().unwrap();
    drop(store);
    // The key is the caller's: it still opens what is empty now.
    assert!(open_with_key(folder.path(), 7).unwrap().login().unwrap().is_none());
}

fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, &Unlock::Plain).unwrap()
}

fn passphrase(text: &str) -> Unlock {
    Unlock::Passphrase(Secret::from(text))
}

/// Strings that stand nowhere in the files of an account.
const CANARIES: [&str; 8] = [
    "romeo@canary.example",
    "canary.example",
    "CANARY-BODY",
    "CANARY-NAME",
    "canary-password",
    "CANARY-RATCHET",
    "CANARY-ORIGIN",
    "juliet@example.org",
];

fn write_canaries(store: &SqliteStore) {
    in_step(store, || {
        store.save_login(&profile::login("canary-password")).unwrap();
        let mut romeo = contact("romeo@canary.example");
        romeo.name = Some("CANARY-NAME".into());
        store.save_contact(&romeo).unwrap();
        let mut text = message("romeo@canary.example", 1, "CANARY-BODY");
        text.origin_id = Some("CANARY-ORIGIN".into());
        text.archive_id = Some("CANARY-ORIGIN".into());
        store.append(&text).unwrap();
        let mut queued = client::store::conformance::outbox::stanza("romeo@canary.example", "a");
        queued.payload = b"CANARY-BODY".to_vec();
        store.enqueue(&queued).unwrap();
        let owner = address("romeo@canary.example");
        let key = SessionKey { owner, device: 1, version: Version::Legacy };
        store.save_session(&key, Some(b"CANARY-RATCHET")).unwrap();
        let keys = b"CANARY-RATCHET".to_vec().into();
        let label = Some("CANARY-NAME".into());
        store.save_own_device(&OwnDevice { id: 1, keys, label }).unwrap();
    });
}

/// Every byte of every file of a folder.
fn bytes(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[test]
fn the_files_show_no_text_and_no_address() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    write_canaries(&store);
    // While it is open there is a log, afterwards only the database.
    let while_open = bytes(folder.path());
    drop(store);
    let afterwards = bytes(folder.path());
    for canary in CANARIES {
        let as_numbers = format!("{:?}", canary.as_bytes()).replace(' ', "");
        for form in [canary.as_bytes(), as_numbers.trim_matches(['[', ']']).as_bytes()] {
            assert!(!contains(&while_open, form), "{canary} in the open account");
            assert!(!contains(&afterwards, form), "{canary} in the closed account");
        }
    }
    assert!(contains(&afterwards, b"SQLite format 3"));
}

#[test]
fn everything_is_there_again_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    write_canaries(&open(folder.path()));
    let store = open(folder.path());
    let page = store.before(&address("romeo@canary.example"), None, 5).unwrap();
    assert_eq!(texts(&page), ["CANARY-BODY"]);
    let login = store.login().unwrap().expect("kept");
    assert_eq!(login.password, Some(Secret::from("canary-password")));
}

#[test]
fn a_step_that_was_not_committed_is_gone_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    in_step(&store, || store.save_contact(&contact("romeo@example.org")).unwrap());
    store.begin().unwrap();
    store.save_contact(&contact("juliet@example.org")).unwrap();
    drop(store);
    assert_eq!(open(folder.path()).contacts().unwrap(), [contact("romeo@example.org")]);
}

#[test]
fn a_second_program_is_told_about_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let error = SqliteStore::open(folder.path(), &Unlock::Plain).unwrap_err();
    let OpenError::InUse { pid, program } = &error else { panic!("{error}") };
    assert_eq!(*pid, Some(std::process::id()));
    assert!(error.to_string().contains(program.as_str()), "{error}");
    drop(store);
    open(folder.path());
}

#[test]
fn a_passphrase_opens_what_it_protects() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), &passphrase("open sesame")).unwrap();
    write_canaries(&store);
    drop(store);
    assert_eq!(SqliteStore::protection(folder.path()).unwrap(), Some(Protection::Passphrase));
    let wrong = SqliteStore::open(folder.path(), &passphrase("open barley")).unwrap_err();
    assert!(matches!(wrong, OpenError::WrongPassphrase));
    let plain = SqliteStore::open(folder.path(), &Unlock::Plain).unwrap_err();
    assert!(matches!(plain, OpenError::OtherProtection(Protection::Passphrase)));
    let store = SqliteStore::open(folder.path(), &passphrase("open sesame")).unwrap();
    assert!(store.login().unwrap().is_some());
}

#[test]
fn the_protection_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    write_canaries(&store);
    let plain = std::fs::read(folder.path().join("account.key")).unwrap();
    store.protect(&passphrase("open sesame")).unwrap();
    drop(store);
    let key: serde_json::Value = serde_json::from_slice(&plain).unwrap();
    let key = key["key"].as_str().unwrap().as_bytes();
    assert!(!contains(&bytes(folder.path()), key), "the plain key is gone");
    let store = SqliteStore::open(folder.path(), &passphrase("open sesame")).unwrap();
    assert!(store.login().unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn what_a_crash_left_of_a_new_key_file_goes() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteStore::open(folder.path(), &Unlock::Plain).unwrap());
    let left = folder.path().join("account.key.new");
    std::fs::copy(folder.path().join("account.key"), &left).unwrap();
    drop(SqliteStore::open(folder.path(), &Unlock::Plain).unwrap());
    assert!(!left.exists());
}

/// Stands for `secret-tool`: keeps what it reads in a file named after the last argument.
#[cfg(unix)]
fn secret_tool(folder: &Path) -> Keyring {
    use std::os::unix::fs::PermissionsExt;
    let program = folder.join("secret-tool");
    let script = "#!/bin/sh\nd=$(dirname \"$0\"); f=$d/key$(printf %s \"$*\" | tr -c a-zA-Z0-9 _ | tail -c 20)\n\
                  case \"$1\" in store) cat > \"$f\";; clear) rm \"$f\";; *) cat \"$f\";; esac\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    Keyring::with_program(&program)
}

/// How many keys the keyring holds.
#[cfg(unix)]
fn keys_in(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .filter(|file| file.as_ref().unwrap().file_name().as_encoded_bytes().starts_with(b"key"))
        .count()
}

#[cfg(unix)]
#[test]
fn a_keyring_forgets_the_key_when_the_protection_changes() {
    let folder = tempfile::tempdir().unwrap();
    let account = folder.path().join("account");
    let keyring = Unlock::Keyring(secret_tool(folder.path()));
    let mut store = SqliteStore::open(&account, &keyring).unwrap();
    write_canaries(&store);
    assert_eq!(keys_in(folder.path()), 1);
    store.protect(&keyring).unwrap();
    assert_eq!(keys_in(folder.path()), 1);
    drop(store);
    let mut store = SqliteStore::open(&account, &keyring).unwrap();
    // What cannot be written leaves nothing behind, and the old protection in force.
    std::fs::create_dir(account.join("account.key.new")).unwrap();
    store.protect(&keyring).unwrap_err();
    assert_eq!(keys_in(folder.path()), 1);
    std::fs::remove_dir(account.join("account.key.new")).unwrap();
    drop(store);
    let mut store = SqliteStore::open(&account, &keyring).unwrap();
    store.protect(&passphrase("open sesame")).unwrap();
    assert_eq!(keys_in(folder.path()), 0);
    drop(store);
    let store = SqliteStore::open(&account, &passphrase("open sesame")).unwrap();
    assert!(store.login().unwrap().is_some());
}

#[cfg(unix)]
#[test]
fn a_keyring_is_tried_before_it_is_relied_on() {
    use std::time::Duration;
    let folder = tempfile::tempdir().unwrap();
    secret_tool(folder.path()).check(Duration::from_secs(60)).unwrap();
    assert_eq!(keys_in(folder.path()), 0);
    let missing = Keyring::with_program(folder.path().join("nothing"));
    let error = missing.check(Duration::from_secs(60)).unwrap_err();
    assert!(error.to_string().contains("libsecret-tools"), "{error}");
    // It keeps nothing, it asks somebody who is not there.
    let program = folder.path().join("secret-tool");
    std::fs::write(&program, "#!/bin/sh\necho 'no daemon' >&2; exit 1\n").unwrap();
    let error = Keyring::with_program(&program).check(Duration::from_secs(60)).unwrap_err();
    assert!(error.to_string().contains("no daemon"), "{error}");
    std::fs::write(&program, "#!/bin/sh\nexec tail -f /dev/null\n").unwrap();
    let error = Keyring::with_program(&program).check(Duration::from_millis(50)).unwrap_err();
    assert!(error.to_string().contains("does not answer"), "{error}");
}

#[cfg(unix)]
#[test]
fn removing_an_account_leaves_the_files_of_others_and_nothing_in_the_keyring() {
    let folder = tempfile::tempdir().unwrap();
    let account = folder.path().join("account");
    let keyring = secret_tool(folder.path());
    SqliteStore::remove(&account, &keyring).unwrap();
    assert!(!account.exists());
    let store = SqliteStore::open(&account, &Unlock::Keyring(keyring.clone())).unwrap();
    write_canaries(&store);
    std::fs::write(account.join("thesis.txt"), "years of work").unwrap();
    assert!(matches!(SqliteStore::remove(&account, &keyring), Err(OpenError::InUse { .. })));
    assert!(SqliteStore::exists(&account));
    drop(store);
    SqliteStore::remove(&account, &keyring).unwrap();
    assert!(!SqliteStore::exists(&account));
    assert_eq!(keys_in(folder.path()), 0);
    let left: Vec<_> =
        std::fs::read_dir(&account).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left, ["thesis.txt"]);
}

#[cfg(unix)]
#[test]
fn a_keyring_keeps_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let keyring = Unlock::Keyring(secret_tool(folder.path()));
    let account = folder.path().join("account");
    write_canaries(&SqliteStore::open(&account, &keyring).unwrap());
    assert!(SqliteStore::open(&account, &keyring).unwrap().login().unwrap().is_some());
    let missing = Unlock::Keyring(Keyring::with_program(folder.path().join("nothing")));
    let error = SqliteStore::open(&account, &missing).unwrap_err();
    assert!(matches!(error, OpenError::Keyring(_)), "{error}");
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let account = folder.path().join("account");
    let store = open(&account);
    write_canaries(&store);
    assert_eq!(std::fs::metadata(&account).unwrap().permissions().mode() & 0o777, 0o700);
    for file in std::fs::read_dir(&account).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
    }
}

#[test]
fn a_lost_key_is_said() {
    let folder = tempfile::tempdir().unwrap();
    write_canaries(&open(folder.path()));
    std::fs::remove_file(folder.path().join("account.key")).unwrap();
    assert!(SqliteStore::exists(folder.path()));
    let error = SqliteStore::protection(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::KeyMissing { .. }), "{error}");
    let error = SqliteStore::open(folder.path(), &Unlock::Plain).unwrap_err();
    assert!(matches!(error, OpenError::KeyMissing { .. }), "{error}");
    assert!(folder.path().join("account.db").exists());
}

#[test]
fn the_key_of_another_account_is_noticed_at_once() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write_canaries(&open(one.path()));
    write_canaries(&open(two.path()));
    std::fs::copy(two.path().join("account.key"), one.path().join("account.key")).unwrap();
    // The hidden names are others too: without its own row nothing would be found at all.
    let store = SqliteStore::open(one.path(), &Unlock::Plain);
    assert!(matches!(store, Err(OpenError::Damaged { .. })), "{store:?}");
}

#[test]
fn a_changed_row_is_damage_and_not_another_text() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let first = store.append(&message("romeo@example.org", 1, "yes")).unwrap();
    store.append(&message("romeo@example.org", 2, "no")).unwrap();
    drop(store);
    let db = Connection::open(folder.path().join("account.db")).unwrap();
    db.execute(
        "UPDATE message SET sealed = (SELECT sealed FROM message WHERE id = 2) WHERE id = 1",
        [],
    )
    .unwrap();
    drop(db);
    let store = open(folder.path());
    assert!(matches!(store.message(first), Err(StoreError::Damaged(_))));
    assert!(store.message(client::store::MessageId(2)).unwrap().is_some());
}

/// Two messages with ids, one after the other.
fn two_messages(store: &SqliteStore) {
    for (position, text) in [(1, "yes"), (2, "no")] {
        let mut message = message("romeo@example.org", position, text);
        message.origin_id = Some(text.into());
        message.archive_id = Some(format!("archive-{text}"));
        store.append(&message).unwrap();
    }
}

fn exchange_hashes(folder: &Path) {
    let db = Connection::open(folder.join("account.db")).unwrap();
    db.execute_batch(
        "CREATE TEMP TABLE other AS SELECT 3 - id AS id, origin, archive FROM message;
         UPDATE message SET origin = (SELECT origin FROM other WHERE other.id = message.id),
         archive = (SELECT archive FROM other WHERE other.id = message.id);",
    )
    .unwrap();
}

#[test]
fn a_message_is_not_found_by_the_id_of_another() {
    let folder = tempfile::tempdir().unwrap();
    two_messages(&open(folder.path()));
    exchange_hashes(folder.path());
    let store = open(folder.path());
    let romeo = address("romeo@example.org");
    for reference in
        [Reference::Origin(romeo.clone(), "yes".into()), Reference::Archive("archive-yes".into())]
    {
        let found = store.find(&romeo, &reference);
        assert!(matches!(found, Err(StoreError::Damaged(_))), "{found:?}");
    }
    let page = store.before(&romeo, None, 5);
    assert!(matches!(page, Err(StoreError::Damaged(_))), "{page:?}");
}

/// Puts a store back to how it was before hashes were bound to messages.
fn to_first_schema(folder: &Path) {
    let store = open(folder);
    let rows = store
        .rows(
            "SELECT id, conversation, position, origin, archive, sealed FROM message",
            [],
            |row| {
                let columns: (i64, Vec<u8>, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
                let hashes: [Option<Vec<u8>>; 2] = [row.get(3)?, row.get(4)?];
                Ok((columns, hashes, row.get::<_, Vec<u8>>(5)?))
            },
        )
        .unwrap();
    for ((id, conversation, position), [origin, archive], sealed) in rows {
        let (number, place) = (id.to_be_bytes(), position.to_be_bytes());
        let (origin, archive) = (origin.unwrap_or_default(), archive.unwrap_or_default());
        let new = [&number[..], &conversation, &place, &origin, &archive];
        let sealer = store.sealer.borrow();
        let bytes = sealer.open(&Place::of("message", &new), &sealed).unwrap();
        let old = sealer.seal(&Place::of("message", &new[..3]), &bytes).unwrap();
        store.run("UPDATE message SET sealed = ?2 WHERE id = ?1", params![id, old]).unwrap();
    }
    store.db.execute_batch("DROP VIEW present; DROP TABLE hidden").unwrap();
    store.db.pragma_update(None, "user_version", 1).unwrap();
}

#[test]
fn messages_of_the_first_schema_are_sealed_anew_with_hashes_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    two_messages(&open(folder.path()));
    to_first_schema(folder.path());
    exchange_hashes(folder.path());
    let store = open(folder.path());
    let romeo = address("romeo@example.org");
    let found = store.find(&romeo, &Reference::Archive("archive-yes".into())).unwrap();
    assert_eq!(texts(&[found.unwrap()]), ["yes"]);
    assert_eq!(texts(&store.before(&romeo, None, 5).unwrap()), ["yes", "no"]);
}

#[test]
fn the_number_of_the_schema_cannot_be_put_back() {
    let folder = tempfile::tempdir().unwrap();
    two_messages(&open(folder.path()));
    exchange_hashes(folder.path());
    let db = Connection::open(folder.path().join("account.db")).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    drop(db);
    let error = SqliteStore::open(folder.path(), &Unlock::Plain).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    std::fs::write(folder.path().join("account.db"), [7; 9000]).unwrap();
    let error = SqliteStore::open(folder.path(), &Unlock::Plain).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[test]
fn a_database_from_the_future_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let db = Connection::open(folder.path().join("account.db")).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = SqliteStore::open(folder.path(), &Unlock::Plain).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_full_disk_undoes_the_step_and_reading_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    in_step(&store, || store.append(&message("romeo@example.org", 1, "kept")).unwrap());
    let pages: i64 = store.db.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    store.db.pragma_update(None, "max_page_count", pages + 2).unwrap();
    store.begin().unwrap();
    let long = "a".repeat(100_000);
    let full = store.append(&message("romeo@example.org", 2, &long));
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    // SQLite has dropped the step; what follows in it must not be kept on its own.
    store.save_contact(&contact("romeo@example.org")).unwrap_err();
    store.append(&message("romeo@example.org", 2, "short")).unwrap_err();
    store.end_hiding().unwrap_err();
    store.commit().unwrap_err();
    assert_eq!(store.contacts().unwrap(), []);
    let page = store.before(&address("romeo@example.org"), None, 5).unwrap();
    assert_eq!(texts(&page), ["kept"]);
    store.db.pragma_update(None, "max_page_count", pages + 1000).unwrap();
    in_step(&store, || store.append(&message("romeo@example.org", 2, &long)).unwrap());
}

#[test]
fn a_wiped_account_cannot_be_read_with_its_old_key() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    write_canaries(&store);
    let sealed: Vec<Vec<u8>> = store
        .rows("SELECT sealed FROM item UNION ALL SELECT sealed FROM message", [], |row| row.get(0))
        .unwrap();
    let old_key = *store.sealer.borrow().data_key().clone();
    assert!(sealed.len() > 4);
    store.wipe().unwrap();
    let left = bytes(folder.path());
    for row in &sealed {
        assert!(!contains(&left, row), "a sealed row is still in the files");
    }
    assert_ne!(*store.sealer.borrow().data_key().clone(), old_key);
    drop(store);
    let key = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, old_key);
    assert!(!contains(&bytes(folder.path()), key.as_bytes()));
    assert!(open(folder.path()).login().unwrap().is_none());
}

/// Everything that can be written of this process's memory.
#[cfg(target_os = "linux")]
fn memory_contains(needles: &[Vec<u8>]) -> bool {
    use std::os::unix::fs::FileExt;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut window = vec![0; 1 << 20];
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (range, _) = line.split_once(' ').unwrap();
        let (start, end) = range.split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let (mut at, end) = (number(start), number(end));
        while at < end {
            let most = window.len().min(usize::try_from(end - at).unwrap());
            let Ok(read) = memory.read_at(&mut window[..most], at) else { break };
            // The needles themselves are written the other way round.
            let found = needles.iter().any(|needle| {
                window[..read].windows(needle.len()).any(|part| part.iter().eq(needle.iter().rev()))
            });
            if found {
                return true;
            }
            at += if read == most && at + (read as u64) < end {
                (read - 64) as u64
            } else {
                read as u64
            };
        }
    }
    false
}

#[cfg(target_os = "linux")]
#[test]
fn the_own_keys_leave_no_copy_in_memory() {
    let store = SqliteStore::in_memory().unwrap();
    // Nine numbers that stand in the keys once. Here they are written backwards, so that the test
    // does not find itself.
    let number = |at: u32| (at * 73 + 171) as u8;
    let save = |store: &SqliteStore| {
        let mut keys = zeroize::Zeroizing::new(Vec::with_capacity(30_000));
        keys.extend((0..9).map(number));
        keys.extend((0..20_000_u32).map(|number| (number % 97) as u8));
        store.save_own_device(&OwnDevice { id: 1, keys, label: None }).unwrap();
    };
    save(&store);
    let bytes: Vec<u8> = (0..9).rev().map(number).collect();
    let mut text = Vec::new();
    for byte in &bytes {
        text.extend([byte % 10, byte / 10 % 10, byte / 100].map(|digit| b'0' + digit));
        text.push(b',');
    }
    text.pop();
    let needles = [bytes, text];
    let read = store.own_device().unwrap().unwrap();
    assert!(memory_contains(&needles[..1]), "it is there while it is used");
    drop(read);
    assert!(!memory_contains(&needles));
}

#[test]
fn secrets_are_not_printed() {
    let unlock = passphrase("open sesame");
    assert!(!format!("{unlock:?}").contains("sesame"));
    assert_eq!(format!("{:?}", SqliteStore::in_memory().unwrap()), "SqliteStore");
}
