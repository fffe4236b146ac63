"""A slot for a file (XEP-0363), as any program gets one.

    slixmpp_slot.py PORT AUTHORITY NAME PASSWORD FILE SIZE TYPE

It prints where the file goes, with which header, and where it is then: `{"put": URL, "authorization": TEXT,
"get": URL}`."""

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/interop"))

from client import Client  # noqa: E402


async def main(port, authority, name, password, file, size, media):
    place = SimpleNamespace(host="127.0.0.1", domain="localhost", c2s_port=int(port), authority=authority)
    client = Client(place, name, password, plugins=("xep_0363",))
    await client.login()
    service = "upload.localhost"
    answer = await client.plugin["xep_0363"].request_slot(service, file, int(size), media)
    slot = answer["http_upload_slot"]
    [header] = [header for header in slot["put"]["headers"] if header["name"] == "Authorization"]
    given = {"put": slot["put"]["url"], "authorization": header["value"], "get": slot["get"]["url"]}
    print(json.dumps(given), flush=True)
    await client.logout()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
