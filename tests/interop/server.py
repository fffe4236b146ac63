"""A server for one test: Anemone, or Debian's prosody as the reference that checks the test.

    with server.start() as place:
        place.add_account("romeo", "wherefore")
        connect(place.host, place.c2s_port, ca=place.authority)

Which one is chosen by the environment variable INTEROP_SERVER ("anemone", the default, or
"prosody"). Everything is on loopback, on free ports, in a directory of its own that is gone
afterwards; INTEROP_KEEP=1 keeps it.
"""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from certificates import make_authority, make_certificate

DOMAIN = "localhost"
HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]

# How long a program may take for something it does in well under a second.
START_SECONDS = 60
STOP_SECONDS = 60

# Ports of the tests: below those that Linux gives to clients.
FIRST_PORT = 12_000
SLOT_PORTS = 5_000


class Server:
    """What a test may ask of a server, whichever it is."""

    name = ""
    #: What this server can do that the other cannot; a test asks with `supports`.
    features = frozenset()

    def __init__(self, directory: Path):
        self.directory = directory
        self.domain = DOMAIN
        self.host = HOST
        self.c2s_port, self.c2s_tls_port, self.https_port = free_ports(3)
        self.process = None
        self.log = directory / "server.log"
        self.prepare()
        self.start()

    # --- for tests ---

    @property
    def authority(self) -> Path:
        """The certificate that clients have to trust, in PEM."""
        raise NotImplementedError

    @property
    def certificate(self) -> Path:
        """The server's own certificate, for clients that trust single certificates."""
        raise NotImplementedError

    def add_account(self, name: str, password: str):
        raise NotImplementedError

    def invite(self) -> str:
        """A new invitation, as its token."""
        raise NotImplementedError

    def supports(self, feature: str) -> bool:
        return feature in self.features

    def restart(self, kill: bool = False):
        """Stops the server as its operator does, or as the power company does, and starts it."""
        self.stop(signal.SIGKILL if kill else signal.SIGTERM)
        self.start()

    # --- for this module ---

    def prepare(self):
        raise NotImplementedError

    def command(self) -> list:
        raise NotImplementedError

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.host, self.c2s_port):
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended at its start:\n{self.tail()}")
            if time.monotonic() > deadline:
                self.stop(signal.SIGKILL)
                raise RuntimeError(f"{self.name} does not listen:\n{self.tail()}")
            time.sleep(0.02)

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(f"{self.name} did not stop in {STOP_SECONDS} s") from None
        finally:
            self.process = None

    def tail(self, lines: int = 30) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class Anemone(Server):
    name = "anemone"
    features = frozenset(
        {
            "resumption-across-restart",
            "durable-acknowledgement",
            "once-per-stream",
            "notification-by-interest",
            "front-door",
            "full-disk",
            "siege",
        }
    )

    @property
    def program(self) -> str:
        return os.environ.get("INTEROP_ANEMONE", str(ROOT / "target/debug/anemone"))

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def authority(self) -> Path:
        return self.data / "ca.pem"

    @property
    def certificate(self) -> Path:
        return self.data / "server.pem"

    def run(self, *arguments: str, stdin: str = "") -> str:
        """One of Anemone's own commands on the data of this server; its standard output."""
        done = subprocess.run(
            [self.program, *arguments, "--data", str(self.data)],
            input=stdin, capture_output=True, text=True, timeout=START_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"anemone {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def prepare(self):
        self.run("init", "--domain", DOMAIN)
        config = self.data / "anemone.toml"
        text = without_sections(config.read_text(), {"listen", "limits", "login"})
        config.write_text(
            f"""{text}
[listen]
c2s = ["{HOST}:{self.c2s_port}"]
c2s_tls = ["{HOST}:{self.c2s_tls_port}"]
https = ["{HOST}:{self.https_port}"]
s2s = []
s2s_tls = []
bytestreams = []

[limits]
throttle = false

# slixmpp derives keys in Python: the usual number of rounds takes it a second per login.
[login]
iterations = 4096
"""
        )

    def command(self) -> list:
        return [self.program, "serve", "--data", str(self.data)]

    def add_account(self, name: str, password: str):
        self.run("account", "add", f"{name}@{DOMAIN}", "--password-stdin", stdin=password + "\n")

    def invite(self) -> str:
        return find_token(json.dumps(json.loads(self.run("invite", "new", "--json"))))


class Prosody(Server):
    name = "prosody"

    @property
    def authority(self) -> Path:
        return self.directory / "ca.pem"

    @property
    def certificate(self) -> Path:
        return self.directory / "server.pem"

    @property
    def config(self) -> Path:
        return self.directory / "prosody.cfg.lua"

    def prepare(self):
        key, certificate = self.directory / "server.key", self.certificate
        make_authority(self.authority, self.directory / "ca.key")
        make_certificate(self.authority, self.directory / "ca.key", certificate, key, DOMAIN)
        (self.directory / "data").mkdir()
        self.config.write_text(
            f"""
run_as_root = true
daemonize = false
pidfile = "{self.directory}/prosody.pid"
data_path = "{self.directory}/data"
log = {{ info = "*console" }}
modules_enabled = {{
  "roster", "saslauth", "tls", "dialback", "disco", "private", "pep", "blocklist", "bookmarks",
  "vcard4", "vcard_legacy", "version", "uptime", "time", "ping", "lastactivity", "carbons",
  "smacks", "csi", "csi_simple", "mam", "offline", "register_ibr", "user_account_management",
  "invites", "invites_register", "invites_adhoc", "http", "websocket", "admin_shell"
}}
modules_disabled = {{ "s2s" }}
allow_registration = true
registration_invite_only = true
authentication = "internal_hashed"
storage = "internal"
archive_expires_after = "never"
default_archive_policy = true
interfaces = {{ "{HOST}" }}
c2s_ports = {{ {self.c2s_port} }}
c2s_direct_tls_ports = {{ {self.c2s_tls_port} }}
http_ports = {{ }}
https_ports = {{ {self.https_port} }}
s2s_ports = {{ }}
certificates = "{self.directory}"
ssl = {{ key = "{key}", certificate = "{certificate}" }}
c2s_direct_tls_ssl = {{ key = "{key}", certificate = "{certificate}" }}
https_ssl = {{ key = "{key}", certificate = "{certificate}" }}
admin_socket = "{self.directory}/prosody.sock"
http_host = "{DOMAIN}"
VirtualHost "{DOMAIN}"
"""
        )

    def command(self) -> list:
        return ["prosody", "--config", str(self.config), "-F"]

    def control(self, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["prosodyctl", "--config", str(self.config), *arguments],
            input=stdin, capture_output=True, text=True, timeout=START_SECONDS,
        )
        if done.returncode != 0:
            raise RuntimeError(f"prosodyctl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def add_account(self, name: str, password: str):
        self.control("register", name, DOMAIN, password)

    def invite(self) -> str:
        return find_token(self.control("mod_invites", "generate", DOMAIN))


class start:
    """A running server as a context: `with server.start() as place`."""

    def __init__(self):
        self.kind = {"anemone": Anemone, "prosody": Prosody}[
            os.environ.get("INTEROP_SERVER", "anemone")
        ]

    def __enter__(self) -> Server:
        self.directory = Path(tempfile.mkdtemp(prefix="interop-"))
        try:
            self.server = self.kind(self.directory)
        except BaseException:
            self.clean()
            raise
        return self.server

    def __exit__(self, kind, error, trace):
        if error is not None:
            print(f"--- the last lines of {self.server.name}'s log:\n{self.server.tail()}")
        try:
            self.server.stop()
        finally:
            self.clean()

    def clean(self):
        if os.environ.get("INTEROP_KEEP"):
            print(f"kept: {self.directory}")
        else:
            shutil.rmtree(self.directory, ignore_errors=True)


def free_ports(count: int) -> list:
    """Ports that nobody listens on. All are held until all are known, so that they differ. Tests that
    run at the same time choose among different ones, and the system gives none of them to a client."""
    first = FIRST_PORT + SLOT_PORTS * int(os.environ.get("INTEROP_SLOT", "0"))
    holders = []
    for port in random.sample(range(first, first + SLOT_PORTS), SLOT_PORTS):
        if len(holders) == count:
            break
        try:
            holders.append(socket.create_server((HOST, port)))
        except OSError:
            continue
    ports = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return ports


def answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def without_sections(toml: str, names: set) -> str:
    """The text of a TOML file without some of its sections."""
    kept, inside = [], False
    for line in toml.splitlines():
        if line.startswith("["):
            inside = line.strip().strip("[]") in names
        if not inside:
            kept.append(line)
    return "\n".join(kept) + "\n"


def find_token(text: str) -> str:
    """The token in an invitation's link: after `preauth=`, or the end of a web address."""
    found = re.search(r"preauth=([\w.~-]+)", text) or re.search(
        r"https?://[^\s\"]+/([\w.~-]+)", text
    )
    if not found:
        raise RuntimeError(f"no token in this invitation: {text}")
    return found.group(1)
