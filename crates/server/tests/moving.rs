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
        let output = self.run(&["import", kind, path.to_str().unwrap(), "--json"]);
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["import"].clone()
    }

    fn fails(&self, kind: &str, path: &Path) -> String {
        let output = self.run(&["import", kind, path.to_str().unwrap()]);
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
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
