"""Clownfish on a disk that is full: scripts are told so, who listens goes on, and when there is space nothing is lost and nothing doubled."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from client import check, run, until
from clownfish import DONE, STORAGE, Clownfish

ROMEO, JULIET = "romeo@localhost", "juliet@localhost"
LARGE = "x" * 3_000
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
INSIDE = "INTEROP_INSIDE"


class Volume:
    """A disk of a few megabytes. While it is filled, whatever becomes free on it is taken at once."""

    def __init__(self, path: Path):
        self.path = path
        self.ballast = path / "ballast"
        self.filler = None
        path.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(path)], check=True)

    async def fill(self):
        self.take()
        self.filler = asyncio.ensure_future(self.keep_full())

    def take(self):
        with self.ballast.open("ab", buffering=0) as ballast:
            for size in (65536, 4096):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError:
                    continue

    async def keep_full(self):
        while True:
            self.take()
            await asyncio.sleep(0.005)

    def free(self):
        self.filler.cancel()
        self.ballast.unlink()


async def main(place):
    if not os.environ.get(INSIDE):
        check(True, "this machine lets nobody mount a small disk: not tested")
        return
    for name in ("romeo", "juliet"):
        place.add_account(name, "art thou")
    volume = Volume(place.directory / "volume")
    romeo = Clownfish(place, "romeo", "art thou", "romeo")
    juliet = Clownfish(place, "juliet", "art thou", "juliet")
    juliet.folder = volume.path / "juliet"
    for person in (romeo, juliet):
        check((await person.login()).code == DONE, "somebody logs in")
    words = f"the disk is full: free some space on {volume.path}"
    await commands(volume, romeo, juliet, words)
    await listening(volume, romeo, juliet, words)
    subprocess.run(["umount", str(volume.path)], check=True)


async def commands(volume, romeo, juliet, words):
    check((await juliet.send(ROMEO, "before")).code == DONE, "juliet writes")
    await volume.fill()
    result = await juliet.send(ROMEO, "not now")
    check(result.code == STORAGE and words in result.err, f"a full disk: {result.code} {result.err.strip()}")
    result = await juliet.run("export", ROMEO)
    check(result.code == DONE and result.lines[-1]["body"] == "before",
          f"what is there can still be read: {result.code} {result.err.strip()}")
    second = Clownfish(juliet.place, "juliet", "art thou", "second")
    second.folder = volume.path / "second"
    result = await second.login()
    check(result.code == STORAGE and words in result.err, f"no login either: {result.err.strip()}")
    check(not second.folder.exists(), "of which nothing is left")
    volume.free()
    check((await juliet.send(ROMEO, "after")).code == DONE, "with space juliet writes again")
    lines = await romeo.listen(2)
    check([line["body"] for line in lines] == ["before", "after"], "romeo has what was promised, and nothing else")


async def listening(volume, romeo, juliet, words):
    await juliet.begin_listening()
    await volume.fill()
    said = asyncio.ensure_future(hear(juliet.listener, words))
    heard = []
    printed = asyncio.ensure_future(gather(juliet, heard))
    sent = []
    while not said.done() and len(sent) < 200:
        sent.append(f"{len(sent)} {LARGE}")
        check((await romeo.send(JULIET, sent[-1])).code == DONE, f"romeo writes {len(sent)}")
    check(await said, "who listens is told what is the matter")
    check((await romeo.send(JULIET, "the last")).code == DONE, "romeo goes on")
    sent.append("the last")
    volume.free()
    await until(lambda: len(heard) >= len(sent), "with space everything is printed")
    check(heard == sent, f"all {len(sent)} messages, once and in order")
    printed.cancel()
    await asyncio.gather(printed, return_exceptions=True)
    await juliet.end_listening()
    check((await juliet.run("listen", "--json", "--timeout", "1")).out == "", "and not again")


async def gather(device, bodies):
    """Reads what it prints, so that it can go on."""
    while True:
        bodies.append((await device.heard())["body"])


async def hear(process, words) -> bool:
    """Reads what is said on stderr until these words."""
    while line := await process.stderr.readline():
        if words in line.decode():
            return True
    return False


if __name__ == "__main__":
    if not os.environ.get(INSIDE) and subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode == 0:
        os.environ[INSIDE] = "1"
        os.execvp(NAMESPACE[0], [*NAMESPACE, sys.executable, "-u", *sys.argv])
    run(main)
