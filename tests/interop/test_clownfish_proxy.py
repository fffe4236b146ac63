"""Clownfish behind a SOCKS proxy, in a network of its own in which every packet is seen: the login, messages,
uploads, downloads and the names of all of them go through the proxy, and nothing goes beside it."""

import asyncio
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

from client import check, run_with
from clownfish import DONE, NETWORK, Clownfish
from names import enter, run
from server import HOST, Anemone, without_sections

DOMAIN = "capulet.example"
PROXY_PORT = 1080
#: Where the proxy connects from.
OUTSIDE = "127.0.0.9"
DNS_PORT = 53


class Capulet(Anemone):
    """A server with a name that only the proxy knows, at the usual ports."""

    def prepare(self):
        self.domain = DOMAIN
        self.c2s_port, self.c2s_tls_port, self.https_port = 5222, 5223, 5443
        self.run("init", "--domain", DOMAIN)
        config = self.data / "anemone.toml"
        text = without_sections(config.read_text(), {"listen", "limits", "login"})
        config.write_text(f"""{text}
[listen]
c2s = ["{HOST}:5222"]
c2s_tls = ["{HOST}:5223"]
https = ["{HOST}:5443"]
s2s = []
s2s_tls = []
bytestreams = []

[login]
iterations = 4096
""")

    def add_account(self, name: str, password: str):
        self.run("account", "add", f"{name}@{DOMAIN}", "--password-stdin", stdin=password + "\n")


class Socks:
    """RFC 1928 and 1929. `asked` has who wanted to go where: the user, the name, the port."""

    def __init__(self):
        self.asked = []

    async def start(self):
        self.listener = await asyncio.start_server(self.accept, HOST, PROXY_PORT)

    async def accept(self, reader, writer):
        try:
            _, count = await reader.readexactly(2)
            check(2 in await reader.readexactly(count), "the proxy is offered a name and a password")
            writer.write(b"\x05\x02")
            user, password = await self.word(reader, 1), await self.word(reader, 0)
            check(user and user == password, "which tell accounts apart, and nothing else")
            writer.write(b"\x01\x00")
            version, command, _, kind = await reader.readexactly(4)
            check((version, command, kind) == (5, 1, 3), "the proxy is asked for a name, never for an address")
            host = await self.word(reader, 0)
            (port,) = struct.unpack("!H", await reader.readexactly(2))
            self.asked.append((user, host, port))
            known = host == DOMAIN or host.endswith("." + DOMAIN)
            if not known:
                writer.write(b"\x05\x04\x00\x01" + bytes(6))
                return
            there = await asyncio.open_connection(HOST, port, local_addr=(OUTSIDE, 0))
            writer.write(b"\x05\x00\x00\x01" + bytes(6))
            await join((reader, writer), there)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def word(self, reader, skipped: int) -> str:
        await reader.readexactly(skipped)
        (length,) = await reader.readexactly(1)
        return (await reader.readexactly(length)).decode()


async def join(one, other):
    async def copy(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    ways = [asyncio.ensure_future(copy(one[0], other[1])), asyncio.ensure_future(copy(other[0], one[1]))]
    done, rest = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    for way in rest:
        way.cancel()
    for way in done:
        way.exception()
    other[1].close()


class Wire:
    """Everything that is sent in this network and has nothing to do with the proxy."""

    def __init__(self):
        self.beside = set()
        self.seen = 0
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.ntohs(0x0003))
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            packet, (device, kind, *_) = self.socket.recvfrom(65536)
            self.seen += 1
            if kind == 0x0800:
                self.note(device, packet)
            elif kind == 0x86DD and packet[6] != 58:
                # Routers and neighbours (ICMPv6) are the kernel's.
                self.beside.add((device, "IPv6", packet[6]))

    def note(self, device: str, packet: bytes):
        protocol, length = packet[9], (packet[0] & 15) * 4
        source, target = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
        ports = struct.unpack("!HH", packet[length : length + 4]) if protocol in (6, 17) else (0, 0)
        ours = protocol == 6 and device == "lo" and (PROXY_PORT in ports or OUTSIDE in (source, target))
        if not ours:
            self.beside.add((device, f"{source}:{ports[0]}", f"{target}:{ports[1]}", protocol))

    def to_port(self, port: int) -> bool:
        return any(str(end).endswith(f":{port}") for entry in self.beside for end in entry)


async def main():
    directory = Path(tempfile.mkdtemp(prefix="interop-"))
    place = Capulet(directory)
    try:
        await behind(place)
    except BaseException:
        print(f"--- the last lines of the server's log:\n{place.tail()}")
        raise
    finally:
        place.stop()
        shutil.rmtree(directory, ignore_errors=True)


async def behind(place):
    proxy, wire = Socks(), Wire()
    await proxy.start()
    people = []
    for name in ("romeo", "juliet"):
        place.add_account(name, f"{name}'s password")
        person = Clownfish(place, name, f"{name}'s password", name)
        people.append(person)
    romeo, juliet = people
    password = "romeo's password\n"

    # What the wire is for: without a proxy it sees something.
    login = ("login", romeo.address, "--password-stdin", "--plain-key", "--ca", str(place.authority))
    result = await romeo.run(*login, "--timeout", "10", stdin=password)
    check(result.code == NETWORK and not proxy.asked, f"without the proxy nobody knows the name: {result.err.strip()}")
    check(wire.to_port(DNS_PORT), "and whoever watches the network learns it")
    wire.beside.clear()

    through = ("--proxy", f"socks5://{HOST}:{PROXY_PORT}")
    for person in people:
        result = await person.run(
            "login", person.address, "--password-stdin", "--plain-key", "--ca", str(place.authority), *through,
            stdin=person.password + "\n",
        )  # fmt: skip
        check(result.code == DONE, f"the login goes through the proxy: {result.err.strip()}")
    check((await romeo.send(juliet.address, "by the vestry")).code == DONE, "a message")
    plan = place.directory / "plan.txt"
    plan.write_text("by the vestry at nine")
    result = await romeo.run("send", juliet.address, "--file", str(plan))
    check(result.code == DONE, f"an upload: {result.err.strip()}")
    lines = await juliet.listen(2, "--files", str(place.directory / "fetched"))
    fetched = Path(lines[1]["file"]["path"])
    check(fetched.read_text() == "by the vestry at nine", "and a download")

    uploads = [asked for asked in proxy.asked if asked[2] == place.https_port]
    check({user for user, *_ in uploads} == {user for user, *_ in proxy.asked}, "files went through the proxy, both ways")
    check(len({user for user, *_ in proxy.asked}) == 2, "each account with a circuit of its own")
    check(wire.seen > 0 and not wire.beside, f"and nothing beside it: {sorted(wire.beside, key=str) or 'no packet'}")

    proxy.listener.close()
    await proxy.listener.wait_closed()
    result = await romeo.send(juliet.address, "anybody?", "--timeout", "5")
    check(result.code == NETWORK and "proxy" in result.err, f"without the proxy: {result.code} {result.err.strip()}")
    check(not wire.to_port(DNS_PORT) and not any(wire.to_port(port) for port in (5222, 5223, 5443)),
          "there is no other way")


if __name__ == "__main__":
    if subprocess.run(["unshare", "--user", "--map-root-user", "--net", "true"], capture_output=True).returncode:
        check(True, "this machine lets nobody have a network of their own: not tested")
        raise SystemExit(0)
    enter([])
    # What is for the world is seen, and goes nowhere.
    run("ip", "route", "add", "default", "dev", "lo")
    run_with(main)
