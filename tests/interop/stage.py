"""How the tests of Clownfish beside somebody else's client begin."""

from client import bounded, check
from clownfish import DONE, Clownfish, discover
from omemo_device import Device


async def juliet_and_romeo(place) -> tuple:
    """Both accounts: Juliet's Clownfish is logged in, Romeo's device knows its keys."""
    for name in ("romeo", "juliet"):
        place.add_account(name, f"{name}'s password")
    juliet = Clownfish(place, "juliet", "juliet's password", "desk")
    check((await juliet.login()).code == DONE, "clownfish logs in")
    romeo = Device(place, "romeo", "romeo's password", "balcony")
    ready = romeo.outcome("omemo_initialized")
    await romeo.login()
    await bounded(ready, "romeo's keys are published")
    await discover(romeo, juliet.address, 1)
    return juliet, romeo
