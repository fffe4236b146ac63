"""A device of somebody who uses another program: slixmpp with slixmpp-omemo.

    slixmpp_device.py PORT AUTHORITY NAME PASSWORD

It prints what it reads, a line of JSON each: `{"text": TEXT}`, and what it could not do as `{"failure":
WORDS}`. It sends what it is told on standard input, `{"to": ADDRESS, "text": TEXT}`, as OMEMO 0.3 unless
the order says `"version": 2`."""

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace

from slixmpp import JID

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/interop"))

from omemo_device import LEGACY, MODERN, Device  # noqa: E402


async def main(port, authority, name, password):
    place = SimpleNamespace(host="127.0.0.1", domain="localhost", c2s_port=int(port), authority=authority)
    device = Device(place, name, password, "slixmpp")
    await device.login()
    manager = await device.plugin["xep_0384"].get_session_manager()
    await manager.get_own_device_information()
    print(json.dumps({"ready": True}), flush=True)
    asyncio.ensure_future(tell(device))
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    count = 0
    while line := await reader.readline():
        order = json.loads(line)
        count += 1
        version = MODERN if order.get("version") == 2 else LEGACY
        try:
            # Whoever is no contact does not push the list of their devices: it has to be asked for.
            await device.plugin["xep_0384"].refresh_device_lists({JID(order["to"])})
            await device.chat(order["to"], f"chat-slixmpp-{count}", order["text"], version)
        except Exception as error:  # The test says what it means.
            device.failures.append(("", repr(error)))
    await device.logout()


async def tell(device):
    told = 0
    while True:
        for identifier, text in device.log[told:]:
            print(json.dumps({"id": identifier, "text": text}), flush=True)
            told += 1
        while device.failures:
            print(json.dumps({"failure": str(device.failures.pop())}), flush=True)
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
