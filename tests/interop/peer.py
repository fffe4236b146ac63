"""Another server, spoken by hand: it says what it likes."""

import asyncio
import base64
import ssl

from client import bounded
from federation import World
from server import HOST

STREAMS = "http://etherx.jabber.org/streams"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


def header(of: str, to: str) -> str:
    return (
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' version='1.0' "
        f"xmlns:stream='{STREAMS}' xmlns:db='jabber:server:dialback' from='{of}' to='{to}'>"
    )


class Ended(Exception):
    """The connection is over: with all that was said before."""


class Peer:
    """One connection to the server of `to`, which says that it comes from `of`."""

    def __init__(self, world: World, of: str, to: str):
        self.world, self.of, self.to = world, of, to

    async def connect(self) -> "Peer":
        self.reader, self.writer = await asyncio.open_connection(HOST, self.world.ports[self.to])
        return self

    def write(self, words: str):
        self.writer.write(words.encode())

    async def ask(self, words: str, answer: str) -> str:
        """Reads until this answer has come: all that was said until then."""
        self.write(words)
        return await bounded(self.until(answer), f"{answer} as the answer to {words[:60]}")

    async def until(self, text: str) -> str:
        said = ""
        while text not in said:
            data = await self.reader.read(4096)
            if not data:
                raise Ended(said)
            said += data.decode()
        return said

    async def rest(self) -> str:
        """All that is still said until the connection is over."""
        said = b""
        try:
            while data := await bounded(self.reader.read(4096), "the end of the connection"):
                said += data
        except ConnectionError:
            pass
        return said.decode(errors="replace")

    async def open(self) -> str:
        """The stream's header: the features that are offered."""
        return await self.ask(header(self.of, self.to), "</stream:features>")

    async def encrypt(self, certified: str = "") -> str:
        """TLS, with the certificate of a domain, or none: the features after it."""
        trust = ssl.create_default_context(cafile=str(self.world.authority))
        if certified:
            trust.load_cert_chain(*self.world.certificate(certified))
        await self.open()
        await self.ask(f"<starttls xmlns='{TLS}'/>", "<proceed")
        await self.writer.start_tls(trust, server_hostname=self.to)
        return await self.open()

    async def authenticate(self, before: str = "") -> str:
        """By the certificate: the features after it."""
        identity = base64.b64encode(self.of.encode()).decode()
        auth = f"<auth xmlns='{SASL}' mechanism='EXTERNAL'>{identity}</auth>"
        await self.ask(before + auth, "<success")
        return await self.open()

    async def known(self, both_ways: bool = False) -> "Peer":
        """A stream that has proven whose it is, and may be used both ways (XEP-0288)."""
        await self.connect()
        await self.encrypt(self.of)
        await self.authenticate("<bidi xmlns='urn:xmpp:bidi'/>" if both_ways else "")
        return self

    async def end(self):
        await self.ask("</stream:stream>", "</stream:stream>")
        self.writer.close()
