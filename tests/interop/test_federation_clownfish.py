"""A private group across two domains, Anemone's and Debian's prosody's or ejabberd's: Clownfish in
terminals on both sides and slixmpp-omemo on the other one. The room is on the one server, then on the
other. After that, a file goes from the one to the other."""

import os
import tempfile
from pathlib import Path

from client import check, run_with, until
from clownfish import DONE, Clownfish, discover
from federation import FederatedAnemone, FederatedEjabberd, FederatedProsody, World
from omemo_device import LEGACY, MODERN
from test_clownfish_rooms import (
    Guest, accept, decline, encrypted_on_the_way, kept_encrypted, make, window,
)  # fmt: skip
from test_profanity import PASSWORD

OURS, THEIRS = "capulet.example", "montague.example"


async def main():
    for other in (FederatedProsody, FederatedEjabberd):
        await beside(other)


async def beside(other):
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        world = World(Path(directory), OURS, THEIRS)
        sides = [FederatedAnemone(world, OURS)]
        try:
            sides.append(other(world, THEIRS))
            await play(*sides)
        except BaseException:
            for side in sides:
                print(f"--- the last lines of {side.name}'s log:\n{side.tail(60)}")
            raise
        finally:
            for side in sides:
                side.stop()


async def play(ours, theirs):
    juliet, romeo, paris = (
        Clownfish(side, name, PASSWORD, name)
        for side, name in ((ours, "juliet"), (theirs, "romeo"), (theirs, "paris"))
    )
    mercutio = Guest(theirs, "mercutio", "laptop")
    for name in ("romeo", "paris", "mercutio"):
        theirs.add_account(name, PASSWORD)
    ours.add_account("juliet", PASSWORD)
    await theirs.listens()
    for device in (juliet, romeo, paris):
        result = await device.login()
        check(result.code == DONE, f"{device.address} logs in {result.err}")
    await mercutio.begin()
    with (
        window(juliet, "--connect", romeo.address) as hers,
        window(romeo, "--connect", juliet.address) as his,
    ):
        await hers.shows("Write a message", "juliet is there")
        await his.shows("Write a message", "romeo is there")
        people = [romeo.address, mercutio.boundjid.bare, paris.address]
        first = await make(juliet, hers, "The balcony", people)
        check(first.endswith(f"@conference.{OURS}"), "on Anemone")
        await accept(his, "The balcony")
        await mercutio.enter(first, "mercutio")
        await decline(paris, first, hers)
        said = await talk(first, {juliet.address: hers, romeo.address: his}, mercutio)

        people = [juliet.address, mercutio.boundjid.bare]
        second = await make(romeo, his, "The orchard", people)
        check(second.endswith(f"@conference.{THEIRS}"), f"on {theirs.name}")
        await accept(hers, "The orchard")
        await mercutio.enter(second, "mercutio")
        said_there = await talk(second, {juliet.address: hers, romeo.address: his}, mercutio)
        encrypted_on_the_way(mercutio, said + said_there)
        for screen in (hers, his):
            await screen.quits("C-q", "a terminal is left")
    for device in (juliet, romeo):
        await kept_encrypted(device, first, said)
        await kept_encrypted(device, second, said_there)
    check(mercutio.failures == [], f"mercutio could read everything {mercutio.failures}")
    await mercutio.logout()
    await a_file(juliet, paris)


async def a_file(sender: Clownfish, reader: Clownfish):
    """It lies with the sender's server, encrypted, and the reader fetches it from there."""
    content = os.urandom(200_000)
    path = sender.place.directory / "rose.bin"
    path.write_bytes(content)
    result = await sender.run("send", reader.address, "--file", str(path))
    check(result.code == DONE, f"{sender.address} sends a file {result.err}")
    line, = await reader.listen(1, "--files", str(reader.place.directory / "downloads"))
    check(line["encryption"] != "none", "it comes encrypted")
    got = Path(line["file"]["path"]).read_bytes()
    check(got == content, f"{reader.address} has the file from the other domain")


async def talk(room, screens, guest) -> list:
    """Everybody says something, and everybody else reads it."""
    await until(lambda: len(guest.occupants(room)) == 3, f"all three are in {room}")
    for address in screens:
        await discover(guest, address, 1)
    texts = []
    for name, screen in screens.items():
        text = f"{name.split('@')[0]} in {room.split('@')[1]}"
        texts.append(text)
        screen.type(text)
        for other, elsewhere in screens.items():
            await elsewhere.shows(text, f"{other} reads {text!r}")
        await guest.reads(text)
    for version, namespace in (("older", LEGACY), ("newer", MODERN)):
        text = f"mercutio, {version}, in {room.split('@')[1]}"
        texts.append(text)
        await guest.speak(room, text, namespace, screens)
        for name, screen in screens.items():
            await screen.shows(text, f"{name} reads {text!r}")
    return texts


if __name__ == "__main__":
    run_with(main)
