//! Imports of files that are damaged, hostile or not what they seem: what can be taken is, the rest is
//! said, and nothing is done that the files ask for. (Real servers' files are in `tests/interop`.)

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

struct Trial {
    _directory: tempfile::TempDir,
    root: PathBuf,
}

impl Trial {
    fn new() -> Trial {
        let directory = tempfile::tempdir().unwrap();
        let trial = Trial { root: directory.path().to_owned(), _directory: directory };
        assert!(trial.run(&["init", "--domain", "example.org"]).status.success());
        trial
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_anemone"));
        command.args(arguments).arg("--data").arg(self.root.join("data")).output().unwrap()
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    fn import(&self, kind: &str, path: &Path) -> Value {
        self.imported(&["import", kind, path.to_str().unwrap(), "--json"])
    }

    fn imported(&self, arguments: &[&str]) -> Value {
        let output = self.run(arguments);
        assert!(output.status.success(), "{output:?}");
        report(&output)
    }

    /// What an account has, as a file for other servers.
    fn exported(&self, name: &str) -> String {
        let path = self.root.join("exported.xml");
        assert!(self.run(&["export", name, path.to_str().unwrap()]).status.success());
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(path).unwrap();
        text
    }

    fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.root.join("data/anemone.db")).unwrap()
    }

    fn fails(&self, kind: &str, path: &Path) -> String {
        let output = self.run(&["import", kind, path.to_str().unwrap()]);
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn report(output: &Output) -> Value {
    // A fault follows in a line of its own.
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str::<Value>(text.lines().next().unwrap()).unwrap()["import"].clone()
}

/// A file of XEP-0227 with this in its domain.
fn pie(content: &str) -> String {
    format!(
        "<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'>{content}</host></server-data>"
    )
}

const ACCOUNT: &str = "return { [\"password\"] = \"wherefore art\"; };\n";

#[test]
fn what_is_damaged_at_prosody_does_not_hold_up_the_rest() {
    let trial = Trial::new();
    let host = "prosody/example%2eorg";
    trial.file(&format!("{host}/accounts/romeo.dat"), ACCOUNT);
    trial.file(&format!("{host}/accounts/juliet.dat"), "return { [\"password\"] = ");
    trial.file(&format!("{host}/accounts/a%40b.dat"), ACCOUNT);
    trial.file(&format!("{host}/roster/romeo.dat"), "return os.execute(\"touch owned\");");
    trial.file(&format!("{host}/unheard_of/romeo.dat"), "return {};");
    let line = |id: u32| {
        format!(
            "item({{ {{ \"hi\"; [\"name\"] = \"body\"; [\"attr\"] = {{}}; }}; [\"name\"] = \"message\"; \
             [\"attr\"] = {{ [\"from\"] = \"juliet@example.org/x\"; [\"to\"] = \"romeo@example.org\"; \
             [\"id\"] = \"{id}\"; [\"type\"] = \"chat\"; }}; [\"when\"] = {}; }});\n",
            1_795_912_544 + id
        )
    };
    let archive = format!("{}{}item({{ [\"name\"", line(1), line(2));
    trial.file(&format!("{host}/archive/romeo.list"), &archive);
    let report = trial.import("prosody", &trial.root.join("prosody"));
    assert_eq!(report["accounts"], 1, "{report}");
    assert_eq!(report["messages"], 2, "what comes before the damage is taken: {report}");
    let skipped = report["skipped"].as_object().unwrap();
    let reasons: Vec<&String> = skipped.keys().collect();
    assert!(skipped["a file or a row is damaged"]["count"].as_u64().unwrap() >= 3, "{reasons:?}");
    assert!(reasons.iter().any(|why| why.contains("unheard_of")), "{reasons:?}");
    assert!(!trial.root.join("owned").exists());
    let again = trial.import("prosody", &trial.root.join("prosody"));
    assert_eq!((&again["messages"], &again["messages_known"]), (&0.into(), &2.into()));
}

#[test]
fn an_exported_file_reaches_no_file_beside_it() {
    let trial = Trial::new();
    let file = |name: &str, content: &str| {
        let head =
            "<server-data xmlns='urn:xmpp:pie:0' xmlns:xi='http://www.w3.org/2001/XInclude'>";
        trial.file(name, &format!("<?xml version='1.0'?>{head}{content}</server-data>"))
    };
    for (name, href) in [("a.xml", "/etc/passwd"), ("b.xml", "../b.xml"), ("c.xml", "file:///x")] {
        let path = file(name, &format!("<xi:include href='{href}'/>"));
        assert!(trial.fails("ejabberd", &path).contains("elsewhere"), "{href}");
    }
    let round = file("round.xml", "<xi:include href='round.xml'/>");
    assert!(trial.fails("ejabberd", &round).contains("include each other"));
    let entity = trial
        .file("entity.xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><server-data xmlns='urn:xmpp:pie:0'/>");
    assert!(trial.fails("ejabberd", &entity).contains("document type"));
    let other = file("other.xml", "<host jid='example.net'><user name='x'/></host>");
    let words = trial.fails("ejabberd", &other);
    assert!(words.contains("example.net") && words.contains("example.org"), "{words}");
    let cut = trial.file("cut.xml", "<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'>");
    assert!(trial.fails("ejabberd", &cut).contains("ends in the middle"));
    let garbage = trial.file("garbage.xml", "SQLite format 3\0 and nothing more");
    assert!(!trial.fails("ejabberd", &garbage).is_empty());
}

#[test]
fn an_account_that_leaves_and_comes_back_is_the_same() {
    let trial = Trial::new();
    let user = "<user name='romeo' password='wherefore art'>\
        <query xmlns='jabber:iq:roster'><item jid='juliet@example.net' name='J &amp; co' \
        subscription='both'><group>Love</group></item></query>\
        <query xmlns='jabber:iq:private'><e xmlns='e:p'><a>1</a></e></query>\
        <blocklist xmlns='urn:xmpp:blocking'><item jid='tybalt@example.net'/></blocklist>\
        <pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='n'>\
        <x xmlns='jabber:x:data' type='submit'><field var='pubsub#max_items'><value>5</value></field>\
        <field var='pubsub#access_model'><value>open</value></field></x></configure></pubsub>\
        <pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'><item id='1'>\
        <p xmlns='p:p'>x</p></item><item id='2'><p xmlns='p:p'>y</p></item></items></pubsub>\
        <offline-messages><message xmlns='jabber:client' from='juliet@example.net/b' \
        to='romeo@example.org' type='chat' id='m2'><body>two</body><delay xmlns='urn:xmpp:delay' \
        stamp='2026-11-01T00:00:02Z'/></message></offline-messages>\
        <archive xmlns='urn:xmpp:pie:0#mam'><result xmlns='urn:xmpp:mam:2' id='old-1'>\
        <forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' \
        stamp='2026-11-01T00:00:01Z'/><message xmlns='jabber:client' from='romeo@example.org/a' \
        to='juliet@example.net' type='chat' id='m1'><body>one &lt;3</body></message></forwarded>\
        </result></archive></user>";
    let xml = format!(
        "<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'>{user}</host></server-data>"
    );
    let first = trial.import("account", &trial.file("romeo.xml", &xml));
    assert_eq!(first["skipped"], serde_json::json!({}), "{first}");
    let out = trial.root.join("out.xml");
    let exported = trial.run(&["export", "romeo", out.to_str().unwrap()]);
    assert!(exported.status.success(), "{exported:?}");
    assert!(!trial.run(&["export", "romeo", out.to_str().unwrap()]).status.success());
    let other = Trial::new();
    let second = other.import("account", &out);
    for kind in
        ["accounts", "contacts", "nodes", "items", "documents", "blocked", "messages", "waiting"]
    {
        assert_eq!(first[kind], second[kind], "{kind}: {first} {second}");
    }
    let back = other.root.join("back.xml");
    assert!(other.run(&["export", "romeo", back.to_str().unwrap()]).status.success());
    assert_eq!(fs::read_to_string(&out).unwrap(), fs::read_to_string(&back).unwrap());
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
}

/// The stored key, the server key and the salt of somebody's password for SHA-1.
const KEYS: [&str; 3] =
    ["AQEBAQEBAQEBAQEBAQEBAQEBAQE=", "AgICAgICAgICAgICAgICAgICAgI=", "AwMDAwMDAwMDAwMDAwMDAw=="];

fn scram(mechanism: &str, rounds: &str) -> String {
    let [stored, server, salt] = KEYS;
    format!(
        "<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='{mechanism}'>\
         <iter-count>{rounds}</iter-count><salt>{salt}</salt><server-key>{server}</server-key>\
         <stored-key>{stored}</stored-key></scram-credentials>"
    )
}

#[test]
fn keys_in_the_place_of_a_password_are_keys() {
    let trial = Trial::new();
    let [stored, server, salt] = KEYS;
    let users = format!(
        "<user name='romeo' password='scram:{stored},{server},{salt},4096'/>\
         <user name='juliet' password='scram:{stored},{server}'/><user name='paris' password=''/>"
    );
    let done = trial.import("ejabberd", &trial.file("all.xml", &pie(&users)));
    assert_eq!((&done["accounts"], &done["sha1_only"]), (&3.into(), &1.into()), "{done}");
    let text = trial.exported("romeo");
    assert!(text.contains(stored) && text.contains(">4096<"), "{text}");
    for name in ["juliet", "paris"] {
        assert!(!trial.exported(name).contains("iter-count"), "{name} got a password");
    }
    assert_eq!(done["skipped"]["keys of a password that make no sense"]["count"], 1, "{done}");
}

#[test]
fn strange_credentials_hold_up_nothing() {
    let trial = Trial::new();
    let disabled = "<account xmlns='urn:anemone:account:0' disabled='true'/>";
    let once = scram("SCRAM-SHA-1", "4096");
    let users = format!(
        "<user name='twice'>{once}{once}</user>\
         <user name='forever'>{}</user>\
         <user name='both' password='&#x7;'>{once}{disabled}</user>\
         <user name='closed' password='wherefore art'>{disabled}</user>",
        scram("SCRAM-SHA-1", "4294967295"),
    );
    let done = trial.import("ejabberd", &trial.file("all.xml", &pie(&users)));
    assert_eq!(done["accounts"], 4, "{done}");
    assert_eq!(done["sha1_only"], 2, "the keys are taken where the password is of no use: {done}");
    assert!(trial.exported("twice").contains(KEYS[0]));
    assert!(!trial.exported("forever").contains("iter-count"), "a login would take hours");
    assert!(trial.exported("both").contains(KEYS[0]));
    for name in ["both", "closed"] {
        assert!(trial.exported(name).contains("disabled="), "{name} may log in");
    }
}

/// A message of the archive, which waits as well, and one that only waits.
fn waiting() -> String {
    let message = |id: &str, delay: &str| {
        format!(
            "<message xmlns='jabber:client' from='juliet@example.net/b' to='romeo@example.org' \
             type='chat' id='{id}'><body>{id}</body>{delay}</message>"
        )
    };
    let delay = "<delay xmlns='urn:xmpp:delay' stamp='2026-11-01T00:00:01Z'/>";
    format!(
        "<user name='romeo' password='wherefore art'><archive xmlns='urn:xmpp:pie:0#mam'>\
         <result xmlns='urn:xmpp:mam:2' id='1'><forwarded xmlns='urn:xmpp:forward:0'>{delay}{}\
         </forwarded></result></archive><offline-messages>{}{}</offline-messages></user>",
        message("m1", ""),
        message("m1", delay),
        message("m2", ""),
    )
}

/// How many messages wait.
fn pending(trial: &Trial) -> usize {
    let text = trial.exported("romeo");
    let offline = text.split("<offline-messages>").nth(1);
    offline.map_or(0, |rest| {
        rest.split("</offline-messages>").next().unwrap().matches("<body>").count()
    })
}

/// As if the account had come online.
fn deliver(trial: &Trial) {
    let changed = trial.database().execute("UPDATE archive SET flags = flags & ~2", []).unwrap();
    assert_eq!(changed, 2);
    assert_eq!(pending(trial), 0);
}

#[test]
fn a_trial_run_counts_what_a_run_takes_and_writes_nothing() {
    let trial = Trial::new();
    let path = trial.file("romeo.xml", &pie(&waiting()));
    let path = path.to_str().unwrap();
    let trial_run = || {
        let mut report = trial.imported(&["import", "account", path, "--dry-run", "--json"]);
        report["dry_run"] = false.into();
        report
    };
    let before = trial_run();
    assert!(!trial.run(&["export", "romeo", "x"]).status.success(), "there is an account");
    assert_eq!(before, trial.import("account", Path::new(path)));
    assert_eq!((&before["messages"], &before["waiting"]), (&2.into(), &2.into()), "{before}");
    deliver(&trial);
    assert_eq!(trial_run(), trial.import("account", Path::new(path)));
    assert_eq!(pending(&trial), 0);
}

#[test]
fn what_was_delivered_does_not_wait_again() {
    let trial = Trial::new();
    let path = trial.file("romeo.xml", &pie(&waiting()));
    trial.import("account", &path);
    assert_eq!(pending(&trial), 2);
    deliver(&trial);
    let again = trial.import("account", &path);
    assert_eq!((&again["messages"], &again["waiting"]), (&0.into(), &0.into()), "{again}");
    assert_eq!(again["messages_known"], 2, "{again}");
    assert_eq!(pending(&trial), 0);
    // Without keys the run before did not come to its end, and nobody could log in since.
    trial.database().execute("DELETE FROM credential", []).unwrap();
    assert_eq!(trial.import("account", &path)["waiting"], 2);
    assert_eq!(pending(&trial), 2);
}

#[test]
fn what_waits_without_a_time_is_not_old() {
    let trial = Trial::new();
    let done = trial.import("account", &trial.file("romeo.xml", &pie(&waiting())));
    let text = trial.exported("romeo");
    assert!(!text.contains("1970-01-01"), "{text} {done}");
}

#[test]
fn elements_in_elements_are_passed_over_and_the_report_stays() {
    let trial = Trial::new();
    let deep = "<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'>".repeat(200_000);
    let user = "<user xmlns='urn:xmpp:pie:0' name='romeo' password='wherefore art'/>";
    let content =
        format!("<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'>{user}{deep}");
    let path = trial.file("deep.xml", &content);
    let output = trial.run(&["import", "ejabberd", path.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("too many elements"), "{output:?}");
    assert_eq!(report(&output)["accounts"], 1, "{output:?}");
    assert!(trial.exported("romeo").contains("iter-count"), "what was taken is not whole");
    let inner = "<server-data xmlns='urn:xmpp:pie:0'><host jid='example.org'>\
        <user name='inner'/></host></server-data>";
    let done = trial.import("ejabberd", &trial.file("inner.xml", &pie(&format!("{inner}{user}"))));
    assert_eq!((&done["accounts"], &done["accounts_known"]), (&0.into(), &1.into()), "{done}");
}

#[test]
fn a_damaged_row_of_ejabberd_costs_that_row_alone() {
    let trial = Trial::new();
    let path = trial.root.join("ejabberd.db");
    let message = |id: &str| {
        format!(
            "<message xmlns='jabber:client' from='juliet@example.net/b' to='romeo@example.org' \
             type='chat' id='{id}'><body>{id}</body></message>"
        )
    };
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(&format!(
        "CREATE TABLE users (username, password, serverkey, salt, iterationcount, created_at);
         CREATE TABLE rosterusers (username, jid, nick, subscription, ask, askmessage);
         CREATE TABLE last (username, seconds);
         CREATE TABLE archive (id, username, timestamp, xml);
         CREATE TABLE spool (seq, username, xml, created_at);
         CREATE TABLE pubsub_node (nodeid, host, node);
         INSERT INTO users VALUES ('paris', x'ff', '', '', 0, ''),
             ('romeo', '{0}', '{1}', '{2}', 4294967296, ''), ('tybalt', 'good king', '', '', 0, '');
         INSERT INTO rosterusers VALUES ('romeo', x'ff', '', 'B', 'N', ''),
             ('romeo', 'juliet@example.net', '', 'B', 'N', '');
         INSERT INTO last VALUES ('romeo', '18446744073709551615');
         INSERT INTO archive VALUES (1, 'romeo', 'soon', '{3}'), (2, 'romeo', 1795912685469094, '{4}');
         INSERT INTO spool VALUES (1, 'romeo', x'ff', ''), (2, 'romeo', '{5}', 'never');",
        KEYS[0],
        KEYS[1],
        KEYS[2],
        message("m1").replace('\'', "''"),
        message("m2").replace('\'', "''"),
        message("m3").replace('\'', "''"),
    ))
    .unwrap();
    drop(db);
    let done = trial.import("ejabberd", &path);
    assert_eq!((&done["accounts"], &done["contacts"]), (&3.into(), &1.into()), "{done}");
    assert_eq!((&done["messages"], &done["waiting"]), (&2.into(), &1.into()), "{done}");
    assert_eq!(done["skipped"]["a row is damaged"]["count"], 4, "{done}");
    assert_eq!(done["skipped"]["keys of a password that make no sense"]["count"], 1, "{done}");
    assert!(trial.exported("tybalt").contains("iter-count"), "who comes later is whole");
}
