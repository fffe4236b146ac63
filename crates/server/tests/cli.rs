//! The program as its operator uses it: every command on a stopped and on a running server, with
//! its messages, its JSON and its exit codes.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A data directory with quick passwords and free ports.
struct Trial {
    _directory: tempfile::TempDir,
    data: PathBuf,
}

impl Trial {
    fn new() -> Trial {
        Trial::named("data")
    }

    fn named(name: &str) -> Trial {
        let directory = tempfile::tempdir().unwrap();
        let trial = Trial { data: directory.path().join(name), _directory: directory };
        let output = trial.run(&["init", "--domain", "localhost"]);
        assert!(output.status.success(), "{output:?}");
        trial.configure("");
        trial
    }

    fn configure(&self, more: &str) {
        let text = format!(
            "domain = \"localhost\"\n[listen]\nc2s = [\"127.0.0.1:0\"]\nc2s_tls = []\n\
             https = [\"127.0.0.1:0\"]\nbytestreams = []\n[login]\niterations = 4096\n{more}"
        );
        fs::write(self.data.join("anemone.toml"), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    fn run_with(&self, arguments: &[&str], stdin: &str) -> Output {
        run(&self.data, arguments, stdin)
    }

    /// What a command prints; it must succeed.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
    }

    /// What a command complains; it must end with this code.
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn add(&self, account: &str) {
        let output =
            self.run_with(&["account", "add", account, "--password-stdin"], "wherefore art\n");
        assert!(output.status.success(), "{output:?}");
    }

    fn addresses(&self) -> Vec<String> {
        let answer = self.json(&["account", "list"]);
        let rows = answer["accounts"].as_array().unwrap().iter();
        rows.map(|row| row["address"].as_str().unwrap().to_owned()).collect()
    }

    fn serve(&self) -> Running<'_> {
        let log = fs::File::create(self.data.with_extension("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_anemone"))
            .args(["serve", "--data"])
            .arg(&self.data)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut running = Running { trial: self, child };
        running.wait_until_ready();
        running
    }

    fn log(&self) -> String {
        fs::read_to_string(self.data.with_extension("log")).unwrap()
    }
}

fn run(data: &Path, arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_anemone"))
        .args(arguments)
        .arg("--data")
        .arg(data)
        .env_remove("ANEMONE_DATA")
        .env_remove("ANEMONE_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// A running server, stopped when dropped.
struct Running<'a> {
    trial: &'a Trial,
    child: Child,
}

impl Running<'_> {
    fn wait_until_ready(&mut self) {
        let patience = Instant::now() + Duration::from_secs(60);
        while self.trial.json(&["status"])["status"]["running"] != true {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {}", self.trial.log());
            assert!(Instant::now() < patience, "not ready: {}", self.trial.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn init_makes_a_private_directory_once() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("deep/data");
    let first = run(&data, &["init", "--domain", "Example.ORG"], "");
    assert!(String::from_utf8_lossy(&first.stdout).contains("is set up for example.org"));
    assert_eq!(mode(&data), 0o700);
    for private in ["anemone.toml", "secret.key", "ca.key", "server.key"] {
        assert_eq!(mode(&data.join(private)), 0o600, "{private}");
    }
    let toml = fs::read_to_string(data.join("anemone.toml")).unwrap();
    assert!(toml.contains("\ndomain = \"example.org\"\n"));

    let files = |name: &str| fs::read(data.join(name)).unwrap();
    let before = (files("secret.key"), files("ca.pem"), files("server.pem"));
    let second = run(&data, &["init", "--domain", "example.org"], "");
    assert!(second.status.success());
    assert!(String::from_utf8_lossy(&second.stdout).contains("nothing was overwritten"));
    assert_eq!(before, (files("secret.key"), files("ca.pem"), files("server.pem")));

    let other = run(&data, &["init", "--domain", "example.net"], "");
    assert_eq!(other.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&other.stderr).contains("is set up for example.org already"));
    let wrong = run(&data, &["init", "--domain", "not a domain"], "");
    assert_eq!(wrong.status.code(), Some(1));
}

#[test]
fn accounts_are_handled_while_the_server_is_stopped() {
    accounts(&Trial::new());
}

#[test]
fn accounts_are_handled_while_the_server_runs() {
    let trial = Trial::new();
    let server = trial.serve();
    accounts(&trial);
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

#[test]
fn what_needs_a_running_server_says_so() {
    let trial = Trial::new();
    for command in [&["session", "list"][..], &["session", "kick", "a"], &["reload"], &["metrics"]]
    {
        assert!(trial.fails(4, command).contains("anemone serve"), "{command:?}");
    }
    let fault = trial.json(&["session", "list"]);
    assert_eq!(fault["error"]["code"], "not_running");
    let server = trial.serve();
    assert!(trial.says(&["session", "list"]).contains("Nobody is connected"));
    assert_eq!(trial.json(&["session", "list"])["sessions"], Value::Array(Vec::new()));
    assert!(trial.fails(1, &["session", "kick", "juliet@localhost"]).contains("no session"));
    assert!(trial.says(&["token", "list"]).contains("No device"));
    assert!(trial.says(&["request", "list"]).contains("No requests"));
    assert!(trial.fails(1, &["request", "approve", "1"]).contains("no waiting request 1"));
    assert!(trial.says(&["metrics"]).contains("\nanemone_sessions{state=\"all\"} 0\n"));
    drop(server);
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let trial = Trial::new();
    let server = trial.serve();
    let complaint = trial.fails(4, &["serve"]);
    assert!(complaint.contains("is in use by process"), "{complaint}");
    assert_eq!(trial.json(&["status"])["status"]["running"], true);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_configuration_that_is_wrong_is_explained_with_its_line() {
    let trial = Trial::new();
    trial.configure("[registration]\npolicy = \"friends\"\npolicies = 1\n[lisen]\n");
    let complaint = trial.fails(3, &["serve"]);
    assert!(complaint.contains("anemone.toml:10: `policy` must be \"invite\""), "{complaint}");
    assert!(complaint.contains("anemone.toml:11: unknown key `policies`"), "{complaint}");
    assert!(complaint.contains("anemone.toml:12: unknown key `lisen`"), "{complaint}");
    assert!(complaint.contains("did you mean `listen`?"), "{complaint}");
    assert_eq!(trial.fails(3, &["account", "list"]), complaint);
    let nowhere = trial.data.join("nowhere");
    let lost = run(&nowhere, &["serve"], "");
    assert_eq!(lost.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&lost.stderr).contains("anemone init --data"));
}

#[test]
fn a_reload_takes_what_it_can_and_refuses_what_is_wrong() {
    let trial = Trial::new();
    let server = trial.serve();
    trial.configure("[registration]\npolicy = \"closed\"\n[metrics]\nlisten = [\"127.0.0.1:0\"]\n");
    let answer = trial.says(&["reload"]);
    assert!(answer.contains("were read again") && answer.contains("at the next start"), "{answer}");
    assert!(trial.says(&["invite", "new"]).contains("Registration is closed"));
    trial.configure("[registration]\npolicy = \"nobody\"\n");
    assert!(trial.fails(3, &["reload"]).contains("`policy` must be"));
    assert!(trial.says(&["invite", "new"]).contains("Registration is closed"));

    trial.configure("");
    server.signal(Signal::HUP);
    let patience = Instant::now() + Duration::from_secs(30);
    while trial.says(&["invite", "new"]).contains("Registration is closed") {
        assert!(Instant::now() < patience, "{}", trial.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn check_finds_what_is_wrong_and_names_the_fix() {
    let trial = Trial::new();
    let page = trial.says(&["check"]);
    assert!(page.contains("All is well.") && page.contains("is free (c2s)"), "{page}");
    let server = trial.serve();
    let page = trial.says(&["check"]);
    assert!(page.contains("is served (c2s)") && page.contains("running, version"), "{page}");
    drop(server);

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = format!(
        "domain = \"localhost\"\n[listen]\nc2s = [\"127.0.0.1:{port}\"]\nc2s_tls = []\nhttps = []\n\
         s2s = [\"127.0.0.1:1\"]\nbytestreams = []\n[tls]\ncertificate = \"server.pem\"\nkey = \"secret.key\"\n"
    );
    fs::write(trial.data.join("anemone.toml"), text).unwrap();
    fs::set_permissions(trial.data.join("secret.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = trial.run(&["check"]);
    assert_eq!(output.status.code(), Some(1));
    let page = String::from_utf8(output.stdout).unwrap();
    for expected in [
        &format!("another program uses port {port}"),
        "there is no private key in it",
        "chmod 600",
        "are not opened, because [federation] is off",
        "There are problems to solve.",
    ] {
        let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(expected), "{expected}: {page}");
    }
    let findings = trial.json(&["check"]);
    assert_eq!(findings["check"]["passed"], false);
    let complaint = trial.fails(3, &["serve"]);
    assert!(complaint.contains("there is no private key in it"), "{complaint}");
}

#[test]
fn dns_prints_the_records_for_the_ports_that_are_open() {
    let trial = Trial::new();
    let text = "domain = \"bücher.example\"\n[listen]\nc2s_tls = []\nhttps = []\n\
                s2s_tls = [\"127.0.0.1:5270\"]\n[tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\n";
    fs::write(trial.data.join("anemone.toml"), text).unwrap();
    let zone = trial.says(&["dns", "--host", "chat.example."]);
    let lines: Vec<_> = zone
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty() && !line.starts_with(';'))
        .collect();
    let key = &lines[8].rsplit(' ').next().unwrap().to_owned();
    assert_eq!(key.len(), 64);
    assert_eq!(
        lines,
        [
            "chat.example. 3600 IN A <IPv4 address>",
            "chat.example. 3600 IN AAAA <IPv6 address>",
            "conference.xn--bcher-kva.example. 3600 IN CNAME chat.example.",
            "pubsub.xn--bcher-kva.example. 3600 IN CNAME chat.example.",
            "_xmpp-client._tcp.xn--bcher-kva.example. 3600 IN SRV 0 5 5222 chat.example.",
            "_xmpp-server._tcp.xn--bcher-kva.example. 3600 IN SRV 0 5 5269 chat.example.",
            "_xmpp-server._tcp.conference.xn--bcher-kva.example. 3600 IN SRV 0 5 5269 chat.example.",
            "_xmpp-server._tcp.pubsub.xn--bcher-kva.example. 3600 IN SRV 0 5 5269 chat.example.",
            &format!("_5222._tcp.chat.example. 3600 IN TLSA 3 1 1 {key}"),
            &format!("_5269._tcp.chat.example. 3600 IN TLSA 3 1 1 {key}"),
        ]
    );
    assert_eq!(trial.json(&["dns"])["dns"][0]["type"], "A");
}

#[test]
fn a_port_that_is_taken_is_explained_at_start() {
    let trial = Trial::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = format!(
        "domain = \"localhost\"\n[listen]\nc2s = [\"127.0.0.1:{port}\"]\nc2s_tls = []\nhttps = []\n\
         bytestreams = []\n"
    );
    fs::write(trial.data.join("anemone.toml"), text).unwrap();
    let complaint = trial.fails(3, &["serve"]);
    assert!(complaint.contains(&format!("another program uses port {port}")), "{complaint}");
}

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

#[test]
fn every_command_answers_scripts_in_json() {
    let trial = Trial::new();
    let backup = trial.data.with_extension("tar");
    let restored = trial.data.with_extension("restored");
    let stopped: &[&[&str]] = &[
        &["init", "--domain", "localhost"],
        &["check"],
        &["status"],
        &["config"],
        &["session", "list"],
        &["reload"],
        &["metrics"],
    ];
    let both: &[&[&str]] = &[
        &["account", "list"],
        &["account", "disable", "juliet"],
        &["account", "enable", "juliet"],
        &["account", "admin", "juliet"],
        &["account", "delete", "nobody", "--yes"],
        &["invite", "new"],
        &["invite", "list", "--all"],
        &["invite", "revoke", "1"],
        &["request", "list"],
        &["request", "approve", "1"],
        &["request", "refuse", "1"],
        &["token", "list"],
        &["token", "revoke", "juliet"],
        &["session", "list"],
        &["session", "kick", "juliet@localhost"],
    ];
    trial.add("juliet");
    for arguments in [stopped, both].concat() {
        assert!(trial.json(arguments).is_object(), "{arguments:?}");
    }
    let server = trial.serve();
    for arguments in [both, &[&["status"], &["check"], &["metrics"], &["reload"]]].concat() {
        assert!(trial.json(arguments).is_object(), "{arguments:?}");
    }
    let backup = backup.to_str().unwrap();
    assert!(trial.json(&["backup", backup])["backup"]["bytes"].as_u64() > Some(0));
    assert_eq!(server.stop(), Some(0));
    let output = run(&restored, &["restore", backup, "--json"], "");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["restored"]["accounts"], 1);
    let set = ["account", "password", "juliet", "--password-stdin", "--json"];
    let output = trial.run_with(&set, "another good one\n");
    assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["done"].is_string());
}

#[test]
fn a_crashed_server_leaves_nothing_in_the_way() {
    let trial = Trial::new();
    let mut server = trial.serve();
    trial.add("juliet");
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(trial.data.join("anemone.sock").exists());
    assert_eq!(trial.addresses(), ["juliet@localhost"]);
    let again = trial.serve();
    assert_eq!(trial.addresses(), ["juliet@localhost"]);
    assert_eq!(again.stop(), Some(0));
}

#[test]
fn a_long_path_is_no_obstacle() {
    let trial = Trial::named(&"d".repeat(150));
    let server = trial.serve();
    assert_eq!(trial.json(&["status"])["status"]["running"], true);
    assert_eq!(mode(&trial.data.join("anemone.sock")), 0o600);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_running_server_survives_nonsense_on_its_socket() {
    use std::{io::Read as _, os::unix::net::UnixStream};
    let trial = Trial::new();
    let server = trial.serve();
    for nonsense in ["{\"command\":\"fly\"}\n", "\u{7}\n", &"x".repeat(100_000)] {
        let mut stream = UnixStream::connect(trial.data.join("anemone.sock")).unwrap();
        stream.write_all(nonsense.as_bytes()).unwrap();
        // It may have been closed already.
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("{\"anemone\":"), "{answer}");
    }
    assert_eq!(trial.json(&["status"])["status"]["running"], true);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn no_secret_is_in_the_log() {
    let trial = Trial::new();
    trial.configure("[log]\nlevel = \"trace\"\n");
    let server = trial.serve();
    trial.add("juliet");
    let token = trial.says(&["invite", "new"]);
    let token = token.lines().next().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(server.stop(), Some(0));
    let log = trial.log();
    let secret = fs::read_to_string(trial.data.join("secret.key")).unwrap();
    for hidden in ["wherefore", "juliet", token.as_str(), secret.trim()] {
        assert!(!log.contains(hidden), "{hidden} is in the log: {log}");
    }
    assert!(log.contains("account add"), "{log}");
}

#[test]
fn the_manual_of_the_configuration_is_current() {
    let trial = Trial::new();
    let page = trial.says(&["config", "--reference"]);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/config.md");
    let written = fs::read_to_string(path).unwrap();
    assert_eq!(
        page, written,
        "docs/config.md is old; print it anew with: anemone config --reference > docs/config.md"
    );
    let shown = trial.says(&["config"]);
    assert!(shown.contains("domain = \"localhost\"\n\n[listen]\n"), "{shown}");
    assert_eq!(trial.json(&["config"])["config"]["login"]["iterations"], 4096);
}

#[test]
fn help_and_wrong_arguments_have_their_exit_codes() {
    let trial = Trial::new();
    for arguments in [&["--help"][..], &["--version"], &["account", "--help"]] {
        assert!(trial.run(arguments).status.success());
    }
    for arguments in [&["acount"][..], &["account"], &["invite", "new", "--forever"]] {
        assert_eq!(trial.run(arguments).status.code(), Some(2));
    }
    let environment = Command::new(env!("CARGO_BIN_EXE_anemone"))
        .args(["account", "list"])
        .env("ANEMONE_DATA", &trial.data)
        .output()
        .unwrap();
    assert!(environment.status.success());
}

/// Gives an account of a stopped server a file, as if it had been uploaded. Returns its name.
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
        let budget = Budget { bytes: 100, files: 1 };
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
