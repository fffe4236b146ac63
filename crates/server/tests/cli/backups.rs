//! Backups, and data that is damaged.

use std::fs;

use crate::trial::{Trial, mode, run};

#[test]
fn a_backup_of_a_running_server_can_be_restored() {
    let trial = Trial::new();
    trial.add("juliet");
    let server = trial.serve();
    let file = trial.data.with_extension("tar");
    let path = file.to_str().unwrap();
    let answer = trial.says(&["backup", path]);
    assert!(answer.contains("1 account and 0 messages"), "{answer}");
    assert_eq!(mode(&file), 0o600);
    assert!(trial.fails(1, &["backup", path]).contains("exists already"));
    let nowhere = trial.fails(1, &["backup", "/no/such/place/backup.tar"]);
    assert!(nowhere.contains("there is no directory /no/such/place\n"), "{nowhere}");
    trial.add("romeo");
    assert!(trial.fails(4, &["restore", path, "--replace"]).contains("stop it"));
    assert_eq!(server.stop(), Some(0));

    assert!(trial.fails(1, &["restore", path]).contains("--replace"));
    assert_eq!(trial.addresses(), ["juliet@localhost", "romeo@localhost"]);
    assert!(trial.says(&["restore", path, "--replace"]).contains("What was there before is in"));
    assert_eq!(trial.addresses(), ["juliet@localhost"]);

    let empty = Trial { data: trial.data.with_extension("new"), ..Trial::new() };
    let restored = empty.json(&["restore", path]);
    assert_eq!(restored["restored"]["accounts"], 1);
    assert_eq!(empty.addresses(), ["juliet@localhost"]);
    assert_eq!(mode(&empty.data.join("secret.key")), 0o600);
    let leftovers: Vec<_> = fs::read_dir(&trial.data)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(".tmp"))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[test]
fn what_the_configuration_names_comes_back_with_it() {
    let trial = Trial::new();
    trial.add("juliet");
    let certs = trial.data.join("certs");
    fs::create_dir(&certs).unwrap();
    for (from, to) in [("server.pem", "chain.pem"), ("server.key", "key.pem")] {
        fs::copy(trial.data.join(from), certs.join(to)).unwrap();
    }
    trial.configure(
        "[tls]\ncertificate = \"certs/chain.pem\"\nkey = \"certs/key.pem\"\n\
         [calls]\nsecret_file = \"/no/such/place/secret\"\n",
    );
    let file = trial.data.with_extension("tar");
    let path = file.to_str().unwrap();
    let answer = trial.says(&["backup", path]);
    assert!(answer.contains("Keep copies of them as well: /no/such/place/secret"), "{answer}");
    fs::write(certs.join("key.pem"), "another one").unwrap();

    let empty = Trial { data: trial.data.with_extension("new"), ..Trial::new() };
    empty.says(&["restore", path]);
    let restored = empty.data.join("certs/key.pem");
    assert_eq!(fs::read(&restored).unwrap(), fs::read(trial.data.join("server.key")).unwrap());
    assert_eq!((mode(&restored), mode(&empty.data.join("ca.pem"))), (0o600, 0o644));
    assert!(empty.says(&["check"]).contains("certs/key.pem is private"));

    let answer = trial.says(&["restore", path, "--replace"]);
    let aside = answer.rsplit_once(" is in ").unwrap().1.trim().trim_end_matches('.');
    assert_eq!(fs::read(format!("{aside}/certs/key.pem")).unwrap(), b"another one");
}

#[test]
fn a_damaged_backup_changes_nothing() {
    let trial = Trial::new();
    trial.add("juliet");
    let file = trial.data.with_extension("tar");
    trial.says(&["backup", file.to_str().unwrap()]);
    let good = fs::read(&file).unwrap();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let bad = trial.data.with_extension("bad");
    for damaged in [flipped, good[..good.len() / 2].to_vec(), b"nonsense".to_vec(), Vec::new()] {
        fs::write(&bad, damaged).unwrap();
        let complaint = trial.fails(1, &["restore", bad.to_str().unwrap(), "--replace"]);
        assert!(complaint.contains("nothing was changed"), "{complaint}");
        assert_eq!(trial.addresses(), ["juliet@localhost"]);
    }
}

#[test]
fn a_damaged_database_is_explained() {
    let trial = Trial::new();
    trial.add("juliet");
    fs::write(trial.data.join("anemone.db"), "this is no database at all\n".repeat(400)).unwrap();
    for command in ["serve", "check"] {
        let output = trial.run(&[command]);
        assert!(!output.status.success());
        let words = [output.stdout, output.stderr].concat();
        let words = String::from_utf8(words).unwrap();
        assert!(words.contains("anemone.db is "), "{command}: {words}");
    }
}

#[test]
fn data_that_cannot_be_read_is_explained() {
    let trial = Trial::new();
    fs::create_dir(trial.data.join("anemone.db")).unwrap();
    for command in ["serve", "check"] {
        let output = trial.run(&[command]);
        let words = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!output.status.success() && words.contains("anemone.db"), "{command}: {words}");
    }
    let file = trial.data.with_extension("file");
    fs::write(&file, "").unwrap();
    for command in [&["serve"][..], &["init", "--domain", "localhost"], &["account", "list"]] {
        let output = run(&file, command, "");
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{command:?}: {words}");
        assert!(words.contains(&file.display().to_string()), "{command:?}: {words}");
    }
}
