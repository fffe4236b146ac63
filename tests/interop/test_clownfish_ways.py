"""Clownfish's ways to protect an account, what becomes of folders that are not its own, verification, waiting
in vain, the mouse, and two accounts at once."""

import json
import os
import re
import subprocess
from pathlib import Path

from client import check, run, until
from clownfish import DONE, LOGIN, OTHER, PROGRAM, STORAGE, TIMEOUT, USAGE, Clownfish
from terminal import Terminal

ROMEO, JULIET = "romeo@localhost", "juliet@localhost"
NURSE, BENVOLIO = "nurse@localhost", "benvolio@localhost"

#: Stands for libsecret's program: keeps what it reads in a file of its folder `ring`.
SECRET_TOOL = """#!/bin/sh
ring=$(dirname "$0")/ring
for last; do :; done
file=$ring/$(printf %s "$last" | tr -c a-zA-Z0-9 _)
case $1 in
  store) cat >"$file" ;;
  lookup) cat "$file" ;;
  clear) rm -f "$file" ;;
esac
"""


async def main(place):
    for name in ("romeo", "juliet", "nurse", "benvolio"):
        place.add_account(name, f"{name}'s password")
    keyring = make_keyring(place.directory / "bin")
    await folders(place)
    await keyrings(place, keyring)
    await passphrases(place)
    romeo, juliet = device(place, "romeo", "study"), device(place, "juliet", "desk")
    for person in (romeo, juliet):
        check((await person.login("--plain-key", *authority(place))).code == DONE, "somebody logs in")
    await verified(romeo, juliet)
    await in_vain(juliet)
    await no_core_dumps(juliet)
    await two_accounts(place, romeo)


def device(place, name: str, folder: str) -> Clownfish:
    made = Clownfish(place, name, f"{name}'s password", folder)
    # No desktop of whoever runs this.
    made.environment = {"DBUS_SESSION_BUS_ADDRESS": "", "XDG_RUNTIME_DIR": ""}
    return made


def authority(place) -> tuple:
    return "--ca", str(place.authority)


def make_keyring(folder: Path) -> dict:
    """The environment of a desktop with a keyring."""
    (folder / "ring").mkdir(parents=True)
    program = folder / "secret-tool"
    program.write_text(SECRET_TOOL)
    program.chmod(0o755)
    return {
        "PATH": f"{folder}:{os.environ['PATH']}", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere",
        "RING": str(folder / "ring"),
    }  # fmt: skip


def protection(person) -> str:
    return json.loads((person.folder / "account.key").read_text())["protection"]


async def folders(place):
    """A login that fails takes nothing with it that is not its own."""
    romeo = device(place, "romeo", "home")
    romeo.folder.mkdir()
    thesis = romeo.folder / "thesis.txt"
    thesis.write_text("years of work")
    for arguments in ((), ("--ca", "/no/such/file"), ("--passphrase-file", "/no/such/file")):
        result = await romeo.login(*arguments, password="wrong")
        check(result.code == USAGE and thesis.exists(), f"a folder with other things: {result.err.strip()}")
    check([path.name for path in romeo.folder.iterdir()] == ["thesis.txt"], "nothing was added to it")
    thesis.unlink()

    check((await romeo.login(password="wrong")).code == LOGIN, "an empty folder will do")
    check(list(romeo.folder.iterdir()) == [], "it is empty again after a wrong password")
    for arguments in (("--ca", "/no/such/file"), ("--passphrase-file", "/no/such/file")):
        result = await romeo.login(*arguments)
        check(result.code == USAGE, f"a file that is not there: {result.err.strip()}")
        check(list(romeo.folder.iterdir()) == [], "nothing is left of that either")

    check((await romeo.login("--plain-key", *authority(place))).code == DONE, "then it works")
    before = (romeo.folder / "authorities.pem").read_text()
    result = await romeo.login("--ca", str(place.certificate), password="wrong")
    check(result.code != DONE, "another login there with a wrong password")
    check((romeo.folder / "authorities.pem").read_text() == before, "changes nothing of the account")
    result = await romeo.login("--keyring")
    check(result.code == USAGE and "log out first" in result.err, f"nor does an option: {result.err.strip()}")
    thesis.write_text("years of work")
    result = await romeo.run("logout")
    check(result.code == DONE, f"the earlier login still works, for logging out: {result.err.strip()}")
    check([path.name for path in romeo.folder.iterdir()] == ["thesis.txt"], "leaves what is not its own")


async def keyrings(place, keyring):
    ring = Path(keyring["RING"])
    romeo = device(place, "romeo", "desktop")
    result = await romeo.login()
    check(result.code == DONE and protection(romeo) == "plain", "without a keyring the key is in a file")
    check("--plain-key" in result.err and "secret-tool" in result.err, f"which is said: {result.err.strip()}")
    said = result.err.index("in a file that only you can read")
    check(said < result.err.index("Logged in"), "before it is done")
    check((await romeo.run("logout")).code == DONE, "romeo logs out")

    romeo.environment = keyring
    check((await romeo.login(password="wrong")).code == LOGIN, "a wrong password")
    check(list(ring.iterdir()) == [], "leaves nothing in the keyring")
    for arguments in ((), ("--keyring", *authority(place))):
        result = await romeo.login(*arguments)
        check(result.code == DONE and protection(romeo) == "keyring", f"the keyring has the key: {result.err.strip()}")
        check(len(list(ring.iterdir())) == 1, "and nothing else")
        check((await romeo.run("devices")).code == DONE, "it opens the account")
        (key,) = ring.iterdir()
        hidden = key.rename(ring.parent / "hidden")
        result = await romeo.run("devices")
        check(result.code == STORAGE and "keyring" in result.err, f"without it: {result.err.strip()}")
        hidden.rename(key)
        check((await romeo.run("logout")).code == DONE, "romeo logs out")
        check(list(ring.iterdir()) == [] and not romeo.folder.exists(), "nothing is left, there or here")
    (ring.parent / "secret-tool").write_text("#!/bin/sh\necho 'no such interface' >&2\nexit 1\n")
    result = await romeo.login()
    check(protection(romeo) == "plain" and "no such interface" in result.err, "a broken keyring is not relied on")
    check((await romeo.run("logout")).code == DONE, "romeo logs out")


async def passphrases(place):
    juliet = device(place, "juliet", "laptop")
    right, wrong = place.directory / "right", place.directory / "wrong"
    right.write_text("a rose by any other name\n")
    wrong.write_text("would smell as sweet\n")
    result = await juliet.login("--passphrase-file", str(right), *authority(place))
    check(result.code == DONE and protection(juliet) == "passphrase", f"a passphrase: {result.err.strip()}")
    result = await juliet.run("devices")
    check(result.code == STORAGE and "--passphrase-file" in result.err, f"without it: {result.err.strip()}")
    result = await juliet.run("devices", "--passphrase-file", str(wrong))
    check(result.code == STORAGE and "wrong" in result.err, f"with another one: {result.err.strip()}")
    check((await juliet.run("devices", "--passphrase-file", str(right))).code == DONE, "with the right one")
    check((await juliet.run("logout", "--passphrase-file", str(right))).code == DONE, "juliet logs out")


async def verified(romeo, juliet):
    (key,) = (await juliet.run("devices", "--json")).lines
    digits = re.sub(r"[^0-9a-f]", "", key["fingerprint"].lower())
    uri = f"xmpp:{JULIET}?omemo-sid-{key['id']}="
    check((await romeo.send(JULIET, "Who is there?")).code == DONE, "romeo writes to juliet")
    result = await romeo.run("verify", uri + "00" * 32)
    check(result.code == USAGE and "another key" in result.err, f"a false fingerprint: {result.err.strip()}")
    result = await romeo.run("verify", f"xmpp:{JULIET}?omemo-sid-1=" + "00" * 32)
    check(result.code == OTHER, f"one of a device that is not there: {result.code} {result.err.strip()}")
    check((await romeo.run("verify", "https://localhost/")).code != DONE, "nor is any link one")
    result = await romeo.run("verify", uri + digits)
    check(result.code == DONE and "1 verified" in result.err, f"the right one: {result.err.strip()}")
    (known,) = (await romeo.run("devices", JULIET, "--json")).lines
    check(known["trust"] == "verified", "is verified from then on")
    await juliet.listen(1)
    check((await juliet.send(ROMEO, "Verified")).code == DONE, "juliet answers")
    (line,) = await romeo.listen(1)
    check(line["trust"] == "verified" and line["trusted"], "and her messages say so")


async def in_vain(juliet):
    result = await juliet.run("listen", "--json", "--count", "1", "--timeout", "1")
    check(result.code == TIMEOUT and "0 of 1" in result.err, f"waiting in vain: {result.code} {result.err.strip()}")
    result = await juliet.run("listen", "--json", "--timeout", "1")
    check(result.code == DONE, "waiting for nothing in particular is not in vain")


async def no_core_dumps(juliet):
    await juliet.begin_listening()
    limits = Path(f"/proc/{juliet.listener.pid}/limits").read_text()
    check(re.search(r"Max core file size +0 +0 ", limits), "the memory of a client stays out of core dumps")
    await juliet.end_listening()


async def two_accounts(place, romeo):
    """Benvolio's and the nurse's, of one person, in one terminal with a mouse."""
    home = place.directory / "home"
    home.mkdir()
    reach = ("--server", f"{place.host}:{place.c2s_port}", *authority(place))
    root = home / ".local/share/clownfish"
    for name in ("benvolio", "nurse"):
        person = device(place, name, "unused")
        person.folder = root / f"{name}@localhost"
        check((await person.login("--plain-key", *authority(place))).code == DONE, f"{name} logs in at home")
    for number in range(30):
        check((await romeo.send(BENVOLIO, f"line {number} for benvolio")).code == DONE, "romeo writes")
    check((await romeo.send(NURSE, "a word for the nurse")).code == DONE, "to both")

    environment = {"HOME": str(home), "NO_COLOR": "1", "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""}
    done = subprocess.run([PROGRAM, "send", ROMEO, "from whom?"], env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=60)
    check(done.returncode == USAGE and "--profile" in done.stderr, f"whose command? {done.stderr.strip()}")
    with Terminal([PROGRAM, *reach], environment) as window:
        # With so many rows the list says what was written last.
        window.tmux("resize-window", "-x", "100", "-y", "30")
        await window.shows("line 29 for benvolio", "both accounts are open: one")
        await window.shows("a word for the nurse", "and the other, in one list")
        window.type("/set mouse on")
        await until(lambda: mouse_is_on(window), "the terminal sends what the mouse does")

        newest = "line 29 for benvolio"
        click(window, newest)
        await window.shows("Write a message", "a click opens a conversation")
        # What is unread is shown from its beginning.
        for _ in range(20):
            wheel(window, 65)
        await until(lambda: window.screen().count(newest) == 2, "the wheel scrolls to the end")
        for _ in range(4):
            wheel(window, 64)
        await until(lambda: window.screen().count(newest) == 1, "and back")
        window.type("I am here, says benvolio")
        await window.shows("▎ I am here", "benvolio answers with his account")
        click(window, "a word for the nurse")
        await until(lambda: window.screen().count("a word for the nurse") == 2, "a click is in the other account")
        window.type("So am I, says the nurse")
        await window.shows("▎ So am I", "which answers with its own")
        lines = await romeo.listen(2)
        check({(line["from"], line["body"]) for line in lines}
              == {(BENVOLIO, "I am here, says benvolio"), (NURSE, "So am I, says the nurse")},
              "romeo has both, each from its own")
        await window.quits("C-q", "both accounts are closed")


def mouse_is_on(window) -> bool:
    return window.tmux("display-message", "-p", "#{mouse_any_flag}#{mouse_button_flag}").strip() not in ("", "00")


def click(window, text: str):
    rows = window.screen().splitlines()
    row = next(number for number, line in enumerate(rows) if text in line)
    column = rows[row].index(text)
    for end in "Mm":
        window.tmux("send-keys", "-l", f"\x1b[<0;{column + 2};{row + 1}{end}")


def wheel(window, button: int):
    window.tmux("send-keys", "-l", f"\x1b[<{button};60;5M")


if __name__ == "__main__":
    run(main)
