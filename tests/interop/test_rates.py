"""More connections are no way to send more: those of an account share a rate, and so do the streams of
another server, which may have only so many."""

import asyncio
import json
import tempfile
import urllib.request
from pathlib import Path

from client import Client, bounded, check, run_with, until
from federation import FederatedAnemone, World
from peer import Peer
from server import HOST, free_ports

OURS, THEIRS = "capulet.example", "montague.example"
JULIET = f"juliet@{OURS}"
#: Stanzas per second of a connection: thirty may come at once, and sixty over all that belong together.
RATE = 3
#: What each connection sends: less than it may. Together it is nearly twice what they may.
EACH, CONNECTIONS = 22, 5
STREAMS = 5


class Slow(FederatedAnemone):
    """With rates that a test reaches."""

    def prepare(self):
        super().prepare()
        [self.metrics_port] = free_ports(1)
        config = self.data / "anemone.toml"
        text = config.read_text().replace("throttle = false", f"stanzas_per_second = {RATE}")
        rates = f"[federation]\nstanzas_per_second = {RATE}\nstreams_per_domain = {STREAMS}\n"
        text = text.replace("[federation]\n", rates)
        config.write_text(f'{text}\n[metrics]\nlisten = ["{HOST}:{self.metrics_port}"]\n')

    def pauses(self, whose: str) -> int:
        """How often somebody was left unread."""
        with urllib.request.urlopen(f"http://{HOST}:{self.metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        name = f'anemone_pauses_total{{whose="{whose}"}} '
        [line] = [line for line in lines if line.startswith(name)]
        return int(line.removeprefix(name))


async def main():
    with tempfile.TemporaryDirectory(prefix="interop-") as directory:
        ours = Slow(World(Path(directory), OURS, THEIRS), OURS)
        try:
            await ours.listens()
            await devices(ours)
            await streams(ours)
        except BaseException:
            print(f"--- the last lines of the log:\n{ours.tail(40)}")
            raise
        finally:
            ours.stop()


async def devices(ours):
    """The connections of one account."""
    ours.add_account("romeo", "sun")
    crowd = [Client(ours, "romeo", "sun", resource=f"device{number}") for number in range(CONNECTIONS)]
    for device in crowd:
        await device.login(presence=False)
    check(ours.pauses("account") == 0, "who logs in has time")
    for device in crowd:
        device.send_raw(f"<message to='nobody@{OURS}' type='headline'><x xmlns='urn:example'/></message>" * EACH)
    await asyncio.gather(*(device.plugin["xep_0199"].ping(OURS, timeout=60) for device in crowd))
    await until(lambda: ours.pauses("account") > 0, "five devices are slowed down together")
    check(ours.pauses("connection") == 0, "none of them sent too much")
    for device in crowd:
        await device.logout()


async def streams(ours):
    """The streams of one domain."""
    peers = [await Peer(ours.world, THEIRS, OURS).known() for _ in range(STREAMS)]
    stanza = f"<message from='romeo@{THEIRS}' to='nobody@{OURS}' type='headline'><x xmlns='urn:example'/></message>"
    for peer in peers:
        peer.write(stanza * EACH)
        await peer.writer.drain()
    key = f"<db:verify from='{THEIRS}' to='{OURS}' id='1'>key</db:verify>"
    for peer in peers:
        await peer.ask(key, "invalid")
        peer.write(stanza)
    await until(lambda: ours.pauses("domain") > 0, "five streams are slowed down together")
    check(ours.pauses("connection") == 0, "none of them sent too much")

    last = await Peer(ours.world, THEIRS, OURS).connect()
    await last.encrypt(THEIRS)
    said = await last.authenticate() + await last.rest()
    check("resource-constraint" in said, "there may be no more")
    listed = json.loads(ours.run("federation", "list", "--json"))["federation"]
    [refused] = [one["refused"] for one in listed if one["domain"] == THEIRS]
    check("too many streams" in refused, f"the operator sees why: {refused}")
    await bounded(peers[0].end(), "one is closed")
    await until(lambda: open_streams(ours) < STREAMS, "which makes room")
    await Peer(ours.world, THEIRS, OURS).known()
    await until(lambda: open_streams(ours) == STREAMS, "for another one")


def open_streams(ours) -> int:
    listed = json.loads(ours.run("federation", "list", "--json"))["federation"]
    return sum(len(one["streams"]) for one in listed if one["domain"] == THEIRS)


if __name__ == "__main__":
    run_with(main)
