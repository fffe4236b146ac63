//! A data directory, and a server on it.

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
pub(crate) struct Trial {
    pub(crate) _directory: tempfile::TempDir,
    pub(crate) data: PathBuf,
}

impl Trial {
    pub(crate) fn new() -> Trial {
        Trial::named("data")
    }

    pub(crate) fn named(name: &str) -> Trial {
        let directory = tempfile::tempdir().unwrap();
        let trial = Trial { data: directory.path().join(name), _directory: directory };
        let output = trial.run(&["init", "--domain", "localhost"]);
        assert!(output.status.success(), "{output:?}");
        trial.configure("");
        trial
    }

    pub(crate) fn configure(&self, more: &str) {
        let text = format!(
            "domain = \"localhost\"\n[listen]\nc2s = [\"127.0.0.1:0\"]\nc2s_tls = []\n\
             https = [\"127.0.0.1:0\"]\nbytestreams = []\n[login]\niterations = 4096\n{more}"
        );
        fs::write(self.data.join("anemone.toml"), text).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> Output {
        run(&self.data, arguments, stdin)
    }

    /// What a command prints; it must succeed.
    pub(crate) fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
    }

    /// What a command complains; it must end with this code.
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    pub(crate) fn add(&self, account: &str) {
        let output =
            self.run_with(&["account", "add", account, "--password-stdin"], "wherefore art\n");
        assert!(output.status.success(), "{output:?}");
    }

    pub(crate) fn addresses(&self) -> Vec<String> {
        let answer = self.json(&["account", "list"]);
        let rows = answer["accounts"].as_array().unwrap().iter();
        rows.map(|row| row["address"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn serve(&self) -> Running<'_> {
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

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.data.with_extension("log")).unwrap()
    }
}

pub(crate) fn run(data: &Path, arguments: &[&str], stdin: &str) -> Output {
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
pub(crate) struct Running<'a> {
    trial: &'a Trial,
    pub(crate) child: Child,
}

impl Running<'_> {
    pub(crate) fn wait_until_ready(&mut self) {
        let patience = Instant::now() + Duration::from_secs(60);
        while self.trial.json(&["status"])["status"]["running"] != true {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {}", self.trial.log());
            assert!(Instant::now() < patience, "not ready: {}", self.trial.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    pub(crate) fn stop(mut self) -> Option<i32> {
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

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
