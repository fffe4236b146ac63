"""PEP (XEP-0163, XEP-0060): publish, notify by interest, access models, preconditions, items."""

from xml.etree import ElementTree as ET

from client import Client, befriend, bounded, check, refused, run, until

NODE = "urn:example:mood-ring"
PLUGINS = ("xep_0004", "xep_0060", "xep_0115", "xep_0163", "xep_0223")


class Wearer(Client):
    """A client that is interested in the node."""

    def __init__(self, place, name, password, resource, interested=True):
        super().__init__(place, name, password, resource, plugins=PLUGINS)
        self.colours = []
        self.retracted = []
        pubsub = self.plugin["xep_0060"]
        pubsub.map_node_event(NODE, "ring")
        self.add_event_handler("ring_publish", self.on_publish)
        self.add_event_handler("ring_retract", self.on_retract)
        if interested:
            self.plugin["xep_0163"].add_interest(NODE)

    def on_publish(self, message):
        payload = message["pubsub_event"]["items"]["item"]["payload"]
        self.colours.append((message["from"].bare, payload.get("colour")))

    def on_retract(self, message):
        self.retracted.append(message["pubsub_event"]["items"]["retract"]["id"])

    def wear(self, colour, item="current", **options):
        payload = ET.Element(f"{{{NODE}}}ring", {"colour": colour})
        return self.plugin["xep_0060"].publish(
            self.boundjid.bare, NODE, item, payload, options=publish_options(self, options)
        )

    def look(self, owner, **arguments):
        return self.plugin["xep_0060"].get_items(owner.boundjid.bare, NODE, **arguments)


def publish_options(client, options):
    if not options:
        return None
    form = client.plugin["xep_0004"].make_form(ftype="submit")
    form.add_field(
        var="FORM_TYPE",
        ftype="hidden",
        value="http://jabber.org/protocol/pubsub#publish-options",
    )
    for name, value in options.items():
        form.add_field(var=f"pubsub#{name}", value=value)
    return form


def colours(answer) -> list:
    items = answer["pubsub"]["items"]["substanzas"]
    return [(item["id"], item["payload"].get("colour")) for item in items]


async def main(place):
    for name in ("romeo", "juliet", "tybalt", "nurse"):
        place.add_account(name, name * 2)
    juliet = Wearer(place, "juliet", "julietjuliet", "balcony")
    chamber = Wearer(place, "juliet", "julietjuliet", "chamber")
    romeo = Wearer(place, "romeo", "romeoromeo", "orchard")
    deaf = Wearer(place, "romeo", "romeoromeo", "deaf", interested=False)
    tybalt = Wearer(place, "tybalt", "tybalttybalt", "street")
    for client in (juliet, chamber, romeo, deaf, tybalt):
        await client.login()
    await befriend(romeo, juliet)

    red = ("juliet@localhost", "red")
    await bounded(juliet.wear("red"), "juliet publishes")
    await until(lambda: red in romeo.colours, "a contact with interest is notified")
    await until(lambda: red in chamber.colours, "so is the owner's other device")
    answer = await bounded(romeo.look(juliet), "romeo looks")
    check(colours(answer) == [("current", "red")], "a contact reads the item")
    # XEP-0060 §6.5.9.2 says not-authorized; prosody says forbidden.
    await refused(tybalt.look(juliet), {"not-authorized", "forbidden"}, "a stranger may not")

    late = Wearer(place, "romeo", "romeoromeo", "late")
    await late.login()
    await until(lambda: red in late.colours, "a device that logs in later gets the last item")

    nurse = Wearer(place, "nurse", "nursenurse", "house")
    await nurse.login()
    await befriend(nurse, juliet)
    await until(lambda: red in nurse.colours, "so does a new contact who is online already")

    await refused(
        juliet.wear("blue", access_model="open"), {"conflict"}, "a wrong precondition is refused"
    )
    answer = await bounded(romeo.look(juliet), "romeo looks")
    check(colours(answer) == [("current", "red")], "and nothing was published")

    configuration = await bounded(
        juliet.plugin["xep_0060"].get_node_config(juliet.boundjid.bare, NODE), "configuration"
    )
    form = configuration["pubsub_owner"]["configure"]["form"]
    form.set_type("submit")
    form.get_fields()["pubsub#access_model"]["value"] = "open"
    form.get_fields()["pubsub#max_items"]["value"] = "3"
    await bounded(
        juliet.plugin["xep_0060"].set_node_config(juliet.boundjid.bare, NODE, form), "opened"
    )
    answer = await bounded(tybalt.look(juliet), "tybalt looks")
    check(colours(answer) == [("current", "red")], "after the owner opened it a stranger reads it")

    for number in range(5):
        await bounded(juliet.wear(f"shade {number}", item=f"item {number}"), "juliet publishes")
    answer = await bounded(romeo.look(juliet), "romeo looks")
    check(
        sorted(colours(answer)) == [(f"item {n}", f"shade {n}") for n in (2, 3, 4)],
        "only as many items are kept as the node says",
    )

    await bounded(
        juliet.plugin["xep_0060"].retract(juliet.boundjid.bare, NODE, "item 3", notify=True),
        "juliet retracts",
    )
    await until(lambda: "item 3" in romeo.retracted, "the contact hears of a retraction")
    answer = await bounded(romeo.look(juliet, item_ids=["item 4"]), "romeo looks")
    check(colours(answer) == [("item 4", "shade 4")], "an item is read by its id")

    await refused(
        tybalt.plugin["xep_0060"].publish(juliet.boundjid.bare, NODE, "current", ET.Element("x")),
        {"forbidden"},
        "a stranger does not publish for her",
    )
    await bounded(
        juliet.plugin["xep_0060"].delete_node(juliet.boundjid.bare, NODE), "juliet deletes the node"
    )
    await refused(romeo.look(juliet), {"item-not-found"}, "and it is gone")
    # After the subscription handshake prosody also notifies the bare address, and so everybody.
    if place.supports("notification-by-interest"):
        check(deaf.colours == [], "a device without interest was never notified")
    for client in (juliet, chamber, romeo, deaf, late, nurse, tybalt):
        await client.logout()


if __name__ == "__main__":
    run(main)
