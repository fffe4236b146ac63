"""A chat client with OMEMO in both versions, made of slixmpp and slixmpp-omemo: it resumes its
stream, catches up from the archive when it cannot, and keeps what the server has not yet
acknowledged, as a good client for a phone does."""

import asyncio
import sys
from xml.etree import ElementTree as ET

import oldmemo.etree
import twomemo.etree
from omemo.session_manager import MessageNotForUs
from oldmemo import oldmemo as legacy
from slixmpp import JID
from slixmpp.plugins import register_plugin
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp_omemo import XEP_0384, TrustLevel
from slixmpp_omemo import xep_0384 as plugin
from twomemo import twomemo as modern

from client import Client, ConnectionLost, Failed, bounded, until
from omemo_storage import Memory

LEGACY = legacy.NAMESPACE
MODERN = modern.NAMESPACE
PLUGINS = (
    "xep_0004", "xep_0045", "xep_0059", "xep_0060", "xep_0115", "xep_0163", "xep_0198",
    "xep_0280", "xep_0297", "xep_0313", "xep_0334", "xep_0359",
)  # fmt: skip


LOGIN_ATTEMPTS = 5
BOTH = frozenset({LEGACY, MODERN})

make_manager = plugin._make_session_manager


def make_manager_of_versions(xmpp, omemo):
    """slixmpp-omemo always has both versions; a device here has those it was made with."""

    class Manager(make_manager(xmpp, omemo)):
        @classmethod
        async def create(cls, backends, *rest, **named):
            chosen = [one for one in backends if one.namespace in xmpp.versions]
            return await super().create(chosen, *rest, **named)

    return Manager


plugin._make_session_manager = make_manager_of_versions


class Omemo(XEP_0384):
    """slixmpp-omemo, trusting every device it meets."""

    default_config = {"fallback_message": "This message is encrypted with OMEMO."}

    def plugin_init(self):
        self.memory = Memory()
        super().plugin_init()

    @property
    def storage(self):
        return self.memory

    @property
    def _btbv_enabled(self):
        return True

    async def _on_device_list_update(self, msg):
        # Lists of a version that a device has not are nothing to it.
        if any(namespace in msg["pubsub_event"]["items"]["node"] for namespace in self.xmpp.versions):
            await super()._on_device_list_update(msg)

    async def _prompt_manual_trust(self, manually_trusted, identifier):
        manager = await self.get_session_manager()
        for device in manually_trusted:
            await manager.set_trust(
                device.bare_jid, device.identity_key, TrustLevel.TRUSTED.value
            )


register_plugin(Omemo)


class Device(Client):
    """One device. `log` lists what it decrypted or sent, as (message id, text), in order;
    `read_in` the version of each that it decrypted."""

    def __init__(self, place, name, password, resource, port=None, versions=BOTH):
        self.versions = frozenset(versions)
        super().__init__(place, name, password, resource, plugins=PLUGINS, port=port)
        self.register_plugin("xep_0384", module=sys.modules[__name__])
        self.log = []
        self.read_in = {}
        self.failures = []
        self.live = set()
        self.doubled = []
        self.known = set()
        self.outbox = {}
        self.archive_end = None
        self.online = False
        self.held = None
        self.lock = asyncio.Lock()
        self.arrivals = asyncio.Queue()
        self.reader = asyncio.ensure_future(self.read_arrivals())
        self.add_event_handler("stanza_acked", lambda stanza: self.outbox.pop(stanza["id"], None))
        self.add_event_handler("disconnected", self.on_disconnected)
        self.add_event_handler("carbon_received", self.on_carbon)
        self.add_event_handler("carbon_sent", self.on_carbon)
        # slixmpp's event "message" leaves out those without a body, such as ratchet steps.
        self.register_handler(
            Callback("live messages", MatchXPath("{jabber:client}message"), self.on_live)
        )

    # --- coming and going ---

    async def login(self):
        # What comes live belongs after what the archive has, and moves the position on as soon
        # as there is a stream.
        position = self.archive_end
        self.held = []
        event = await self.login_at_last()
        if event == "session_start":
            await self.start_anew(position)
        for message in self.held:
            self.arrivals.put_nowait(message)
        self.held = None
        # What was written while there was no stream, or was lost with it.
        queued = {stanza["id"] for _, stanza in self.plugin["xep_0198"].unacked_queue}
        for identifier, stanza in list(self.outbox.items()):
            if identifier not in queued:
                stanza.send()
        self.online = True
        return event

    async def login_at_last(self):
        """slixmpp may send what was still in its queue when a connection broke as the first thing
        on the next, before the login. A server rightly ends that stream, and we try again."""
        for _ in range(LOGIN_ATTEMPTS):
            try:
                return await super().login(presence=False)
            except ConnectionLost:
                print(f"  {self.boundjid}: one more attempt to log in", flush=True)
        raise Failed(f"{self.boundjid} logs in")

    async def start_anew(self, position):
        await self.get_roster()
        await bounded(self.plugin["xep_0280"].enable(), "carbons")
        self.live.clear()
        self.send_presence()
        await self.catch_up(position)

    async def catch_up(self, position):
        """Reads what the archive has after the last message that this device knows of."""
        complete = False
        while not complete:
            page = {"max": 50, "after": position} if position else {"max": 50}
            answer = await bounded(self.plugin["xep_0313"].retrieve(rsm=page), "archive")
            for result in answer["mam"]["results"]:
                stanza = result["mam_result"]["forwarded"]["stanza"]
                position = result["mam_result"]["id"]
                self.outbox.pop(stanza["id"], None)
                self.arrivals.put_nowait(stanza)
            complete = answer["mam_fin"]["complete"] == "true" or not answer["mam"]["results"]

    def forget_stream(self):
        """The next login cannot resume, as after a restart of the device."""
        self.event("session_end")

    def on_disconnected(self, _):
        self.online = False

    # --- receiving ---

    def on_live(self, message):
        self.note_position(message)
        self.note_live(message)

    def on_carbon(self, carbon):
        kind = "carbon_received" if carbon.get_plugin("carbon_received", check=True) else "carbon_sent"
        message = carbon[kind]
        self.note_position(message)
        self.note_live(message)

    def note_position(self, message):
        for mark in message.xml.iterfind("{urn:xmpp:sid:0}stanza-id"):
            if mark.get("by") == self.boundjid.bare:
                self.archive_end = mark.get("id")

    def note_live(self, message):
        if not self.plugin["xep_0384"].is_encrypted(message):
            return
        if message["id"] in self.live:
            self.doubled.append(message["id"])
        self.live.add(message["id"])
        if self.held is None:
            self.arrivals.put_nowait(message)
        else:
            self.held.append(message)

    async def read_arrivals(self):
        while True:
            message = await self.arrivals.get()
            try:
                async with self.lock:
                    await self.read(message)
            except Exception as error:  # A message that cannot be read is the test's finding.
                self.failures.append((message["id"], repr(error)))

    async def read(self, message):
        """Decrypts a message unless this device has it already."""
        if message["id"] in self.known or not self.plugin["xep_0384"].is_encrypted(message):
            return
        self.known.add(message["id"])
        try:
            text = await self.decrypt(message)
        except MessageNotForUs:
            # Ratchet steps without content go to one device only.
            if message["id"].startswith("chat-"):
                raise
            return
        if text is not None:
            self.log.append((message["id"], text))

    def author(self, message) -> str:
        """Whose devices may have encrypted a message."""
        return message["from"].bare

    async def decrypt(self, message, sender: str = None):
        manager = await self.plugin["xep_0384"].get_session_manager()
        sender = sender or self.author(message)
        element = message.xml.find(f"{{{MODERN}}}encrypted")
        if element is not None and MODERN in self.versions:
            plaintext, *_ = await manager.decrypt(twomemo.etree.parse_message(element, sender))
            self.read_in[message["id"]] = MODERN
            return None if plaintext is None else open_envelope(plaintext)
        element = message.xml.find(f"{{{LEGACY}}}encrypted")
        parsed = await oldmemo.etree.parse_message(element, sender, self.boundjid.bare, manager)
        plaintext, *_ = await manager.decrypt(parsed)
        self.read_in[message["id"]] = LEGACY
        return None if plaintext is None else plaintext.decode()

    # --- sending ---

    async def chat(self, to: str, identifier: str, text: str, namespace: str):
        """Encrypts a text for all devices of both accounts and sends it, now or at the next
        login."""
        stanza = await self.prepare(to, identifier, text, namespace)
        if self.online:
            stanza.send()

    async def prepare(
        self, to: str, identifier: str, text: str, namespace: str, kind="chat", readers=()
    ):
        """Encrypts a text for all devices of both accounts; it is sent at the next login unless it
        is sent before. In a room the readers are others than the address."""
        plaintext = make_envelope(text, self.boundjid.bare) if namespace == MODERN else text.encode()
        async with self.lock:
            manager = await self.plugin["xep_0384"].get_session_manager()
            messages, errors = await manager.encrypt(
                frozenset(readers or {to}), {namespace: plaintext},
                backend_priority_order=[namespace],
            )  # fmt: skip
        if errors or len(messages) != 1:
            raise RuntimeError(f"{self.boundjid} could not encrypt: {errors}")
        serialise = twomemo.etree if namespace == MODERN else oldmemo.etree
        stanza = self.make_message(mto=JID(to), mtype=kind)
        stanza["id"] = identifier
        # By this a server can tell a message that is sent again from a new one.
        stanza["origin_id"]["id"] = identifier
        stanza.append(serialise.serialize_message(next(iter(messages))))
        stanza.enable("store")
        self.known.add(identifier)
        self.log.append((identifier, text))
        self.outbox[identifier] = stanza
        return stanza

    async def flush(self, what):
        """Waits until the server has taken responsibility for everything."""
        await self.waiting_queue.join()
        self.plugin["xep_0198"].request_ack()
        await until(lambda: not self.outbox, what)

    async def knows_devices(self, jid: str, count: int, versions=None):
        """Does this device know so many devices of an account that speak these versions, or all of
        its own?"""
        versions = versions or self.versions
        manager = await self.plugin["xep_0384"].get_session_manager()
        devices = await manager.get_device_information(jid)
        return sum(1 for one in devices if one.namespaces >= versions) >= count


ENVELOPE = "urn:xmpp:sce:1"


def make_envelope(text: str, sender: str) -> bytes:
    """XEP-0420: what OMEMO 2 encrypts is an envelope around the content."""
    envelope = ET.Element(f"{{{ENVELOPE}}}envelope")
    content = ET.SubElement(envelope, f"{{{ENVELOPE}}}content")
    ET.SubElement(content, "{jabber:client}body").text = text
    ET.SubElement(envelope, f"{{{ENVELOPE}}}rpad").text = "padding"
    ET.SubElement(envelope, f"{{{ENVELOPE}}}from", {"jid": sender})
    return ET.tostring(envelope)


def open_envelope(plaintext: bytes) -> str:
    envelope = ET.fromstring(plaintext)
    return envelope.findtext(f"{{{ENVELOPE}}}content/{{jabber:client}}body")
