"""A TCP path to the server that can fail in the ways a phone's does."""

import asyncio

from server import HOST


class Proxy:
    """Forwards connections to one port of the server until told to fail."""

    def __init__(self, port: int):
        self.target = port
        self.paths = []
        self.half_open = []

    async def start(self) -> int:
        """The port on which it listens."""
        self.listener = await asyncio.start_server(self.accept, HOST, 0)
        return self.listener.sockets[0].getsockname()[1]

    async def accept(self, reader, writer):
        path = Path(reader, writer)
        self.paths.append(path)
        try:
            await path.forward(self.target)
        finally:
            self.paths.remove(path)

    def cut(self):
        """Every connection ends at once for both sides. What was under way is lost."""
        for path in self.paths:
            path.close_client()
            path.close_server()

    def vanish(self):
        """Every connection ends for the client. For the server it stays, silent: it goes on
        believing in a client that is gone, and what it sends goes nowhere."""
        for path in self.paths:
            path.vanished = True
            path.close_client()
            self.half_open.append(path)

    async def stop(self):
        self.listener.close()
        self.cut()
        for path in self.half_open:
            path.close_server()


class Path:
    """One connection through the proxy."""

    def __init__(self, client_reader, client_writer):
        self.client_reader, self.client_writer = client_reader, client_writer
        self.server_writer = None
        self.vanished = False

    async def forward(self, port):
        server_reader, self.server_writer = await asyncio.open_connection(HOST, port)
        ways = [
            asyncio.create_task(copy(self.client_reader, self.server_writer)),
            asyncio.create_task(copy(server_reader, self.client_writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        self.close_client()
        if not self.vanished:
            self.close_server()

    def close_client(self):
        self.client_writer.transport.abort()

    def close_server(self):
        if self.server_writer is not None:
            self.server_writer.transport.abort()


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
