"""Anemone and Debian's prosody as two domains: chat, presence, PEP, OMEMO device lists, the archive,
and what happens to messages while the other side is away."""

import asyncio
import signal
import tempfile
from pathlib import Path

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from certificates import make_authority, make_certificate
from client import Client, befriend, bounded, check, run_with, until
from server import HOST, Anemone, Prosody, answers, free_ports, without_sections

DEVICES = "eu.siacs.conversations.axolotl.devicelist"
AXOLOTL = "eu.siacs.conversations.axolotl"
ANEMONE, PROSODY = "capulet.example", "montague.example"

# prosody 0.12 asks the domain name system about every domain. This module of a few lines, loaded
# by the configuration below, tells it where one of them is.
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


class Place:
    """What both servers of the test share: an authority, and where they are."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.authority, self.key = directory / "ca.pem", directory / "ca.key"
        make_authority(self.authority, self.key)
        self.anemone_s2s, self.prosody_s2s = free_ports(2)

    def certificate(self, domain: str):
        certificate, key = (self.directory / f"{domain}.{end}" for end in ("crt", "key"))
        make_certificate(self.authority, self.key, certificate, key, domain)
        return certificate, key


class OurSide(Anemone):
    def __init__(self, place: Place):
        self.place = place
        super().__init__(place.directory)
        self.domain = ANEMONE

    @property
    def authority(self) -> Path:
        return self.place.authority

    def prepare(self):
        certificate, key = self.place.certificate(ANEMONE)
        self.run("init", "--domain", ANEMONE)
        config = self.data / "anemone.toml"
        text = without_sections(config.read_text(), {"listen", "limits", "login", "tls"})
        config.write_text(
            f"""{text}
[listen]
c2s = ["{HOST}:{self.c2s_port}"]
c2s_tls = ["{HOST}:{self.c2s_tls_port}"]
https = ["{HOST}:{self.https_port}"]
s2s = ["{HOST}:{self.place.anemone_s2s}"]
s2s_tls = []

[tls]
certificate = "{certificate}"
key = "{key}"

[federation]
trust = ["{self.place.authority}"]

[federation.hosts]
"{PROSODY}" = "{HOST}:{self.place.prosody_s2s}"

[limits]
throttle = false

[login]
iterations = 4096
"""
        )

    def add_account(self, name: str, password: str):
        self.run("account", "add", f"{name}@{ANEMONE}", "--password-stdin", stdin=password + "\n")


class TheirSide(Prosody):
    def __init__(self, place: Place):
        self.place = place
        super().__init__(place.directory)
        self.domain = PROSODY

    @property
    def authority(self) -> Path:
        return self.place.authority

    def prepare(self):
        self.log = self.directory / "prosody.log"
        certificate, key = self.place.certificate(PROSODY)
        (self.directory / "prosody").mkdir()
        (self.directory / "mod_test_places.lua").write_text(PLACES)
        self.config.write_text(
            f"""
run_as_root = true
daemonize = false
pidfile = "{self.directory}/prosody.pid"
data_path = "{self.directory}/prosody"
plugin_paths = {{ "{self.directory}" }}
log = {{ debug = "*console" }}
modules_enabled = {{
  "test_places", "roster", "saslauth", "tls", "s2s", "s2s_auth_certs", "s2s_bidi", "disco", "pep",
  "blocklist", "vcard_legacy", "ping", "carbons", "smacks", "mam", "offline", "admin_shell"
}}
modules_disabled = {{ "dialback" }}
test_places = {{ ["{ANEMONE}"] = {self.place.anemone_s2s} }}
s2s_require_encryption = true
s2s_secure_auth = true
authentication = "internal_hashed"
storage = "internal"
interfaces = {{ "{HOST}" }}
c2s_ports = {{ {self.c2s_port} }}
c2s_direct_tls_ports = {{ }}
s2s_ports = {{ {self.place.prosody_s2s} }}
http_ports = {{ }}
https_ports = {{ }}
ssl = {{ key = "{key}", certificate = "{certificate}", cafile = "{self.authority}" }}
admin_socket = "{self.directory}/prosody.sock"
VirtualHost "{PROSODY}"
"""
        )

    def add_account(self, name: str, password: str):
        self.control("register", name, PROSODY, password)


def device_list(device: int) -> slixmpp.xmlstream.ET.Element:
    devices = slixmpp.xmlstream.ET.Element(f"{{{AXOLOTL}}}list")
    slixmpp.xmlstream.ET.SubElement(devices, f"{{{AXOLOTL}}}device", {"id": str(device)})
    return devices


def devices_in(element) -> list:
    return [found.get("id") for found in element.iter(f"{{{AXOLOTL}}}device")]


async def chat(one: Client, other: Client):
    for sender, receiver in ((one, other), (other, one)):
        receiver.received.clear()
        words = f"from {sender.boundjid.domain}"
        sender.say(receiver.boundjid.bare, words)
        await until(lambda: words in receiver.bodies, f"a message {words} arrives")


async def device_lists(one: Client, other: Client):
    """Each side's device list is announced to the other, and can be asked for."""
    for number, (owner, reader) in enumerate(((one, other), (other, one)), 1):
        heard = []
        reader.register_handler(
            Callback(
                f"devices {number}",
                MatchXPath("{jabber:client}message"),
                lambda message: heard.extend(devices_in(message.xml)),
            )
        )
        await bounded(
            owner.plugin["xep_0060"].publish(
                None, DEVICES, id="current", payload=device_list(number)
            ),
            f"{owner.boundjid.bare} publishes a device list",
        )
        await until(
            lambda: str(number) in heard, f"{reader.boundjid.bare} hears of the device list"
        )
        answer = await bounded(
            reader.plugin["xep_0060"].get_items(owner.boundjid.bare, DEVICES),
            f"{reader.boundjid.bare} asks for the device list",
        )
        check(devices_in(answer.xml) == [str(number)], "and gets it")


async def away(sender: Client, receiver: Client, server, how):
    """Messages sent while the other server is away arrive once, in order, when it is back."""
    server.stop(how)
    words = [f"{server.name} away {how.name} {number}" for number in range(20)]
    for text in words:
        sender.say(receiver.boundjid.bare, text)
    await asyncio.sleep(0)
    await bounded(sender.plugin["xep_0199"].ping(sender.boundjid.domain), "they are taken")
    server.start()
    await receiver.login()
    await until(
        lambda: words[-1] in receiver.bodies, f"what waited for {server.name} arrives"
    )
    found = [body for body in receiver.bodies if body in words]
    check(found == words, "once each, in order")


async def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        place = Place(Path(directory))
        ours, theirs = OurSide(place), None
        try:
            theirs = TheirSide(place)
            await talk(ours, theirs)
        except BaseException:
            for side in (ours, theirs):
                if side is not None:
                    print(f"--- the last lines of {side.name}'s log:\n{side.tail(60)}")
            raise
        finally:
            for side in (ours, theirs):
                if side is not None:
                    side.stop()


async def talk(ours, theirs):
    ours.add_account("juliet", "art thou")
    theirs.add_account("romeo", "wherefore")
    while not answers(HOST, theirs.place.prosody_s2s):
        await asyncio.sleep(0.05)
    plugins = ("xep_0060", "xep_0163", "xep_0115", "xep_0198", "xep_0313")
    juliet = Client(ours, "juliet", "art thou", "balcony", plugins)
    romeo = Client(theirs, "romeo", "wherefore", "orchard", plugins)
    for client in (juliet, romeo):
        client.plugin["xep_0163"].add_interest(DEVICES)
        await client.login()
    await chat(juliet, romeo)
    await befriend(juliet, romeo)
    for one, other in ((juliet, romeo), (romeo, juliet)):
        one.send_presence(pstatus=f"words of {one.boundjid.user}")
        await until(
            lambda: any(p["status"] == f"words of {one.boundjid.user}" for p in other.presences),
            f"{other.boundjid.user} sees what {one.boundjid.user} is doing",
        )
    await device_lists(juliet, romeo)
    archive = await bounded(juliet.plugin["xep_0313"].retrieve(rsm={"max": 10}), "juliet's archive")
    check(len(archive["mam"]["results"]) == 2, "has both sides of the conversation")
    await away(juliet, romeo, theirs, signal.SIGTERM)
    await away(juliet, romeo, theirs, signal.SIGKILL)
    # prosody returns at once what it cannot deliver, so nothing is sent meanwhile.
    await juliet.logout()
    ours.restart(kill=True)
    juliet = Client(ours, "juliet", "art thou", "balcony", plugins)
    await juliet.login()
    await chat(juliet, romeo)
    listed = ours.run("federation", "list", "--json")
    check(PROSODY in listed and '"certificate"' in listed, "the list shows how they are connected")
    for client in (juliet, romeo):
        await client.logout()


if __name__ == "__main__":
    run_with(main)
