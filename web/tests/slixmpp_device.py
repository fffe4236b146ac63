"""A device of somebody who uses another program: slixmpp with slixmpp-omemo. It prints what it reads, a
line of JSON each, and sends what it is told on standard input, `{"to": ADDRESS, "text": TEXT}`."""

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/interop"))

from omemo_device import LEGACY, Device  # noqa: E402


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
        await device.chat(order["to"], f"chat-slixmpp-{count}", order["text"], LEGACY)
    await device.logout()


async def tell(device):
    told = 0
    while True:
        for identifier, text in device.log[told:]:
            print(json.dumps({"id": identifier, "text": text}), flush=True)
            told += 1
        for failure in device.failures:
            print(json.dumps({"failure": failure}), flush=True)
        device.failures.clear()
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
