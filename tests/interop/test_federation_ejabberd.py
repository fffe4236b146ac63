"""Anemone and Debian's ejabberd as two domains: chat, presence, PEP, OMEMO device lists, the archive, and
what happens to messages while the other side is away."""

from client import run_with
from federation import FederatedEjabberd
from test_federation import play


async def main():
    await play(FederatedEjabberd)


if __name__ == "__main__":
    run_with(main)
