"""A slixmpp client for tests, and the few words a test is made of.

A test is a program: `run(main)` starts a server, hands it to `async def main(place)` and exits
with 0 or 1. `check` states what must hold; `until` waits for a condition.
"""

import asyncio
import logging
import os
import signal
import sys
import time
import traceback

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

import server

#: A failure bound for everything a test waits for; none of it takes a tenth of that.
PATIENCE_SECONDS = 60


class Client(slixmpp.ClientXMPP):
    """One device of one account. Messages with a body are gathered in `received`."""

    def __init__(self, place, name, password, resource="test", plugins=(), port=None):
        super().__init__(f"{name}@{place.domain}/{resource}", password)
        self.address = (place.host, port or place.c2s_port)
        self.ca_certs = place.authority
        self.enable_direct_tls = False
        self.use_ipv6 = False
        self.received = []
        self.presences = []
        self.stream_errors = []
        for plugin in ("xep_0030", "xep_0199", *plugins):
            self.register_plugin(plugin)
        self.add_event_handler("message", self.on_message)
        self.add_event_handler("presence", self.presences.append)
        self.add_event_handler("stream_error", self.stream_errors.append)

    def on_message(self, message):
        if message["body"]:
            self.received.append(message)

    @property
    def bodies(self) -> list:
        return [message["body"] for message in self.received]

    async def login(self, presence: bool = True):
        """Connects and logs in; raises LoginFailed when the server says no."""
        outcome = self.outcome("session_start", "session_resumed", "failed_all_auth", "disconnected")
        self.connect(*self.address)
        event = await bounded(outcome, f"{self.boundjid}: login")
        if event == "failed_all_auth":
            raise LoginFailed(str(self.boundjid))
        if event == "disconnected":
            raise ConnectionLost(str(self.boundjid))
        if event == "session_start" and presence:
            await self.get_roster()
            own = self.outcome("presence_available")
            self.send_presence()
            await bounded(own, f"{self.boundjid}: own presence")
        return event

    async def logout(self):
        if self.transport is not None:
            await bounded(self.disconnect(), f"{self.boundjid}: logout")

    def outcome(self, *events) -> asyncio.Future:
        """A future for the name of the event, of several, that happens first."""
        future = self.loop.create_future()

        def settle(name):
            if not future.done():
                future.set_result(name)

        for event in events:
            self.add_event_handler(event, lambda _, name=event: settle(name), disposable=True)
        return future

    def say(self, to, body: str):
        """Sends a chat message and returns it."""
        message = self.make_message(mto=to, mbody=body, mtype="chat")
        message["id"] = self.new_id()
        message.send()
        return message

    async def request_before_login(self, name: str, request: str) -> slixmpp.xmlstream.ElementBase:
        """Sends an IQ as text on a stream that is not logged in, and waits for its answer.
        slixmpp holds back what it does not know until after login."""
        answer = self.loop.create_future()
        self.register_handler(
            Callback(
                name,
                MatchXPath("{jabber:client}iq"),
                lambda iq: answer.done() or iq["id"] != name or answer.set_result(iq),
            )
        )
        self.send_raw(request)
        try:
            return await bounded(answer, name)
        finally:
            self.remove_handler(name)


class LoginFailed(Exception):
    """The server refused the name or the password."""


class ConnectionLost(Exception):
    """The connection ended before the login was complete."""


class Failed(Exception):
    """Something that must hold does not."""


def check(condition, what: str):
    if not condition:
        raise Failed(what)
    print(f"  ok  {what}", flush=True)


async def until(condition, what: str, seconds: float = PATIENCE_SECONDS):
    """Waits until the condition, a function without arguments, holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"{what} (waited {seconds} s)")
        await asyncio.sleep(0.01)
    print(f"  ok  {what}", flush=True)


async def bounded(future, what: str, seconds: float = PATIENCE_SECONDS):
    """Awaits, but not for ever."""
    try:
        return await asyncio.wait_for(future, seconds)
    except asyncio.TimeoutError:
        raise Failed(f"{what} (waited {seconds} s)") from None


async def refused(awaitable, conditions: set, what: str):
    """Awaits an IQ that the server must answer with one of these error conditions."""
    try:
        await bounded(awaitable, what)
    except slixmpp.exceptions.IqError as error:
        check(error.condition in conditions, f"{what}: {error.condition}")
        return
    raise Failed(f"{what}: was accepted")


async def befriend(one: Client, other: Client):
    """Mutual presence subscription, asked for by `one`, granted by slixmpp on its own."""
    for client in (one, other):
        client.auto_authorize = True
        client.auto_subscribe = True
    one.send_presence_subscription(pto=other.boundjid.bare)
    for client, friend in ((one, other), (other, one)):
        await until(
            lambda: client.client_roster[friend.boundjid.bare]["subscription"] == "both",
            f"{client.boundjid.user} and {friend.boundjid.user} see each other's presence",
        )


def run(main):
    """Runs a test with a server of its own and exits with its result."""

    async def served():
        with server.start() as place:
            print(f"server: {place.name}", flush=True)
            await main(place)

    run_with(served)


def run_with(main):
    """Runs a test that starts its servers itself and exits with its result."""
    logging.basicConfig(
        level=os.environ.get("INTEROP_LOG", "CRITICAL"), format="%(asctime)s %(name)s %(message)s"
    )
    # Told to stop, a test ends as after a failure: by way of everything that cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        asyncio.run(main())
    except Failed as failure:
        print(f"  FAILED  {failure}", flush=True)
        sys.exit(1)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        sys.exit(1)
    sys.exit(0)
