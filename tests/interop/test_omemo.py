"""Two people with two devices each exchange 200 OMEMO messages, in both versions of OMEMO,
while their connections are cut, vanish and come back, resumed or anew. Every device decrypts
every message exactly once, and those of one sender in their order.
"""

import asyncio
import random

from client import Failed, befriend, bounded, check, run, until
from omemo_device import LEGACY, MODERN, Device
from proxy import Proxy

COUNT = 200
FAULT_EVERY = 8
AWAY_SECONDS = 0.04
SEED = 20261123


async def main(place):
    random.seed(SEED)
    devices, proxies = await log_in_everybody(place)
    await meet(devices)
    await say_hello(devices)
    reconnects, faults = await converse(devices, proxies)
    await asyncio.gather(*(bounded(task, "a reconnect", 120) for task in reconnects))
    print(f"  {COUNT} messages, {faults}", flush=True)
    await settle(devices)
    judge(place, devices)
    for device in devices:
        await device.logout()
    for proxy in proxies:
        await proxy.stop()


async def log_in_everybody(place):
    devices, proxies = [], []
    for name in ("romeo", "juliet"):
        place.add_account(name, name * 2)
    for name, resource in (
        ("romeo", "phone"), ("juliet", "phone"), ("romeo", "laptop"), ("juliet", "laptop"),
    ):  # fmt: skip
        proxy = Proxy(place.c2s_port)
        device = Device(place, name, name * 2, resource, port=await proxy.start())
        ready = device.outcome("omemo_initialized")
        await device.login()
        await bounded(ready, f"{device.boundjid}: OMEMO keys published")
        devices.append(device)
        proxies.append(proxy)
    return devices, proxies


async def meet(devices):
    """Contacts exchange device lists by PEP. Everybody must know all four devices."""
    await befriend(devices[0], devices[1])
    for device in devices:
        for account in ("romeo@localhost", "juliet@localhost"):

            async def complete():
                while not await device.knows_devices(account, 2):
                    await asyncio.sleep(0.02)

            await bounded(complete(), f"{device.boundjid} knows both devices of {account}")
    check(True, "every device knows all four, with both versions of OMEMO")


async def say_hello(devices):
    """The first messages make the sessions between all devices."""
    for namespace in (LEGACY, MODERN):
        for index, device in enumerate(devices):
            identifier = f"chat-hello-{namespace[-1]}-{index}"
            await device.chat(peer(device), identifier, f"hello {index}", namespace)
            await until(
                lambda: all(identifier in [one for one, _ in other.log] for other in devices),
                f"hello from {device.boundjid}, {version(namespace)}",
            )


async def converse(devices, proxies):
    reconnects, faults = [], {"cut": 0, "vanished": 0, "resumed": 0, "anew": 0}
    busy = set()
    for number in range(COUNT):
        device = devices[number % len(devices)]
        namespace = (LEGACY, MODERN)[number // len(devices) % 2]
        await device.chat(peer(device), f"chat-{number}", f"line {number}", namespace)
        # A pause of an instant, so that messages, faults and logins overlap.
        await asyncio.sleep(0.01)
        victim = number // FAULT_EVERY % len(devices)
        if number % FAULT_EVERY == 0 and victim not in busy:
            busy.add(victim)
            kind = random.choice(["cut", "vanish"])
            anew = random.random() < 0.4
            task = fail(devices[victim], proxies[victim], kind, anew, faults)
            reconnects.append(asyncio.ensure_future(task))
            reconnects[-1].add_done_callback(lambda _, victim=victim: busy.discard(victim))
    return reconnects, faults


async def fail(device, proxy, kind, anew, faults):
    gone = device.outcome("disconnected")
    if kind == "cut":
        proxy.cut()
        faults["cut"] += 1
    else:
        proxy.vanish()
        faults["vanished"] += 1
    await bounded(gone, f"{device.boundjid} notices")
    if anew:
        device.forget_stream()
    await asyncio.sleep(AWAY_SECONDS)
    event = await device.login()
    faults["resumed" if event == "session_resumed" else "anew"] += 1


async def settle(devices):
    for device in devices:
        await device.flush(f"the server has everything that {device.boundjid} wrote")
    for device in devices:

        def missing():
            return expected().keys() - {identifier for identifier, _ in device.log}

        try:
            await until(lambda: not missing(), f"{device.boundjid} has {COUNT} messages")
        except Failed:
            raise Failed(f"{device.boundjid} lacks {sorted(missing())} {device.failures}") from None


def judge(place, devices):
    for device in devices:
        check(device.failures == [], f"{device.boundjid} could read everything {device.failures}")
        read = chats(device)
        check(len(read) == COUNT and dict(read) == expected(), "each message once, none wrong")
        for sender in range(len(devices)):
            numbers = [int(identifier[5:]) for identifier, _ in read]
            own = [number for number in numbers if number % len(devices) == sender]
            late = [one for one, next_one in zip(own[1:], own) if one < next_one]
            check(not late, f"those of {devices[sender].boundjid} in their order {late}")
        # Prosody sends what a lost stream had not acknowledged to the other devices again.
        if place.supports("once-per-stream"):
            check(device.doubled == [], f"nothing came twice over one stream {device.doubled}")


def expected() -> dict:
    return {f"chat-{number}": f"line {number}" for number in range(COUNT)}


def chats(device) -> list:
    return [entry for entry in device.log if not entry[0].startswith("chat-hello")]


def peer(device) -> str:
    return {"romeo": "juliet@localhost", "juliet": "romeo@localhost"}[device.boundjid.user]


def version(namespace) -> str:
    return "omemo:2" if namespace == MODERN else "legacy"


if __name__ == "__main__":
    run(main)
