"""XEP-0191: who is blocked is not heard and sees nobody; all devices know; unblocking ends it."""

from slixmpp import JID

from client import Client, befriend, bounded, check, run, until


class Blocker(Client):
    def __init__(self, place, name, password, resource):
        super().__init__(place, name, password, resource, plugins=("xep_0191",))
        self.pushes = []
        self.errors = []
        self.add_event_handler("blocked", lambda _: self.pushes.append("blocked"))
        self.add_event_handler("unblocked", lambda _: self.pushes.append("unblocked"))
        self.add_event_handler("message_error", self.errors.append)

    @property
    def blocking(self):
        return self.plugin["xep_0191"]


def gone(client, contact):
    return any(
        presence["from"].bare == contact.boundjid.bare and presence["type"] == "unavailable"
        for presence in client.presences
    )


async def main(place):
    for name in ("romeo", "juliet", "tybalt"):
        place.add_account(name, name * 2)
    juliet = Blocker(place, "juliet", "julietjuliet", "balcony")
    chamber = Blocker(place, "juliet", "julietjuliet", "chamber")
    tybalt = Blocker(place, "tybalt", "tybalttybalt", "street")
    romeo = Blocker(place, "romeo", "romeoromeo", "orchard")
    for client in (juliet, chamber, tybalt, romeo):
        await client.login()
        # A device gets pushes once it has asked for the list.
        check(await bounded(client.blocking.get_blocked_jids(), "list") == set(), "an empty list")
    await befriend(tybalt, juliet)

    tybalt.presences.clear()
    await bounded(juliet.blocking.block(tybalt.boundjid.bare), "juliet blocks tybalt")
    await until(lambda: gone(tybalt, juliet), "to tybalt she is offline now")
    await until(lambda: chamber.pushes == ["blocked"], "her other device knows")
    listed = await bounded(chamber.blocking.get_blocked_jids(), "the list")
    check(listed == {JID("tybalt@localhost")}, "and has him on the list")

    tybalt.say(juliet.boundjid.bare, "have at thee")
    await until(lambda: tybalt.errors, "his message comes back")
    romeo.say(juliet.boundjid.bare, "good night")
    await until(lambda: "good night" in juliet.bodies, "others are heard")
    check("have at thee" not in juliet.bodies + chamber.bodies, "he is not")

    juliet.say(tybalt.boundjid.bare, "leave me")
    await until(lambda: juliet.errors, "she cannot write to him either")
    check(tybalt.bodies == [], "and he receives nothing")

    tybalt.presences.clear()
    await bounded(juliet.blocking.unblock(tybalt.boundjid.bare), "juliet unblocks him")
    await until(lambda: chamber.pushes[-1] == "unblocked", "her other device knows")
    await until(
        lambda: any(
            presence["from"].bare == "juliet@localhost" and presence["type"] == "available"
            for presence in tybalt.presences
        ),
        "he sees her again",
    )
    tybalt.say(juliet.boundjid.bare, "peace")
    await until(lambda: "peace" in juliet.bodies, "and is heard")
    for client in (juliet, chamber, tybalt, romeo):
        await client.logout()


if __name__ == "__main__":
    run(main)
