"""Clownfish's command line and slixmpp-omemo: texts in both versions and both directions, catching
up, two devices of one account, hand-over, and what a script is told when something is wrong."""

from client import Client, bounded, check, run, until
from clownfish import (
    CERTIFICATE, DONE, LOGIN, NETWORK, NOT_ENCRYPTABLE, STORAGE, USAGE, Clownfish, discover,
)  # fmt: skip
from omemo_device import LEGACY, MODERN, Device

ROMEO, JULIET, NURSE = "romeo@localhost", "juliet@localhost", "nurse@localhost"


async def main(place):
    for name in ("romeo", "juliet", "nurse", "benvolio"):
        place.add_account(name, f"{name}'s password")
    juliet = Clownfish(place, "juliet", "juliet's password", "desk")
    await refusals(Clownfish(place, "benvolio", "benvolio's password", "other"))
    check((await juliet.login()).code == DONE, "clownfish logs in")

    romeo = Device(place, "romeo", "romeo's password", "balcony")
    ready = romeo.outcome("omemo_initialized")
    await romeo.login()
    await bounded(ready, "romeo's keys are published")
    await discover(romeo, JULIET, 1)

    await received(romeo, juliet)
    await sent(romeo, juliet)
    await missed(romeo, juliet)
    await plain(place, juliet)
    await handed_over(romeo, juliet)
    await two_devices(place, romeo, juliet)
    await restarted(place, romeo, juliet)
    await romeo.logout()


async def refusals(device):
    """What does not work says so with its code, and leaves nothing behind."""
    result = await device.login(password="wrong")
    check(result.code == LOGIN, f"a wrong password is refused: {result.code} {result.err.strip()}")
    result = await device.login("--timeout", "20")
    check(result.code == CERTIFICATE, f"a certificate nobody vouches for: {result.code}")
    check("--pin" in result.err, "it is said how to pin it")
    fingerprint = result.err.split("--pin ")[1].split()[0]
    check(not device.folder.exists(), "nothing is left of a login that failed")
    result = await device.login("--pin", fingerprint)
    check(result.code == DONE, f"the pinned certificate is trusted: {result.err.strip()}")
    check((await device.run("logout")).code == DONE, "clownfish logs out")
    check(not device.folder.exists(), "nothing is left after logging out")
    result = await device.send(ROMEO, "hello")
    check(result.code == LOGIN, "without an account there is nothing to send with")
    check((await device.run("send", "romeo", "hello")).code == USAGE, "an address is needed")


async def received(romeo, juliet):
    for number, version in enumerate((LEGACY, MODERN)):
        await romeo.chat(JULIET, f"chat-in-{number}", f"text {number}", version)
    lines = await juliet.listen(2)
    check([line["body"] for line in lines] == ["text 0", "text 1"], "both texts are read, in order")
    check([line["encryption"] for line in lines] == ["omemo", "omemo:2"], "in both versions")
    check(all(line["from"] == ROMEO and line["trusted"] for line in lines), "from a trusted device")
    check(len({line["device"] for line in lines}) == 1, "the device is named")


async def sent(romeo, juliet):
    result = await juliet.send(ROMEO, "Wherefore?")
    check(result.code == DONE and result.out == "", f"clownfish sends: {result.err.strip()}")
    await until(lambda: texts(romeo) == ["Wherefore?"], "romeo decrypts what was sent")
    result = await juliet.run("send", ROMEO, "-", stdin="two\nlines\n")
    check(result.code == DONE, "a text is taken from stdin")
    await until(lambda: texts(romeo)[-1] == "two\nlines", "romeo decrypts both lines")
    devices = await juliet.run("devices", ROMEO, "--json")
    check(len(devices.lines) == 1 and devices.lines[0]["trust"] == "blind", "romeo's device is listed")
    check(len((await juliet.run("devices", "--json")).lines) == 1, "the own device is listed")


async def missed(romeo, juliet):
    """Nobody listens for a while; then every message is printed, once, in order."""
    for number in range(120):
        version = MODERN if number % 2 else LEGACY
        await romeo.chat(JULIET, f"chat-missed-{number}", f"missed {number}", version)
    await romeo.flush("the server has them")
    lines = await juliet.listen(50) + await juliet.listen(70)
    expected = [f"missed {number}" for number in range(120)]
    check([line["body"] for line in lines] == expected, "120 missed messages are printed, each once")
    result = await juliet.run("listen", "--json", "--timeout", "1")
    check(result.code == DONE and result.out == "", "and not again")


async def plain(place, juliet):
    nurse = Client(place, "nurse", "nurse's password")
    await nurse.login()
    result = await juliet.send(NURSE, "secret?")
    check(result.code == NOT_ENCRYPTABLE, f"no plain text by accident: {result.code}")
    check("--plain" in result.err, "it is said how it would be sent")
    result = await juliet.send(NURSE, "in the clear", "--plain")
    check(result.code == DONE, f"plain text on demand: {result.err.strip()}")
    await until(lambda: nurse.bodies == ["in the clear"], "the nurse reads that, and nothing else")
    check((await juliet.send(NURSE, "and now?")).code == NOT_ENCRYPTABLE, "the demand is not kept")
    path = place.directory / "plan.txt"
    path.write_text("by the vestry")
    result = await juliet.run("send", NURSE, "--file", str(path), "--plain")
    check(result.code == DONE, f"a file in plain text on demand: {result.err.strip()}")
    await until(lambda: nurse.bodies[-1].endswith("/plan.txt"), "the nurse gets its address")
    nurse.say(JULIET, "hark")
    line, = await juliet.listen(1)
    check((line["encryption"], line["device"], line["trusted"]) == ("none", None, False),
          "plain text is marked")
    await nurse.logout()


async def handed_over(romeo, juliet):
    await juliet.begin_listening()
    before = len(romeo.log)
    for number in range(3):
        result = await juliet.send(ROMEO, f"handed over {number}")
        check(result.code == DONE, f"sent through the one that listens: {result.err.strip()}")
    await until(lambda: texts(romeo)[-3:] == [f"handed over {n}" for n in range(3)],
                "romeo decrypts all three")
    check(len(romeo.log) == before + 3, "none twice")
    result = await juliet.run("export")
    check(result.code != DONE and "process" in result.err, "the program that has it open is named")
    await romeo.chat(JULIET, "chat-live", "live", MODERN)
    check((await juliet.heard())["body"] == "live", "the listener prints at once")
    await juliet.end_listening()


async def two_devices(place, romeo, juliet):
    """Another profile of the same account is another device; both see everything."""
    phone = Clownfish(place, "juliet", "juliet's password", "phone")
    check((await phone.login()).code == DONE, "a second device logs in")

    await romeo.chat(JULIET, "chat-before", "before", MODERN)
    await juliet.listen(1)
    await discover(romeo, JULIET, 2)
    await romeo.chat(JULIET, "chat-both", "for both", MODERN)
    for device, name in ((juliet, "the first"), (phone, "the second")):
        lines = await device.listen(1)
        while lines[-1]["body"] != "for both":
            lines = await device.listen(1)
        check(lines[-1]["encryption"] == "omemo:2", f"{name} device decrypts it")
    check((await phone.send(ROMEO, "from the phone")).code == DONE, "the second one sends")
    await until(lambda: texts(romeo)[-1] == "from the phone", "romeo decrypts it")
    line, = await juliet.listen(1, "--own")
    check(line["body"] == "from the phone" and line["from"] == JULIET, "the first one sees it")


async def restarted(place, romeo, juliet):
    """The server is killed under a listener, which goes on by itself."""
    await juliet.begin_listening()
    place.restart(kill=True)
    await romeo.login()
    await romeo.chat(JULIET, "chat-again", "after the restart", LEGACY)
    check((await juliet.heard())["body"] == "after the restart", "the listener is back")
    await juliet.end_listening()
    place.stop()
    result = await juliet.send(ROMEO, "anybody?", "--timeout", "5")
    check(result.code == NETWORK, f"without a server: {result.code} {result.err.strip()}")
    place.start()
    (juliet.folder / "account.key").unlink()
    result = await juliet.send(ROMEO, "anybody?")
    check(result.code == STORAGE and "account.key is missing" in result.err,
          f"without its key: {result.code} {result.err.strip()}")
    result = await juliet.login(password="wrong")
    check(result.code == STORAGE, "a login does not take its place")
    check((juliet.folder / "account.db").exists(), "and the database stays")


def texts(device) -> list:
    """What the device decrypted from others."""
    return [text for identifier, text in device.log if not identifier.startswith("chat-")]


if __name__ == "__main__":
    run(main)
