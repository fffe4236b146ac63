"""Clownfish and profanity: an OMEMO message and an encrypted file each way."""

import asyncio
import os

from client import bounded, check, run, until
from clownfish import DONE, Clownfish
from omemo_device import Device
from terminal import Terminal
from test_profanity import PASSWORD, environment, prepare

ROMEO, JULIET = "romeo@localhost", "juliet@localhost"


async def main(place):
    place.add_account("romeo", PASSWORD)
    place.add_account("juliet", "art thou")
    juliet = Clownfish(place, "juliet", "art thou", "desk")
    check((await juliet.login()).code == DONE, "clownfish logs in")
    # profanity 0.13 adds itself to a list of devices but does not start one.
    phone = Device(place, "romeo", PASSWORD, "phone")
    ready = phone.outcome("omemo_initialized")
    await phone.login()
    await bounded(ready, "romeo's phone has keys")

    with Terminal(["profanity", "--account", "romeo"], environment(prepare(place))) as terminal:
        await terminal.shows("logged in successfully", "profanity logs in")
        terminal.type("/omemo gen")
        await terminal.shows("materials generated", "profanity makes its keys")

        async def announced():
            while True:
                devices = await juliet.run("devices", ROMEO, "--json")
                if len([one for one in devices.lines if one["active"]]) >= 2:
                    return
                await asyncio.sleep(0.1)

        await bounded(announced(), "clownfish hears of profanity")
        terminal.type("/omemo trustmode blind")
        check((await juliet.send(ROMEO, "Art thou not Romeo?")).code == DONE, "clownfish sends")
        await terminal.shows("juliet@localhost", "profanity shows that something came")
        terminal.type("/msg juliet@localhost")
        await terminal.shows("Art thou not Romeo?", "profanity decrypts it")
        terminal.type("/omemo start juliet@localhost")
        await terminal.shows("[OMEMO]", "profanity starts an OMEMO chat")
        await terminal.answers("/omemo fingerprint", "(trusted)", "profanity has juliet's keys")
        terminal.type("Neither, fair saint.")
        line, = await juliet.listen(1)
        check(line["body"] == "Neither, fair saint.", "clownfish decrypts what was typed")
        check(line["encryption"] == "omemo" and line["trusted"], "in the older version, trusted")
        await file_to_profanity(place, terminal, juliet, phone)
        await file_from_profanity(place, terminal, juliet)
        terminal.type("/quit")
    await phone.logout()


async def file_to_profanity(place, terminal, juliet, phone):
    path, saved = place.directory / "ladder.bin", place.directory / "saved.bin"
    path.write_bytes(os.urandom(40_000))
    result = await juliet.run("send", ROMEO, "--file", str(path))
    check(result.code == DONE, f"clownfish sends a file: {result.err.strip()}")
    await terminal.shows("aesgcm://", "profanity decrypts its address")
    # The other device has the address in one piece.
    links = lambda: [text for _, text in phone.log if text.startswith("aesgcm://")]  # noqa: E731
    await until(links, "romeo's phone has it as well")
    terminal.type(f"/url save {links()[0].split()[0]} {saved}")
    await until(lambda: saved.exists() and saved.read_bytes() == path.read_bytes(),
                "profanity fetches the file and decrypts it")


async def file_from_profanity(place, terminal, juliet):
    path = place.directory / "rope.bin"
    path.write_bytes(os.urandom(50_000))
    terminal.type(f"/sendfile {path}")
    line, = await juliet.listen(1, "--files", str(place.directory / "downloads"))
    check(open(line["file"]["path"], "rb").read() == path.read_bytes(),
          "clownfish decrypts what profanity sends")
    check(line["encryption"] == "omemo" and line["file"]["key"], "it was encrypted")


if __name__ == "__main__":
    run(main)
