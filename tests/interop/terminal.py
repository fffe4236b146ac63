"""A program in a terminal: tmux runs it, types for the test, and shows the screen."""

import asyncio
import os
import subprocess
import time
import uuid
from pathlib import Path

from client import PATIENCE_SECONDS, until

COLUMNS, ROWS = 100, 16


class Terminal:
    """`with Terminal(["profanity"], environment) as terminal`. The tmux server is the test's own
    and ends with it, together with the program."""

    def __init__(self, command: list, environment: dict):
        self.command = command
        self.environment = {**os.environ, **environment, "TERM": "xterm-256color"}
        self.environment.pop("TMUX", None)
        self.name = f"interop-{uuid.uuid4().hex[:8]}"

    def tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.name, "-f", "/dev/null", *arguments],
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
        )
        return done.stdout

    def __enter__(self):
        self.tmux(
            "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "--", *self.command
        )
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            print(f"--- the screen:\n{self.screen()}")
        self.tmux("kill-server")

    def pid(self) -> int:
        """The process that runs in it; 0 when it has ended."""
        return int(self.tmux("display-message", "-p", "#{pane_pid}").strip() or 0)

    def type(self, line: str):
        """Types a line and presses Enter."""
        self.tmux("send-keys", "-l", line)
        self.tmux("send-keys", "Enter")

    async def quits(self, key: str, what: str):
        """Presses the key that ends the program, and waits until it has kept what it keeps."""
        self.tmux("send-keys", key)
        await until(lambda: self.pid() == 0, what)

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    async def shows(self, text: str, what: str):
        await until(lambda: text in self.screen(), what)

    async def answers(self, command: str, text: str, what: str):
        """Types a command again and again, until its answer has the text."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.screen() and time.monotonic() < deadline:
            self.type(command)
            await asyncio.sleep(0.5)
        await self.shows(text, what)

    def save(self, name: str):
        """Keeps the screen as text, where the run keeps its pictures."""
        file = pictures() / f"{name}.txt"
        file.write_text(self.screen().rstrip() + "\n")
        print(f"  screen saved: {file}")


def pictures() -> Path:
    """Where tests leave what a person would have seen."""
    folder = Path(
        os.environ.get(
            "INTEROP_PICTURES", Path(__file__).resolve().parents[2] / "target/interop"
        )
    )
    folder.mkdir(parents=True, exist_ok=True)
    return folder
