"""XEP-0313 with XEP-0059: a device that comes later reads the whole history in pages."""

from client import PATIENCE_SECONDS, Client, bounded, check, run

PLUGINS = ("xep_0313", "xep_0059", "xep_0359")
COUNT = 45
PAGE = 10


def bodies(messages) -> list:
    return [message["mam_result"]["forwarded"]["stanza"]["body"] for message in messages]


async def page(client, **rsm):
    """One page: its bodies, its archive ids, and whether it is the last."""
    answer = await bounded(
        client.plugin["xep_0313"].retrieve(rsm={"max": PAGE, **rsm}), "a page of the archive"
    )
    messages = answer["mam"]["results"]
    ids = [message["mam_result"]["id"] for message in messages]
    return bodies(messages), ids, answer["mam_fin"]["complete"] == "true"


async def main(place):
    place.add_account("romeo", "wherefore")
    place.add_account("juliet", "art thou")
    juliet = Client(place, "juliet", "art thou", "balcony", plugins=PLUGINS)
    romeo = Client(place, "romeo", "wherefore", "orchard", plugins=PLUGINS)
    await juliet.login()
    await romeo.login()

    said = []
    for number in range(COUNT):
        sender, receiver = (romeo, juliet) if number % 3 else (juliet, romeo)
        said.append(f"line {number}")
        # One at a time: only then is there one order that both archives must show.
        arrival = receiver.wait_until("message", PATIENCE_SECONDS)
        sender.say(receiver.boundjid.bare, said[-1])
        await arrival
    check(len(juliet.bodies) + len(romeo.bodies) == COUNT, f"{COUNT} lines are exchanged")

    for user, password in (("juliet", "art thou"), ("romeo", "wherefore")):
        await read_all(place, user, password, said)

    stanza_ids = [message["stanza_id"]["id"] for message in juliet.received]
    newcomer = Client(place, "juliet", "art thou", "new", plugins=PLUGINS)
    await newcomer.login()
    _, ids, _ = await page(newcomer)
    check(
        set(stanza_ids[:5]) <= set(ids),
        "the ids of the archive are those that live messages carried (XEP-0359)",
    )
    for client in (juliet, romeo, newcomer):
        await client.logout()


async def read_all(place, user, password, said):
    reader = Client(place, user, password, "reader", plugins=PLUGINS)
    await reader.login()

    texts, after, complete, pages = [], None, False, 0
    while not complete:
        found, ids, complete = await page(reader, **({"after": after} if after else {}))
        texts += found
        after = ids[-1] if ids else after
        pages += 1
    check(texts == said, f"{user}: forwards in {pages} pages, in order, nothing twice")

    backwards = reader.plugin["xep_0313"].iterate(reverse=True, rsm={"max": PAGE})
    texts = bodies([message async for message in backwards])
    check(texts[::-1] == said, f"{user}: backwards from the end, the same")

    answer = await bounded(reader.plugin["xep_0313"].get_archive_metadata(), "metadata")
    metadata = answer["mam_metadata"]
    check(metadata["start"]["id"] and metadata["end"]["id"], f"{user}: metadata name both ends")

    answer = await bounded(
        reader.plugin["xep_0313"].retrieve(with_jid="nobody@localhost", rsm={"max": PAGE}), "a filter"
    )
    check(answer["mam"]["results"] == [], f"{user}: a filter by somebody else finds nothing")
    await reader.logout()


if __name__ == "__main__":
    run(main)
