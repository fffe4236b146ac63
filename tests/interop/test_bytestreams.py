"""XEP-0065: slixmpp sends through the proxy from one user to another, both ways; others get nothing."""

import asyncio
import hashlib
import time

from client import Client, Failed, bounded, check, refused, run, until
from slixmpp.exceptions import IqError

from server import HOST, free_ports, without_sections

PLUGINS = ("xep_0065",)
BYTES = 3_000_000


def configure(place, port: int):
    config = place.data / "anemone.toml"
    text = without_sections(config.read_text(), {"bytestreams"})
    text = text.replace("bytestreams = []", f'bytestreams = ["{HOST}:{port}"]')
    config.write_text(
        f'{text}\n[bytestreams]\nhost = "{HOST}"\nstreams_per_account = 2\nidle_seconds = 5\n'
    )
    place.restart()


async def ask(port: int, name: str):
    """A connection that names its stream."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(b"\x05\x01\x00")
    check(await reader.readexactly(2) == b"\x05\x00", "no password is wanted")
    writer.write(b"\x05\x01\x00\x03" + bytes([len(name)]) + name.encode() + b"\x00\x00")
    return reader, writer


async def greet(port: int, name: str):
    """A connection that named its stream."""
    reader, writer = await ask(port, name)
    answer = await reader.readexactly(47)
    check(answer[:5] == b"\x05\x00\x00\x03\x28", "the proxy takes it")
    return reader, writer


def check_time(deadline: float):
    if time.monotonic() > deadline:
        raise Failed("streams that ended still count")


async def refused_end(port: int, name: str) -> bool:
    """Whether a connection that names a stream is not allowed (RFC 1928 §6), and ended."""
    reader, _ = await ask(port, name)
    answer = await bounded(reader.read(), "it is ended")
    return answer[:2] == b"\x05\x02"


def named(sid: str, requester, target) -> str:
    return hashlib.sha1(f"{sid}{requester}{target}".encode()).hexdigest()


async def main(place):
    (port,) = free_ports(1)
    configure(place, port)
    for name in ("juliet", "romeo"):
        place.add_account(name, "pass")
    juliet = Client(place, "juliet", "pass", "balcony", plugins=PLUGINS)
    romeo = Client(place, "romeo", "pass", "orchard", plugins=PLUGINS)
    romeo.plugin["xep_0065"].auto_accept = True
    received = {juliet: bytearray(), romeo: bytearray()}
    for client in (juliet, romeo):
        await client.login()
        client.add_event_handler("socks5_data", received[client].extend)

    streams = []
    romeo.add_event_handler("socks5_stream", streams.append)
    ours = await bounded(
        juliet.plugin["xep_0065"].handshake(romeo.boundjid), "the stream is activated"
    )
    check(ours is not None, "the proxy was found, and both came to it")
    sent = bytes(index * 7 % 251 for index in range(BYTES))
    ours.transport.write(sent)
    await until(lambda: len(received[romeo]) >= BYTES, "everything arrives")
    check(bytes(received[romeo]) == sent, "as it was sent")
    streams[0].transport.write(b"thanks")
    await until(lambda: bytes(received[juliet]) == b"thanks", "and back")
    ours.transport.close()
    streams[0].transport.close()

    # By hand: what somebody else may try.
    proxy = f"proxy.{place.domain}"
    activate = juliet.plugin["xep_0065"].activate
    await refused(
        activate(proxy, "nobody", romeo.boundjid), {"item-not-found"}, "a stream without ends"
    )
    name = named("one", juliet.boundjid, romeo.boundjid)
    one = await greet(port, name)
    await refused(activate(proxy, "one", romeo.boundjid), {"not-allowed"}, "a stream with one end")
    other = await greet(port, name)
    check(await refused_end(port, name), "a third end is not wanted")
    stolen = romeo.plugin["xep_0065"].activate(proxy, "one", romeo.boundjid)
    await refused(stolen, {"item-not-found"}, "a stream of somebody else")
    await bounded(activate(proxy, "one", romeo.boundjid), "its owner activates it")
    check(await bounded(one[0].read(1), "nothing passes") == b"", "and it ends when nothing passes")
    for _, writer in (one, other):
        writer.close()

    held = []
    for sid in ("two", "three", "four"):
        name = named(sid, juliet.boundjid, romeo.boundjid)
        held += [await greet(port, name), await greet(port, name)]
    for sid in ("two", "three"):
        # The streams before may need a moment to end.
        deadline = time.monotonic() + 20
        while True:
            try:
                await bounded(activate(proxy, sid, romeo.boundjid), f"stream {sid}")
                break
            except IqError:
                check_time(deadline)
                await asyncio.sleep(0.05)
    await refused(
        activate(proxy, "four", romeo.boundjid), {"resource-constraint"}, "more than allowed"
    )
    for _, writer in held:
        writer.close()
    for bad in (b"\x04\x01\x00", b"\x05\x01\x02", b"GET / HTTP/1.1\r\n\r\n"):
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.write(bad)
        answer = await bounded(reader.read(), f"{bad!r} ends the connection")
        check(len(answer) <= 2, f"{bad!r} gets nothing")
        writer.close()
    await juliet.logout()
    await romeo.logout()


if __name__ == "__main__":
    run(main)
