"""From nothing to the first encrypted message, as the README and the terminal say it: the commands of its block
"Two terminals" are typed as they stand there, and a third person comes in by an invitation on the first run.
In a network of its own, where the server has the usual ports."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from client import check, run_with, until
from clownfish import PROGRAM
from names import enter
from server import ROOT, Anemone
from terminal import Terminal

INVITATION = re.compile(r"xmpp:localhost\?register;preauth=[a-z0-9]+")

#: A line that is a link and nothing else.
LINK = re.compile(r"^(?:xmpp:|https?://)\S+$", re.M)


class Trial(Anemone):
    """The server as `make run` starts it."""

    def prepare(self):
        self.c2s_port, self.c2s_tls_port, self.https_port = 5222, 5223, 5443
        super().prepare()


class Shell(Terminal):
    """A terminal with a shell in the folder of the trial."""

    def __init__(self, directory: Path, home: Path):
        environment = {"HOME": str(home), "PS1": "$ ", "NO_COLOR": "1"}
        for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            environment[name] = ""
        inside = f"cd '{directory}' && exec bash --noprofile --norc"
        super().__init__(["sh", "-c", inside], environment)

    def everything(self) -> str:
        """The screen and what has left it at the top, with long lines in one piece."""
        return self.tmux("capture-pane", "-p", "-J", "-S", "-500")

    async def says(self, text: str, what: str):
        await until(lambda: text in self.everything(), what)

    async def prompt(self, what: str):
        """Waits until a command has ended."""
        await until(lambda: self.screen().rstrip().endswith("$"), what)


async def main():
    directory = Path(tempfile.mkdtemp(prefix="interop-"))
    try:
        programs = directory / "target/release"
        programs.mkdir(parents=True)
        place = Trial(directory)
        (programs / "anemone").symlink_to(place.program)
        (programs / "clownfish").symlink_to(PROGRAM)
        try:
            await come_in(place, readme())
        except BaseException:
            print(f"--- the last lines of the server's log:\n{place.tail()}")
            raise
        finally:
            place.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def readme() -> list:
    """The commands of "Two terminals"."""
    text = (ROOT / "README.md").read_text()
    section = text.split("### Two terminals")[1].split("\n#")[0]
    blocks = re.findall(r"```\n(.*?)```", section, re.S)
    return [line for block in blocks for line in block.splitlines() if line.startswith("target/")]


async def come_in(place, lines):
    register_romeo, invite, register_juliet, listen, send = lines
    home = place.directory / "home"
    home.mkdir()
    with Shell(place.directory, home) as his, Shell(place.directory, home) as hers:
        await his.prompt("a shell")
        # What `make run` prints at the first start.
        first = INVITATION.search(place.run("invite", "new", "--admin"))[0]
        await register(his, register_romeo, first, "romeo@localhost", "n")
        await his.says("The account is in r", "romeo is in")
        await his.says("a key file beside it", "and knows what protects the account")

        hers.type(invite)
        await until(lambda: INVITATION.search(hers.everything()), "the operator invites juliet")
        second = INVITATION.search(hers.everything())[0]
        await hers.prompt("the invitation is there")
        await register(hers, register_juliet, second, "juliet@localhost", "p")
        await hers.says("Passphrase: ", "a passphrase is asked for")
        hers.type("sweet")
        await hers.says("At least eight letters", "a short one is refused")
        await until(lambda: hers.everything().count("k, p or n [p]:") == 2, "and the question comes again")
        hers.type("")
        await until(lambda: hers.everything().count("Passphrase: ") == 2, "Enter is what is suggested")
        hers.type("a rose by any other name")
        await hers.says("The same once more: ", "the passphrase is asked for twice")
        hers.type("a rose by any other name")
        await hers.says("The account is in j", "juliet is in")
        everything = hers.everything() + his.everything()
        check("any other name" not in everything and "the password of" not in everything,
              "no password was on the screen")

        hers.type(listen)
        await hers.says("Passphrase of j: ", "the passphrase opens the account")
        hers.type("a rose by any other name")
        await hers.says("clownfish: listening", "juliet listens")
        his.type(send)
        await hers.says("But soft, what light?", "juliet reads what romeo writes")
        check("romeo@localhost (blind): But soft" in hers.everything(), "encrypted by a device of his")
        await his.prompt("and romeo knows that it was sent")
        hers.tmux("send-keys", "C-c")

        await third(place, his, hers)


async def register(shell, line, link, address, answer):
    """Types the line of the README with this invitation, and answers what is asked."""
    typed = re.sub(r"xmpp:localhost\?register;preauth=…", link, line)
    check(typed != line, "the line has a place for the invitation")
    shell.type(typed)
    await shell.says(f"Password of {address}: ", "a password is asked for")
    shell.type(f"the password of {address}")
    await shell.says("k, p or n [p]:", "and what shall protect the account here")
    check("the system keyring: not here" in shell.everything(), "a keyring that is not there is no choice")
    shell.type(answer)


async def third(place, his, hers):
    """Romeo invites the nurse, who starts `clownfish` and nothing else."""
    his.type("target/release/clownfish invite --profile r")
    await until(lambda: LINK.search(his.everything()), "romeo invites somebody")
    link = LINK.search(his.everything())[0]
    his.type("clear; target/release/clownfish --profile r")
    await his.shows("Ctrl-K goes to somebody", "romeo has the same account in the terminal")
    await his.shows("juliet@localhost", "and his conversations")
    his.tmux("send-keys", "C-k")
    his.type("juliet")
    await his.shows("But soft, what light?", "and sees what he wrote")

    await hers.prompt("somebody else sits down")
    hers.type("clear; target/release/clownfish")
    await hers.shows("Paste an invitation link", "the first run asks for an invitation")
    hers.type(link)
    await hers.shows("You are invited to localhost", "it says where to")
    hers.type("nurse")
    await hers.shows("A password for nurse@localhost", "a name is chosen, and a password")
    hers.type("the password of the nurse")
    await hers.shows("protects the key for that", "and what protects the account here")
    hers.tmux("send-keys", "n")
    await hers.shows("has a certificate that", "the certificate of a trial is asked about")
    hers.tmux("send-keys", "y")
    await until(lambda: "Welcome to Clownfish" not in hers.screen(), "the first run ends among the conversations")
    await hers.shows("Write a message", "in the one with who invited")
    check("romeo@localhost" in hers.screen(), "who is romeo")
    hers.save("clownfish-first-run")
    await hers.shows("encrypted to 1 device", "which is encrypted")
    hers.type("Anon, good nurse!")
    await hers.shows("✓", "the server has what the nurse writes")
    await his.shows("nurse", "romeo sees that somebody wrote")
    his.tmux("send-keys", "M-a")
    await his.shows("Anon, good nurse!", "and reads it")
    accounts = Path(place.directory, "home/.local/share/clownfish")
    check([path.name for path in accounts.iterdir()] == ["nurse@localhost"], "the account has its usual place")
    # The shell is back behind the program.
    for shell in (his, hers):
        shell.tmux("send-keys", "C-q")
        await shell.prompt("the terminal is given back")


if __name__ == "__main__":
    enter([])
    os.environ.pop("TMUX", None)
    run_with(main)
