"""Servers that lie: about who they are, about whose stanzas they send, and without end. Each is sent
away with the right error, the operator sees why, and nobody else notices."""

import asyncio
import json
import tempfile
from pathlib import Path

from client import Client, bounded, check, run_with, until
from federation import FederatedAnemone, World
from peer import Ended, Peer, header

OURS, THEIRS, OLD, LIAR = "capulet.example", "montague.example", "verona.example", "liar.example"
JULIET = f"juliet@{OURS}"


class Guarded(FederatedAnemone):
    """With tight limits, and one domain that may prove itself by dialback."""

    def prepare(self):
        super().prepare()
        config = self.data / "anemone.toml"
        text = config.read_text()
        text = text.replace(
            "[federation]\n", f'[federation]\nstanza_bytes = 20000\ndialback = ["{OLD}"]\n'
        )
        text = text.replace("throttle = false", "throttle = false\nunauthenticated_seconds = 2")
        config.write_text(text)


async def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        world = World(Path(directory), OURS, THEIRS, OLD, LIAR)
        ours, old = Guarded(world, OURS), None
        try:
            old = FederatedAnemone(world, OLD)
            await siege(world, ours)
        except BaseException:
            print(f"--- the last lines of the log:\n{ours.tail(40)}")
            raise
        finally:
            for server in (ours, old):
                if server:
                    server.stop()


async def siege(world, ours):
    await ours.listens()
    ours.add_account("juliet", "moon")
    juliet = Client(ours, "juliet", "moon")
    await juliet.login()
    honest = await Peer(world, THEIRS, OURS).known()
    await strangers(world)
    await forged_dialback(world)
    await spoofed(world)
    await endless(world)
    await nonsense(world)
    await slow(world)

    honest.write(message(f"romeo@{THEIRS}", JULIET, "still here"))
    await until(lambda: juliet.bodies == ["still here"], "the honest one alone gets through")
    await honest.end()
    reasons = refusals(ours)
    check("its certificate is not for" in reasons.get(THEIRS, ""), f"listed: {THEIRS}: {reasons.get(THEIRS)}")
    check("certificate" in reasons.get(LIAR, ""), f"listed: {LIAR}: {reasons.get(LIAR)}")
    await juliet.logout()


def message(of: str, to: str, words: str) -> str:
    return f"<message from='{of}' to='{to}' type='chat' id='{words[:8]}'><body>{words}</body></message>"


def refusals(server) -> dict:
    """Why a domain was not let in last, as the operator sees it."""
    listed = json.loads(server.run("federation", "list", "--json"))
    return {one["domain"]: one["refused"] or "" for one in listed["federation"]}


async def strangers(world):
    """Without a certificate, or with one of another domain, nobody gets in."""
    for of, certified, what in (
        (LIAR, "", "without a certificate"),
        (THEIRS, LIAR, "with the certificate of another domain"),
    ):
        peer = await Peer(world, of, OURS).connect()
        check("not-authorized" in await refusal(peer.encrypt(certified)), what)


async def refusal(step) -> str:
    """What is said when something ends the stream."""
    try:
        await step
    except Ended as ended:
        return str(ended)
    return "it went on"


async def forged_dialback(world):
    """A key that the domain did not make. Its own server is asked, and says so."""
    peer = await Peer(world, OLD, OURS).connect()
    features = await peer.encrypt()
    check("dialback" in features, "who may use dialback is offered it")
    forged = f"<db:result from='{OLD}' to='{OURS}'>{'0' * 64}</db:result>"
    peer.write(forged)
    answer = (await peer.rest()).replace('"', "'")
    check("type='invalid'" in answer, "a forged key is invalid, and ends the stream")
    peer = await Peer(world, THEIRS, OURS).connect()
    await peer.encrypt(THEIRS)
    peer.write(forged.replace(OLD, LIAR))
    answer = (await peer.rest()).replace('"', "'")
    check("stream:error" in answer and "type='valid'" not in answer, "who may not use it cannot")


async def spoofed(world):
    """A stream speaks for its own domain and to ours."""
    for stanza, condition in (
        (message(f"romeo@{LIAR}", JULIET, "spoofed"), "invalid-from"),
        (message(f"juliet@{OURS}", JULIET, "spoofed"), "invalid-from"),
        (message(f"romeo@{THEIRS}", f"x@{LIAR}", "relayed"), "host-unknown"),
        (f"<message to='{JULIET}'><body>nobody's</body></message>", "improper-addressing"),
        (f"<message from='@@' to='{JULIET}'><body>bad</body></message>", "improper-addressing"),
    ):
        peer = await Peer(world, THEIRS, OURS).known()
        peer.write(stanza)
        check(condition in await peer.rest(), f"{condition}: {stanza[:64]}")


async def endless(world):
    """Nobody can make the server read on and on."""
    peer = await Peer(world, LIAR, OURS).connect()
    peer.write(header(LIAR, OURS) + "<a>" * 100_000)
    check("stream:error" in await peer.rest(), "an endless element before TLS")
    peer = await Peer(world, THEIRS, OURS).connect()
    await peer.encrypt(THEIRS)
    peer.write("<db:verify from='x' to='y' id='1'>k</db:verify>" * 10_000)
    check("stream:error" in await peer.rest(), "questions without end")
    peer = await Peer(world, THEIRS, OURS).known(both_ways=True)
    said = await peer.ask(message(f"romeo@{THEIRS}", JULIET, "x" * 30_000), "</message>")
    check("<not-acceptable" in said or "policy-violation" in said, "a stanza that is too large")


async def nonsense(world):
    """What is not XMPP, at every stage."""
    bad = ("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e 'e'>]><x/>", "\x00\x01\x02", "GET / HTTP/1.1\r\n\r\n")
    for words in bad:
        peer = await Peer(world, LIAR, OURS).connect()
        peer.write(words)
        said = await peer.rest()
        check("stream:error" in said, f"{words[:12]!r} ends the stream")
    for words in ("<message><body></message>", "<x:y/>", "&e;", "</stream:streams>"):
        peer = await Peer(world, THEIRS, OURS).known()
        peer.write(words)
        check("stream:error" in await peer.rest(), f"{words} ends the stream")


async def slow(world):
    """A stream that never gets anywhere is over in time."""
    peer = await Peer(world, LIAR, OURS).connect()
    ended = asyncio.create_task(peer.rest())
    for letter in header(LIAR, OURS):
        if ended.done():
            break
        try:
            peer.write(letter)
            await peer.writer.drain()
        except ConnectionError:
            break
        await asyncio.sleep(0.05)
    await bounded(ended, "a slow stream ends")
    check(ended.done(), "a slow stream is ended")


if __name__ == "__main__":
    run_with(main)
