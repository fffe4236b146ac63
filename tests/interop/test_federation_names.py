"""Where a domain's server is and who it is, as the world says it: signed and unsigned zones behind a resolver
that validates (DANE, RFC 7673), documents on web servers (POSH, RFC 7711; host-meta 2, XEP-0487). Each way
that proves somebody is tried in both directions, and so is each that must not."""

import asyncio
import base64
import json
import os
import tempfile
from pathlib import Path

from certificates import make_authority, make_certificate
from client import Client, check, run_with, until
from names import Pages, Resolver, Zone, digest, enter, listens, public_key_digest
from server import HOST, Anemone, without_sections

OURS = "capulet.example"
OUR_ADDRESS = "45.0.0.1"
#: The other domains, each with what proves it.
DANE, FORGED, UNSIGNED, BOGUS = "dane.example", "forged.example", "unsigned.example", "bogus.example"
POSH, STALE, META, PINNED = "posh.example", "stale.example", "meta.example", "pinned.example"
ADDRESSES = {
    name: f"45.0.1.{number}"
    for number, name in enumerate((DANE, FORGED, UNSIGNED, BOGUS, POSH, STALE, META, PINNED), 1)
}
#: A domain whose records lead into a network that is not the internet.
WITHIN, WITHIN_ADDRESS = "within.example", "10.0.0.1"
#: A port that no record names.
DIRECT_PORT = 8269


class Known(Anemone):
    """Anemone as in the world: no fixed addresses, and the authorities of the system, which here is one."""

    def __init__(self, directory: Path, domain: str, address: str, authority: Path, certificate=None):
        self.own, self.at, self.system, self.certified = domain, address, authority, certificate
        directory.mkdir()
        super().__init__(directory)
        self.domain = domain

    def prepare(self):
        self.run("init", "--domain", self.own)
        config = self.data / "anemone.toml"
        text = without_sections(config.read_text(), {"listen", "limits", "login", "tls"})
        tls = '[tls]\ncertificate = "{}"\nkey = "{}"\n'.format(*self.certified) if self.certified else ""
        config.write_text(
            f"""{text}
{tls}
[listen]
c2s = ["{HOST}:{self.c2s_port}"]
c2s_tls = []
https = ["{HOST}:{self.https_port}"]
s2s = ["{self.at}:5269"]
s2s_tls = ["{self.at}:{DIRECT_PORT}"]
bytestreams = []

[limits]
throttle = false

[login]
iterations = 4096
"""
        )

    @property
    def authority(self) -> Path:
        return self.system if self.certified else super().authority

    def start(self):
        before, os.environ["SSL_CERT_FILE"] = os.environ.get("SSL_CERT_FILE"), str(self.system)
        try:
            super().start()
        finally:
            os.environ.pop("SSL_CERT_FILE")
            if before is not None:
                os.environ["SSL_CERT_FILE"] = before

    def add_account(self, name: str, password: str):
        self.run("account", "add", f"{name}@{self.own}", "--password-stdin", stdin=password + "\n")

    def listed(self, domain: str) -> dict:
        """What the operator sees of a domain."""
        listed = json.loads(self.run("federation", "list", "--json"))["federation"]
        return next((one for one in listed if one["domain"] == domain), {})


def services(domain: str) -> str:
    return (
        f"_xmpp-server._tcp 300 IN SRV 0 0 5269 xmpp.{domain}.\n"
        f"xmpp 300 IN A {ADDRESSES[domain]}\n"
    )


def tlsa(domain: str, hash: bytes) -> str:
    return f"_5269._tcp.xmpp 300 IN TLSA 3 1 1 {hash.hex()}\n"


class Town:
    """All servers, with what zones and web servers say of them."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.ca = directory / "ca.pem"
        self.running = []
        make_authority(self.ca, directory / "ca.key")
        self.ours = self.serve(OURS, OUR_ADDRESS, self.certificate(OURS))
        self.theirs = {}
        for domain in (DANE, FORGED, UNSIGNED, BOGUS, POSH, STALE):
            # With a certificate that nobody but itself has signed.
            self.theirs[domain] = self.serve(domain, ADDRESSES[domain])
        self.theirs[META] = self.serve(META, ADDRESSES[META], self.certificate(f"host.{META}"))
        self.theirs[PINNED] = self.serve(PINNED, ADDRESSES[PINNED])
        self.running.append(Resolver(directory, list(self.zones())))
        self.pages = {domain: self.publish(domain, path, text) for domain, path, text in self.documents()}

    def serve(self, domain: str, *arguments) -> Known:
        address, *certificate = arguments
        server = Known(self.directory / domain, domain, address, self.ca, *certificate)
        self.running.append(server)
        return server

    def certificate(self, *names: str):
        files = tuple(self.directory / f"{names[0]}.{end}" for end in ("crt", "key"))
        if not files[0].exists():
            make_certificate(self.ca, self.directory / "ca.key", *files, *names)
        return files

    def zones(self):
        right = {domain: public_key_digest(server.certificate) for domain, server in self.theirs.items()}
        yield Zone(OURS, f"_xmpp-server._tcp 300 IN SRV 0 0 5269 xmpp.{OURS}.\nxmpp 300 IN A {OUR_ADDRESS}\n")
        # Of two places that are as good, the one that is nearly always tried first has another server.
        wrong = f"_xmpp-server._tcp 300 IN SRV 0 65535 5269 wrong.{DANE}.\nwrong 300 IN A {ADDRESSES[FORGED]}\n"
        yield Zone(DANE, services(DANE) + wrong + tlsa(DANE, right[DANE])).sign()
        yield Zone(FORGED, services(FORGED) + tlsa(FORGED, right[DANE])).sign()
        yield Zone(UNSIGNED, services(UNSIGNED) + tlsa(UNSIGNED, right[UNSIGNED]))
        yield Zone(BOGUS, services(BOGUS) + tlsa(BOGUS, right[DANE])).sign().forge(tlsa(BOGUS, right[BOGUS]))
        for domain in (POSH, STALE):
            yield Zone(domain, services(domain) + f"@ 300 IN A {ADDRESSES[domain]}\n")
        yield Zone(WITHIN, f"_xmpp-server._tcp 300 IN SRV 0 0 5269 db.{WITHIN}.\ndb 300 IN A {WITHIN_ADDRESS}\n")
        for domain in (META, PINNED):
            # Of their server no record says anything.
            yield Zone(domain, f"@ 300 IN A {ADDRESSES[domain]}\n")

    def documents(self):
        def posh(domain):
            hash = base64.b64encode(digest(self.theirs[domain].certificate)).decode()
            return {"fingerprints": [{"sha-256": hash}], "expires": 3600}

        def meta(domain, sni, pins):
            link = {
                "rel": "urn:xmpp:alt-connections:s2s-tls", "port": DIRECT_PORT, "ips": [ADDRESSES[domain]],
                "priority": 1, "weight": 1, "sni": sni,
            }  # fmt: skip
            return {"xmpp": {"ttl": 3600, "public-key-pins-sha-256": pins}, "links": [link]}

        pin = base64.b64encode(public_key_digest(self.theirs[PINNED].certificate)).decode()
        yield POSH, "posh/xmpp-server.json", posh(POSH)
        # The certificate of somebody else.
        yield STALE, "posh/xmpp-server.json", posh(POSH)
        yield META, "host-meta.json", meta(META, f"host.{META}", [])
        yield PINNED, "host-meta.json", meta(PINNED, PINNED, [pin])

    def publish(self, domain: str, path: str, document: dict) -> Pages:
        documents = {f"/.well-known/{path}": json.dumps(document).encode()}
        pages = Pages(ADDRESSES[domain], *self.certificate(domain), documents)
        self.running.append(pages)
        return pages

    def stop(self):
        for one in reversed(self.running):
            one.stop()


async def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        town = Town(Path(directory))
        try:
            await play(town)
        except BaseException:
            print(f"--- the last lines of the log:\n{town.ours.tail(60)}")
            raise
        finally:
            town.stop()


async def play(town: Town):
    ours = town.ours
    ours.add_account("juliet", "art thou")
    juliet = Client(ours, "juliet", "art thou")
    await juliet.login()
    await until(lambda: listens(OUR_ADDRESS, 5269), "our server listens for others")
    for domain, known_by, what in (
        (DANE, "DANE", "a signed zone that names the certificate"),
        (POSH, "POSH", "a web server that names the certificate"),
        (META, "host-meta", "a web server that knows a place, and the name in the certificate there"),
        (PINNED, "host-meta", "a web server that knows a place, and its key"),
    ):
        print(f"  {domain}: {what}", flush=True)
        await both_ways(town, juliet, domain, known_by)
    check("/.well-known/posh/xmpp-server.json" in town.pages[POSH].asked, "the web server was asked")
    for domain, reason in (
        (FORGED, "has another certificate than its zone says (DANE)"),
        (UNSIGNED, "from an authority that is not trusted here"),
        (BOGUS, "cannot be looked up"),
        (STALE, "from an authority that is not trusted here"),
    ):
        print(f"  {domain}:", flush=True)
        await neither_way(town, juliet, domain, reason)
    check(len(juliet.bodies) == 4, "nobody else was heard")
    await juliet.logout()
    print(f"  {WITHIN}: records that lead into a private network", flush=True)
    await not_followed(town)


async def romeo_of(town: Town, domain: str, resource: str = "test") -> Client:
    romeo = Client(town.theirs[domain], "romeo", "wherefore", resource)
    # Clients find names in certificates too; here it is about what servers think of them.
    romeo.ssl_context.check_hostname = False
    await romeo.login()
    return romeo


async def both_ways(town: Town, juliet: Client, domain: str, known_by: str):
    """We connect and check who is there; then they connect and are let in."""
    town.theirs[domain].add_account("romeo", "wherefore")
    romeo = await romeo_of(town, domain)
    juliet.say(romeo.boundjid.bare, f"to {domain}")
    await until(lambda: f"to {domain}" in romeo.bodies, "the server is found, and is who it should be")
    stream = town.ours.listed(domain)["streams"][0]
    check((stream["direction"], stream["proof"]) == ("outgoing", "certificate"), "the list says so")
    check(stream["known_by"] == known_by, f"and how it is known: {stream['known_by']}")
    shown = town.ours.run("federation", "list")
    check(any(domain in line and known_by in line for line in shown.splitlines()), "in words as well")
    await romeo.logout()
    # Another process has no stream open, and makes one.
    town.theirs[domain].restart()
    romeo = await romeo_of(town, domain, "again")
    romeo.say(juliet.boundjid.bare, f"from {domain}")
    await until(lambda: f"from {domain}" in juliet.bodies, "and it is let in when it connects")
    incoming = [one for one in town.ours.listed(domain)["streams"] if one["direction"] == "incoming"]
    check([one["known_by"] for one in incoming] == [known_by], "the list says so")
    await romeo.logout()
    town.theirs[domain].stop()


async def neither_way(town: Town, juliet: Client, domain: str, reason: str):
    """We do not talk to who is there, nor is it let in; the operator sees why."""
    town.theirs[domain].add_account("romeo", "wherefore")
    romeo = await romeo_of(town, domain)
    juliet.say(romeo.boundjid.bare, "who art thou")
    listed = town.ours.listed
    await until(lambda: reason in (listed(domain).get("problem") or ""), f"not connected to: {reason}")
    romeo.say(juliet.boundjid.bare, "it is I")
    refused = "not let in: its certificate is from an authority that is not trusted here"
    await until(lambda: refused in (listed(domain).get("refused") or ""), f"not let in: {domain}")
    check(not romeo.bodies, "nothing was told")
    await romeo.logout()
    town.theirs[domain].stop()


async def not_followed(town: Town):
    """Nobody makes our server connect to a private address, unless the operator permits it."""
    knocks = []

    async def knocked(_, writer):
        knocks.append(1)
        writer.close()

    door = await asyncio.start_server(knocked, WITHIN_ADDRESS, 5269)
    juliet, errors = Client(town.ours, "juliet", "art thou"), []
    juliet.add_event_handler("message_error", errors.append)
    await juliet.login()
    juliet.say(f"romeo@{WITHIN}", "is there anybody")
    await until(lambda: errors, "the message comes back")
    error = errors[0]["error"]
    check(error["condition"] == "remote-server-not-found", "as if there was no server")
    check(error["text"] == "no server was found for this domain", "and nothing more is told")
    problem = town.ours.listed(WITHIN)["problem"]
    check(f"leads to {WITHIN_ADDRESS}, which is not a public address" in problem, "the operator sees why")
    check(not knocks, "nobody connected")
    await juliet.logout()
    config = town.ours.data / "anemone.toml"
    config.write_text(config.read_text() + "\n[federation]\nprivate_addresses = true\n")
    town.ours.restart()
    juliet = Client(town.ours, "juliet", "art thou", "again")
    await juliet.login()
    juliet.say(f"romeo@{WITHIN}", "is there anybody now")
    await until(lambda: knocks, "with private_addresses it is connected to")
    await juliet.logout()
    door.close()


if __name__ == "__main__":
    enter([OUR_ADDRESS, WITHIN_ADDRESS, *ADDRESSES.values()])
    run_with(main)
