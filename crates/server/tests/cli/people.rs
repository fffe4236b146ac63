//! Accounts, invitations and what people uploaded.

use std::fs;

use crate::trial::Trial;

#[test]
fn accounts_are_handled_while_the_server_is_stopped() {
    accounts(&Trial::new());
}

#[test]
fn accounts_are_handled_while_the_server_runs() {
    let trial = Trial::new();
    let server = trial.serve();
    accounts(&trial);
    trial.add("tybalt");
    // Whoever disables an account hears what contacts will be told, and how to end it.
    assert!(!trial.says(&["account", "disable", "tybalt"]).contains("moved"));
    trial.says(&["account", "move", "tybalt", "iago@venice.example"]);
    let told = trial.says(&["account", "disable", "tybalt"]);
    assert!(told.contains("iago@venice.example") && told.contains("--back"), "{told}");
    trial.says(&["account", "move", "tybalt", "--back"]);
    assert!(!trial.says(&["account", "disable", "tybalt"]).contains("moved"));
    trial.says(&["account", "enable", "tybalt"]);
    assert_eq!(server.stop(), Some(0));
    assert!(!trial.data.join("anemone.sock").exists());
}

fn accounts(trial: &Trial) {
    assert!(trial.says(&["account", "list"]).contains("no accounts yet"));
    trial.add("juliet@localhost");
    trial.add("Romeo");
    assert_eq!(trial.addresses(), ["juliet@localhost", "romeo@localhost"]);

    let add = |account: &str, password: &str| {
        let output = trial.run_with(&["account", "add", account, "--password-stdin"], password);
        let complaint = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), complaint)
    };
    let (code, complaint) = add("juliet@localhost", "wherefore art\n");
    assert!(code == 1 && complaint.contains("exists already"), "{complaint}");
    let (code, complaint) = add("nurse@example.org", "wherefore art\n");
    assert!(code == 1 && complaint.contains("whose domain is localhost"), "{complaint}");
    let (code, complaint) = add("peter", "short\n");
    assert!(code == 0 && complaint.contains("at least 8 characters"), "{complaint}");
    trial.says(&["account", "delete", "peter", "--yes"]);
    let (code, _) = add("nurse", "\n");
    assert_eq!(code, 1);
    let (code, complaint) = add("nurse", "");
    assert!(code == 1 && complaint.contains("standard input is empty"), "{complaint}");
    let (code, _) = add("nurse and maid", "wherefore art\n");
    assert_eq!(code, 1);
    assert!(trial.fails(2, &["account", "add", "nurse"]).contains("--password-stdin"));

    trial.says(&["account", "disable", "juliet@localhost"]);
    trial.says(&["account", "admin", "romeo"]);
    let rows = trial.json(&["account", "list"]);
    assert_eq!(rows["accounts"][0]["disabled"], true);
    assert_eq!(rows["accounts"][1]["admin"], true);
    let table = trial.says(&["account", "list"]);
    assert!(table.starts_with("ADDRESS") && table.contains("disabled"), "{table}");
    assert!(trial.says(&["account", "enable", "juliet"]).contains("may log in again"));

    let kept = |kept: &str| trial.says(&["account", "retention", "juliet", kept]);
    assert!(kept("90").contains("kept 90 days"));
    assert_eq!(trial.json(&["account", "show", "juliet"])["accounts"][0]["kept_days"], 90);
    assert!(kept("forever").contains("for ever"));
    assert!(trial.says(&["privacy", "juliet"]).contains("until the account is deleted"));
    assert!(kept("default").contains("kept 30 days"));
    trial.fails(2, &["account", "retention", "juliet", "0"]);
    assert!(trial.fails(1, &["account", "retention", "nobody", "3"]).contains("no account"));

    let changed = trial
        .run_with(&["account", "password", "juliet", "--password-stdin"], "another good one\n");
    assert!(changed.status.success(), "{changed:?}");
    assert!(trial.fails(1, &["account", "disable", "nobody"]).contains("no account nobody@"));
    assert!(trial.fails(2, &["account", "delete", "juliet"]).contains("--yes"));
    trial.says(&["account", "delete", "juliet", "--yes"]);
    assert_eq!(trial.addresses(), ["romeo@localhost"]);
    // The operator may give the name away again at once.
    trial.add("juliet");
}

#[test]
fn invitations_are_printed_once_and_can_be_revoked() {
    let trial = Trial::new();
    trial.add("juliet");
    let page = trial.says(&["invite", "new"]);
    let link = page.lines().next().unwrap();
    let token = link.rsplit('/').next().unwrap();
    assert!(link.starts_with("https://localhost:0/invite/") && token.len() == 26, "{link}");
    assert!(page.contains(&format!("xmpp:localhost?register;preauth={token}\n")));
    assert!(!page.contains('█'), "no picture where no person looks");
    assert!(trial.says(&["invite", "new", "--qr"]).contains('█'));

    let named = trial.json(&["invite", "new", "--name", "Nurse", "--expires", "12h", "--admin"]);
    assert_eq!(named["invitation"]["name"], "nurse");
    assert_eq!(named["invitation"]["admin"], true);
    let uri = named["invitation"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("xmpp:nurse@localhost?register;preauth="), "{uri}");
    let contact = trial.json(&["invite", "new", "--contact-of", "juliet", "--uses", "5"]);
    let uri = contact["invitation"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("xmpp:juliet@localhost?roster;preauth=") && uri.ends_with(";ibr=y"));

    let list = trial.says(&["invite", "list"]);
    assert!(!list.contains(token), "a link is shown once");
    let id = contact["invitation"]["id"].to_string();
    trial.says(&["invite", "revoke", &id]);
    let open = trial.json(&["invite", "list"]);
    assert_eq!(open["invitations"].as_array().unwrap().len(), 3);
    let all = trial.json(&["invite", "list", "--all"]);
    assert_eq!(all["invitations"][0]["state"], "revoked");

    assert!(trial.fails(1, &["invite", "revoke", "99"]).contains("no invitation 99"));
    assert!(trial.fails(1, &["invite", "new", "--name", "juliet"]).contains("exists already"));
    assert!(trial.fails(1, &["invite", "new", "--uses", "0"]).contains("from once"));
    assert!(trial.fails(2, &["invite", "new", "--expires", "soon"]).contains("30m, 12h, 7d"));
    trial.configure("[registration]\npolicy = \"closed\"\n");
    assert!(trial.says(&["invite", "new"]).contains("Registration is closed"));
}

#[test]
fn a_link_for_a_new_password_is_printed_once() {
    let trial = Trial::new();
    trial.add("juliet");
    let page = trial.says(&["account", "reset-link", "juliet"]);
    let token = page.lines().next().unwrap().strip_prefix("https://localhost:0/reset/").unwrap();
    assert!(token.len() == 26 && page.contains("juliet@localhost, once"), "{page}");
    let list = trial.says(&["invite", "list"]);
    assert!(list.contains("password") && !list.contains(token), "{list}");
    trial.says(&["invite", "revoke", "1"]);
    trial.says(&["account", "disable", "juliet"]);
    assert!(trial.fails(1, &["account", "reset-link", "juliet"]).contains("is disabled"));
    assert!(trial.fails(1, &["account", "reset-link", "nobody"]).contains("no account nobody@"));
}

#[test]
fn links_lead_to_the_port_of_the_running_server() {
    let trial = Trial::new();
    let server = trial.serve();
    let status = trial.json(&["status"]);
    let doors = status["status"]["listening"].as_array().unwrap();
    let https = doors.iter().find(|door| door["service"] == "https").unwrap();
    let port = https["address"].as_str().unwrap().rsplit(':').next().unwrap();
    let link = trial.says(&["invite", "new"]);
    assert!(link.starts_with(&format!("https://localhost:{port}/invite/")), "{link}");
    drop(server);
}

fn upload(trial: &Trial, account: &str) -> String {
    use store::uploads::{Budget, File, FileId, Purpose};
    let store = store::sqlite::open(&trial.data.join("anemone.db"), Default::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let owner = store.accounts.by_name(account).await.unwrap().unwrap();
        let id = FileId([0x5a; 16]);
        let file = File {
            id,
            account: owner.id,
            name: "balcony.jpg".into(),
            media: None,
            size: 4,
            purpose: Purpose::Profile,
            created: store::Millis(0),
            slot_ends: store::Millis(1),
            expires: None,
            sha256: None,
        };
        let budget = Budget { bytes: 100, files: 1, slots: 1 };
        store.uploads.reserve(file, budget, store::Millis(0)).await.unwrap();
        assert!(store.uploads.complete(id, "image/jpeg", [0; 32]).await.unwrap());
        store.maintenance.close().await.unwrap();
    });
    let name = "5a".repeat(16);
    fs::create_dir_all(trial.data.join("uploads")).unwrap();
    fs::write(trial.data.join("uploads").join(&name), "rose").unwrap();
    name
}

#[test]
fn uploaded_files_are_listed_backed_up_and_deleted() {
    let trial = Trial::new();
    trial.add("juliet@localhost");
    trial.add("romeo@localhost");
    let name = upload(&trial, "juliet");
    let kept = trial.data.join("uploads").join(&name);
    let listed = trial.json(&["upload", "list", "juliet"]);
    assert_eq!(listed["uploads"][0]["file"], name);
    assert_eq!(listed["uploads"][0]["name"], "balcony.jpg");
    assert!(trial.says(&["upload", "list"]).contains("balcony.jpg"));
    assert_eq!(trial.json(&["account", "list"])["accounts"][0]["upload_bytes"], 4);
    let backup = trial.data.with_extension("tar");
    trial.says(&["backup", backup.to_str().unwrap()]);

    trial.fails(1, &["upload", "delete", "romeo", &name]);
    assert!(kept.exists());
    trial.says(&["upload", "delete", "juliet", &name]);
    assert!(!kept.exists());
    trial.says(&["restore", backup.to_str().unwrap(), "--replace"]);
    assert_eq!(fs::read(&kept).unwrap(), b"rose");
    trial.says(&["account", "delete", "juliet", "--yes"]);
    assert!(!kept.exists());
}
