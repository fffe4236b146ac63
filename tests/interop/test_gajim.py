"""Gajim, a client with windows: logs in under Xvfb, shows a chat, and answers in it."""

import asyncio
import json
import shutil
import sqlite3
import time
import uuid
from pathlib import Path

from client import PATIENCE_SECONDS, Client, befriend, run, until
from desktop import HEIGHT, WIDTH, Desktop

PASSWORD = "art thou"
LINES = (
    ("romeo", "But soft, what light through yonder window breaks?"),
    ("juliet", "O Romeo, Romeo, wherefore art thou Romeo?"),
    ("romeo", "Shall I hear more, or shall I speak at this?"),
)
PLUGINS = ("xep_0184",)


async def main(place):
    place.add_account("romeo", "wherefore")
    place.add_account("juliet", PASSWORD)
    romeo = Client(place, "romeo", "wherefore", "orchard", plugins=PLUGINS)
    juliet = Client(place, "juliet", PASSWORD, "phone", plugins=PLUGINS)
    await romeo.login()
    await juliet.login()
    await befriend(romeo, juliet)
    await talk(romeo, juliet)
    await juliet.logout()

    with Desktop() as desktop:
        prepare(desktop.home, place, PASSWORD)
        desktop.launch(["gajim"])
        await until(
            lambda: any(
                presence["from"].resource.startswith("gajim") and presence["type"] == "available"
                for presence in romeo.presences
            ),
            "Gajim logs in, and romeo sees it",
            60,
        )
        await until(lambda: desktop.windows("Gajim"), "Gajim shows its window")
        window = desktop.windows("Gajim")[0]
        desktop.tool("windowfocus", "--sync", window)
        await open_chat(desktop)

        receipts = []
        romeo.add_event_handler("receipt_received", receipts.append)
        question = romeo.make_message("juliet@localhost", mbody="Lady, by yonder moon", mtype="chat")
        question["request_receipt"] = True
        question.send()
        await until(lambda: receipts, "Gajim receives a message and says so (XEP-0184)")
        await write(desktop, romeo, "O, swear not by the moon!")
        desktop.picture("gajim")
    await romeo.logout()


async def talk(romeo, juliet):
    """Some lines for Gajim to find in the archive."""
    for name, line in LINES:
        sender, receiver = (romeo, juliet) if name == "romeo" else (juliet, romeo)
        sender.say(receiver.boundjid.bare, line)
        await until(lambda: receiver.bodies[-1:] == [line], f"{name}: {line}")


async def open_chat(desktop):
    """Tells Gajim to open the chat with romeo. One that has only just come up may not listen yet."""
    opener = desktop.launch(["gajim", "xmpp:romeo@localhost?message"])
    await until(lambda: opener.poll() is not None, "Gajim is told to open the chat")


async def write(desktop, romeo, text):
    """Clicks into the line at the bottom and types. The chat opens some time after Gajim was
    told to, and no program can see when; until then keys go nowhere."""
    deadline, tries = time.monotonic() + PATIENCE_SECONDS, 0
    while text not in romeo.bodies and time.monotonic() < deadline:
        tries += 1
        if tries % 8 == 0:
            await open_chat(desktop)
        desktop.click(WIDTH * 2 // 3, HEIGHT - 24)
        desktop.type(text)
        await asyncio.sleep(1)
    await until(lambda: text in romeo.bodies, "what is typed into its window reaches romeo", 0)


def prepare(home: Path, place, password: str, encryption: str = ""):
    """Gajim's files: settings with juliet's account, and the server's certificate as trusted. Its
    extension for OMEMO trusts blindly unless it is told otherwise."""
    for folder in ("config/gajim", "data/gajim/cert_store", "cache/gajim"):
        (home / folder).mkdir(parents=True)
    shutil.copy(place.certificate, home / "data/gajim/cert_store/server.pem")
    app = {
        "use_keyring": False, "check_for_update": False, "show_trayicon": False,
        "sounds_on": False, "show_notifications": False, "dark_theme": 0,
        "mainwin_width": WIDTH, "mainwin_height": HEIGHT, "action_on_close": "quit",
    }  # fmt: skip
    account = {
        "name": "juliet", "hostname": place.domain, "password": password, "savepass": True,
        "active": True, "autoconnect": True, "resource": "gajim", "account_label": "juliet",
        "use_custom_host": True, "custom_host": place.host, "custom_port": place.c2s_port,
        "custom_type": "START TLS",
    }  # fmt: skip
    contact = {"romeo@localhost": {"encryption": encryption}}
    workspace = str(uuid.uuid4())
    app["workspace_order"] = [workspace]
    chat = {"account": "juliet", "jid": "romeo@localhost", "type": "contact", "pinned": False,
            "position": -1}  # fmt: skip
    settings = {
        "app": app, "soundevents": {}, "status_presets": {}, "proxies": {},
        "plugins": {"omemo": {"active": bool(encryption)}},
        "workspaces": {workspace: {"name": "Verona", "chats": [chat]}},
    }  # fmt: skip
    database = sqlite3.connect(home / "config/gajim/settings.sqlite")
    with database:
        database.execute("CREATE TABLE settings (name TEXT UNIQUE, settings TEXT)")
        database.execute("CREATE TABLE account_settings (account TEXT UNIQUE, settings TEXT)")
        for name, values in settings.items():
            database.execute("INSERT INTO settings VALUES (?, ?)", (name, json.dumps(values)))
        database.execute(
            "INSERT INTO account_settings VALUES (?, ?)",
            ("juliet", json.dumps({"account": account, "contact": contact, "group_chat": {}})),
        )
        database.execute("PRAGMA user_version=5")
    database.close()


if __name__ == "__main__":
    run(main)
