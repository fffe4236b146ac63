"""A gateway made with slidge (XEP-0114, XEP-0356): registration, contacts, messages both ways.

The gateway connects as a component with the permission "gateway". It puts its pigeon into the
roster without asking anybody, and messages that were written on the other network reach all devices
of the account and its archive, as if one of them had sent them.
"""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from client import Client, bounded, check, run, until
from server import DOMAIN, HOST, STOP_SECONDS, free_ports

GATEWAY = f"pigeon.{DOMAIN}"
SECRET = "the secret of the loft"
PIGEON = f"homer@{GATEWAY}"


class Slidge:
    """The gateway, as its operator runs it."""

    def __init__(self, place, port: int):
        self.home = place.directory / "slidge"
        self.home.mkdir()
        self.port = port

    def __enter__(self):
        self.log = self.home / "log"
        command = [
            sys.executable, "-m", "slidge", "--legacy-module", "pigeons", "--jid", GATEWAY,
            "--secret", SECRET, "--server", HOST, "--port", str(self.port),
            "--home-dir", str(self.home / "data"), "--user-jid-validator", f".*@{DOMAIN}",
        ]  # fmt: skip
        if os.environ.get("INTEROP_LOG"):
            command.append("--debug")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parent,
            )  # fmt: skip
        return self

    def is_ready(self) -> bool:
        return "Slidge has successfully started" in self.log.read_text(errors="replace")

    def __exit__(self, kind, error, trace):
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if error is not None:
            print("--- the gateway said:")
            print("\n".join(self.log.read_text(errors="replace").splitlines()[-400:]))


def allow(place, port: int):
    """Lets the gateway in, with what a gateway needs."""
    config = place.data / "anemone.toml"
    config.write_text(
        f"""{config.read_text()}
[components]
listen = ["{HOST}:{port}"]
[components.hosts]
"{GATEWAY}" = "{SECRET}"
[components.permissions]
"{GATEWAY}" = ["gateway"]
"""
    )
    place.restart()


async def services(client) -> set:
    items = await client["xep_0030"].get_items(jid=DOMAIN)
    return {item[0] for item in items["disco_items"]["items"]}


async def wait_for_gateway(client):
    async def listed():
        while GATEWAY not in await services(client):
            await asyncio.sleep(0.05)

    await bounded(listed(), "the gateway connects")


async def register(client):
    """XEP-0077 with a form, as clients do it that know gateways."""
    form = await client["xep_0077"].get_registration(jid=GATEWAY)
    check(form["register"]["form"]["fields"], "the gateway asks for what it needs")
    request = client.make_iq_set(ito=GATEWAY)
    answer = request["register"]["form"]
    answer["type"] = "submit"
    answer.add_field(var="FORM_TYPE", ftype="hidden", value="jabber:iq:register")
    answer.add_field(var="loft", value="Verona")
    await bounded(request.send(), "registration")


async def main(place):
    port = free_ports(1)[0]
    allow(place, port)
    place.add_account("romeo", "wherefore")
    plugins = ("xep_0077", "xep_0004", "xep_0280", "xep_0313", "xep_0297")
    phone = Client(place, "romeo", "wherefore", "phone", plugins)
    laptop = Client(place, "romeo", "wherefore", "laptop", plugins)
    copies = []
    for client in (phone, laptop):
        client.add_event_handler("carbon_sent", lambda message, to=client: copies.append(
            (to.boundjid.resource, message["carbon_sent"]["body"])
        ))
    with Slidge(place, port) as gateway:
        await phone.login()
        await laptop.login()
        for client in (phone, laptop):
            await client["xep_0280"].enable()
        await wait_for_gateway(phone)
        check(True, "the gateway connects and is listed")
        # It lets people register before it knows what it may do.
        await until(gateway.is_ready, "it has looked around")

        await register(phone)
        roster = phone.client_roster
        for contact in (GATEWAY, PIGEON):
            await until(
                lambda: roster[contact]["subscription"] == "both",
                f"{contact} is in the roster, and both see each other, unasked",
            )
        await until(
            lambda: any(p["from"].bare == PIGEON and p["type"] in ("available", "chat")
                        for p in phone.presences),
            "the pigeon is there",
        )

        phone.say(PIGEON, "Good morrow")
        await until(lambda: "coo: Good morrow" in phone.bodies, "the pigeon answers the phone")
        await until(lambda: "coo: Good morrow" in laptop.bodies, "and the laptop hears it")

        phone.say(PIGEON, "elsewhere I wrote this on the roof")
        for device in ("phone", "laptop"):
            await until(
                lambda: (device, "I wrote this on the roof") in copies,
                f"what was written on the other network reaches the {device}",
            )
        history = [
            message["mam_result"]["forwarded"]["stanza"]["body"]
            async for message in phone["xep_0313"].iterate(jid=None, with_jid=PIGEON)
        ]
        check("I wrote this on the roof" in history, "and the archive")

        place_log = place.log.read_text(errors="replace")
        check("invalid-from" not in place_log, "nothing was refused on the way")
    await phone.logout()
    await laptop.logout()


if __name__ == "__main__":
    run(main)
