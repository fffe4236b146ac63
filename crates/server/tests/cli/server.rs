//! Starting, checking, reloading, and what commands say.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use serde_json::Value;

use crate::trial::{Trial, mode, run};

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
fn a_reload_says_first_what_it_did_and_then_what_waits() {
    let trial = Trial::new();
    let server = trial.serve();
    let said = || trial.json(&["reload"])["reloaded"].clone();
    let done = "Configuration and certificate were read again.";
    assert_eq!(said(), serde_json::json!([done]));
    // Last what several sections decide together.
    trial.configure(
        "[federation]\nenabled = true\n[push]\nenabled = false\n[tls]\nrequired = false\n\
         [metrics]\nlisten = [\"127.0.0.1:0\"]\n",
    );
    let later = "These change at the next start: [metrics], `required` in [tls], [push], \
                 which addresses are open.";
    assert_eq!(said(), serde_json::json!([done, later]));
    drop(server);
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
        &["audit", "list"],
        &["audit", "verify"],
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
fn a_restart_takes_the_program_and_the_configuration_as_they_are() {
    let trial = Trial::new();
    trial.add("juliet");
    let mut server = trial.serve();
    let file = trial.data.join("anemone.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[metrics]\nlisten = [\"127.0.0.1:0\"]\n")).unwrap();
    let answer = trial.json(&["restart", "--tell", "Back in a moment"]);
    assert!(answer["done"].as_str().unwrap().contains("restarts now"), "{answer}");
    // The same process says a second time that it is ready.
    let patience = Instant::now() + Duration::from_secs(60);
    while trial.log().matches(" ready").count() < 2 {
        assert!(server.child.try_wait().unwrap().is_none(), "{}", trial.log());
        assert!(Instant::now() < patience, "{}", trial.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    server.wait_until_ready();
    let doors = trial.json(&["status"])["status"]["listening"].to_string();
    assert!(doors.contains("metrics"), "{doors}");
    assert_eq!(trial.addresses(), ["juliet@localhost"]);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_server_that_is_told_to_stop_ends_well() {
    let trial = Trial::new();
    assert!(trial.fails(4, &["stop"]).contains("no server is running"));
    let mut server = trial.serve();
    assert!(trial.fails(1, &["stop", "--in", "2d"]).contains("at most"));
    // The later order counts.
    trial.json(&["restart", "--in", "12h"]);
    assert_eq!(trial.json(&["status"])["status"]["ordered"], "restart");
    assert!(trial.says(&["status"]).contains("it restarts in 11 hours"));
    let answer = trial.json(&["stop"]);
    assert!(answer["done"].as_str().unwrap().contains("shuts down now"), "{answer}");
    assert_eq!(server.child.wait().unwrap().code(), Some(0), "{}", trial.log());
}

#[test]
fn what_was_ordered_can_be_called_off() {
    let trial = Trial::new();
    let server = trial.serve();
    assert!(trial.fails(1, &["stop", "--cancel"]).contains("neither a restart nor a stop"));
    trial.json(&["stop", "--in", "3s"]);
    let answer = trial.json(&["stop", "--cancel", "--tell", "We stay"]);
    assert!(answer["done"].as_str().unwrap().contains("stop was called off"), "{answer}");
    assert_eq!(trial.json(&["status"])["status"]["ordered"], Value::Null);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(trial.json(&["status"])["status"]["running"], true, "{}", trial.log());
    assert!(trial.fails(1, &["restart", "--cancel"]).contains("neither a restart nor a stop"));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn domains_are_chosen_one_by_one() {
    let trial = Trial::new();
    let lists = || {
        let domains = trial.json(&["federation", "domains"])["domains"].clone();
        ["deny", "allow"].map(|list| domains[list].to_string())
    };
    let told = trial.says(&["federation", "deny", "Spam.example"]);
    assert!(told.contains("1 domain is not talked to"), "{told}");
    let server = trial.serve();
    let told = trial.says(&["federation", "deny", "*.worse.example"]);
    assert!(told.contains("2 domains are not talked to"), "{told}");
    assert!(trial.fails(1, &["federation", "deny", "spam.example"]).contains("already"));
    let told = trial.says(&["federation", "allow", "friends.example"]);
    assert!(told.contains("Only 1 domain is talked to, and 2 domains are not"), "{told}");
    assert_eq!(lists(), [r#"["*.worse.example","spam.example"]"#, r#"["friends.example"]"#]);
    trial.says(&["federation", "deny", "spam.example", "--remove"]);
    trial.says(&["federation", "allow", "friends.example", "--remove"]);
    assert_eq!(lists(), [r#"["*.worse.example"]"#, "[]"]);
    assert!(trial.fails(1, &["federation", "allow", "a.example", "--remove"]).contains("not on"));
    assert!(trial.fails(1, &["federation", "deny", "no domain"]).contains("not a domain"));
    let first = trial.json(&["audit", "list"])["audit"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&first["did"], &first["subject"]),
        (&"federation deny".into(), &"spam.example".into())
    );
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn notices_are_kept_whether_a_server_runs_or_not() {
    let trial = Trial::new();
    assert!(trial.fails(4, &["notice", "now", "Tea"]).contains("no server is running"));
    assert!(trial.fails(1, &["notice", "motd", "--delete"]).contains("no message of the day"));
    trial.json(&["notice", "motd", "Tea is served"]);
    let server = trial.serve();
    assert!(trial.says(&["notice", "now", "Tea"]).contains("0 devices were told"));
    assert!(trial.fails(1, &["notice", "now", " "]).contains("at least one word"));
    let shown = trial.json(&["notice", "show"]);
    assert_eq!(shown["notices"]["day"]["text"], "Tea is served");
    let number = shown["notices"]["day"]["number"].clone();
    trial.json(&["notice", "motd", "Tea is ready", "--correct"]);
    trial.json(&["notice", "welcome", "Be welcome"]);
    let shown = trial.json(&["notice", "show"]);
    assert_eq!(shown["notices"]["day"]["number"], number);
    assert_eq!(shown["notices"]["welcome"], "Be welcome");
    trial.json(&["notice", "motd", "--delete"]);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(trial.json(&["notice", "show"])["notices"]["day"], Value::Null);
    assert!(trial.json(&["federation", "domains"])["domains"]["deny"].is_array());
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
