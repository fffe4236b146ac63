"""Clownfish and slixmpp-omemo in bad weather: three people with seven devices, both versions of OMEMO,
both directions. First everybody takes the same one-time prekeys; then messages leave in a changed
order and several times, connections are cut or vanish, Clownfish is killed, and one device sleeps
through half of it. At the end nothing is lost, doubled, in plain text or out of order on any device.

`run --long` takes 1,000 messages instead of 200.
"""

import asyncio
import collections
import os
import random
import secrets
import time
from types import SimpleNamespace

import x3dh.base_state
from slixmpp.xmlstream.xmlstream import NotConnectedError

from archive import read_archive
from client import Client, Failed, bounded, check, run, until
from clownfish import DONE, IN_USE, NETWORK, OTHER, TIMEOUT, Clownfish, Listener, discover
from omemo_device import LEGACY, MODERN, Device
from proxy import Proxy

COUNT = 1000 if os.environ.get("INTEROP_LONG") else 200
SEED = int(os.environ.get("INTEROP_SEED", "384"))
#: Everything has arrived long before, even on a machine that does other things.
SETTLE_SECONDS = 60
#: In no message but in what is encrypted.
SECRET = "zephyr"

ROMEO, JULIET, TYBALT = (f"{name}@localhost" for name in ("romeo", "juliet", "tybalt"))


class Weather:
    """Everybody, the paths between them and the server, and what was done to them."""

    def __init__(self, place, chance):
        self.place, self.chance = place, chance
        self.theirs, self.ours = [], []
        self.proxies, self.listeners = {}, {}
        #: Text of each message to whom and from which device, and those whose fate is not certain.
        self.sent, self.uncertain = {}, set()
        #: Devices that write nothing at the moment.
        self.paused = set()
        self.faults = collections.Counter()

    async def add_peer(self, name, resource):
        proxy = Proxy(self.place.c2s_port)
        device = Device(self.place, name, f"{name}'s password", resource, await proxy.start())
        ready = device.outcome("omemo_initialized")
        await device.login()
        await bounded(ready, f"{device.boundjid}: OMEMO keys published")
        self.theirs.append(device)
        self.proxies[device] = proxy
        return device

    async def add_clownfish(self, label):
        proxy = Proxy(self.place.c2s_port)
        device = Clownfish(self.place, "juliet", "juliet's password", label, await proxy.start())
        check((await device.login()).code == DONE, f"juliet's {label} logs in")
        self.ours.append(device)
        self.proxies[device] = proxy
        return device

    def listen(self, device):
        self.listeners[device] = Listener(device)


async def main(place):
    # Everybody takes the first prekey of a bundle instead of any.
    x3dh.base_state.secrets = SimpleNamespace(**{**vars(secrets), "choice": min})
    for name in ("romeo", "juliet", "tybalt"):
        place.add_account(name, f"{name}'s password")
    print(f"  seed {SEED}, {COUNT} messages", flush=True)
    weather = Weather(place, random.Random(SEED))
    desk, phone, sleeper = [await weather.add_clownfish(one) for one in ("desk", "phone", "attic")]
    for name, resource in (("romeo", "phone"), ("romeo", "laptop"), ("tybalt", "phone")):
        await weather.add_peer(name, resource)
    await collide(weather)
    for device in (desk, phone):
        weather.listen(device)
        await weather.listeners[device].listening()
        await said_once(weather, device, ROMEO, "hello")
        await said_once(weather, device, TYBALT, "hello")
    storm = asyncio.ensure_future(blow(weather))
    began = time.monotonic()
    await converse(weather, (desk, phone), range(COUNT // 2))
    weather.listen(sleeper)
    await weather.listeners[sleeper].listening()
    await converse(weather, (desk, phone, sleeper), range(COUNT // 2, COUNT))
    storm.cancel()
    weather.paused.clear()
    print(f"  {len(weather.sent)} messages in {time.monotonic() - began:.0f} s, "
          f"{len(weather.uncertain)} of them uncertain, {dict(weather.faults)}", flush=True)
    await calm(weather)
    await judge(weather)
    for device in weather.theirs:
        await device.logout()
    for proxy in weather.proxies.values():
        await proxy.stop()


async def collide(weather):
    """No Clownfish runs, so all three peers take the same prekeys, in both versions."""
    for device in weather.theirs:
        await discover(device, JULIET, 3)
        if device.boundjid.user == "romeo":
            await discover(device, ROMEO, 2)
    for number, device in enumerate(weather.theirs):
        for version in (LEGACY, MODERN):
            await tell(weather, device, f"collision {number} {version[-1]}", version)


async def converse(weather, clownfish, numbers):
    """Half of the messages from each side; each device of Clownfish sends one after the other."""
    queues = {device: asyncio.Queue() for device in clownfish}
    senders = [asyncio.ensure_future(work(weather, one, queue)) for one, queue in queues.items()]
    numbers = list(numbers)
    while numbers:
        device = weather.chance.choice(weather.theirs)
        batch = [numbers.pop(0) for _ in range(min(len(numbers), weather.chance.randint(1, 6)))]
        for number in batch[::2]:
            queue = queues[weather.chance.choice(clownfish)]
            queue.put_nowait((weather.chance.choice((ROMEO, TYBALT)), f"{number}"))
        await jumble(weather, device, batch[1::2])
        # Peers do not get ahead of Clownfish by more than a few messages.
        while sum(queue.qsize() for queue in queues.values()) > 8:
            await asyncio.sleep(0.05)
    for queue in queues.values():
        queue.put_nowait(None)
    await asyncio.gather(*(bounded(sender, "Clownfish has sent all", 300) for sender in senders))


async def jumble(weather, device, numbers):
    """Encrypts some messages, then sends them in another order, some of them twice."""
    stanzas = []
    for number in numbers:
        version = weather.chance.choice((LEGACY, MODERN))
        stanzas.append(await tell(weather, device, f"{number}", version, held=True))
    if weather.chance.random() < 0.5:
        weather.chance.shuffle(stanzas)
        weather.faults["shuffled"] += 1
    for stanza in stanzas:
        if device.online:
            stanza.send()
            if weather.chance.random() < 0.2:
                weather.faults["repeated"] += 1
                repeat(weather, stanza)


def repeat(weather, stanza):
    """Sends a message again, with what lets the server recognise it, or without."""
    again = weather.theirs[0].make_message(mto=stanza["to"])
    again.xml = type(stanza.xml)(stanza.xml.tag, stanza.xml.attrib)
    again.xml.extend(list(stanza.xml))
    if weather.chance.random() < 0.5:
        again.xml.remove(again.xml.find("{urn:xmpp:sid:0}origin-id"))
    stanza.stream.send(again)


async def tell(weather, device, what, version, held=False):
    identifier = f"chat-{what.replace(' ', '-')}"
    weather.sent[f"{SECRET} {what}"] = (JULIET, device)
    say = device.prepare if held else device.chat
    return await say(JULIET, identifier, f"{SECRET} {what}", version)


async def work(weather, device, queue):
    while item := await queue.get():
        while device in weather.paused:
            await asyncio.sleep(0.02)
        await said_once(weather, device, *item)


async def said_once(weather, device, to, what):
    """`clownfish send`, again if it is certain that nothing was sent."""
    text = f"{SECRET} {device.folder.name} {to} {what}"
    while True:
        result = await device.send(to, text, "--timeout", "30")
        if result.code != IN_USE:
            break
        await asyncio.sleep(0.1)
    weather.sent[text] = (to, device)
    weather.faults[f"send: {result.code}"] += 1
    if result.code in (OTHER, NETWORK, TIMEOUT):
        # What it had accepted is sent later, once.
        weather.uncertain.add(text)
    elif result.code != DONE:
        raise Failed(f"clownfish send: {result.code} {result.err}")


async def blow(weather):
    """Something happens to somebody again and again."""
    while True:
        await asyncio.sleep(weather.chance.uniform(0.1, 1.2))
        if weather.chance.random() < 0.5:
            await trouble_peer(weather, weather.chance.choice(weather.theirs))
        elif weather.listeners:
            await trouble_clownfish(weather, weather.chance.choice(list(weather.listeners)))


async def trouble_peer(weather, device):
    gone = device.outcome("disconnected")
    kind = weather.chance.choice(("cut", "vanish"))
    getattr(weather.proxies[device], kind)()
    await bounded(gone, f"{device.boundjid} notices")
    if weather.chance.random() < 0.4:
        device.forget_stream()
    await asyncio.sleep(weather.chance.uniform(0, 0.5))
    event = await device.login()
    weather.faults[f"peer {kind}"] += 1
    weather.faults["peer resumed" if event == "session_resumed" else "peer anew"] += 1


async def trouble_clownfish(weather, device):
    kind = weather.chance.choice(("cut", "vanish", "kill"))
    weather.faults[f"clownfish {kind}"] += 1
    if kind == "kill":
        # Commands go on without it, or wait until it is back.
        if weather.chance.random() < 0.7:
            weather.paused.add(device)
        await weather.listeners[device].kill()
        if device in weather.paused:
            await weather.listeners[device].listening()
            weather.paused.discard(device)
    else:
        getattr(weather.proxies[device], kind)()


async def flushed(device):
    """A connection that was cut last may be noticed only now."""
    while True:
        if not device.online:
            await device.login()
        try:
            return await device.flush(f"the server has everything that {device.boundjid} wrote")
        except NotConnectedError:
            await until(lambda: not device.online, f"{device.boundjid} has noticed it")


async def calm(weather):
    """Everything that is under way arrives."""
    for device in weather.theirs:
        await flushed(device)
    for device in weather.ours:
        await said_once(weather, device, ROMEO, "the end")
        await said_once(weather, device, TYBALT, "the end")
    for device in weather.ours:
        lacking = lambda: wanted_by(weather, device) - set(heard(weather, device))  # noqa: E731
        try:
            await all_there(lacking, f"juliet's {device.folder.name} has printed everything")
        except Failed:
            unreadable(weather, device)
            raise
    for device in weather.theirs:
        lacking = lambda: wanted_by(weather, device) - {text for _, text in device.log}  # noqa: E731
        await all_there(lacking, f"{device.boundjid} has read everything")
    for listener in weather.listeners.values():
        await listener.stop()


def unreadable(weather, device):
    for line in weather.listeners[device].lines:
        if "error" in line:
            print(f"  {device.folder.name} cannot read {line}", flush=True)


async def all_there(lacking, what):
    try:
        await until(lambda: not lacking(), what, SETTLE_SECONDS)
    except Failed:
        raise Failed(f"{what}: lacks {len(lacking())}, {sorted(lacking())[:20]}") from None


def wanted_by(weather, device) -> set:
    """Texts that a device must have: certain ones, with its account on either side."""
    certain = {text: way for text, way in weather.sent.items() if text not in weather.uncertain}
    if isinstance(device, Clownfish):
        return {text for text, (to, _) in certain.items() if to == JULIET}
    me = device.boundjid.bare
    return {
        text for text, (to, sender) in certain.items()
        if to == me or isinstance(sender, Device) and sender.boundjid.bare == me
    }  # fmt: skip


def heard(weather, device) -> list:
    return [line["body"] for line in weather.listeners[device].lines]


async def judge(weather):
    archive = await juliets_archive(weather)
    texts = {}
    for device in weather.theirs:
        check(not device.failures, f"{device.boundjid} could read everything {device.failures[:3]}")
        bodies = [text for _, text in device.log]
        check(len(bodies) == len(set(bodies)), f"{device.boundjid} read {len(bodies)}, each once")
        texts.update(device.log)
    nothing_in_plain_text(weather, archive)
    # The archive's order is everybody's: the first copy of each message.
    order = list(dict.fromkeys(identifier for identifier, _ in archive if identifier in texts))
    for device in weather.theirs:
        in_order(weather, device, order)
    lines = {}
    for device in weather.ours:
        name = device.folder.name
        check(not weather.listeners[device].problems,
              f"{name} never ended by itself {weather.listeners[device].problems[:3]}")
        # What it wrote last may not have its place yet: it asks for that a moment after sending.
        result = await device.run("listen", "--json", "--timeout", "5")
        check(result.code == DONE and not result.out, f"{name} has nothing more to print {result.out}")
        result = await device.run("export")
        # Without what happened, such as a new device.
        history = [line for line in result.lines if line["body"] is not None or "error" in line]
        broken = [line for line in history if "error" in line or line["encryption"] == "none"]
        check(not broken, f"{name} could read everything {len(broken)} {broken[:3]}")
        lines[name] = history
        bodies = [line["body"] for line in history]
        check(len(bodies) == len(set(bodies)), f"{name} shows {len(bodies)}, each once")
        check(set(bodies) == set(texts.values()), f"{name} shows what the others do "
              f"{sorted(set(bodies) ^ set(texts.values()))[:10]}")
        check(all(line["trusted"] for line in history), "all from trusted devices")
        for friend in (ROMEO, TYBALT):
            shown = [line["id"] for line in history if line["conversation"] == friend]
            expected = [identifier for identifier in order if identifier in set(shown)]
            check(shown == expected, f"{name} shows {friend} in the archive's order "
                  f"{first_difference(shown, expected)}")
        printed_in_order(weather, device, [texts[identifier] for identifier in order])
    counts = collections.Counter(line["encryption"] for line in lines["clownfish-desk"])
    check(counts["omemo"] > 10 and counts["omemo:2"] > 10, f"in both versions: {dict(counts)}")


def first_difference(left, right):
    return next(
        ((at, left[at - 2 : at + 4], right[at - 2 : at + 4])
         for at, pair in enumerate(zip(left, right)) if pair[0] != pair[1]), "",
    )  # fmt: skip


def in_order(weather, device, order):
    """What others wrote stands in the order of the archive, for each of their devices."""
    place = {identifier: at for at, identifier in enumerate(order)}
    for sender in [*weather.theirs, *weather.ours]:
        if sender is device:
            continue
        places = [place[one] for one, text in device.log if weather.sent[text][1] is sender]
        who = sender.folder.name if isinstance(sender, Clownfish) else sender.boundjid
        check(places == sorted(places), f"{device.boundjid} has {who}'s {len(places)} in order")


def printed_in_order(weather, device, order):
    listener = weather.listeners[device]
    repeated = len(listener.lines) - len({line["id"] for line in listener.lines})
    check(repeated <= listener.kills, f"lines came again only after a kill: {repeated} of "
          f"{len(listener.lines)}, {listener.kills} kills")
    place = {text: at for at, text in enumerate(order)}
    for friend in (ROMEO, TYBALT):
        bodies = dict.fromkeys(line["body"] for line in listener.lines if line["from"] == friend)
        places = [place[body] for body in bodies]
        check(places == sorted(places), f"{device.folder.name} printed {friend}'s "
              f"{len(places)} in order")


async def juliets_archive(weather) -> list:
    """Everything the server keeps of juliet, as (id, stanza as text)."""
    reader = Client(weather.place, "juliet", "juliet's password", "auditor",
                    plugins=("xep_0059", "xep_0297", "xep_0313"))  # fmt: skip
    await reader.login()
    stanzas = await read_archive(reader)
    await reader.logout()
    return [(stanza["id"], str(stanza)) for _, stanza in stanzas]


def nothing_in_plain_text(weather, archive):
    check(not any(SECRET in stanza for _, stanza in archive), "nothing is in plain text")
    weather.place.stop()
    files = [path for path in weather.place.directory.glob("data/**/*") if path.is_file()]
    contents = [path.read_bytes() for path in files]
    check(any(b"chat-collision-0-" in content for content in contents),
          "the server's files have the messages")
    check(not any(SECRET.encode() in content for content in contents), "and none of the texts")
    for device in weather.ours:
        files = [path for path in device.folder.rglob("*") if path.is_file()]
        check(not any(SECRET.encode() in path.read_bytes() for path in files),
              f"{device.folder.name} keeps its texts encrypted")
    weather.place.start()


if __name__ == "__main__":
    run(main)
