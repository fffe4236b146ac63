"""Roster and presence, RFC 6121 §2 to §4, between two accounts with several devices."""

from client import Client, befriend, bounded, check, run, until


async def main(place):
    place.add_account("romeo", "wherefore")
    place.add_account("juliet", "art thou")
    balcony = Client(place, "juliet", "art thou", "balcony")
    chamber = Client(place, "juliet", "art thou", "chamber")
    orchard = Client(place, "romeo", "wherefore", "orchard")
    for client in (balcony, chamber, orchard):
        await client.login()

    await befriend(orchard, balcony)
    await until(
        lambda: chamber.client_roster[orchard.boundjid.bare]["subscription"] == "both",
        "a roster push reaches juliet's second device",
    )

    await bounded(
        balcony.update_roster(orchard.boundjid.bare, name="My Romeo", groups=["Montague"]),
        "juliet names her contact",
    )
    await until(
        lambda: chamber.client_roster[orchard.boundjid.bare]["name"] == "My Romeo"
        and chamber.client_roster[orchard.boundjid.bare]["groups"] == ["Montague"],
        "name and group arrive on the second device",
    )

    balcony.send_presence(pshow="dnd", pstatus="Parting is such sweet sorrow", ppriority=5)
    await until(
        lambda: any(
            presence["from"] == balcony.boundjid
            and presence["type"] == "dnd"
            and presence["status"] == "Parting is such sweet sorrow"
            for presence in orchard.presences
        ),
        "romeo sees juliet's show and status",
    )

    orchard.presences.clear()
    await chamber.logout()
    await until(
        lambda: any(
            presence["from"].resource == "chamber" and presence["type"] == "unavailable"
            for presence in orchard.presences
        ),
        "romeo sees that juliet's second device is gone",
    )

    later = Client(place, "romeo", "wherefore", "later")
    await later.login()
    roster = later.client_roster
    check(roster[balcony.boundjid.bare]["subscription"] == "both", "a new device gets the roster")
    await until(
        lambda: any(presence["from"] == balcony.boundjid for presence in later.presences),
        "and the presence of those who are online",
    )

    await bounded(orchard.del_roster_item(balcony.boundjid.bare), "romeo removes juliet")
    await until(
        lambda: balcony.client_roster[orchard.boundjid.bare]["subscription"] == "none",
        "the subscription ends on both sides",
    )
    for client in (balcony, orchard, later):
        await client.logout()


if __name__ == "__main__":
    run(main)
