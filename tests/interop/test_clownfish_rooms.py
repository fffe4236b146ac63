"""Two Clownfish in terminals, profanity and slixmpp-omemo in one private group: everybody reads
everybody, encrypted; somebody declines, somebody takes another nickname, somebody leaves."""

import asyncio
import json

from omemo.session_manager import MessageNotForUs
from slixmpp import JID

from client import Failed, bounded, check, run, until
from clownfish import DONE, IN_USE, PROGRAM, Clownfish, discover
from omemo_device import LEGACY, MODERN, Device
from terminal import Terminal
from test_profanity import PASSWORD, environment, prepare



class Guest(Device):
    """Somebody with slixmpp-omemo, in rooms. `wire` has everything that was said there, as it came."""

    def __init__(self, place, name, resource):
        super().__init__(place, name, PASSWORD, resource)
        self.invitations, self.wire = [], []
        self.add_event_handler(
            "groupchat_invite", lambda one: self.invitations.append(one["from"].bare)
        )

    def on_live(self, message):
        if message["type"] == "groupchat":
            self.wire.append(message)
        super().on_live(message)

    async def begin(self):
        ready = self.outcome("omemo_initialized")
        await self.login()
        await bounded(ready, f"{self.boundjid}: OMEMO keys published")

    def author(self, message) -> str:
        if message["type"] != "groupchat":
            return super().author(message)
        room, nick = message["from"].bare, message["from"].resource
        return JID(self.plugin["xep_0045"].get_jid_property(room, nick, "jid")).bare

    async def enter(self, room, nick):
        await until(lambda: room in self.invitations, f"{self.boundjid.bare} is invited")
        join = self.plugin["xep_0045"].join_muc_wait(JID(room), nick, maxstanzas=0)
        await bounded(join, f"{self.boundjid.bare} enters")

    def occupants(self, room) -> set:
        return set(self.plugin["xep_0045"].get_roster(room))

    async def speak(self, room, text, namespace, readers):
        identifier = f"chat-{self.boundjid.user}-{len(self.log)}"
        stanza = await self.prepare(room, identifier, text, namespace, "groupchat", readers)
        stanza.send()

    @property
    def texts(self) -> list:
        return [text for _, text in self.log]

    async def reads(self, text):
        await until(lambda: text in self.texts, f"{self.boundjid.bare} reads {text!r}")

    def said(self, text):
        """The stanza in which a text came that this device has read."""
        identifier = next(one for one, read in self.log if read == text)
        return next(stanza for stanza in self.wire if stanza["id"] == identifier)


def window(device: Clownfish, *arguments: str) -> Terminal:
    # Two at once on one machine would share a folder of sockets.
    environment = {"HOME": str(device.folder), "NO_COLOR": "1"}
    return Terminal([PROGRAM, "--profile", str(device.folder), *arguments], environment)


async def make(device: Clownfish, screen: Terminal, name: str, people: list) -> str:
    """Makes a group in a terminal; its address."""
    screen.type(f'/create "{name}" {" ".join(people)}')
    await screen.shows(f"# {name}", f"{device.address} makes {name}")

    async def listed():
        while True:
            for room in (await device.run("rooms", "--json")).lines:
                if room["name"] == name:
                    return room["room"]
            await asyncio.sleep(0.1)

    return await bounded(listed(), f"{name} is among the rooms of {device.address}")


async def accept(screen: Terminal, name: str):
    """Follows the invitation that waits."""
    await screen.shows("Requests", "an invitation is there")
    screen.tmux("send-keys", "M-a")
    await screen.shows("/accept", "Alt-A shows it")
    screen.type("/accept")
    await screen.shows(f"# {name}", f"it leads to {name}")


async def invited(device: Clownfish, room: str):
    async def waiting():
        while True:
            rooms = (await device.run("rooms", "--json")).lines
            if any(one["room"] == room and one["state"] == "invited" for one in rooms):
                return
            await asyncio.sleep(0.2)

    await bounded(waiting(), f"{device.address} is invited to {room}")


async def decline(device: Clownfish, room: str, screen: Terminal):
    """Somebody does not come; who invited is told."""
    await invited(device, room)
    check((await device.run("leave", room)).code == DONE, f"{device.address} declines")
    await screen.shows("declines the invitation", "and who invited reads it")


def encrypted_on_the_way(guest: Guest, texts: list):
    """Nothing that was said passed the server in plain text."""
    wire = [str(stanza) for stanza in guest.wire]
    plain = [text for text in texts if any(text in stanza for stanza in wire)]
    check(not plain, f"nothing was sent in plain text {plain}")


async def when_free(device: Clownfish, *command: str):
    """Runs a command once the terminal that had the account has ended."""
    while (result := await device.run(*command)).code == IN_USE:
        await asyncio.sleep(0.05)
    return result


async def kept_encrypted(device: Clownfish, room: str, texts: list):
    """Every text is in the history of a device once, and came encrypted."""
    history = await bounded(when_free(device, "export", room), f"{device.address}'s history")
    check(history.code == DONE, f"{device.address} prints its history {history.err}")
    said = [line for line in history.lines if line.get("body") in texts]
    check(sorted(line["body"] for line in said) == sorted(texts), f"{device.address} has all once")
    plain = [line for line in said if line["encryption"] == "none"]
    check(not plain, f"and all of it came encrypted {json.dumps(plain)}")


async def main(place):
    names = ("romeo", "juliet", "mercutio", "benvolio", "tybalt")
    for name in names:
        place.add_account(name, PASSWORD)
    addresses = {name: f"{name}@{place.domain}" for name in names}
    romeo, juliet, tybalt = (
        Clownfish(place, name, PASSWORD, name) for name in ("romeo", "juliet", "tybalt")
    )
    for device in (romeo, juliet, tybalt):
        check((await device.login()).code == DONE, f"{device.address} logs in")
    # profanity 0.13 adds itself to a list of devices but does not start one.
    mercutio, phone = Guest(place, "mercutio", "laptop"), Guest(place, "benvolio", "phone")
    for guest in (mercutio, phone):
        await guest.begin()

    profanity = ["profanity", "--account", "benvolio"]
    with (
        window(romeo, "--connect", addresses["juliet"]) as his,
        window(juliet, "--connect", addresses["romeo"]) as hers,
        Terminal(profanity, environment(prepare(place, "benvolio"))) as third,
    ):
        await third.shows("logged in successfully", "profanity logs in")
        third.type("/omemo gen")
        await third.shows("materials generated", "profanity makes its keys")
        third.type("/omemo trustmode blind")
        await discover(mercutio, addresses["benvolio"], 1)
        await bounded(published(phone, 2), "benvolio's list has profanity")

        await his.shows("Write a message", "romeo is in a conversation")
        people = [addresses[name] for name in names[1:]]
        room = await make(romeo, his, "The square", people)
        await accept(hers, "The square")
        await mercutio.enter(room, "mercutio")
        await third.shows(room.split("@")[0], "profanity shows the invitation")
        third.type(f"/join {room} nick benvolio")
        everybody = {"romeo", "juliet", "mercutio", "benvolio"}
        await until(lambda: mercutio.occupants(room) == everybody, "all four are in")
        third.type("/occupants hide")
        # It refuses as long as it has not been told what kind of room this is.
        await third.answers("/omemo start", "[OMEMO]", "profanity encrypts what is said")

        screens = {"romeo": his, "juliet": hers, "benvolio": third}
        await decline(tybalt, room, his)
        texts = await talk(room, screens, mercutio, addresses)

        hers.type("/nick Capulet")
        await hers.shows("you are called Capulet here", "juliet takes another nickname")
        await until(lambda: "Capulet" in mercutio.occupants(room), "mercutio sees it")
        hers.type("What is in a name?")
        for screen in (his, third):
            await screen.shows("Capulet", "the others, too")
            await screen.shows("What is in a name?", "and read her")
        await mercutio.reads("What is in a name?")
        texts.append("What is in a name?")

        await leave(room, his, hers, third, mercutio, phone, addresses)
        texts.append("Only for those who stayed")
        his.save("clownfish-room")
        encrypted_on_the_way(mercutio, texts)
        for screen in (his, hers):
            await screen.quits("C-q", "a terminal is left")
        third.type("/quit")
    for device in (romeo, juliet):
        await kept_encrypted(device, room, texts)
    check(mercutio.failures == [], f"mercutio could read everything {mercutio.failures}")
    for guest in (mercutio, phone):
        await guest.logout()


async def published(device: Device, count: int):
    """An account's own device sees so many in the list."""
    manager = await device.plugin["xep_0384"].get_session_manager()
    while len(await manager.get_device_information(device.boundjid.bare)) < count:
        await manager.refresh_device_lists(device.boundjid.bare)
        await asyncio.sleep(0.1)


async def talk(room, screens, guest, addresses) -> list:
    """Everybody says something, and everybody else reads it."""
    readers = {addresses[name] for name in screens}
    for address in readers:
        await discover(guest, address, 1)
    texts = []
    for name, screen in screens.items():
        text = f"{name} speaks to all"
        texts.append(text)
        screen.type(text)
        for other, elsewhere in screens.items():
            await elsewhere.shows(text, f"{other} reads {text!r}")
        await guest.reads(text)
    for namespace in (LEGACY, MODERN):
        able = [one for one in readers if namespace == LEGACY or one != addresses.get("benvolio")]
        text = f"mercutio in {'the older version' if namespace == LEGACY else 'OMEMO 2'}"
        texts.append(text)
        await guest.speak(room, text, namespace, able)
        for name, screen in screens.items():
            if addresses[name] in able:
                await screen.shows(text, f"{name} reads {text!r}")
    return texts


async def leave(room, his, hers, third, mercutio, phone, addresses):
    """Who left and is no member any more has no key for what follows."""
    before = mercutio.said("romeo speaks to all")
    text = await phone.decrypt(before, addresses["romeo"])
    check(text == "romeo speaks to all", "what was said before is for benvolio's devices")
    third.type("/close")
    await until(lambda: "benvolio" not in mercutio.occupants(room), "benvolio leaves")
    his.type(f"/role {addresses['benvolio']} none")
    await his.shows("has no special rights any more", "and is no member any more")
    his.type("Only for those who stayed")
    await hers.shows("Only for those who stayed", "juliet reads what follows")
    await mercutio.reads("Only for those who stayed")
    try:
        await phone.decrypt(mercutio.said("Only for those who stayed"), addresses["romeo"])
    except MessageNotForUs:
        check(True, "which is not for benvolio's devices")
        return
    raise Failed("benvolio reads what was said after he left")


if __name__ == "__main__":
    run(main)
