"""Thousands of connections that never log in, at every stage before it, and hostile input, while
two people talk: they notice nothing, and nothing that was acknowledged is missing."""

import asyncio
import resource
import socket
import ssl

from client import check, run, until
from test_resumption import Resumer, acknowledged

COUNT = 3000
# How long the server lets a connection live that has not logged in; see `configure`.
PATIENCE = 10

HEADER = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' to='localhost' version='1.0' "
    b"xmlns:stream='http://etherx.jabber.org/streams'>"
)
# What strangers say in plain text before they fall silent, or go on for ever.
OPENINGS = [
    b"",
    b"<",
    HEADER,
    HEADER[:60],
    HEADER + b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    HEADER + b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\x16\x03\x01",
    HEADER + b"<iq type='set'><query xmlns='jabber:iq:auth'>",
    HEADER + b"<a>" * 200,
    HEADER + b"<a b='" + b"x" * 20_000,
    b"\xff\xfe\x00" * 100,
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"GET / HTTP/1.1\r\n\r\n",
]


def configure(place):
    file = place.data / "anemone.toml"
    text = file.read_text().replace("throttle = false", f"unauthenticated_seconds = {PATIENCE}")
    file.write_text(text)
    place.restart()


async def stranger(place, number, crowd):
    """One connection: says its part, and stays until the server ends it."""
    opening = OPENINGS[number % len(OPENINGS)]
    port = place.c2s_tls_port if number % 5 == 0 else place.c2s_port
    reader, writer = await asyncio.open_connection(place.host, port)
    crowd["inside"] += 1
    try:
        writer.write(opening)
        while await reader.read(65_536):
            pass
    except ConnectionError:
        pass
    finally:
        crowd["gone"] += 1
        writer.close()


async def talk(romeo, juliet, crowd):
    """Both talk until the siege is over; returns what was said."""
    said = []
    while crowd["gone"] < COUNT or len(said) < 50:
        message = romeo.say(juliet.boundjid.bare, f"line {len(said)}")
        said.append(message)
        await until_quietly(lambda: message["body"] in juliet.bodies)
    return said


async def until_quietly(condition):
    for _ in range(30_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    check(False, "a message arrives during the siege")


async def main(place):
    if not place.supports("siege"):
        check(True, "this server is not besieged")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    configure(place)
    for name in ("romeo", "juliet"):
        place.add_account(name, name * 2)
    juliet = Resumer(place, "juliet", "julietjuliet", "balcony")
    romeo = Resumer(place, "romeo", "romeoromeo", "orchard")
    await juliet.login()
    await romeo.login()

    crowd = {"inside": 0, "gone": 0}
    strangers = [asyncio.ensure_future(stranger(place, number, crowd)) for number in range(COUNT)]
    talking = asyncio.ensure_future(talk(romeo, juliet, crowd))
    await until(lambda: crowd["inside"] == COUNT, f"{COUNT} strangers are connected")
    nurse = Resumer(place, "juliet", "julietjuliet", "late")
    await nurse.login()
    check(True, "somebody logs in between them")
    said = await talking
    await asyncio.gather(*strangers)
    check(True, f"all strangers were sent away; {len(said)} messages arrived meanwhile")
    await acknowledged(romeo, said, "each was acknowledged")
    check([m["body"] for m in juliet.received] == [m["body"] for m in said], "once and in order")
    check(certificate_is_refused(place), "a client that does not trust the certificate can tell")
    for client in (nurse, juliet, romeo):
        await client.logout()


def certificate_is_refused(place):
    """A client with other authorities ends the handshake; the server takes no harm."""
    stranger = ssl.create_default_context()
    plain = socket.create_connection((place.host, place.c2s_tls_port), timeout=30)
    try:
        stranger.wrap_socket(plain, server_hostname=place.domain)
    except ssl.SSLCertVerificationError:
        return True
    finally:
        plain.close()
    return False


if __name__ == "__main__":
    run(main)
