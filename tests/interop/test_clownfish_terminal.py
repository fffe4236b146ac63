"""Two people chat in terminals: what one types the other sees, with ticks, replies and reactions."""

from client import check, run, until
from clownfish import DONE, PROGRAM, Clownfish
from terminal import Terminal

ROMEO, JULIET = "romeo@localhost", "juliet@localhost"


def window(device: Clownfish, *arguments: str) -> Terminal:
    environment = {"HOME": str(device.place.directory), "NO_COLOR": "1"}
    return Terminal([PROGRAM, "--profile", str(device.folder), *arguments], environment)


async def main(place):
    devices = []
    for name in ("romeo", "juliet"):
        place.add_account(name, "art thou")
        device = Clownfish(place, name, "art thou", name)
        check((await device.login()).code == DONE, f"{name} logs in")
        devices.append(device)
    romeo, juliet = devices

    with window(romeo, "--connect", JULIET) as his, window(juliet) as hers:
        await his.shows("Write a message", "romeo is in the conversation at once")
        his.type("What light through yonder window breaks?")
        await his.shows("✓", "the server has it")
        await hers.shows("1 unread", "juliet sees that something came")
        hers.tmux("send-keys", "M-a")
        await hers.shows("yonder window", "Alt-A opens it")
        # Until then nobody learns that she is there, and her client asks for no devices.
        hers.type("/accept")
        await hers.shows("encrypted to 1 device", "and once she accepts she answers encrypted")

        hers.type("/reply Ay me!")
        await his.shows("↳ You: What light", "romeo sees what is answered")
        his.type("/react 👍")
        await hers.shows("👍", "juliet sees his reaction")
        await hers.shows("✓✓", "and that he has her message")

        his.type("/edit What light through yonder casement breaks?")
        await hers.shows("casement breaks? (edited)", "juliet sees the new text")
        hers.tmux("send-keys", "Up", "I")
        await hers.shows("OMEMO 2", "the details tell how it was encrypted")
        hers.tmux("send-keys", "Escape")

        his.type("/devices")
        await his.shows("trusted, not verified", "fingerprints are there to be compared")
        his.save("clownfish-devices")
        his.tmux("send-keys", "Escape")
        # A letter right behind an Escape would be one key with Alt.
        await until(lambda: "Devices of" not in his.screen(), "Escape leaves them")
        his.tmux("send-keys", "-l", "half a thought")
        await his.shows("half a thought", "a draft")
        await his.quits("C-q", "romeo leaves")

    with window(romeo, "--connect", JULIET) as again:
        await again.shows("half a thought", "the draft is still there after a restart")
        await again.shows("casement breaks? (edited)", "and so is everything that was said")
        again.save("clownfish")
        again.tmux("send-keys", "C-u")
        again.type("/devices")
        await again.shows("trusted, not verified", "fingerprints are known from before")
        again.tmux("send-keys", "Escape")
        await until(lambda: "Devices of" not in again.screen(), "Escape leaves them")
        again.type("It is my lady")
        await again.shows("▎ It is my lady", "what is written instead is sent")
        await again.shows("Write a message", "and nothing is left of the draft")
        await again.quits("C-q", "and leaves again")

    with window(romeo, "--connect", JULIET) as third:
        await third.shows("Write a message", "what was sent does not come back as a draft")
        await third.quits("C-q", "and a third time")


if __name__ == "__main__":
    run(main)
