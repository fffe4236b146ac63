"""Anemone and Debian's prosody as two domains: chat, presence, PEP, OMEMO device lists, the archive,
and what happens to messages while the other side is away."""

import asyncio
import signal
import tempfile
from pathlib import Path

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from archive import read_archive
from client import Client, befriend, bounded, check, run_with, until
from federation import FederatedAnemone, FederatedProsody, World

DELAY = "{urn:xmpp:delay}delay"
DEVICES = "eu.siacs.conversations.axolotl.devicelist"
AXOLOTL = "eu.siacs.conversations.axolotl"
OURS, THEIRS = "capulet.example", "montague.example"

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
    # ejabberd keeps what comes at the moment of the login for the next one; the archive has it as well.
    await bounded(archived(receiver, words), "all of it is in the archive")
    came = [body for body in receiver.bodies if body in words]
    check(len(came) == len(set(came)), "nothing came twice")
    # What came before its login the other server keeps apart, and mixes with the rest as it likes.
    for late in (True, False):
        came = [
            message["body"]
            for message in receiver.received
            if message["body"] in words and (message.xml.find(DELAY) is not None) == late
        ]
        check(came == sorted(came, key=words.index), f"in order, {'kept' if late else 'at once'}")


async def archived(client: Client, words: list):
    """Waits until an archive has these, each once and in their order."""
    while True:
        said = [stanza["body"] for _, stanza in await read_archive(client)]
        if [text for text in said if text in words] == words:
            return
        await asyncio.sleep(0.2)


async def main():
    await play(FederatedProsody)


async def play(kind):
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        world = World(Path(directory), OURS, THEIRS)
        ours, theirs = FederatedAnemone(world, OURS), None
        try:
            theirs = kind(world, THEIRS)
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
    await theirs.listens()
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
    check(THEIRS in listed and '"certificate"' in listed, "the list shows how they are connected")
    for client in (juliet, romeo):
        await client.logout()


if __name__ == "__main__":
    run_with(main)
