"""People of Debian's prosody move to Anemone, from both of its storages, and from files that its own tool makes of a
database that Anemone cannot read: passwords, contacts, messages, keys and rooms come along, and a second
import adds nothing."""

import subprocess
import tempfile
from pathlib import Path

import moving
from client import run_with
from server import Anemone, Prosody

ROOMS = "conference.localhost"


class Source(Prosody):
    storage = 'storage = "internal"'

    def prepare(self):
        super().prepare()
        text = self.config.read_text().replace('storage = "internal"', self.storage)
        rooms = f'\nComponent "{ROOMS}" "muc"\n  modules_enabled = {{ "muc_mam" }}\n'
        rooms += f'\nComponent "{moving.SERVICE}" "pubsub"\n  admins = {{ "romeo@localhost" }}\n'
        self.config.write_text(text + rooms)


class SqlSource(Source):
    storage = 'storage = "sql"\nsql = { driver = "SQLite3", database = "prosody.sqlite" }'


def by_its_own_tool(source: Source) -> Path:
    """What is in the database, as files (docs/operating.md)."""
    files = source.directory / "files"
    files.mkdir()
    config = source.directory / "move.cfg.lua"
    config.write_text(f"""
local domain = {{ "accounts", "account_details", "roster", "vcard", "private", "blocklist", "privacy", "pep-pubsub",
  "archive-archive", "offline-archive" }}
local rooms = {{ "persistent", "config", "state", "muc_log-archive" }}
local nodes = {{ "pubsub_nodes", "pubsub_{moving.NEWS}-archive" }}
input {{
  hosts = {{ ["localhost"] = domain; ["{ROOMS}"] = rooms; ["{moving.SERVICE}"] = nodes }};
  type = "sql"; driver = "SQLite3"; database = "{source.directory}/data/prosody.sqlite";
}}
output {{ type = "internal"; path = "{files}" }}
""")
    subprocess.run(["prosody-migrator", "--root", f"--config={config}"], check=True, timeout=120, stdin=subprocess.DEVNULL)
    return files


async def move(directory: Path, kind, what: str, tool=None):
    old = directory / f"{kind.__name__}-{tool.__name__ if tool else 'itself'}"
    old.mkdir()
    source = kind(old)
    try:
        await moving.fill(source, ROOMS)
    finally:
        source.stop()
    data = tool(source) if tool else old / "data" / what
    new = directory / f"{old.name}-new"
    new.mkdir()
    place = Anemone(new)
    try:
        await moving.take_in(place, "prosody", data)
        await moving.check_moved(place, ROOMS, moving.bookmarks(source))
        await moving.check_export(place, directory / f"{old.name}-other")
    finally:
        place.stop()


async def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        print("files", flush=True)
        await move(Path(directory), Source, "")
        print("SQLite", flush=True)
        await move(Path(directory), SqlSource, "prosody.sqlite")
        print("files made of SQLite", flush=True)
        await move(Path(directory), SqlSource, "prosody.sqlite", by_its_own_tool)


run_with(main)
