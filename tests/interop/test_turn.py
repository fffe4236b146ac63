"""The server's own relay for calls, with the TURN client of aioice: found by XEP-0215, then packets
over UDP, TCP and TLS; passwords that are forged or have ended, quotas, places nobody may reach."""

import asyncio
import base64
import hashlib
import hmac
import ssl
import time
from xml.etree import ElementTree

from aioice import stun, turn
from client import Client, bounded, check, run, until
from server import HOST, free_ports, without_sections

NAMESPACE = "urn:xmpp:extdisco:2"
RELAYS_PER_ACCOUNT = 3


class Received(asyncio.DatagramProtocol):
    """Keeps what comes, and answers when told to."""

    def __init__(self, echo: bool = False):
        self.echo, self.packets, self.errors, self.transport = echo, [], [], None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.packets.append((data, address))
        if self.echo:
            self.transport.sendto(b"echo of " + data, address)

    def error_received(self, error):
        self.errors.append(error)


def configure(place, ports, first):
    """A relay on loopback, which may reach this machine and no other private network."""
    config = place.data / "anemone.toml"
    text = without_sections(config.read_text(), {"turn"})
    text = text.replace(
        "\n[listen]\n",
        f'\n[listen]\nturn = ["{HOST}:{ports[0]}"]\nturn_tls = ["{HOST}:{ports[1]}"]\n',
    )
    config.write_text(
        f"""{text}
[turn]
addresses = ["{HOST}"]
name = "localhost"
first_port = {first}
last_port = {first + 19}
relays_per_account = {RELAYS_PER_ACCOUNT}
private_networks = ["127.0.0.0/8"]
"""
    )
    place.restart()


async def services(client) -> list:
    """What the server says of its relay, as (type, host, port, transport, username, password)."""
    request = client.make_iq_get(ito=client.boundjid.domain)
    request.append(ElementTree.Element(f"{{{NAMESPACE}}}services"))
    answer = await bounded(request.send(), "the services are named")
    names = ("type", "host", "port", "transport", "username", "password")
    found = answer.xml.iter(f"{{{NAMESPACE}}}service")
    return [tuple(service.get(name) for name in names) for service in found]


def of(found: list, kind: str, transport: str):
    one = [service for service in found if (service[0], service[3]) == (kind, transport)]
    check(len(one) == 1, f"{kind} over {transport} is announced")
    return one[0]


async def endpoint(place, service, name=None, password=None):
    kind, host, port, transport, own_name, own_password = service
    context = None
    if kind == "turns":
        context = ssl.create_default_context(cafile=str(place.authority))
    address = (host if context else HOST, int(port))
    return await asyncio.wait_for(
        turn.create_turn_endpoint(
            Received, address, name or own_name, password or own_password,
            ssl=context, transport=transport,
        ),
        10,
    )


async def refusal(awaitable, code: int, what: str):
    try:
        await awaitable
    except stun.TransactionFailed as failure:
        got = failure.response.attributes["ERROR-CODE"][0]
        check(got == code, f"{what}: {got}")
        return
    raise AssertionError(f"{what}: was accepted")


def forge(place, name: str) -> str:
    """The password of a name, made with the server's own secret."""

    def mac(key: bytes, *parts: bytes) -> bytes:
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.new(key, message, hashlib.sha256).digest()

    secret = bytes.fromhex((place.data / "secret.key").read_text().strip())
    made = mac(mac(secret, b"turn password"), name.encode())[:12]
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


async def packets_pass(place, service, echo_address):
    transport, protocol = await endpoint(place, service)
    over = f"{service[0]} over {service[3]}"
    for length in (0, 1, 3, 1200):
        packet = bytes(length)
        protocol.packets.clear()
        transport.sendto(packet, echo_address)
        await until(lambda: protocol.packets, f"a packet of {length} bytes and its echo, {over}")
        data, address = protocol.packets[0]
        check(data == b"echo of " + packet, "as it was sent")
        check(tuple(address) == echo_address, "from where it was sent to")
    transport.close()


async def at_the_web_port(place, service, echo_address):
    """Networks that let nothing but the web through: the port of HTTPS, with ALPN (RFC 7443)."""
    context = ssl.create_default_context(cafile=str(place.authority))
    context.set_alpn_protocols(["stun.turn"])
    _, host, _, _, name, password = service
    transport, protocol = await bounded(
        turn.create_turn_endpoint(
            Received, (host, place.https_port), name, password, ssl=context, transport="tcp"
        ),
        "the relay is at the port of HTTPS",
    )
    transport.sendto(b"hark", echo_address)
    await until(lambda: protocol.packets, "and packets pass")
    check(protocol.packets[0][0] == b"echo of hark", "as they were sent")
    transport.close()
    context.set_alpn_protocols(["http/1.1"])
    _, writer = await asyncio.open_connection(host, place.https_port, ssl=context)
    chosen = writer.get_extra_info("ssl_object").selected_alpn_protocol()
    check(chosen == "http/1.1", "browsers get the web there all the same")
    writer.close()


async def meeting(place, service):
    """Two clients behind routers that let nothing in meet inside of the relay."""
    one, first = await endpoint(place, service)
    other, second = await endpoint(place, service)
    here, there = one.get_extra_info("sockname"), other.get_extra_info("sockname")
    # Each has to want the other: what comes before that is lost.
    deadline = time.monotonic() + 20
    while not (first.packets and second.packets) and time.monotonic() < deadline:
        one.sendto(b"ping", there)
        other.sendto(b"pong", here)
        await asyncio.sleep(0.05)
    check(second.packets and second.packets[0] == (b"ping", here), "two clients meet inside")
    check(first.packets and first.packets[0] == (b"pong", there), "both ways")
    one.close()
    other.close()


async def main(place):
    ports = free_ports(2)
    # Below the ports that the system gives out.
    first = 21_000 + ports[0] % 9_000
    configure(place, ports, first)
    place.add_account("juliet", "pass")
    juliet = Client(place, "juliet", "pass", "balcony")
    await juliet.login()
    found = await services(juliet)
    udp, tcp, tls = of(found, "turn", "udp"), of(found, "turn", "tcp"), of(found, "turns", "tcp")
    of(found, "stun", "udp")

    loop = asyncio.get_running_loop()
    echo, echoed = await loop.create_datagram_endpoint(lambda: Received(True), (HOST, 0))
    echo_address = echo.get_extra_info("sockname")
    for service in (udp, tcp, tls):
        await packets_pass(place, service, echo_address)
        await meeting(place, service)
    relayed = {address[1] for _, address in echoed.packets}
    check(all(first <= port < first + 20 for port in relayed), "all from the relay's ports")

    await at_the_web_port(place, tls, echo_address)

    for service in (udp, tcp, tls):
        over = f"{service[0]} over {service[3]}"
        person = service[4].split(":")[1]
        ended = f"{int(time.time()) - 5}:{person}"
        await refusal(
            endpoint(place, service, ended, forge(place, ended)), 401, f"a name that ended, {over}"
        )
        longer = f"{int(time.time()) + 500}:{person}"
        await refusal(
            endpoint(place, service, longer, service[5]), 401, f"a name with another end, {over}"
        )
        nobody = f"{int(time.time()) + 500}:nobody"
        await refusal(
            endpoint(place, service, nobody, forge(place, nobody)), 401, f"a name of nobody, {over}"
        )
        good = await endpoint(place, service, longer, forge(place, longer))
        check(True, f"the same with its password, {over}")
        good[0].close()

    transport, protocol = await endpoint(place, udp)
    inner = transport._TurnTransport__inner_protocol
    for address, what in (
        (("10.0.0.1", 5000), "a private network"),
        (("192.168.1.1", 53), "a router"),
        (("169.254.169.254", 80), "where clouds keep their secrets"),
        ((HOST, place.c2s_port), "a door of the server"),
        ((HOST, ports[0]), "the relay itself"),
    ):
        await refusal(inner.channel_bind(0x4001, address), 403, f"{what} is out of reach")
    transport.close()

    held = [await endpoint(place, service) for service in (udp, tcp, tls)]
    await refusal(endpoint(place, udp), 486, "more relays than an account may have")
    for transport, _ in held:
        transport.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            transport, _ = await endpoint(place, udp)
            break
        except stun.TransactionFailed:
            await asyncio.sleep(0.05)
    check(time.monotonic() < deadline, "and again when some were given back")
    transport.close()

    await asyncio.to_thread(checked, place)
    await juliet.logout()
    await revoked(place, echo_address)
    echo.close()


async def revoked(place, echo_address):
    """Who is disabled or deleted has no relay any more: not with a password from before, not with what was
    there already, and not after a restart of the server either."""
    place.add_account("tybalt", "pass")
    tybalt = Client(place, "tybalt", "pass", "street")
    await tybalt.login()
    found = await services(tybalt)
    ways = [of(found, *way) for way in (("turn", "udp"), ("turn", "tcp"), ("turns", "tcp"))]
    held = [await endpoint(place, service) for service in ways]
    for transport, protocol in held:
        await answered(transport, protocol, echo_address, "while the account is good, packets pass")
    await asyncio.to_thread(place.run, "account", "disable", "tybalt")
    for (transport, protocol), service in zip(held, ways):
        protocol.packets.clear()
        transport.sendto(b"gone", echo_address)
        await refusal(endpoint(place, service), 401, f"no relay for who is disabled, {service[0]} over {service[3]}")
        check(not protocol.packets, "and nothing comes from the one that was there")
    await asyncio.to_thread(place.restart)
    await refusal(endpoint(place, ways[0]), 401, "nor after a restart")
    await asyncio.to_thread(place.run, "account", "enable", "tybalt")
    tybalt = Client(place, "tybalt", "pass", "street")
    await tybalt.login()
    again = of(await services(tybalt), "turn", "tcp")
    transport, protocol = await endpoint(place, again)
    await answered(transport, protocol, echo_address, "who is enabled again has one")
    await asyncio.to_thread(place.run, "account", "delete", "tybalt", "--yes")
    await refusal(endpoint(place, again), 401, "and who is deleted none")
    await asyncio.to_thread(place.restart)
    await refusal(endpoint(place, again), 401, "nor after a restart")


async def answered(transport, protocol, echo_address, what: str):
    transport.sendto(b"hark", echo_address)
    await until(lambda: any(data == b"echo of hark" for data, _ in protocol.packets), what)


def checked(place):
    said = place.run("check", "turn")
    for service in ("turn:localhost", "turns:localhost"):
        check(service in said, f"`anemone check turn` tries {service}")
    check(said.count("relays packets") == 3 and "PROBLEM" not in said, "and relays a packet")


if __name__ == "__main__":
    run(main)
