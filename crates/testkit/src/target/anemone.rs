//! Anemone as a target: the program built beside the tests.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ports::Ports;
use super::{DOMAIN, GATEWAY, GATEWAY_SECRET, PEERS, WITH_GATEWAY, write};

/// The program: `ANEMONE` in the environment, or the one in the same target directory.
pub(super) fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("ANEMONE") {
        return path.into();
    }
    let mut path = std::env::current_exe().unwrap_or_default();
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.join("anemone")
}

pub(super) fn missing() -> Option<String> {
    let program = program();
    let shown = program.display();
    (!program.exists()).then(|| format!("{shown} is not there; run `cargo build -p anemone` first"))
}

pub(super) fn data(directory: &Path) -> PathBuf {
    directory.join("data")
}

pub(super) fn configure(directory: &Path, ports: &Ports, settings: &[String]) -> io::Result<()> {
    let data = data(directory);
    let mut init = Command::new(program());
    init.args(["init", "--domain", DOMAIN, "--data"]).arg(&data);
    finish(init, None)?;
    write(&data, "turn.secret", "what both sides know\n")?;
    write(&data, "anemone.toml", &config(directory, ports, settings))
}

fn config(directory: &Path, ports: &Ports, settings: &[String]) -> String {
    let has = |setting: &str| settings.iter().any(|s| s == setting);
    let policy = if has("open registration") {
        "open"
    } else if has("closed registration") {
        "closed"
    } else {
        "invite"
    };
    let seconds = if has("one second to log in") { 1 } else { 30 };
    let stanza_bytes = if has("small stanzas") { 10_000 } else { 262_144 };
    let contact = if has("contact addresses") {
        "abuse = [\"mailto:abuse@verona.example\", \"xmpp:abuse@verona.example\"]\n\
         admin = [\"mailto:prince@verona.example\"]\n"
    } else {
        ""
    };
    let push = if has("push to this machine") {
        let trust = directory.join("certs/authority.crt");
        format!("private_addresses = true\ntrust = [\"{}\"]\n", trust.display())
    } else {
        String::new()
    };
    let calls = if has("call services") {
        "services = [\"stun:stun.verona.example\", \"turn:turn.verona.example:3479\"]\n\
         secret_file = \"turn.secret\"\n"
    } else {
        ""
    };
    let public =
        if has("public addresses") { "public = [\"192.0.2.5\", \"2001:db8::5\"]\n" } else { "" };
    let (turn_door, turn) = relay(ports, has("a relay"));
    let (proxy_door, proxy) = match has("a proxy") {
        true => (format!("bytestreams = [\"127.0.0.1:{}\"]\n", ports.bytestreams), true),
        false => (String::new(), false),
    };
    let (s2s_door, federation) = federation(directory, ports, settings);
    let (told, components) = (told(settings), components(ports, settings));
    format!(
        "domain = \"{DOMAIN}\"\n\n\
         [listen]\nc2s = [\"127.0.0.1:{c2s}\"]\nc2s_tls = [\"127.0.0.1:{c2s_tls}\"]\n\
         https = [\"127.0.0.1:{https}\"]\n{s2s_door}{public}{turn_door}{proxy_door}\n\
         [registration]\npolicy = \"{policy}\"\ninviters = \"{inviters}\"\n\n\
         [tls]\ncertificate = \"{certs}/{DOMAIN}.crt\"\nkey = \"{certs}/{DOMAIN}.key\"\n\
         required = {tls_required}\n\n\
         [login]\nplain = {plain}\niterations = 4096\n\n\
         [limits]\n{rates}unauthenticated_seconds = {seconds}\n\
         stanza_bytes = {stanza_bytes}\n\n\
         [archive]\nenabled = {archive}\n\n[rooms]\n{rooms}\n\
         [upload]\nfile_bytes = 1000000\nbytes_per_account = {upload_quota}\n\n\
         [federation]\n{federation}\n\
         [calls]\n{calls}\n[turn]\n{turn}\n[bytestreams]\nenabled = {proxy}\n[push]\n{push}\n{components}\n\
         {told}\n[contact]\n{contact}\n\
         [log]\nlevel = \"debug\"\n",
        rates = match (has("little for many"), has("few strangers")) {
            (true, _) => "fan_out_bytes_per_second = 1024\n",
            (false, true) => "",
            (false, false) => "throttle = false\n",
        },
        inviters = if has("invitations by admins") { "admins" } else { "everyone" },
        rooms = rooms(settings),
        c2s = ports.c2s,
        c2s_tls = ports.c2s_tls,
        https = ports.https,
        certs = directory.join("certs").display(),
        tls_required = !has("plaintext login"),
        plain = has("PLAIN login") || has("plaintext login"),
        archive = !has("no archive"),
        upload_quota = if has("small upload quota") { 2000 } else { 1_000_000 },
    )
}

/// Who makes rooms, and what they are like.
fn rooms(settings: &[String]) -> String {
    let has = |setting: &str| settings.iter().any(|s| s == setting);
    let creators = if has("rooms by admins") { "admins" } else { "everyone" };
    let room = if has("channels by default") { "channel" } else { "group" };
    format!("creators = \"{creators}\"\ndefault = \"{room}\"\n")
}

/// The relay's lines of `[listen]`, and those of its section.
fn relay(ports: &Ports, wanted: bool) -> (String, &'static str) {
    match wanted {
        true => (
            format!("turn = [\"127.0.0.1:{}\"]\nturn_tls = []\n", ports.turn),
            "addresses = [\"127.0.0.1\"]\n",
        ),
        // As by default on a machine that the internet does not reach.
        false => ("turn = []\nturn_tls = []\n".to_owned(), ""),
    }
}

/// The lines of `[listen]` for other servers, and the section about them.
fn federation(directory: &Path, ports: &Ports, settings: &[String]) -> (String, String) {
    let has = |setting: &str| settings.iter().any(|s| s == setting);
    if !has("federation") {
        return (String::new(), "enabled = false\n".to_owned());
    }
    let listen = format!(
        "s2s = [\"127.0.0.1:{}\"]\ns2s_tls = [\"127.0.0.1:{}\"]\n",
        ports.s2s, ports.s2s_tls
    );
    let trust = directory.join("certs/authority.crt");
    let mut section = format!("trust = [\"{}\"]\n", trust.display());
    if has("dialback with padua.example") {
        section += "dialback = [\"padua.example\"]\n";
    }
    if has("no padua.example") {
        section += "deny = [\"padua.example\"]\n";
    }
    if has("small foreign stanzas") {
        section += "stanza_bytes = 10000\n";
    }
    section += "[federation.hosts]\n";
    for (domain, port) in PEERS.iter().zip(ports.peers) {
        section += &format!("\"{domain}\" = \"127.0.0.1:{port}\"\n");
    }
    (listen, section)
}

/// What the server tells about itself, and to whom.
fn told(settings: &[String]) -> &'static str {
    let has = |setting: &str| settings.iter().any(|s| s == setting);
    if has("outages") {
        "[outage]\naddresses = [\"https://status.verona.example/outage.json\"]\n"
    } else if has("few strangers") {
        "[abuse]\nstrangers_per_hour = 2\nstranger_messages_per_hour = 3\n"
    } else if has("server information") {
        "[pubsub]\nserver_info = true\n"
    } else if has("data policy") {
        "[data_policy]\naccess = [\"admins\", \"moderators\"]\nbackup_hours = 24\n\
         terms = \"https://verona.example/terms\"\n"
    } else if has("little for many") {
        "[unified_push]\nmessages_per_minute = 2\n"
    } else if has("web clients of app.example") {
        "[web]\norigins = [\"https://app.example\"]\n"
    } else {
        ""
    }
}

/// The component, and what it may do.
fn components(ports: &Ports, settings: &[String]) -> String {
    let has = |setting: &str| settings.iter().any(|s| s == setting);
    let privileged = has("a privileged gateway");
    let mut components = if WITH_GATEWAY.iter().any(|setting| has(setting)) {
        format!(
            "[components]\nlisten = [\"127.0.0.1:{}\"]\n\
             [components.hosts]\n\"{GATEWAY}\" = \"{GATEWAY_SECRET}\"\n",
            ports.components
        )
    } else {
        String::new()
    };
    if has("a block list") {
        components += &format!("[abuse]\nblock_lists = [\"{GATEWAY}/bans\"]\n");
    }
    if privileged {
        components += &format!(
            "[components.permissions]\n\"{GATEWAY}\" = [\"gateway\", \"answer urn:example:pigeons\", \
             \"iq get urn:xmpp:ping\", \"iq http://jabber.org/protocol/muc#admin\"]\n"
        );
    }
    components
}

pub(super) fn serve(directory: &Path) -> Command {
    let mut command = Command::new(program());
    command.args(["serve", "--data"]).arg(data(directory));
    command
}

pub(super) fn create_account(directory: &Path, name: &str, password: &str) -> io::Result<()> {
    let mut command = Command::new(program());
    command.args(["account", "add", &format!("{name}@{DOMAIN}"), "--password-stdin", "--data"]);
    command.arg(data(directory));
    finish(command, Some(password)).map(drop)
}

pub(super) fn invite(directory: &Path) -> io::Result<String> {
    let printed = run(directory, "invite new")?;
    token(&printed).ok_or_else(|| io::Error::other(format!("no token in {printed:?}")))
}

/// The token stands in an `xmpp:` link as `preauth=`, or last in the path of the page.
fn token(printed: &str) -> Option<String> {
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let cut = |rest: &str| rest.split(is_end).next().unwrap_or_default().to_owned();
    if let Some((_, rest)) = printed.split_once("preauth=") {
        return Some(cut(rest));
    }
    let link = printed.split_whitespace().find(|word| word.starts_with("https://"))?;
    Some(cut(link.rsplit('/').next()?))
}

/// Runs a command; the arguments are separated by spaces.
pub(super) fn run(directory: &Path, arguments: &str) -> io::Result<String> {
    let mut command = Command::new(program());
    command.args(arguments.split_whitespace()).arg("--data").arg(data(directory));
    finish(command, None)
}

pub(super) fn finish(mut command: Command, input: Option<&str>) -> io::Result<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A command that does not read its input may be gone already.
        let _ = writeln!(stdin, "{}", input.unwrap_or_default());
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{command:?} failed ({}): {said}", output.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_in_either_link() {
        let both = "https://verona.example/invite/abc_-1\nxmpp:verona.example?register;preauth=xyz;ibr=y\n";
        assert_eq!(token(both).as_deref(), Some("xyz"));
        assert_eq!(
            token("Send https://verona.example/i/abc_-1 to them").as_deref(),
            Some("abc_-1")
        );
        assert_eq!(token("nothing"), None);
    }
}
