"""Clownfish and Gajim: OMEMO messages and encrypted files each way."""

import asyncio
import os
import sqlite3
import struct
import subprocess
import time
import zlib

from client import PATIENCE_SECONDS, Client, befriend, check, run, until
from clownfish import DONE, Clownfish, Listener
from desktop import HEIGHT, WIDTH, Desktop
from test_gajim import open_chat, prepare

ROMEO, JULIET = "romeo@localhost", "juliet@localhost"
PASSWORD = "art thou"


async def main(place):
    await become_contacts(place)
    romeo = Clownfish(place, "romeo", PASSWORD, "desk")
    check((await romeo.login()).code == DONE, "clownfish logs in")
    with Desktop(authority=place.authority) as desktop:
        prepare(desktop.home, place, PASSWORD, encryption="OMEMO")
        desktop.launch(["gajim"])
        await until(lambda: desktop.windows("Gajim"), "Gajim shows its window", 60)
        desktop.tool("windowfocus", "--sync", desktop.windows("Gajim")[0])
        await announced(romeo)
        await open_chat(desktop)

        listener = Listener(romeo)
        await text_to_gajim(desktop, romeo)
        await text_from_gajim(desktop, listener)
        await file_to_gajim(place, desktop, romeo)
        desktop.picture("clownfish-gajim")
        await listener.stop()
        await file_from_gajim(place, desktop, romeo)


async def become_contacts(place):
    """Device lists are announced to contacts."""
    people = []
    for name in ("romeo", "juliet"):
        place.add_account(name, PASSWORD)
        people.append(Client(place, name, PASSWORD))
        await people[-1].login()
    await befriend(*people)
    for person in people:
        await person.logout()


async def announced(romeo):
    deadline = time.monotonic() + PATIENCE_SECONDS
    devices = []
    while not devices and time.monotonic() < deadline:
        result = await romeo.run("devices", JULIET, "--json")
        devices = [one for one in result.lines if one["active"]]
        await asyncio.sleep(0.2)
    check(devices, "clownfish hears of Gajim's device")


def history(desktop) -> dict:
    """What Gajim keeps of its chats: how each text was protected."""
    try:
        database = sqlite3.connect(f"file:{desktop.home}/data/gajim/logs.db?mode=ro", uri=True)
        return dict(database.execute("SELECT message, additional_data FROM logs"))
    except sqlite3.OperationalError:
        # It makes the table a moment after the file.
        return {}


async def text_to_gajim(desktop, romeo):
    text = "Lady, by yonder blessed moon I swear"
    result = await romeo.send(JULIET, text)
    check(result.code == DONE, f"clownfish sends: {result.err.strip()}")
    await until(lambda: text in history(desktop), "Gajim decrypts it")
    check("OMEMO" in str(history(desktop)[text]), "and knows that it was encrypted")


async def text_from_gajim(desktop, listener):
    text = "O, swear not by the moon!"

    def heard():
        return next((line for line in listener.lines if line["body"] == text), None)

    # No program can see when the chat is ready for typing.
    deadline, tries = time.monotonic() + PATIENCE_SECONDS, 0
    while heard() is None and time.monotonic() < deadline:
        tries += 1
        if tries % 8 == 0:
            await open_chat(desktop)
        desktop.click(WIDTH * 2 // 3, HEIGHT - 24)
        desktop.type(text)
        await asyncio.sleep(1.5)
    await until(heard, "what is typed into Gajim reaches clownfish", 0)
    line = heard()
    check(line["encryption"] == "omemo" and line["trusted"], "encrypted, from a trusted device")


async def file_to_gajim(place, desktop, romeo):
    path = place.directory / "moon.png"
    path.write_bytes(picture(64))
    result = await romeo.run("send", JULIET, "--file", str(path))
    check(result.code == DONE, f"clownfish sends a picture: {result.err.strip()}")

    def decrypted():
        files = desktop.home.glob("data/gajim/downloads/*")
        return any(file.read_bytes() == path.read_bytes() for file in files)

    def addressed():
        return any(text.startswith("aesgcm://") for text in history(desktop) if text)

    await until(addressed, "Gajim gets its address")
    # Its name says nothing, so Gajim wants to be told: by the button in the chat, somewhere below
    # the texts.
    deadline = time.monotonic() + PATIENCE_SECONDS
    y = HEIGHT // 2
    while not decrypted() and time.monotonic() < deadline:
        desktop.click(WIDTH - 130, y)
        y = y + 25 if y < HEIGHT - 150 else HEIGHT // 2
        await asyncio.sleep(1)
    await until(decrypted, "Gajim fetches and decrypts it", 0)


async def file_from_gajim(place, desktop, romeo):
    path = desktop.home / "rose.png"
    path.write_bytes(picture(48))
    owner = subprocess.Popen(
        ["xclip", "-quiet", "-selection", "clipboard", "-t", "text/uri-list"],
        env=desktop.environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    owner.stdin.write(f"{path.as_uri()}\r\n".encode())
    owner.stdin.close()
    desktop.programs.append(owner)
    await until(lambda: path.as_uri() in copied(desktop), "the address of a file is in the clipboard")
    folder = place.directory / "downloads"
    heard = asyncio.ensure_future(romeo.listen(1, "--files", str(folder)))
    # Gajim asks whether it shall, a moment later; or was busy when it was told.
    tries = 0
    while not heard.done():
        if tries % 10 == 0:
            desktop.click(WIDTH * 2 // 3, HEIGHT - 24)
            desktop.tool("key", "ctrl+v")
        tries += 1
        await asyncio.sleep(1)
        desktop.tool("key", "Return")
    line, = await heard
    check(open(line["file"]["path"], "rb").read() == path.read_bytes(),
          "clownfish decrypts what Gajim sends")
    check(line["encryption"] == "omemo" and line["file"]["key"], "it was encrypted")


def copied(desktop) -> str:
    """What is in the clipboard."""
    command = ["xclip", "-o", "-selection", "clipboard", "-t", "text/uri-list"]
    done = subprocess.run(command, env=desktop.environment, capture_output=True, text=True, timeout=60)
    return done.stdout


def picture(size: int) -> bytes:
    """A PNG of noise."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        summed = kind + content
        return struct.pack(">I", len(content)) + summed + struct.pack(">I", zlib.crc32(summed))

    rows = b"".join(b"\0" + os.urandom(size * 3) for _ in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))  # fmt: skip


if __name__ == "__main__":
    run(main)
