"""Clownfish on the command line, as scripts use it: one profile is one device of one account."""

import asyncio
import json
import os
import signal

from client import Failed, bounded
from server import ROOT

PROGRAM = os.environ.get("INTEROP_CLOWNFISH", str(ROOT / "target/debug/clownfish"))

#: A failure bound, as everywhere; a command takes a fraction of it.
PATIENCE_SECONDS = 60

# What the exit codes mean: `clownfish send --help`.
DONE, OTHER, USAGE, LOGIN, NETWORK, NOT_ENCRYPTABLE, TIMEOUT, IN_USE, STORAGE, CERTIFICATE = range(10)


class Result:
    def __init__(self, code: int, out: str, err: str):
        self.code, self.out, self.err = code, out, err

    @property
    def lines(self) -> list:
        return [json.loads(line) for line in self.out.splitlines()]


class Clownfish:
    """A device. `folder` is its profile."""

    def __init__(self, place, name: str, password: str, device: str, port: int = None):
        self.place = place
        self.port = port or place.c2s_port
        self.address = f"{name}@{place.domain}"
        self.password = password
        self.folder = place.directory / f"clownfish-{device}"
        self.listener = None
        #: What its environment has besides that of the test.
        self.environment = {}

    async def start(self, *arguments: str):
        return await asyncio.create_subprocess_exec(
            PROGRAM, *arguments, "--profile", str(self.folder),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env={**os.environ, **self.environment},
        )  # fmt: skip

    async def run(self, *arguments: str, stdin: str = "") -> Result:
        process = await self.start(*arguments)
        talk = asyncio.ensure_future(process.communicate(stdin.encode()))
        await asyncio.wait({talk}, timeout=PATIENCE_SECONDS)
        # It may have ended while this program had no time to hear of it.
        if not talk.done() and process.returncode is None:
            process.kill()
            await talk
            raise Failed(f"clownfish {' '.join(arguments)} did not end")
        out, err = await talk
        return Result(process.returncode, out.decode(), err.decode())

    async def login(self, *arguments: str, password: str = None) -> Result:
        return await self.run(
            "login", self.address, "--password-stdin",
            "--server", f"{self.place.host}:{self.port}",
            *(arguments or ("--ca", str(self.place.authority))),
            stdin=(password or self.password) + "\n",
        )  # fmt: skip

    async def send(self, to: str, text: str, *arguments: str) -> Result:
        return await self.run("send", to, text, *arguments)

    async def listen(self, count: int, *arguments: str) -> list:
        """The next messages, which must come in time."""
        result = await self.run(
            "listen", "--json", "--count", str(count), "--timeout", str(PATIENCE_SECONDS - 5),
            *arguments,
        )  # fmt: skip
        if result.code != DONE:
            raise Failed(f"listen --count {count}: {result.code}, {result.err}{result.out}")
        return result.lines

    async def begin_listening(self, *arguments: str):
        """Listens in the background; `heard` gives the lines one by one."""
        self.listener = await self.start("listen", "--json", *arguments)
        while line := await asyncio.wait_for(self.listener.stderr.readline(), PATIENCE_SECONDS):
            if b"listening" in line:
                return
        raise Failed("clownfish listen ended at its start")

    async def heard(self) -> dict:
        line = await asyncio.wait_for(self.listener.stdout.readline(), PATIENCE_SECONDS)
        if not line:
            raise Failed("clownfish listen ended")
        return json.loads(line)

    async def end_listening(self, how=signal.SIGTERM):
        self.listener.send_signal(how)
        # Reads what is left, so that the process can end.
        await self.listener.communicate()
        self.listener = None


class Listener:
    """A `clownfish listen` that is started again whenever it ends, as by a service manager. `lines`
    has everything it ever printed."""

    def __init__(self, device: Clownfish, *arguments: str):
        self.device, self.arguments = device, arguments
        self.lines = []
        self.problems = []
        self.kills = 0
        self.process = None
        self.online = False
        self.wanted = True
        self.keeper = asyncio.ensure_future(self.keep())

    async def keep(self):
        while self.wanted:
            self.process = await self.device.start("listen", "--json", *self.arguments)
            said = asyncio.ensure_future(self.read_words())
            while line := await self.process.stdout.readline():
                # The last line of one that was killed may be half a line.
                if line.endswith(b"\n"):
                    self.lines.append(json.loads(line))
            code = await self.process.wait()
            words = await said
            self.online = False
            # A command may have the account open at the moment.
            if code not in (IN_USE, -signal.SIGKILL, -signal.SIGTERM):
                self.problems.append((code, words))
            await asyncio.sleep(0.05)

    async def read_words(self) -> str:
        """What it says besides the lines."""
        words = b""
        while line := await self.process.stderr.readline():
            words += line
            self.online = self.online or b"clownfish: listening" in line
        return words.decode()

    async def listening(self):
        """Waits until it listens, which it cannot while commands have the account open."""

        async def online():
            while not self.online:
                await asyncio.sleep(0.02)

        await bounded(online(), f"{self.device.folder.name} listens", PATIENCE_SECONDS)

    async def kill(self):
        """Ends it without a warning. It comes back by itself."""
        process = self.process
        if process is not None and process.returncode is None:
            self.kills += 1
            self.online = False
            process.kill()
            await process.wait()

    async def stop(self):
        self.wanted = False
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
        await bounded(self.keeper, f"{self.device.folder.name} stops listening")


async def discover(device, address: str, count: int):
    """Lets a slixmpp device fetch the list of devices of somebody who is no contact, until it has
    so many."""

    async def known():
        manager = await device.plugin["xep_0384"].get_session_manager()
        while not await device.knows_devices(address, count):
            async with device.lock:
                await manager.refresh_device_lists(address)
            await asyncio.sleep(0.1)

    await bounded(known(), f"{device.boundjid.user} finds {count} of {address}'s devices")
