"""One account on three devices: two terminals and a script. Everybody writes, answers, reacts and edits
at random, programs are killed and connections cut. At the end all three show the same timeline.

`run --long` goes on for 10 minutes instead of 30 seconds; `INTEROP_SECONDS` for any other time.
"""

import asyncio
import collections
import difflib
import os
import random
import signal
import time

from client import Failed, check, run, until
from clownfish import DONE, IN_USE, PROGRAM, Clownfish, Listener
from proxy import Proxy
from terminal import Terminal

ROMEO, JULIET = "romeo@localhost", "juliet@localhost"
LONG_SECONDS, SHORT_SECONDS = 600, 30
SECONDS = float(
    os.environ.get("INTEROP_SECONDS")
    or (LONG_SECONDS if os.environ.get("INTEROP_LONG") else SHORT_SECONDS)
)
SEED = int(os.environ.get("INTEROP_SEED", "1597"))
#: What must be the same on all devices, in a line of `export`.
SAME = ("id", "from", "body", "edited", "retracted", "reactions", "reply_to", "delivery", "error")
#: How often devices may look again for what was under way when the others ended.
ROUNDS = 8


class Stage:
    """The devices, and what was done."""

    def __init__(self, place, chance):
        self.place, self.chance = place, chance
        self.proxies = []
        self.confirmed = []
        self.deeds = collections.Counter()
        self.deadline = None

    async def add(self, name, label):
        proxy = Proxy(self.place.c2s_port)
        port = await proxy.start()
        device = Clownfish(self.place, name, f"{name}'s password", label, port)
        check((await device.login()).code == DONE, f"{name}'s {label} logs in")
        self.proxies.append(proxy)
        return device

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.deadline

    async def pause(self):
        await asyncio.sleep(self.chance.uniform(0.2, 1.2))


class Person:
    """Somebody at a terminal, who types what comes to mind. Who has two of them reacts and edits on both,
    also what the other one is changing at the same moment."""

    def __init__(self, stage, device, whom):
        self.stage, self.device, self.whom = stage, device, whom
        self.terminal = None
        self.count = 0

    def open(self):
        environment = {"HOME": str(self.stage.place.directory), "NO_COLOR": "1"}
        arguments = ["--profile", str(self.device.folder), "--connect", self.whom]
        self.terminal = Terminal([PROGRAM, *arguments], environment)
        self.terminal.__enter__()

    async def ready(self):
        # A program that was killed a moment ago may still be on its way out.
        while not await asyncio.to_thread(self.is_ready):
            await asyncio.sleep(0.2)

    def is_ready(self) -> bool:
        if "F1 help" in self.terminal.screen():
            return True
        if not self.terminal.pid():
            self.open()
        return False

    async def act(self):
        self.open()
        while self.stage.goes_on:
            await self.ready()
            # tmux takes its time on a busy machine; the others go on meanwhile.
            await asyncio.to_thread(self.do_something)
            await self.stage.pause()

    def do_something(self):
        self.count += 1
        words = f"{self.device.folder.name} {self.count}"
        what = self.stage.chance.choices(
            ("say", "reply", "react", "edit", "kill"),
            weights=(50, 12, 15, 12, 6),
        )[0]
        self.stage.deeds[what] += 1
        # What was there is a draft, or a command that made no sense.
        self.terminal.tmux("send-keys", "C-e", "C-u")
        if what == "say":
            self.terminal.type(words)
        elif what == "reply":
            self.terminal.type(f"/reply {words}")
        elif what == "react":
            self.terminal.type(f"/react {self.stage.chance.choice('👍😀🎉')}")
        elif what == "edit":
            self.terminal.type(f"/edit {words} changed")
        else:
            os.kill(self.terminal.pid(), signal.SIGKILL)

    async def leave(self):
        self.terminal.tmux("send-keys", "C-q")
        await until(lambda: not self.terminal.pid(), f"{self.device.folder.name} is closed")
        self.close()

    def close(self):
        if self.terminal is not None:
            self.terminal.__exit__(None, None, None)


async def main(place):
    for name in ("romeo", "juliet"):
        place.add_account(name, f"{name}'s password")
    print(f"  seed {SEED}, {SECONDS:.0f} s", flush=True)
    stage = Stage(place, random.Random(SEED))
    peer = await stage.add("romeo", "window")
    devices = [await stage.add("juliet", label) for label in ("desk", "phone", "script")]
    people = [Person(stage, peer, JULIET), *(Person(stage, one, ROMEO) for one in devices[:2])]
    script = devices[2]
    listener = Listener(script, "--own")
    stage.deadline = time.monotonic() + SECONDS
    try:
        deeds = [person.act() for person in people]
        await asyncio.gather(*deeds, speak(stage, script, listener), fail(stage))
        print(f"  {dict(stage.deeds)}", flush=True)
        await say(stage, script, "the end")
        for person in people:
            await person.ready()
            await person.terminal.shows("the end", f"{person.device.folder.name} shows the end")
        for person in people[1:]:
            await person.leave()
        await listener.stop()
        check(not listener.problems, f"the script never failed {listener.problems[:3]}")
        histories = await agree(devices)
    finally:
        for person in people:
            person.close()
    judge(stage, histories)
    for proxy in stage.proxies:
        await proxy.stop()


async def speak(stage, script, listener):
    """The script: says something, and is killed now and then."""
    count = 0
    while stage.goes_on:
        count += 1
        if stage.chance.random() < 0.1:
            stage.deeds["kill a script"] += 1
            await listener.kill()
        await say(stage, script, f"script {count}")
        await stage.pause()


async def say(stage, script, text):
    while (result := await script.send(ROMEO, text)).code == IN_USE:
        await asyncio.sleep(0.1)
    stage.deeds[f"send: {result.code}"] += 1
    if result.code == DONE:
        stage.confirmed.append(text)


async def fail(stage):
    """Connections end, for both sides or for one."""
    while stage.goes_on:
        await asyncio.sleep(stage.chance.uniform(0.5, 3))
        kind = stage.chance.choice(("cut", "vanish"))
        stage.deeds[kind] += 1
        getattr(stage.chance.choice(stage.proxies), kind)()


async def agree(devices) -> list:
    """Exports, when all devices have seen what the others did last."""
    for _ in range(ROUNDS):
        for device in devices:
            result = await device.run("listen", "--json", "--timeout", "2")
            check(result.code == DONE, f"{device.folder.name} looks once more")
        histories = [await history(device) for device in devices]
        if all(one == histories[0] for one in histories):
            break
    return histories


async def history(device) -> list:
    result = await device.run("export", ROMEO)
    # Without what happened, such as a new device: that depends on when a device was told.
    said = [line for line in result.lines
            if line["body"] is not None or line.get("retracted") or "error" in line]  # fmt: skip
    return [tuple(str(line.get(key)) for key in SAME) for line in said]


def judge(stage, histories):
    first, *others = histories
    for number, other in enumerate(others, 2):
        lines = difflib.unified_diff([str(one) for one in first], [str(one) for one in other],
                                     "the first device", f"device {number}", lineterm="", n=1)
        if difference := "\n".join(lines):
            raise Failed(difference)
    check(True, f"all devices show the same {len(first)} messages")
    ids, texts = [line[0] for line in first], [line[2] for line in first]
    check(len(ids) == len(set(ids)), "none twice")
    edited = sum(line[3] == "True" for line in first)
    said = [text for text in texts if text in set(stage.confirmed)]
    kept = [text for text in stage.confirmed if text in set(said)]
    check(said == kept, f"{len(said)} texts of the script, in their order")
    check(len(stage.confirmed) - len(said) <= edited, "the others that were confirmed were edited")
    count = collections.Counter(line[7] for line in first)
    marked = sum(line[5] != "{}" for line in first)
    print(f"  {marked} with reactions, {edited} edited, {dict(count)}", flush=True)


if __name__ == "__main__":
    run(main)
