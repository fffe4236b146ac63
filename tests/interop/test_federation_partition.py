"""Two servers lose the network between them while people write: packets vanish, in both directions, and nobody
is told. Then it comes back; then once more, and both servers are restarted meanwhile. Anemone with Anemone,
with Debian's prosody and with ejabberd: what a server took is neither lost nor doubled nor out of order.
With --long the network is gone for more than a minute each time."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from archive import read_archive
from client import Failed, bounded, check, run_with, until
from federation import FederatedAnemone, FederatedEjabberd, FederatedProsody, World
from names import enter, run
from test_resumption import Resumer, acknowledged

OURS, THEIRS = "capulet.example", "montague.example"
KINDS = {"anemone": FederatedAnemone, "prosody": FederatedProsody, "ejabberd": FederatedEjabberd}
#: Messages while the network is away, and how long it takes to write them.
LONG = bool(os.environ.get("INTEROP_LONG"))
MESSAGES, PAUSE = (350, 0.2) if LONG else (60, 0.05)
#: The most that may wait for all domains; a quarter of it for one. More than what is written meanwhile.
MOST = 2000 if LONG else 1000
#: Servers try again with growing pauses.
RETURN_SECONDS = 120


class Bounded(FederatedAnemone):
    """With little room for what waits."""

    def prepare(self):
        super().prepare()
        config = self.data / "anemone.toml"
        config.write_text(config.read_text().replace("[federation]\n", f"[federation]\nwaiting_stanzas = {MOST}\n"))


class Network:
    """The paths to the ports of servers. Where one is cut, its packets vanish, as in a tunnel: connections
    stay open until somebody loses patience."""

    def __init__(self):
        # Rules of our own come before the one that knows the addresses of this machine.
        run("ip", "rule", "add", "pref", "100", "lookup", "local")
        run("ip", "rule", "delete", "pref", "0")
        self.rules = []

    def cut(self, *ports: int):
        for port in ports:
            for end in ("dport", "sport"):
                rule = ["pref", "10", "ipproto", "tcp", end, str(port)]
                run("ip", "rule", "add", *rule, "blackhole")
                self.rules.append(rule)

    def mend(self):
        for rule in self.rules:
            run("ip", "rule", "delete", *rule)
        self.rules.clear()


async def main():
    network = Network()
    for name in sys.argv[1:] or KINDS:
        print(f"  anemone and {name}:", flush=True)
        with tempfile.TemporaryDirectory(prefix="interop-") as directory:
            world = World(Path(directory), OURS, THEIRS)
            sides = [(Bounded if name == "anemone" else FederatedAnemone)(world, OURS)]
            try:
                sides.append(KINDS[name](world, THEIRS))
                await Pair(network, *sides).play()
            except BaseException:
                for side in sides:
                    print(f"--- the last lines of {side.name}'s log:\n{side.tail(60)}")
                raise
            finally:
                network.mend()
                for side in sides:
                    side.stop()


class Pair:
    """Somebody on each server."""

    def __init__(self, network: Network, ours, theirs):
        self.network, self.ours, self.theirs = network, ours, theirs
        # What the others cannot deliver they give back or forget, so only Anemone writes meanwhile.
        self.both = theirs.name == "anemone"
        self.said = {}

    async def play(self):
        self.ours.add_account("juliet", "moon")
        self.theirs.add_account("romeo", "sun")
        await self.theirs.listens()
        await self.login()
        for one, other in ((self.juliet, self.romeo), (self.romeo, self.juliet)):
            await self.say(one, other, "before", 5, 0)
            await self.arrived(other)
        await self.partition("first", restart=False)
        await self.partition("second", restart=True)
        for one, other in ((self.juliet, self.romeo), (self.romeo, self.juliet)):
            await self.say(one, other, "after", 5, 0)
            await self.arrived(other)
        if self.both:
            await self.fill()
        await self.archives()
        for one in (self.juliet, self.romeo):
            await one.logout()

    async def login(self, resource: str = "one"):
        self.juliet = Resumer(self.ours, "juliet", "moon", resource)
        self.romeo = Resumer(self.theirs, "romeo", "sun", resource)
        for one in (self.juliet, self.romeo):
            await one.login()

    async def say(self, one, other, when: str, count: int, pause: float):
        """Writes, until the own server has taken all of it."""
        sent = []
        for number in range(count):
            words = f"{when} {number} from {one.boundjid.user}"
            sent.append(one.say(other.boundjid.bare, words))
            self.said.setdefault(other.boundjid.user, []).append(words)
            await asyncio.sleep(pause)
        await acknowledged(one, sent, f"{one.boundjid.user}'s server has taken {count} messages {when}")

    async def arrived(self, one):
        wanted, user = self.said[one.boundjid.user], one.boundjid.user
        try:
            await until(lambda: set(wanted) <= set(bodies_of(one)), f"{user} has everything", RETURN_SECONDS)
        except Failed:
            print(f"{user} lacks {sorted(set(wanted) - set(bodies_of(one)))}")
            raise

    async def partition(self, which: str, restart: bool):
        if not self.both:
            # What a server has sent and does not know to be there, it sends once more on another stream, and
            # only Anemone recognises that. prosody resumes no streams of servers.
            await bounded(self.waits_no_more(), "everything is acknowledged")
        self.network.cut(self.ours.s2s_port, self.theirs.s2s_port)
        writing = [self.say(self.juliet, self.romeo, f"{which} time", MESSAGES, PAUSE)]
        if self.both:
            writing.append(self.say(self.romeo, self.juliet, f"{which} time", MESSAGES, PAUSE))
        await asyncio.gather(*writing)
        last = f"{which} time {MESSAGES - 1}"
        heard = [*bodies_of(self.juliet), *bodies_of(self.romeo)]
        check(not any(last in body for body in heard), "nothing gets through meanwhile")
        seen = {user: list(bodies_of(one)) for user, one in (("juliet", self.juliet), ("romeo", self.romeo))}
        if restart:
            for one in (self.juliet, self.romeo):
                one.abort()
            self.ours.restart(kill=True)
            # ejabberd keeps what people are sent in Mnesia, which has it on disk minutes later.
            await asyncio.to_thread(self.theirs.restart, self.both)
            await self.login("two")
            check(True, "both servers are restarted before the network is back")
        self.network.mend()
        await self.theirs.listens()
        # Something new to say makes a server try again.
        await self.say(self.juliet, self.romeo, f"back the {which} time", 1, 0)
        if self.both:
            await self.say(self.romeo, self.juliet, f"back the {which} time", 1, 0)
        for one in (self.juliet, self.romeo):
            if restart:
                one.before = seen[one.boundjid.user]
            await self.arrived(one)

    async def fill(self):
        """More than may wait for one domain goes back to its sender at once, and the rest arrives."""
        refused = []
        self.juliet.add_event_handler("message_error", lambda one: refused.append(one["error"]))
        self.theirs.stop()
        self.romeo.abort()
        share, more = MOST // 4, 10
        words = [f"much {number}" for number in range(share + more)]
        for text in words:
            self.juliet.say(self.romeo.boundjid.bare, text)
        await until(lambda: len(refused) >= more, "what is too much goes back")
        check({one["condition"] for one in refused} == {"resource-constraint"}, "with the right error")
        check({one["type"] for one in refused} == {"wait"}, "to be tried again later")
        (domain,) = json.loads(self.ours.run("federation", "list", "--json"))["federation"]
        check(domain["full"] and domain["waiting"] == share, f"the list says so: {domain['waiting']} wait")
        before = bodies_of(self.romeo)
        self.theirs.start()
        await self.theirs.listens()
        self.romeo = Resumer(self.theirs, "romeo", "sun", "three")
        self.romeo.before = before
        await self.romeo.login()
        self.said["romeo"].extend(words[:share])
        await self.arrived(self.romeo)
        await bounded(self.waits_no_more(), "there is room again")

    async def waits_no_more(self):
        while json.loads(self.ours.run("federation", "list", "--json"))["federation"][0]["waiting"]:
            await asyncio.sleep(0.1)

    async def archives(self):
        """The archive has everything once, in the order in which it was said."""
        for one in (self.juliet, self.romeo):
            user = one.boundjid.user
            wanted = set(self.said[user])
            kept = [one["body"] for _, one in await read_archive(one) if one["body"] in wanted]
            twice = sorted({body for body in kept if kept.count(body) > 1})
            check(not twice, f"nothing is there twice: {twice}")
            check(kept == self.said[user], f"{user}'s archive: {len(kept)} messages, once each, in order")


def bodies_of(one) -> list:
    """What was received, in this session and before."""
    return [*getattr(one, "before", ()), *one.bodies]


if __name__ == "__main__":
    enter([])
    run_with(main)
