"""Rooms across domains: two Anemones, then Anemone with Debian's prosody and ejabberd. People of one domain
are in a room of the other, both ways, and stay reachable when a server was away."""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

import slixmpp

from client import Client, bounded, check, run_with, until
from federation import FederatedAnemone, FederatedEjabberd, FederatedProsody, World

OURS, THEIRS = "capulet.example", "montague.example"
PLUGINS = ("xep_0004", "xep_0045", "xep_0198", "xep_0199")
KINDS = {"anemone": FederatedAnemone, "prosody": FederatedProsody, "ejabberd": FederatedEjabberd}


class Guest(Client):
    """Somebody who can be in rooms. `said` has what was said there, by whom."""

    def __init__(self, server, name, resource="test"):
        super().__init__(server, name, f"{name}'s password", resource, PLUGINS)
        self.said, self.subjects = [], []
        self.add_event_handler("groupchat_subject", lambda one: self.subjects.append(one["subject"]))
        self.add_event_handler("groupchat_message", self.on_said)

    def on_said(self, message):
        if message["body"]:
            self.said.append((message["mucnick"], message["body"]))

    async def join(self, room, nick):
        muc = self.plugin["xep_0045"]
        await bounded(muc.join_muc_wait(room, nick, maxstanzas=0), f"{self.boundjid.bare} joins {room}")

    def speak(self, room, text):
        self.send_message(mto=room, mbody=text, mtype="groupchat")

    def roster_of(self, room) -> set:
        return set(self.plugin["xep_0045"].get_roster(room))


async def main():
    for name in sys.argv[1:] or KINDS:
        print(f"  anemone and {name}:", flush=True)
        with tempfile.TemporaryDirectory(prefix="interop-") as directory:
            world = World(Path(directory), OURS, THEIRS)
            sides = [FederatedAnemone(world, OURS)]
            try:
                sides.append(KINDS[name](world, THEIRS))
                await play(*sides)
            except BaseException:
                for side in sides:
                    print(f"--- the last lines of {side.name}'s log:\n{side.tail(60)}")
                raise
            finally:
                for side in sides:
                    side.stop()


async def play(ours, theirs):
    ours.add_account("juliet", "juliet's password")
    theirs.add_account("romeo", "romeo's password")
    await theirs.listens()
    juliet, romeo = Guest(ours, "juliet"), Guest(theirs, "romeo")
    for guest in (juliet, romeo):
        await guest.login()
    await visit(juliet, romeo, f"balcony@conference.{OURS}")
    await visit(romeo, juliet, f"orchard@conference.{THEIRS}")
    await return_after_absence(ours, theirs, juliet, romeo)
    for guest in (juliet, romeo):
        await guest.logout()


async def visit(host, guest, room):
    """Somebody makes a room, lets a guest of the other domain in, and they talk."""
    muc = host.plugin["xep_0045"]
    await host.join(room, "host")
    await make_public(host, room)
    await guest.join(room, "guest")
    for one in (host, guest):
        await until(lambda: one.roster_of(room) == {"host", "guest"},
                    f"{one.boundjid.bare} sees both in {room}")
    for one, nick in ((host, "host"), (guest, "guest")):
        for number in range(5):
            one.speak(room, f"{nick} {number}")
    for one in (host, guest):
        await until(lambda: len(one.said) == 10, f"{one.boundjid.bare} hears everything")
    check(host.said == guest.said, "in the same order")
    for nick in ("host", "guest"):
        said = [text for who, text in host.said if who == nick]
        check(said == [f"{nick} {number}" for number in range(5)], f"{nick}'s in their order")
    await ask_between_occupants(host, guest, room)
    private = host.make_message(f"{room}/guest", mbody="a word in private", mtype="chat")
    private.send()
    await until(lambda: "a word in private" in guest.bodies, "a private message arrives")
    muc.set_subject(room, "The moon")
    await until(lambda: "The moon" in guest.subjects, "the subject is told")
    # The guest is thrown out, and may come again.
    await bounded(muc.set_role(room, "guest", "none", reason="hark"), "the guest is thrown out")
    await until(lambda: "guest" not in guest.roster_of(room), "the guest is thrown out, and is told")
    await until(lambda: host.roster_of(room) == {"host"}, "everybody sees that")
    await guest.join(room, "guest")
    guest.plugin["xep_0045"].leave_muc(room, "guest")
    await until(lambda: host.roster_of(room) == {"host"}, "the guest leaves")
    host.said.clear()
    guest.said.clear()


async def make_public(host, room):
    muc = host.plugin["xep_0045"]
    form = await bounded(muc.get_room_config(room), f"the configuration of {room}")
    wanted = {"muc#roomconfig_membersonly": False, "muc#roomconfig_persistentroom": True,
              "muc#roomconfig_moderatedroom": False}  # fmt: skip
    for name, value in wanted.items():
        if name in form["values"]:
            form.set_values({name: value})
    form["type"] = "submit"
    await bounded(muc.set_room_config(room, form), f"{room} is open for everybody")


async def ask_between_occupants(host, guest, room):
    """Requests go through the room to the other occupant and back (XEP-0045 §17.4)."""
    version = host.plugin["xep_0199"]
    await bounded(version.ping(f"{room}/guest"), "a request reaches the guest through the room")
    try:
        await bounded(guest.plugin["xep_0199"].ping(f"{room}/guest"), "the guest asks for itself")
    except slixmpp.exceptions.IqError as error:
        raise AssertionError(f"the guest is in the room, but {error.condition}") from None
    check(True, "the guest learns that it is in the room (XEP-0410)")


async def return_after_absence(ours, theirs, juliet, romeo):
    """The server of a room begins anew; afterwards the people of the other find it and each other."""
    room = f"orchard@conference.{THEIRS}"
    await romeo.logout()
    # ejabberd keeps accounts and rooms in Mnesia, which has them on disk minutes later.
    theirs.restart(kill=theirs.name != "ejabberd")
    await theirs.listens()
    romeo = Guest(theirs, "romeo", "again")
    await romeo.login()
    await meet_again(romeo, juliet, room, f"after a restart of {theirs.name}")
    await juliet.logout()
    ours.stop(signal.SIGKILL)
    ours.start()
    juliet = Guest(ours, "juliet", "again")
    await juliet.login()
    await meet_again(juliet, romeo, f"balcony@conference.{OURS}", "after a crash of anemone")
    await juliet.logout()
    await romeo.logout()


async def meet_again(host, guest, room, when):
    await host.join(room, "host")
    deadline = asyncio.get_running_loop().time() + 30
    while True:
        try:
            await guest.join(room, "guest")
            break
        except slixmpp.exceptions.PresenceError as error:
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"the guest cannot come back: {error}") from None
            await asyncio.sleep(0.5)
    host.speak(room, when)
    for one in (host, guest):
        await until(lambda: ("host", when) in one.said, f"{one.boundjid.bare} hears words {when}")


if __name__ == "__main__":
    run_with(main)
