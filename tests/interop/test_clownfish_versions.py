"""Clownfish and devices that have one version of OMEMO only, the older and the newer: a text and an
encrypted file each way, and nothing in the other version."""

import asyncio
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from client import bounded, check, run, until
from clownfish import DONE, Clownfish, discover
from omemo_device import LEGACY, MODERN, Device
from test_clownfish_files import fetch, unseal, upload

JULIET = "juliet@localhost"
NAMES = {LEGACY: "omemo", MODERN: "omemo:2"}


class Narrow(Device):
    """A device that keeps what came on its stream."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.wire = []

    def note_live(self, message):
        self.wire.append(message)
        super().note_live(message)


async def main(place):
    place.add_account("juliet", "juliet's password")
    juliet = Clownfish(place, "juliet", "juliet's password", "desk")
    check((await juliet.login()).code == DONE, "clownfish logs in")
    for name, version in (("tybalt", LEGACY), ("romeo", MODERN)):
        print(f"  {name} has {NAMES[version]} only", flush=True)
        place.add_account(name, f"{name}'s password")
        friend = Narrow(place, name, f"{name}'s password", "only", versions={version})
        ready = friend.outcome("omemo_initialized")
        await friend.login()
        await bounded(ready, f"{name}'s keys are published")
        await discover(friend, JULIET, 1)
        await texts(friend, juliet, version)
        await to_friend(place, friend, juliet)
        await to_juliet(place, friend, juliet, version)
        await in_one_version(friend, version)
        await friend.logout()


async def texts(friend, juliet, version):
    await friend.chat(JULIET, "chat-in", "Good morrow", version)
    line, = await juliet.listen(1)
    check((line["body"], line["encryption"]) == ("Good morrow", NAMES[version]),
          f"clownfish reads {NAMES[version]}: {line['encryption']}")
    check(line["trusted"], "from a trusted device")
    result = await juliet.send(friend.boundjid.bare, "Is the day so young?")
    check(result.code == DONE, f"clownfish sends: {result.err.strip()}")
    await until(lambda: "Is the day so young?" in dict(friend.log).values(), "its text is decrypted")
    await friend.chat(JULIET, "chat-on", "But new struck nine", version)
    line, = await juliet.listen(1)
    check((line["body"], line["encryption"]) == ("But new struck nine", NAMES[version]),
          "and answered in the session that clownfish went on with")


async def to_friend(place, friend, juliet):
    content = os.urandom(30_000)
    path = place.directory / "rose.bin"
    path.write_bytes(content)
    result = await juliet.run("send", friend.boundjid.bare, "--file", str(path))
    check(result.code == DONE, f"clownfish sends a file: {result.err.strip()}")
    links = lambda: [text for _, text in friend.log if text.startswith("aesgcm://")]  # noqa: E731
    await until(links, "its address is decrypted")
    address, _, secret = links()[0].split()[0].removeprefix("aesgcm://").partition("#")
    sealed = await asyncio.to_thread(fetch, place, f"https://{address}")
    check(content not in sealed and unseal(sealed, secret) == content, "and so is the file")


async def to_juliet(place, friend, juliet, version):
    content, key, iv = os.urandom(20_000), os.urandom(32), os.urandom(12)
    url = await upload(place, friend, AESGCM(key).encrypt(iv, content, None))
    link = url.replace("https://", "aesgcm://") + "#" + (iv + key).hex()
    await friend.chat(JULIET, "chat-file", link, version)
    line, = await juliet.listen(1, "--files", str(place.directory / "downloads"))
    check(line["encryption"] == NAMES[version], f"clownfish reads the link in {NAMES[version]}")
    check(open(line["file"]["path"], "rb").read() == content, "and decrypts the file")


async def in_one_version(friend, version):
    """Everything that was for this device, also what has no text."""
    other = LEGACY if version == MODERN else MODERN

    def came(version):
        element = f"{{{version}}}encrypted"
        return [one["id"] for one in friend.wire if one.xml.find(element) is not None]

    await until(lambda: set(came(version)) == set(friend.read_in), "everything was decrypted")
    check(set(friend.read_in.values()) == {version}, f"all {len(friend.read_in)} in {NAMES[version]}")
    check(not came(other), "nothing came in the other version")
    check(not friend.failures, f"nothing failed {friend.failures[:3]}")


if __name__ == "__main__":
    run(main)
