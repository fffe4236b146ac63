"""profanity, a client for terminals: logs in, and writes and reads an OMEMO message."""

import asyncio
import shutil
import subprocess
from pathlib import Path

from client import befriend, bounded, run, until
from omemo_device import LEGACY, Device
from terminal import Terminal

PASSWORD = "wherefore"


async def main(place):
    place.add_account("romeo", PASSWORD)
    place.add_account("juliet", "art thou")
    juliet = Device(place, "juliet", "art thou", "balcony")
    # profanity 0.13 adds itself to a list of devices but does not start one, so romeo has had
    # another device before.
    phone = Device(place, "romeo", PASSWORD, "phone")
    for device in (juliet, phone):
        ready = device.outcome("omemo_initialized")
        await device.login()
        await bounded(ready, f"{device.boundjid}: OMEMO keys published")
    await befriend(phone, juliet)

    home = prepare(place)
    with Terminal(["profanity", "--account", "romeo"], environment(home)) as terminal:
        await terminal.shows("logged in successfully", "profanity logs in")
        terminal.type("/omemo gen")
        await terminal.shows("materials generated", "profanity makes its keys")

        async def announced():
            while not await juliet.knows_devices("romeo@localhost", 2, {LEGACY}):
                await asyncio.sleep(0.02)

        await bounded(announced(), "juliet hears of romeo's new device")
        terminal.type("/omemo trustmode blind")
        terminal.type("/omemo start juliet@localhost")
        await terminal.shows("[OMEMO]", "profanity starts an OMEMO chat")
        # Keys are fetched behind the scenes; the list of fingerprints shows when they are there.
        await terminal.answers("/omemo fingerprint", "(trusted)", "profanity has juliet's keys")
        terminal.type("/clear")
        terminal.type("But soft, what light through yonder window breaks?")
        await until(
            lambda: any("what light" in text for _, text in juliet.log),
            "juliet decrypts what was typed",
        )
        await juliet.chat("romeo@localhost", "chat-answer", "It is the east.", LEGACY)
        await terminal.shows("It is the east.", "profanity shows her answer, decrypted")
        terminal.save("profanity")
        terminal.type("/quit")
    await juliet.logout()
    await phone.logout()


def prepare(place, name: str = "romeo") -> Path:
    """profanity's files: the account, and the directory of authorities it trusts."""
    home = place.directory / "profanity"
    trusted = home / "trusted"
    for folder in (trusted, home / "config/profanity", home / "data/profanity"):
        folder.mkdir(parents=True)
    shutil.copy(place.authority, trusted / "authority.pem")
    subprocess.run(["openssl", "rehash", str(trusted)], check=True)
    (home / "config/profanity/profrc").write_text(
        f"[connection]\ntls.certpath={trusted}\n[ui]\nsplash=false\n[logging]\nmaxsize=1048580\n"
    )
    (home / "data/profanity/accounts").write_text(
        f"[{name}]\nenabled=true\njid={name}@{place.domain}\nserver={place.host}\n"
        f"port={place.c2s_port}\nresource=profanity\npassword={PASSWORD}\ntls.policy=force\n"
    )
    return home


def environment(home: Path) -> dict:
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "LANG": "C.UTF-8",
    }


if __name__ == "__main__":
    run(main)
