"""Servers of several domains on one machine: what they share, and how they find each other."""

import json
import socket
import struct
import threading
import time
import urllib.request
from pathlib import Path

from certificates import make_authority, make_certificate
from client import until
from server import HOST, START_SECONDS, Anemone, Prosody, Server, answers, free_ports, without_sections

# prosody 0.12 asks the domain name system about every domain. This module of a few lines, loaded
# by the configuration below, tells it where some of them are.
PLACES = """
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
"""


class World:
    """An authority that everybody trusts, and where each domain and its rooms are."""

    def __init__(self, directory: Path, *domains: str):
        self.directory = directory
        self.authority, self.key = directory / "ca.pem", directory / "ca.key"
        make_authority(self.authority, self.key)
        self.ports = dict(zip(domains, free_ports(len(domains))))

    def places(self, but: str) -> dict:
        """The ports of all domains but one, and of their rooms."""
        others = {domain: port for domain, port in self.ports.items() if domain != but}
        return others | {f"conference.{domain}": port for domain, port in others.items()}

    def certificate(self, domain: str):
        certificate, key = (self.directory / f"{domain}.{end}" for end in ("crt", "key"))
        names = (f"conference.{domain}", "localhost")
        make_certificate(self.authority, self.key, certificate, key, domain, *names)
        return certificate, key

    def folder(self, domain: str) -> Path:
        folder = self.directory / domain
        folder.mkdir()
        return folder


class Federated(Server):
    """A server that talks to the others of its world."""

    def __init__(self, world: World, domain: str):
        self.world, self.own = world, domain
        super().__init__(world.folder(domain))
        self.domain = domain

    @property
    def authority(self) -> Path:
        return self.world.authority

    @property
    def s2s_port(self) -> int:
        return self.world.ports[self.own]

    async def listens(self):
        await until(lambda: answers(HOST, self.s2s_port), f"{self.name} listens for other servers")


class FederatedAnemone(Federated, Anemone):
    def prepare(self):
        certificate, key = self.world.certificate(self.own)
        places = self.world.places(self.own).items()
        hosts = "\n".join(f'"{domain}" = "{HOST}:{port}"' for domain, port in places)
        self.run("init", "--domain", self.own)
        config = self.data / "anemone.toml"
        text = without_sections(config.read_text(), {"listen", "limits", "login", "tls", "upload"})
        config.write_text(
            f"""{text}
[listen]
c2s = ["{HOST}:{self.c2s_port}"]
c2s_tls = ["{HOST}:{self.c2s_tls_port}"]
https = ["{HOST}:{self.https_port}"]
s2s = ["{HOST}:{self.s2s_port}"]
s2s_tls = []
bytestreams = []

[upload]
url = "https://localhost:{self.https_port}"

[tls]
certificate = "{certificate}"
key = "{key}"

[federation]
trust = ["{self.authority}"]

[federation.hosts]
{hosts}

[limits]
throttle = false

[login]
iterations = 4096
"""
        )

    def add_account(self, name: str, password: str):
        self.run("account", "add", f"{name}@{self.own}", "--password-stdin", stdin=password + "\n")


class FederatedProsody(Federated, Prosody):
    def prepare(self):
        certificate, key = self.world.certificate(self.own)
        places = self.world.places(self.own).items()
        (self.directory / "data").mkdir()
        (self.directory / "mod_test_places.lua").write_text(PLACES)
        self.config.write_text(
            f"""
run_as_root = true
daemonize = false
pidfile = "{self.directory}/prosody.pid"
data_path = "{self.directory}/data"
plugin_paths = {{ "{self.directory}" }}
log = {{ debug = "*console" }}
modules_enabled = {{
  "test_places", "roster", "saslauth", "tls", "s2s", "s2s_auth_certs", "s2s_bidi", "disco", "pep",
  "blocklist", "vcard_legacy", "ping", "carbons", "smacks", "mam", "offline", "admin_shell", "http"
}}
modules_disabled = {{ "dialback" }}
test_places = {{ {", ".join(f'["{domain}"] = {port}' for domain, port in places)} }}
s2s_require_encryption = true
s2s_secure_auth = true
authentication = "internal_hashed"
storage = "internal"
interfaces = {{ "{HOST}" }}
c2s_ports = {{ {self.c2s_port} }}
c2s_direct_tls_ports = {{ }}
s2s_ports = {{ {self.s2s_port} }}
http_ports = {{ }}
https_ports = {{ {self.https_port} }}
ssl = {{ key = "{key}", certificate = "{certificate}", cafile = "{self.authority}" }}
admin_socket = "{self.directory}/prosody.sock"
VirtualHost "{self.own}"
Component "upload.{self.own}" "http_file_share"
  http_host = "localhost"
  http_external_url = "https://localhost:{self.https_port}/"
Component "conference.{self.own}" "muc"
  modules_enabled = {{ "test_places", "muc_mam" }}
"""
        )

    def add_account(self, name: str, password: str):
        self.control("register", name, self.own, password)


class FederatedEjabberd(Federated):
    """Debian's ejabberd. Erlang asks a name server of the test."""

    name = "ejabberd"

    def prepare(self):
        certificate, key = self.world.certificate(self.own)
        both = self.directory / "both.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        self.api_port, = free_ports(1)
        self.names = NameServer(self.world.places(self.own))
        (self.directory / "inetrc").write_text(
            # Without the first two, those of the machine are asked.
            f"""
{{resolv_conf, ""}}.
{{hosts_file, ""}}.
{{nameserver, {{127,0,0,1}}, {self.names.port}}}.
{{lookup, [dns]}}.
"""
        )
        (self.directory / "ejabberd.yml").write_text(
            f"""
loglevel: info
log_rotate_count: 0
hosts: ["{self.own}"]
certfiles: ["{both}"]
ca_file: "{self.authority}"
listen:
  - {{port: {self.api_port}, ip: "{HOST}", module: ejabberd_http, request_handlers: {{/api: mod_http_api}}}}
  - {{port: {self.https_port}, ip: "{HOST}", module: ejabberd_http, tls: true, request_handlers: {{/upload: mod_http_upload}}}}
  - {{port: {self.s2s_port}, ip: "{HOST}", module: ejabberd_s2s_in, max_stanza_size: 524288}}
  - {{port: {self.c2s_port}, ip: "{HOST}", module: ejabberd_c2s, starttls: true, access: all}}
api_permissions:
  "the test": {{who: {{ip: 127.0.0.1/8}}, what: "*"}}
auth_method: internal
auth_password_format: scram
disable_sasl_mechanisms: ["digest-md5", "X-OAUTH2"]
s2s_use_starttls: required
outgoing_s2s_families: [ipv4]
modules:
  mod_admin_extra: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_disco: {{}}
  mod_http_api: {{}}
  mod_http_upload: {{access: all, put_url: "https://localhost:{self.https_port}/upload", docroot: "{self.directory}/upload"}}
  mod_mam: {{assume_mam_usage: true, default: always, db_type: mnesia}}
  mod_muc: {{host: "conference.@HOST@", default_room_options: {{persistent: true, public: true}}}}
  mod_offline: {{}}
  mod_ping: {{}}
  mod_privacy: {{}}
  mod_pubsub: {{plugins: [flat, pep]}}
  mod_roster: {{}}
  mod_stream_mgmt: {{}}
  mod_version: {{}}
"""
        )

    def command(self) -> list:
        libraries = next(path.parent for path in Path("/usr/lib").glob("*/ejabberd-*"))
        return [
            "env", f"HOME={self.directory}", f"ERL_LIBS={libraries}",
            f"ERL_INETRC={self.directory}/inetrc", "ERL_CRASH_DUMP_BYTES=0",
            f"EJABBERD_CONFIG_PATH={self.directory}/ejabberd.yml",
            f"EJABBERD_LOG_PATH={self.directory}/ejabberd.log",
            "erl", "-noinput", "+K", "true", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none",
            "-mnesia", "dir", f'"{self.directory}/mnesia"', "-s", "ejabberd",
        ]  # fmt: skip

    def tail(self, lines: int = 30) -> str:
        log = self.directory / "ejabberd.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join([super().tail(lines), *text.splitlines()[-lines:]])

    def add_account(self, name: str, password: str):
        account = {"user": name, "host": self.own, "password": password}
        request = urllib.request.Request(
            f"http://{HOST}:{self.api_port}/api/register",
            data=json.dumps(account).encode(), headers={"Content-Type": "application/json"},
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(request, timeout=START_SECONDS).close()
                return
            except OSError as error:
                # It takes connections of clients before it does everything else.
                if time.monotonic() > deadline:
                    raise RuntimeError(f"ejabberd does not register {name}: {error}") from None
            time.sleep(0.1)


class NameServer:
    """Answers one kind of question about some domains: where their XMPP server is (RFC 1035,
    RFC 2782). ejabberd asks the system's library for the address of the host that it is told, which
    knows nothing of these domains; so the host is an address."""

    SRV = 33

    def __init__(self, places: dict):
        self.places = places
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HOST, 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            question, asker = self.socket.recvfrom(4096)
            self.socket.sendto(self.answer(question), asker)

    def answer(self, question: bytes) -> bytes:
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode())
            at += 1 + question[at]
        at += 1
        kind, _ = struct.unpack_from(">HH", question, at)
        record = self.record(".".join(labels), kind)
        # An answer, from who knows; the name does not exist when there is no record.
        flags = 0x8580 if record else 0x8583
        head = question[:2] + struct.pack(">HHHHH", flags, 1, 1 if record else 0, 0, 0)
        answer = head + question[12 : at + 4]
        if record:
            answer += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(record)) + record
        return answer

    def record(self, name: str, kind: int) -> bytes:
        service = "_xmpp-server._tcp."
        if kind == self.SRV and name.startswith(service):
            domain = name[len(service) :]
            if domain in self.places:
                labels = b"".join(bytes([len(one)]) + one.encode() for one in HOST.split("."))
                return struct.pack(">HHH", 0, 0, self.places[domain]) + labels + b"\0"
        return b""
