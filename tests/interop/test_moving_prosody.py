"""People of Debian's prosody move to Anemone, from both of its storages: passwords, contacts, messages,
keys and rooms come along, and a second import adds nothing."""

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


async def move(directory: Path, kind, what: str):
    old = directory / f"{kind.__name__}-old"
    old.mkdir()
    source = kind(old)
    try:
        await moving.fill(source, ROOMS)
    finally:
        source.stop()
    new = directory / f"{kind.__name__}-new"
    new.mkdir()
    place = Anemone(new)
    try:
        await moving.take_in(place, "prosody", old / "data" / what)
        await moving.check_moved(place, ROOMS, moving.bookmarks(source))
        await moving.check_export(place, directory / f"{kind.__name__}-other")
    finally:
        place.stop()


async def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        print("files", flush=True)
        await move(Path(directory), Source, "")
        print("SQLite", flush=True)
        await move(Path(directory), SqlSource, "prosody.sqlite")


run_with(main)
