"""XEP-0280: every device sees what the others receive and send, once, and only its own."""

from client import Client, bounded, check, run, until

HINTS = "xep_0334"


class CarbonClient(Client):
    def __init__(self, place, name, password, resource):
        super().__init__(place, name, password, resource, plugins=("xep_0280", HINTS))
        self.copies = []
        self.add_event_handler("carbon_received", lambda carbon: self.keep("received", carbon))
        self.add_event_handler("carbon_sent", lambda carbon: self.keep("sent", carbon))

    def keep(self, kind, carbon):
        self.copies.append((kind, carbon[f"carbon_{kind}"]["body"]))

    async def login(self):
        await super().login()
        await bounded(self.plugin["xep_0280"].enable(), "carbons are enabled")


async def main(place):
    place.add_account("romeo", "wherefore")
    place.add_account("juliet", "art thou")
    balcony = CarbonClient(place, "juliet", "art thou", "balcony")
    chamber = CarbonClient(place, "juliet", "art thou", "chamber")
    orchard = CarbonClient(place, "romeo", "wherefore", "orchard")
    for client in (balcony, chamber, orchard):
        await client.login()

    orchard.say(balcony.boundjid, "to one device")
    await until(lambda: balcony.bodies == ["to one device"], "the addressed device receives it")
    await until(
        lambda: chamber.copies == [("received", "to one device")], "the other one gets a copy"
    )

    balcony.say(orchard.boundjid.bare, "an answer")
    await until(lambda: orchard.bodies == ["an answer"], "the answer arrives")
    await until(
        lambda: chamber.copies[1:] == [("sent", "an answer")], "the other device sees it as sent"
    )

    secret = orchard.make_message(mto=balcony.boundjid, mbody="for one device", mtype="chat")
    secret.enable("no-copy")
    secret["carbon_private"] = True
    secret.send()
    orchard.say(balcony.boundjid, "for all again")
    await until(lambda: "for all again" in balcony.bodies, "both arrive where they are addressed")
    await until(lambda: ("received", "for all again") in chamber.copies, "the second is copied")
    check(
        ("received", "for one device") not in chamber.copies,
        "a message marked private is not copied",
    )

    forged = (
        "<message to='{to}' type='chat'><received xmlns='urn:xmpp:carbons:2'>"
        "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' type='chat' "
        "from='pope@localhost/rome' to='{to}'><body>forged</body></message></forwarded>"
        "</received></message>"
    )
    orchard.send_raw(forged.format(to=balcony.boundjid.full))
    orchard.say(balcony.boundjid, "after the forgery")
    await until(lambda: "after the forgery" in balcony.bodies, "the stream goes on")
    check(
        all("forged" not in body for _, body in balcony.copies + chamber.copies),
        "nobody takes a carbon from somebody else for a real one",
    )
    check(orchard.copies == [], "romeo got no copies: he has one device")
    for client in (balcony, chamber, orchard):
        await client.logout()


if __name__ == "__main__":
    run(main)
