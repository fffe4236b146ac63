"""Another server, spoken by hand: it uses one stream both ways, sends what waited for it, and asks for
acknowledgements only then, as prosody does after a connection was lost."""

import asyncio
import base64
import ssl
import tempfile
from pathlib import Path

from client import bounded, check, run_with
from federation import FederatedAnemone, World
from server import HOST

OURS, THEIRS = "capulet.example", "montague.example"
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:server' version='1.0' "
    "xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' "
    f"from='{THEIRS}' to='{OURS}'>"
)


class Stream:
    """One connection. `until` reads until a text has come."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    async def ask(self, words: str, answer: str) -> str:
        self.writer.write(words.encode())
        return await bounded(self.until(answer), f"{answer} as the answer to {words[:60]}")

    async def until(self, text: str) -> str:
        said = ""
        while text not in said:
            data = await self.reader.read(4096)
            if not data:
                raise AssertionError(f"the stream ended: {said}")
            said += data.decode()
        return said


async def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        world = World(Path(directory), OURS, THEIRS)
        ours = FederatedAnemone(world, OURS)
        try:
            await late(await connect(world))
        except BaseException:
            print(f"--- the last lines of the log:\n{ours.tail(40)}")
            raise
        finally:
            ours.stop()


async def connect(world) -> Stream:
    """A stream of the other domain, which has proven itself by its certificate."""
    certificate, key = world.certificate(THEIRS)
    trust = ssl.create_default_context(cafile=str(world.authority))
    trust.load_cert_chain(certificate, key)
    stream = Stream(*await asyncio.open_connection(HOST, world.ports[OURS]))
    await stream.ask(HEADER, "</stream:features>")
    await stream.ask("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed")
    await stream.writer.start_tls(trust, server_hostname=OURS)
    features = await stream.ask(HEADER, "</stream:features>")
    check("urn:xmpp:features:bidi" in features, "streams may be used both ways")
    identity = base64.b64encode(THEIRS.encode()).decode()
    await stream.ask(
        "<bidi xmlns='urn:xmpp:bidi'/><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
        f"mechanism='EXTERNAL'>{identity}</auth>",
        "<success",
    )
    await stream.ask(HEADER, "</stream:features>")
    return stream


def ping(number: int) -> str:
    return (f"<iq type='get' id='ping{number}' from='{THEIRS}' to='{OURS}'>"
            "<ping xmlns='urn:xmpp:ping'/></iq>")  # fmt: skip


async def late(stream):
    await stream.ask(ping(1), "ping1")
    answer = await stream.ask("<enable xmlns='urn:xmpp:sm:3' resume='true'/>", "urn:xmpp:sm:3")
    check("<enabled" in answer, "acknowledgements may be asked for after the first stanza")
    await stream.ask(ping(2), "ping2")
    answer = await stream.ask("<r xmlns='urn:xmpp:sm:3'/>", "<a ")
    check("h='1'" in answer.replace('"', "'"), "what came after that is counted")
    answer = await stream.ask("<enable xmlns='urn:xmpp:sm:3'/>", "urn:xmpp:sm:3")
    check("<failed" in answer, "but not twice")
    await stream.ask("</stream:stream>", "</stream:stream>")
    stream.writer.close()


if __name__ == "__main__":
    run_with(main)
