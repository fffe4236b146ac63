"""Another server, spoken by hand: it uses one stream both ways, sends what waited for it, and asks for
acknowledgements only then, as prosody does after a connection was lost."""

import tempfile
from pathlib import Path

from client import check, run_with
from federation import FederatedAnemone, World
from peer import Peer

OURS, THEIRS = "capulet.example", "montague.example"
BIDI = "urn:xmpp:features:bidi"


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


async def connect(world) -> Peer:
    """A stream of the other domain, which has proven itself by its certificate."""
    stream = await Peer(world, THEIRS, OURS).connect()
    check(BIDI in await stream.encrypt(THEIRS), "streams may be used both ways")
    await stream.authenticate("<bidi xmlns='urn:xmpp:bidi'/>")
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
    await stream.end()


if __name__ == "__main__":
    run_with(main)
