//! Prosody as a target: what it has, and a configuration that turns it all on.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::Command;

use super::ports::Ports;
use super::{DOMAIN, GATEWAY, GATEWAY_SECRET, PEERS, WITH_GATEWAY, write};

const PROGRAM: &str = "/usr/bin/prosody";

/// What plays may need and prosody 0.12 with the modules it bundles does not have.
const LACKS: &[(&str, &str)] = &[
    ("sasl2", "prosody 0.12 has no SASL2 (XEP-0388)"),
    ("a relay", "prosody has no relay of its own"),
    ("bind2", "prosody 0.12 has no Bind 2 (XEP-0386)"),
    ("fast", "prosody 0.12 has no FAST (XEP-0484)"),
    ("channel binding types", "prosody 0.12 does not announce channel bindings (XEP-0440)"),
    ("tls-exporter", "prosody 0.12 binds channels by tls-unique only"),
    ("tls-server-end-point", "prosody 0.12 binds channels by tls-unique only"),
    ("SCRAM-SHA-512", "prosody 0.12 has no SCRAM-SHA-512"),
    ("scram downgrade protection", "prosody 0.12 has no XEP-0474"),
    ("stream limits", "prosody 0.12 does not announce limits (XEP-0478)"),
    ("host-meta", "prosody 0.12 bundles no host-meta (XEP-0156)"),
    ("invitation pages", "prosody 0.12 bundles no invitation page"),
    ("access model authorize", "prosody 0.12 has no authorize on PEP"),
    ("access model roster", "prosody 0.12 has no roster groups on PEP"),
    ("fixed access of well-known nodes", "prosody 0.12 lets clients choose any access model"),
    ("resumption after restart", "prosody 0.12 keeps hibernating sessions in memory only"),
    ("durable after kill", "prosody's files are not written before it acknowledges"),
    ("operator commands", "plays do not use prosody's commands"),
    ("upload purposes", "prosody 0.12 knows no purposes of files (XEP-0363 1.2)"),
    ("list of own files", "prosody 0.12 lets people neither see nor delete their files"),
    (
        "strict content type",
        "prosody 0.12 looks at the type of a file only when it announces a slot",
    ),
    ("privileged components", "prosody 0.12 bundles no XEP-0355 and no XEP-0356"),
    ("push", "prosody 0.12 bundles no push (XEP-0357)"),
    ("unified push", "prosody 0.12 bundles no UnifiedPush"),
    ("pubsub service", "the play is about what prosody 0.12's pubsub service has not"),
    ("reports", "prosody 0.12 bundles no reports (XEP-0377)"),
    ("outages", "prosody 0.12 announces no outages (XEP-0455)"),
    ("server information", "prosody 0.12 bundles no XEP-0485"),
    ("data policy", "prosody 0.12 has no XEP-0504"),
    ("session list", "prosody 0.12 has no XEP-0494"),
];

pub(super) fn lacks(feature: &str) -> Option<String> {
    LACKS.iter().find(|(name, _)| *name == feature).map(|(_, reason)| (*reason).to_owned())
}

pub(super) fn missing() -> Option<String> {
    (!Path::new(PROGRAM).exists())
        .then(|| "prosody is not installed; run `apt-get install prosody`".to_owned())
}

const MODULES: &[&str] = &[
    "blocklist",
    "bosh",
    "bookmarks",
    "carbons",
    "csi_simple",
    "disco",
    "http",
    "invites",
    "invites_adhoc",
    "invites_register",
    "lastactivity",
    "mam",
    "offline",
    "pep",
    "ping",
    "private",
    "register",
    "roster",
    "saslauth",
    "server_contact_info",
    "smacks",
    "time",
    "tls",
    "uptime",
    "vcard4",
    "vcard_legacy",
    "version",
    "websocket",
];

pub(super) fn configure(directory: &Path, ports: &Ports, settings: &[String]) -> io::Result<()> {
    std::fs::create_dir_all(directory.join("data"))?;
    write(directory, "mod_test_places.lua", PLACES)?;
    write(directory, "mod_test_nodes.lua", NODES)?;
    write(directory, "prosody.cfg.lua", &config(directory, ports, settings))
}

fn config(directory: &Path, ports: &Ports, settings: &[String]) -> String {
    let has = |setting: &str| settings.iter().any(|s| s == setting);
    let mut out = String::from("modules_enabled = {\n");
    let unwanted = |module: &str| {
        (has("no archive") && module == "mam")
            || (has("closed registration") && module.starts_with("invites"))
    };
    let servers = if has("federation") { FEDERATION } else { &[] };
    let calls: &[&str] = if has("call services") { &["external_services"] } else { &[] };
    let modules = MODULES.iter().chain(servers).chain(calls);
    for module in modules.filter(|module| !unwanted(module)) {
        let _ = writeln!(out, "  \"{module}\";");
    }
    let _ = writeln!(out, "}}");
    let path = directory.display();
    let tls_required = !has("plaintext login");
    let open = has("open registration");
    let seconds = if has("one second to log in") { 1 } else { 300 };
    let stanza_bytes = if has("small stanzas") { 10_000 } else { 262_144 };
    let (c2s, c2s_tls, https) = (ports.c2s, ports.c2s_tls, ports.https);
    out.push_str(&federation(directory, ports, settings));
    let _ = write!(
        out,
        "run_as_root = true\n\
         plugin_paths = {{ \"{path}\" }}\n\
         pidfile = \"{path}/prosody.pid\"\n\
         data_path = \"{path}/data\"\n\
         certificates = \"{path}/certs\"\n\
         interfaces = {{ \"127.0.0.1\" }}\n\
         c2s_ports = {{ {c2s} }}\n\
         c2s_direct_tls_ports = {{ {c2s_tls} }}\n\
         http_ports = {{ }}\n\
         https_ports = {{ {https} }}\n\
         component_ports = {{ {components} }}\n\
         proxy65_ports = {{ {proxy} }}\n\
         external_services = {{ {CALLS} }}\n\
         authentication = \"internal_plain\"\n\
         storage = \"internal\"\n\
         c2s_require_encryption = {tls_required}\n\
         allow_unencrypted_plain_auth = {plain}\n\
         allow_registration = {allow}\n\
         registration_invite_only = {invite_only}\n\
         allow_user_invites = {user_invites}\n\
         c2s_timeout = {seconds}\n\
         c2s_stanza_size_limit = {stanza_bytes}\n\
         contact_info = {{ abuse = {{ \"mailto:abuse@{DOMAIN}\", \"xmpp:abuse@{DOMAIN}\" }}; \
         admin = {{ \"mailto:prince@{DOMAIN}\" }} }}\n\
         log = {{ debug = \"*console\" }}\n\
         VirtualHost \"{DOMAIN}\"\n",
        components = ports.components,
        proxy = ports.bytestreams,
        plain = !tls_required,
        allow = !has("closed registration"),
        invite_only = !open,
        user_invites = !has("invitations by admins"),
    );
    out.push_str(&services(settings));
    out
}

/// What else is there with other servers.
const FEDERATION: &[&str] = &["test_places", "s2s", "s2s_auth_certs", "s2s_bidi", "dialback"];

/// Prosody asks the domain name system about every domain. This module of a few lines tells it where
/// those are that plays speak for.
const PLACES: &str = r#"
local service, basic = require "net.resolvers.service", require "net.resolvers.basic";
local places, new = module:get_option("test_places"), service.new;
local nowhere = { next = function (_, found) found(nil); end };
service.new = function (host, kind, transport, extra)
	if not places[host] then
		return new(host, kind, transport, extra);
	elseif kind == "xmpp-server" then
		return basic.new("127.0.0.1", places[host], transport, extra);
	end
	return nowhere;
end
"#;

/// Whoever wants to makes nodes at the pubsub service, and not only administrators.
const NODES: &str = r#"
local function copy(from)
	local to = {};
	for key, value in pairs(from) do to[key] = value; end
	return to;
end
local service = module:depends("pubsub").get_service();
local capabilities = copy(service.config.capabilities);
capabilities.member = copy(capabilities.member);
capabilities.member.create = true;
service.config.capabilities = capabilities;
"#;

/// Services for calls, which the module tells of where it is enabled.
const CALLS: &str = "{ type = \"stun\"; transport = \"udp\"; host = \"stun.verona.example\"; port = 3478 }, \
     { type = \"turn\"; transport = \"udp\"; host = \"turn.verona.example\"; port = 3479; ttl = 86400; \
     secret = \"what both sides know\" }";

fn federation(directory: &Path, ports: &Ports, settings: &[String]) -> String {
    let has = |setting: &str| settings.iter().any(|s| s == setting);
    if !has("federation") {
        return "modules_disabled = { \"s2s\" }\n".to_owned();
    }
    let places = PEERS.iter().zip(ports.peers);
    let places: Vec<_> = places.map(|(name, port)| format!("[\"{name}\"] = {port}")).collect();
    let insecure = if has("dialback with padua.example") { "\"padua.example\"" } else { "" };
    let bytes = if has("small foreign stanzas") { 10_000 } else { 524_288 };
    format!(
        "test_places = {{ {places} }}\n\
         s2s_ports = {{ {s2s} }}\n\
         s2s_direct_tls_ports = {{ {s2s_tls} }}\n\
         s2s_require_encryption = true\n\
         s2s_secure_auth = true\n\
         s2s_insecure_domains = {{ {insecure} }}\n\
         s2s_stanza_size_limit = {bytes}\n\
         ssl = {{ cafile = \"{path}/certs/authority.crt\" }}\n",
        path = directory.display(),
        places = places.join(", "),
        s2s = ports.s2s,
        s2s_tls = ports.s2s_tls,
    )
}

/// The services below the domain.
fn services(settings: &[String]) -> String {
    let has = |setting: &str| settings.iter().any(|s| s == setting);
    let quota = if has("small upload quota") { 2000 } else { 1_000_000 };
    let mut services = format!(
        "Component \"conference.{DOMAIN}\" \"muc\"\n\
         name = \"Rooms\"\n\
         modules_enabled = {{ \"muc_mam\" }}\n\
         restrict_room_creation = false\n\
         Component \"upload.{DOMAIN}\" \"http_file_share\"\n\
         http_host = \"{DOMAIN}\"\n\
         http_file_share_size_limit = 1000000\n\
         http_file_share_daily_quota = {quota}\n\
         Component \"pubsub.{DOMAIN}\" \"pubsub\"\n\
         modules_enabled = {{ \"test_nodes\" }}\n\
         expose_publisher = true\n"
    );
    if has("a proxy") {
        services +=
            &format!("Component \"proxy.{DOMAIN}\" \"proxy65\"\nproxy65_address = \"{DOMAIN}\"\n");
    }
    if WITH_GATEWAY.iter().any(|setting| has(setting)) {
        // A program that was started anew takes over, as with Anemone.
        services += &format!(
            "Component \"{GATEWAY}\"\ncomponent_secret = \"{GATEWAY_SECRET}\"\n\
             component_conflict_resolve = \"kick_old\"\n"
        );
    }
    services
}

pub(super) fn serve(directory: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["-F", "--config"]).arg(directory.join("prosody.cfg.lua"));
    command
}

/// Writes the account as prosody's own storage would.
pub(super) fn create_account(directory: &Path, name: &str, password: &str) -> io::Result<()> {
    let file = format!("data/{}/accounts/{}.dat", encode(DOMAIN), encode(name));
    write(directory, &file, &format!("return {{ [\"password\"] = \"{password}\"; }};\n"))
}

/// The encoding of names in prosody's file store.
fn encode(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02x}");
        }
    }
    out
}

pub(super) fn invite(directory: &Path) -> io::Result<String> {
    let output = Command::new("/usr/bin/prosodyctl")
        .arg("--config")
        .arg(directory.join("prosody.cfg.lua"))
        .args(["mod_invites", "generate", DOMAIN])
        .output()?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let token = printed.split_once("preauth=").map(|(_, rest)| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')));
        rest[..end.unwrap_or(rest.len())].to_owned()
    });
    token.ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        io::Error::other(format!("no token in {printed:?} {said}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_prosody_does() {
        assert_eq!(encode("verona.example"), "verona%2eexample");
    }
}
