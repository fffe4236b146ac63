"""A private group across two domains, Anemone's and Debian's prosody's or ejabberd's: Clownfish in
terminals on both sides, profanity on Anemone and slixmpp-omemo on the other one. The room is on the one
server, then on the other. After that, a file goes from the one to the other, and one back: each lies with
its sender's server."""

import hashlib
import os
import tempfile
from pathlib import Path

from client import bounded, check, run_with, until
from clownfish import DONE, Clownfish, discover
from federation import FederatedAnemone, FederatedEjabberd, FederatedProsody, World
from omemo_device import LEGACY, MODERN
from test_clownfish_rooms import (
    Guest, accept, decline, encrypted_on_the_way, kept_encrypted, make, published, window,
)  # fmt: skip
from terminal import Terminal
from test_profanity import PASSWORD, environment, prepare

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
    # profanity 0.13 adds itself to a list of devices but does not start one.
    mercutio, phone = Guest(theirs, "mercutio", "laptop"), Guest(ours, "benvolio", "phone")
    benvolio = phone.boundjid.bare
    for name in ("romeo", "paris", "mercutio"):
        theirs.add_account(name, PASSWORD)
    for name in ("juliet", "benvolio"):
        ours.add_account(name, PASSWORD)
    await theirs.listens()
    for device in (juliet, romeo, paris):
        result = await device.login()
        check(result.code == DONE, f"{device.address} logs in {result.err}")
    for guest in (mercutio, phone):
        await guest.begin()
    profanity = ["profanity", "--account", "benvolio"]
    with (
        window(juliet, "--connect", romeo.address) as hers,
        window(romeo, "--connect", juliet.address) as his,
        Terminal(profanity, environment(prepare(ours, "benvolio"))) as third,
    ):
        await hers.shows("Write a message", "juliet is there")
        await his.shows("Write a message", "romeo is there")
        await begin(third, phone)
        screens = {juliet.address: hers, romeo.address: his, benvolio: third}
        people = [romeo.address, mercutio.boundjid.bare, benvolio, paris.address]
        first = await make(juliet, hers, "The balcony", people)
        check(first.endswith(f"@conference.{OURS}"), "on Anemone")
        await accept(his, "The balcony")
        await mercutio.enter(first, "mercutio")
        await enter(third, first, mercutio)
        await decline(paris, first, hers)
        said = await talk(first, screens, mercutio)

        people = [juliet.address, mercutio.boundjid.bare, benvolio]
        second = await make(romeo, his, "The orchard", people)
        check(second.endswith(f"@conference.{THEIRS}"), f"on {theirs.name}")
        await accept(hers, "The orchard")
        await mercutio.enter(second, "mercutio")
        third.type("/win 1")
        await enter(third, second, mercutio)
        said_there = await talk(second, screens, mercutio)
        encrypted_on_the_way(mercutio, said + said_there)
        for screen in (hers, his):
            await screen.quits("C-q", "a terminal is left")
        third.type("/quit")
    for device in (juliet, romeo):
        await kept_encrypted(device, first, said)
        await kept_encrypted(device, second, said_there)
    check(mercutio.failures == [], f"mercutio could read everything {mercutio.failures}")
    for guest in (mercutio, phone):
        await guest.logout()
    await a_file(juliet, paris, ours)
    await a_file(paris, juliet, theirs)


async def begin(profanity: Terminal, phone: Guest):
    """profanity makes its keys, and trusts those it finds."""
    await profanity.shows("logged in successfully", "profanity logs in")
    profanity.type("/omemo gen")
    await profanity.shows("materials generated", "profanity makes its keys")
    profanity.type("/omemo trustmode blind")
    await bounded(published(phone, 2), "benvolio's list has profanity")


async def enter(profanity: Terminal, room: str, guest: Guest):
    """Follows an invitation in profanity, and encrypts from then on."""
    await profanity.shows(room.split("@")[0], "profanity shows the invitation")
    profanity.type(f"/join {room} nick benvolio")
    await until(lambda: "benvolio" in guest.occupants(room), f"benvolio enters {room}")
    profanity.type("/occupants hide")
    # It refuses as long as it has not been told what kind of room this is.
    await profanity.answers("/omemo start", "[OMEMO]", "profanity encrypts what is said")


async def a_file(sender: Clownfish, reader: Clownfish, server):
    """It lies with the sender's server, encrypted, and the reader fetches it from there."""
    content = os.urandom(200_000)
    path = sender.place.directory / "rose.bin"
    path.write_bytes(content)
    result = await sender.run("send", reader.address, "--file", str(path))
    check(result.code == DONE, f"{sender.address} sends a file {result.err}")
    line = {}
    # What was said in the rooms may come first.
    while "file" not in line:
        line, = await reader.listen(1, "--files", str(reader.place.directory / "downloads"))
    check(line["encryption"] != "none", "it comes encrypted")
    address = line["file"]["url"]
    check(f":{server.https_port}/" in address, f"from {server.name} ({address})")
    got = hashlib.sha256(Path(line["file"]["path"]).read_bytes()).hexdigest()
    check(got == hashlib.sha256(content).hexdigest(), f"{reader.address} has the file ({got})")


async def talk(room, screens, guest) -> list:
    """Everybody says something, and everybody else reads it."""
    await until(lambda: len(guest.occupants(room)) == 4, f"all four are in {room}")
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
        # profanity has the older version alone.
        able = [name for name in screens if namespace == LEGACY or not name.startswith("benvolio@")]
        text = f"mercutio, {version}, in {room.split('@')[1]}"
        texts.append(text)
        await guest.speak(room, text, namespace, able)
        for name in able:
            await screens[name].shows(text, f"{name} reads {text!r}")
    return texts


if __name__ == "__main__":
    run_with(main)
