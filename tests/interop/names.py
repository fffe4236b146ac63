"""A network that a test has for itself: a loopback device with addresses that look like those of the
internet, signed zones, and a resolver that validates them (Debian's unbound). Everything in it is where it
is in the world: name servers on port 53, web servers on 443, other servers on 5269."""

import hashlib
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dns.dnssec
import dns.name
import dns.zone
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

UNBOUND = "/usr/sbin/unbound"
INSIDE = "INTEROP_INSIDE"
#: How long a program may take to start.
START_SECONDS = 60


def enter(addresses: list):
    """Goes on in a network and a file system of its own, which takes no privileges. `/etc/resolv.conf`
    leads to this machine there."""
    if not os.environ.get(INSIDE):
        os.environ[INSIDE] = "1"
        command = ["unshare", "--user", "--map-root-user", "--mount", "--net", sys.executable, "-u", *sys.argv]
        os.execvp(command[0], command)
    run("ip", "link", "set", "lo", "up")
    for address in addresses:
        run("ip", "address", "add", f"{address}/32", "dev", "lo")
    for path, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\n"), ("/etc/hosts", "127.0.0.1 localhost\n")):
        ours = Path(f"/tmp/{path.replace('/', '_')}.{os.getpid()}")
        ours.write_text(text)
        run("mount", "--bind", str(ours), path)
        ours.unlink()


def run(*command: str):
    subprocess.run(command, check=True)


class Zone:
    """What is known of a domain, in the words of a zone file without the domain's own name."""

    def __init__(self, domain: str, records: str):
        self.domain = domain
        head = f"@ 300 IN SOA ns.{domain}. hostmaster.{domain}. 1 3600 600 86400 60\n@ 300 IN NS ns.{domain}.\n"
        self.zone = dns.zone.from_text(
            head + "ns 300 IN A 127.0.0.1\n" + records, origin=f"{domain}.", relativize=False
        )
        self.anchor = None

    def sign(self) -> "Zone":
        """With a key of its own, which a resolver has to know."""
        private = ec.generate_private_key(ec.SECP256R1())
        key = dns.dnssec.make_dnskey(private.public_key(), "ECDSAP256SHA256", flags=257)
        dns.dnssec.sign_zone(self.zone, keys=[(private, key)], lifetime=86400)
        self.anchor = f"{self.domain}. 300 IN DNSKEY {key.to_text()}"
        return self

    def forge(self, records: str) -> "Zone":
        """Puts other records of these names and kinds in the place of those that were signed."""
        forged = dns.zone.from_text(records, origin=f"{self.domain}.", relativize=False, check_origin=False)
        for name, node in forged.nodes.items():
            for rdataset in node.rdatasets:
                self.zone.replace_rdataset(name, rdataset)
        return self


class Resolver:
    """Validates, as one on this machine does that is trusted."""

    def __init__(self, directory: Path, zones: list):
        anchors = directory / "anchors"
        anchors.write_text("".join(f"{zone.anchor}\n" for zone in zones if zone.anchor))
        parts = []
        for zone in zones:
            file = directory / f"{zone.domain}.zone"
            zone.zone.to_file(str(file), relativize=False)
            # As if the zone had been asked for at its own server: so it is validated.
            parts.append(
                f'auth-zone:\n  name: "{zone.domain}."\n  zonefile: "{file}"\n'
                "  for-downstream: no\n  for-upstream: yes\n  fallback-enabled: no\n"
            )
        config = directory / "unbound.conf"
        config.write_text(f"""
server:
  interface: 127.0.0.1
  port: 53
  username: ""
  chroot: ""
  directory: "{directory}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  module-config: "validator iterator"
  trust-anchor-file: "{anchors}"
  do-not-query-localhost: no
  val-log-level: 2
remote-control:
  control-enable: no
{"".join(parts)}""")
        self.log = directory / "unbound.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([UNBOUND, "-d", "-c", str(config)], stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not listens("127.0.0.1", 53):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"unbound does not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


class Pages:
    """A web server with these documents, by path. `asked` has the paths that somebody wanted."""

    def __init__(self, address: str, certificate, key, documents: dict):
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                body = documents.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((address, 443), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def certificate_of(file: Path) -> x509.Certificate:
    """The first one of a chain."""
    return x509.load_pem_x509_certificates(file.read_bytes())[0]


def public_key_digest(file: Path) -> bytes:
    """SHA-256 of the public key of a certificate: selector 1, matching 1 (RFC 6698 §2.1)."""
    key = certificate_of(file).public_key()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).digest()


def digest(file: Path) -> bytes:
    """SHA-256 of a certificate."""
    return hashlib.sha256(certificate_of(file).public_bytes(serialization.Encoding.DER)).digest()
