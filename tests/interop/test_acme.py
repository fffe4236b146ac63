"""A certificate from a certificate authority: Let's Encrypt's pebble, which checks as that does, and
a name server that leads every name to this machine. All three ways to be checked, a restart that keeps
the certificate, and a name that cannot be checked."""

import contextlib
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from certificates import make_authority, make_certificate
from client import check
from cryptography import x509
from server import HOST, Anemone, free_ports

DOMAIN = "verona.test"
ROOMS, NODES, FILES = f"conference.{DOMAIN}", f"pubsub.{DOMAIN}", f"files.{DOMAIN}"
PATIENCE = 60


class Authority:
    """pebble and its name server."""

    def __init__(self, directory: Path, http: int, tls: int, validity: int = 90 * 24 * 3600):
        self.directory = directory
        self.port, management, dns, self.records = free_ports(4)
        self.root = directory / "root.pem"
        make_authority(self.root, directory / "root.key")
        make_certificate(self.root, directory / "root.key", directory / "pebble.pem", directory / "pebble.key", "localhost")
        config = directory / "pebble.json"
        config.write_text(json.dumps({"pebble": {
            "listenAddress": f"{HOST}:{self.port}",
            "managementListenAddress": f"{HOST}:{management}",
            "certificate": str(directory / "pebble.pem"),
            "privateKey": str(directory / "pebble.key"),
            "httpPort": http,
            "tlsPort": tls,
            "certificateValidityPeriod": validity,
        }}))
        self.log = (directory / "pebble.log").open("wb")
        environment = os.environ | {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        self.programs = [
            subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
            for command in (
                ["pebble-challtestsrv", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", "",
                 "-dns01", f"{HOST}:{dns}", "-management", f"{HOST}:{self.records}"],
                ["pebble", "-config", str(config), "-dnsserver", f"{HOST}:{dns}"],
            )
        ]
        self.directory_url = f"https://localhost:{self.port}/dir"
        wait("pebble listens", lambda: all(answers(port) for port in (self.port, self.records)))

    def tell(self, path: str, **what):
        """Changes what the name server says."""
        request = urllib.request.Request(f"http://{HOST}:{self.records}{path}", data=json.dumps(what).encode())
        urllib.request.urlopen(request, timeout=PATIENCE).close()

    def orders(self) -> int:
        """How many orders were made."""
        return Path(self.log.name).read_text().count("POST /order-plz")

    def stop(self):
        for program in self.programs:
            program.terminate()
            program.wait()
        self.programs = []
        self.log.close()


class Certified(Anemone):
    """Anemone with a domain of its own; `choose` says where its certificate comes from."""

    def prepare(self):
        self.domain = DOMAIN
        self.http_port, = free_ports(1)
        self.run("init", "--domain", DOMAIN)

    def start(self):
        pass

    def choose(self, authority: Authority, challenge: str, more: str = ""):
        (self.data / "anemone.toml").write_text(f"""domain = "{DOMAIN}"
[listen]
c2s = ["{HOST}:{self.c2s_port}"]
c2s_tls = ["{HOST}:{self.c2s_tls_port}"]
https = ["{HOST}:{self.https_port}"]
redirect = ["{HOST}:{self.http_port}"]
s2s = []
s2s_tls = []
bytestreams = []
[federation]
enabled = false
[upload]
url = "https://{FILES}"
[acme]
enabled = true
directory = "{authority.directory_url}"
authority = "{authority.root}"
contact = "prince@{DOMAIN}"
challenge = "{challenge}"
{more}
""")
        super().start()
        # Its doors open one after the other.
        doors = self.https_port, self.http_port
        wait("all doors", lambda: all(answers(port) for port in doors), self.tail)

    def shown(self, port: int) -> x509.Certificate:
        """The certificate of a handshake for the domain."""
        context = ssl._create_unverified_context()
        with socket.create_connection((HOST, port), 10) as plain:
            with context.wrap_socket(plain, server_hostname=DOMAIN) as wrapped:
                return x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True))

    def certified(self) -> x509.Certificate:
        """Waits for the authority's certificate, and makes sure that all doors have it."""
        issuer = lambda: self.shown(self.https_port).issuer.rfc4514_string()
        wait("a certificate by pebble", lambda: "Pebble" in issuer(), self.tail)
        found = self.shown(self.https_port)
        check(self.shown(self.c2s_tls_port) == found, "clients and browsers are shown the same")
        return found


def names(certificate: x509.Certificate) -> set:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return set(extension.value.get_values_for_type(x509.DNSName))


def answers(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection((HOST, port), 1).close()
        return True
    return False


def wait(what: str, condition, tail=lambda: "", patience=PATIENCE):
    until = time.monotonic() + patience
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(f"never: {what}\n{tail()}")
        time.sleep(0.05)


def hook(directory: Path, authority: Authority, first: str = "") -> Path:
    """A program that sets and removes records, as one of a provider would."""
    path = directory / "hook"
    path.write_text(f"""#!{sys.executable}
import json, sys, urllib.request
verb, name, value = sys.argv[1:]
{first}
path, what = ("/set-txt", {{"host": name + ".", "value": value}}) if verb == "add" else ("/clear-txt", {{"host": name + "."}})
urllib.request.urlopen(urllib.request.Request("http://{HOST}:{authority.records}" + path, data=json.dumps(what).encode()))
""")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def main():
    with tempfile.TemporaryDirectory(prefix="anemone-interop-") as folder:
        directory = Path(folder)
        place = Certified(directory)
        authority = Authority(directory, place.http_port, place.https_port)
        try:
            play(place, authority, directory)
        finally:
            place.stop()
            authority.stop()
    renewal()


def play(place: Certified, authority: Authority, directory: Path):
    serial = 0
    for challenge, more in [
        ("tls-alpn-01", ""),
        ("http-01", ""),
        ("dns-01", f'hook = "{hook(directory, authority)}"'),
    ]:
        place.choose(authority, challenge, more)
        found = place.certified()
        check(names(found) == {DOMAIN, ROOMS, NODES, FILES}, f"{challenge}: the certificate is for the domain and its services")
        check(found.serial_number != serial, f"{challenge}: it is a new one")
        serial = found.serial_number
        place.stop()
        if challenge == "tls-alpn-01":
            place.choose(authority, challenge, more)
            check(place.shown(place.https_port).serial_number == serial, "a restart keeps the certificate")
            place.stop()
        (place.data / "acme.pem").unlink()

    # Rooms and nodes lead nowhere: the others have their certificate all the same.
    for lost in (ROOMS, NODES):
        authority.tell("/add-a", host=f"{lost}.", addresses=["127.0.0.9"])
    before = authority.orders()
    place.choose(authority, "tls-alpn-01")
    found = place.certified()
    check(names(found) == {DOMAIN, FILES}, "all but the names that cannot be checked")
    check(ROOMS in place.tail() and NODES in place.tail(), "and the log says which they are")
    check(authority.orders() - before == 2, "which takes one order more, however many they are")
    place.stop()

    # A name whose record cannot be set is left out as well, and a start later nobody asks for it again.
    (place.data / "acme.pem").unlink()
    picky = hook(directory, authority, f"if {FILES!r} in name: sys.exit(1)")
    place.choose(authority, "dns-01", f'hook = "{picky}"')
    found = place.certified()
    check(names(found) == {DOMAIN, ROOMS, NODES}, "all but the name that the program fails for")
    place.stop()
    before = authority.orders()
    place.choose(authority, "dns-01", f'hook = "{picky}"')
    check(place.shown(place.https_port) == found, "a restart keeps what there is")
    place.stop()
    check(authority.orders() == before, "without another order")
    place.choose(authority, "dns-01", f'hook = "{picky}"')
    with contextlib.suppress(urllib.error.HTTPError):
        opener = urllib.request.build_opener(NoRedirect)
        opener.open(f"http://{HOST}:{place.http_port}/invite/x?y=1", timeout=PATIENCE)
        raise RuntimeError("plain HTTP must lead elsewhere")


def renewal():
    """A certificate for 90 seconds: its successor is in use before it ends, and nobody is cut
    off. Without the authority the old one stays, and the log says so."""
    with tempfile.TemporaryDirectory(prefix="anemone-interop-") as folder:
        directory = Path(folder)
        place = Certified(directory)
        authority = Authority(directory, place.http_port, place.https_port, validity=90)
        try:
            place.choose(authority, "tls-alpn-01")
            first = place.certified()
            context = ssl._create_unverified_context()
            plain = socket.create_connection((HOST, place.c2s_tls_port), 10)
            with context.wrap_socket(plain, server_hostname=DOMAIN) as visitor:
                changed = lambda: place.shown(place.https_port) != first
                wait("another certificate", changed, place.tail, 2 * PATIENCE)
                second = place.shown(place.https_port)
                check(second.not_valid_before_utc < first.not_valid_after_utc, "it is renewed in time")
                check(place.shown(place.c2s_tls_port) == second, "clients are shown the new one too")
                check(second.public_key() == first.public_key(), "its key is the one that records may name")
                header = f"<stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
                visitor.sendall(header.encode())
                check(b"stream" in visitor.recv(4096), "whoever was connected still is")
            authority.stop()
            refused = lambda: "no new certificate" in place.tail()
            wait("a word about the failure", refused, place.tail, 2 * PATIENCE)
            check("again_in=300" in place.tail(), "it is tried again after five minutes")
            check("Pebble" in place.shown(place.https_port).issuer.rfc4514_string(), "and the old one stays")
        finally:
            place.stop()
            authority.stop()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, file, code, message, headers, url):
        check(url == f"https://{DOMAIN}/invite/x?y=1", f"browsers are sent on to HTTPS, not {url}")


if __name__ == "__main__":
    main()
