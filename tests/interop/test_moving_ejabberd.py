"""People of Debian's ejabberd move to Anemone: from its SQLite database in both schemas, and from the
file that its operators export (XEP-0227)."""

import json
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import moving
from client import run_with
from federation import FederatedEjabberd, World
from server import HOST, Anemone

ROOMS = "conference.localhost"
SCHEMAS = Path("/usr/share/ejabberd/sql")


class Source(FederatedEjabberd):
    """With everything in SQLite. Debian's version leaves the tables to the operator."""

    schema, several, passwords = "lite.sql", "false", "scram"

    @property
    def database(self) -> Path:
        return self.directory / "ejabberd.sqlite"

    def prepare(self):
        super().prepare()
        script = f".read {SCHEMAS / self.schema}"
        subprocess.run(["sqlite3", str(self.database), script], check=True)
        config = self.directory / "ejabberd.yml"
        text = config.read_text()
        for old, new in {
            "auth_method: internal": f"""auth_method: sql
default_db: sql
new_sql_schema: {self.several}
sql_type: sqlite
sql_database: "{self.database}\"""",
            "auth_password_format: scram": f"auth_password_format: {self.passwords}",
            "db_type: mnesia": "db_type: sql",
            "  mod_offline: {}": "  mod_offline: {}\n  mod_private: {}\n  mod_vcard: {}\n  mod_last: {}",
            "{persistent: true, public: true}": "{persistent: true, public: true, mam: true}",
        }.items():
            if old not in text:
                raise RuntimeError(f"the configuration has no {old}")
            text = text.replace(old, new)
        config.write_text(text)

    def export(self, to: Path):
        request = urllib.request.Request(
            f"http://{HOST}:{self.api_port}/api/export_piefxis",
            data=json.dumps({"dir": str(to)}).encode(), headers={"Content-Type": "application/json"},
        )  # fmt: skip
        urllib.request.urlopen(request, timeout=60).close()


class SeveralSource(Source):
    """The schema for many domains, and passwords as they are."""

    schema, several, passwords = "lite.new.sql", "true", "plain"


async def move(directory: Path, kind):
    directory = directory / kind.__name__
    directory.mkdir()
    world = World(directory, "localhost")
    source = kind(world, "localhost")
    try:
        await moving.fill(source, ROOMS)
        (directory / "export").mkdir()
        source.export(directory / "export")
    finally:
        source.stop()
    (directory / "new").mkdir()
    place = Anemone(directory / "new")
    try:
        await moving.take_in(place, "ejabberd", source.database)
        await moving.check_moved(place, ROOMS, moving.bookmarks(source))
    finally:
        place.stop()
    (directory / "file").mkdir()
    place = Anemone(directory / "file")
    try:
        file, = (one for one in (directory / "export").iterdir() if "localhost" not in one.name)
        await moving.take_in(place, "ejabberd", file)
        await moving.check_passwords(place)
    finally:
        place.stop()


async def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        print("a database for one domain, keys", flush=True)
        await move(Path(directory), Source)
        print("a database for many domains, passwords", flush=True)
        await move(Path(directory), SeveralSource)


run_with(main)
