"""A desktop program with a window: a display of its own (Xvfb), a message bus of its own, a home
of its own, typing, and pictures of the screen."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from terminal import pictures

#: The account that the program runs as when the tests run as root: some refuse to be root.
NOBODY = "65534"
WIDTH, HEIGHT = 1000, 620
#: Where GLib's TLS finds the authorities that it trusts.
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
STOP_SECONDS = 15


class Desktop:
    """`with Desktop() as desktop: desktop.launch([...])`. Ends what it started. Its programs trust
    `authority`, a certificate in PEM, and no other."""

    def __init__(self, authority: Path = None):
        self.authority = authority

    def __enter__(self):
        self.home = Path(tempfile.mkdtemp(prefix="interop-desktop-"))
        if self.authority is not None:
            shutil.copy(self.authority, self.home / "authority.pem")
        self.programs = []
        try:
            self.start_display()
            self.start_bus()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            self.picture("desktop-failed")
            for log in sorted(self.home.glob("*.log")):
                print(f"--- {log.name}:\n{log.read_text(errors='replace')[-3000:]}")
        self.close()

    def start_display(self):
        """Xvfb chooses a free display and writes its number."""
        number, sink = os.pipe()
        self.spawn(
            ["Xvfb", "-displayfd", str(sink), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten",
             "tcp", "-ac"],
            pass_fds=[sink],
        )  # fmt: skip
        os.close(sink)
        with os.fdopen(number) as source:
            self.display = ":" + source.readline().strip()
        if self.display == ":":
            raise RuntimeError("Xvfb did not start")

    def start_bus(self):
        self.give_home()
        bus = self.spawn(
            [*self.user(), "dbus-daemon", "--session", "--nofork", "--print-address",
             f"--address=unix:tmpdir={self.home}"],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        self.bus = bus.stdout.readline().decode().strip()
        if not self.bus:
            raise RuntimeError("the message bus did not start")

    def give_home(self):
        """Everything in the home belongs to the user that the program runs as."""
        if os.getuid() == 0:
            for path in (self.home, *self.home.rglob("*")):
                os.chown(path, int(NOBODY), int(NOBODY))

    def user(self) -> list:
        if os.getuid() != 0:
            return []
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

    def trusting(self) -> list:
        """A view of the file system in which the authority stands in the place of the system's."""
        if self.authority is None:
            return []
        become_root = [] if os.getuid() == 0 else ["--map-root-user"]
        replace = f'mount --bind "$0" {AUTHORITIES} && exec "$@"'
        return ["unshare", *become_root, "--mount", "sh", "-c", replace,
                str(self.home / "authority.pem")]  # fmt: skip

    @property
    def environment(self) -> dict:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_RUNTIME_DIR": str(self.home),
            "DISPLAY": getattr(self, "display", ""),
            "DBUS_SESSION_BUS_ADDRESS": getattr(self, "bus", ""),
            "LANG": "C.UTF-8",
            "NO_AT_BRIDGE": "1",
            "GSETTINGS_BACKEND": "memory",
            "LIBGL_ALWAYS_SOFTWARE": "1",
        }

    def spawn(self, command, stdout=None, pass_fds=()):
        log = (self.home / f"{Path(command[0]).name}.log").open("ab")
        program = subprocess.Popen(
            command, env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL,
            stdout=stdout or log, stderr=log, pass_fds=pass_fds,
        )  # fmt: skip
        log.close()
        self.programs.append(program)
        return program

    def launch(self, command: list):
        self.give_home()
        return self.spawn([*self.trusting(), *self.user(), *command])

    def tool(self, *arguments: str) -> str:
        """xdotool: windows, keys and the mouse."""
        done = subprocess.run(
            ["xdotool", *arguments], env=self.environment, capture_output=True, text=True,
            timeout=60,
        )  # fmt: skip
        return done.stdout.strip()

    def windows(self, title: str) -> list:
        return self.tool("search", "--onlyvisible", "--name", title).split()

    def click(self, x: int, y: int):
        self.tool("mousemove", str(x), str(y), "click", "1")

    def type(self, line: str):
        """Types a line into the window that has the focus, and presses Enter."""
        self.tool("type", "--delay", "15", line)
        self.tool("key", "Return")

    def picture(self, name: str) -> Path:
        file = pictures() / f"{name}.png"
        subprocess.run(
            ["import", "-window", "root", str(file)], env=self.environment, timeout=60, check=False
        )
        print(f"  picture saved: {file}", flush=True)
        return file

    def close(self):
        for program in reversed(self.programs):
            if program.poll() is None:
                program.send_signal(signal.SIGTERM)
            try:
                program.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        shutil.rmtree(self.home, ignore_errors=True)
