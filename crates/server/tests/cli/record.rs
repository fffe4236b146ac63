//! What administrators did, as the command line tells it.

use crate::trial::Trial;

fn entries(trial: &Trial) -> Vec<[String; 4]> {
    let answer = trial.json(&["audit", "list"]);
    let rows = answer["audit"].as_array().unwrap().iter();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.map(|row| ["door", "did", "subject", "outcome"].map(|key| text(row, key))).collect()
}

#[test]
fn what_was_done_is_on_record_whether_the_server_runs_or_not() {
    let trial = Trial::new();
    assert!(trial.says(&["audit", "list"]).contains("Nobody did anything"));
    trial.add("juliet");
    let server = trial.serve();
    trial.says(&["account", "disable", "Juliet"]);
    trial.fails(1, &["account", "disable", "nobody"]);
    trial.says(&["account", "list"]);
    assert_eq!(server.stop(), Some(0));
    let line = |did: &str, subject: &str, outcome: &str| {
        ["command line", did, subject, outcome].map(str::to_owned)
    };
    assert_eq!(
        entries(&trial),
        [
            line("account disable", "nobody@localhost", "not_found"),
            line("account disable", "juliet@localhost", "done"),
            line("account add", "juliet@localhost", "done"),
        ]
    );
    let table = trial.says(&["audit", "list", "--most", "1"]);
    assert!(table.starts_with("NUMBER") && table.lines().count() == 2, "{table}");
    assert!(trial.says(&["audit", "list", "--before", "2"]).contains("account add"));
    assert!(trial.fails(1, &["audit", "list", "--most", "0"]).contains("from 1 to"));

    let told = trial.says(&["audit", "verify"]);
    assert!(told.starts_with("3 entries from 1 to 3, as they were written"), "{told}");
    let log = trial.log();
    let hash = trial.json(&["audit", "verify"])["audit_chain"]["hash"].as_str().unwrap().to_owned();
    assert!(log.contains(&hash[..16]), "the log has the beginning of {hash}: {log}");
    trial.says(&["audit", "verify", &hash[..16]]);
    assert!(trial.fails(1, &["audit", "verify", &"0".repeat(16)]).contains("none of them has"));
    let db = rusqlite::Connection::open(trial.data.join("anemone.db")).unwrap();
    db.execute("UPDATE audit SET subject = 'romeo@localhost' WHERE number = 2", []).unwrap();
    drop(db);
    assert!(trial.fails(1, &["audit", "verify"]).contains("entry 2 was changed"));
}
