"""A server's life before its people move: accounts, contacts, messages, keys, rooms. `fill` makes it on
another server, `check_moved` looks for all of it on Anemone."""

import json
import sqlite3

from client import Client, Failed, befriend, bounded, check, until
from clownfish import DONE, Clownfish
from server import Anemone
from slixmpp.exceptions import IqError
from slixmpp.xmlstream import ET

#: Names with their passwords. The last one has letters that some file names do not like.
PEOPLE = {"romeo": "wherefore", "juliet": "art thou", "mercutio": "a plague", "count.paris": "päris"}
PLUGINS = (
    "xep_0004", "xep_0045", "xep_0049", "xep_0054", "xep_0059", "xep_0060", "xep_0163", "xep_0191",
    "xep_0313", "xep_0359", "xep_0402",
)  # fmt: skip
LINES = 12
DEVICES = "eu.siacs.conversations.axolotl.devicelist"
BUNDLE = "eu.siacs.conversations.axolotl.bundles:31415"
BOOKMARKS = "urn:xmpp:bookmarks:1"
AVATAR = "urn:xmpp:avatar:data"
#: The smallest picture there is.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
ROOM = "feast"
#: The service for publishing, and a node of it.
SERVICE = "pubsub.localhost"
NEWS = "news"


def client(place, name, resource="old") -> Client:
    return Client(place, name, PEOPLE[name], resource, plugins=PLUGINS)


def element(text: str) -> ET.Element:
    return ET.fromstring(text)


async def publish(one, node, item, payload, **options):
    """Publishes an item with publish options, as clients do."""
    form = one.plugin["xep_0004"].make_form(ftype="submit")
    form.add_field("FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/pubsub#publish-options")
    for name, value in options.items():
        form.add_field(f"pubsub#{name}", value=value)
    pubsub = one.plugin["xep_0060"]
    await bounded(
        pubsub.publish(one.boundjid.bare, node, id=item, payload=element(payload), options=form), node
    )


async def fill(place, rooms):
    """Everything that is to be moved. `rooms` is the address of the service of rooms."""
    for name, password in PEOPLE.items():
        place.add_account(name, password)
    romeo, juliet, mercutio = (client(place, name) for name in ("romeo", "juliet", "mercutio"))
    await romeo.login()
    await juliet.login()
    await mercutio.login()
    await befriend(romeo, juliet)
    juliet.auto_authorize = None
    juliet.auto_subscribe = False
    mercutio.send_presence_subscription(pto=juliet.boundjid.bare)
    await juliet_knows(juliet)
    await bounded(
        romeo.update_roster(juliet.boundjid.bare, name="Juliet ♥", groups=["Verona", "Love & more"]),
        "a contact is renamed",
    )
    for number in range(LINES):
        sender, receiver = (romeo, juliet) if number % 2 else (juliet, romeo)
        arrival = receiver.wait_until("message", 30)
        sender.say(receiver.boundjid.bare, f"line {number} <&> 'ü'")
        await arrival
    await keep_things(romeo, bookmarks(place))
    await bounded(juliet.plugin["xep_0191"].block([f"tybalt@{place.domain}"]), "somebody is blocked")
    await room(place, rooms, romeo, juliet)
    await publish_news(romeo, juliet)
    await juliet.logout()
    sent = romeo.say(juliet.boundjid.bare, "while you were away")
    await bounded(romeo.plugin["xep_0199"].ping(), f"after {sent['id']}")
    await romeo.logout()
    await mercutio.logout()


async def publish_news(romeo, juliet):
    """A node of the service for publishing, with a subscriber."""
    pubsub = romeo.plugin["xep_0060"]
    await node_is_made(pubsub)
    for number in range(2):
        await tell_news(romeo, number)
    await bounded(juliet.plugin["xep_0060"].subscribe(SERVICE, NEWS), "somebody subscribes to it")


async def node_is_made(pubsub):
    """On a busy machine Prosody, with its data in SQLite, now and then does not answer."""
    for _ in range(3):
        try:
            return await bounded(pubsub.create_node(SERVICE, NEWS), "a node is made", 10)
        except IqError as error:
            # The first request was carried out after all.
            return check(error.condition == "conflict", f"a node is made: {error.condition}")
        except Failed as silence:
            print(f"      {silence}; again", flush=True)
    raise Failed("a node is made")


async def tell_news(romeo, number):
    entry = element(f"<entry xmlns='urn:verona:news'>{number} &amp; more</entry>")
    pubsub = romeo.plugin["xep_0060"]
    await bounded(pubsub.publish(SERVICE, NEWS, id=f"n{number}", payload=entry), "news are published")


async def juliet_knows(juliet):
    """The request of somebody whom she does not answer has arrived."""
    await until(
        lambda: any(one["type"] == "subscribe" for one in juliet.presences),
        "a request waits for an answer",
    )


def bookmarks(place) -> list:
    """Debian's ejabberd keeps one item in a node, and knows no option that says otherwise."""
    return ["feast"] if place.name == "ejabberd" else ["feast", "orchard"]


async def keep_things(romeo, rooms):
    """What an account keeps on its server beside contacts and messages."""
    await publish(
        romeo, DEVICES, "current",
        "<list xmlns='eu.siacs.conversations.axolotl'><device id='31415'/></list>",
        access_model="open",
    )  # fmt: skip
    await publish(
        romeo, BUNDLE, "current",
        "<bundle xmlns='eu.siacs.conversations.axolotl'><identityKey>BQ==</identityKey></bundle>",
        access_model="open",
    )  # fmt: skip
    more = {"max_items": "16"} if len(rooms) > 1 else {}
    for name in rooms:
        await publish(
            romeo, BOOKMARKS, f"{name}@conference.localhost",
            f"<conference xmlns='{BOOKMARKS}' name='The {name}' autojoin='true'><nick>R</nick></conference>",
            persist_items="true", access_model="whitelist", **more,
        )  # fmt: skip
    await publish(romeo, AVATAR, "one", f"<data xmlns='{AVATAR}'>{PIXEL}</data>", access_model="open")
    card = element("<vCard xmlns='vcard-temp'><FN>Romeo Montague</FN><NICKNAME>Ro</NICKNAME></vCard>")
    iq = romeo.make_iq_set()
    iq.append(card)
    await bounded(iq.send(), "a vCard is kept")
    iq = romeo.make_iq_set()
    iq.append(
        element("<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'><a>b &amp; c</a></exodus></query>")
    )
    await bounded(iq.send(), "a private document is kept")


async def room(place, rooms, romeo, juliet):
    """A room with a name, a member, a subject and some lines."""
    address = f"{ROOM}@{rooms}"
    muc = romeo.plugin["xep_0045"]
    await bounded(muc.join_muc_wait(address, "Romeo"), "the room is entered")
    form = await bounded(muc.get_room_config(address), "the room's form")
    form["type"] = "submit"
    wanted = {
        "muc#roomconfig_roomname": "The Feast",
        "muc#roomconfig_roomdesc": "At Capulet's",
        "muc#roomconfig_persistentroom": True,
        "muc#roomconfig_membersonly": True,
        "muc#roomconfig_publicroom": False,
        "muc#roomconfig_whois": "anyone",
        "muc#roomconfig_enablearchiving": True,
        "mam": True,
    }
    fields = form.get_fields()
    answers = {name: value for name, value in wanted.items() if name in fields}
    submitted = romeo.plugin["xep_0004"].make_form(ftype="submit")
    submitted.add_field("FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/muc#roomconfig")
    for name, field in fields.items():
        if name and field["type"] not in ("fixed", "hidden") and name != "FORM_TYPE":
            value = answers.get(name, field["value"])
            if isinstance(value, bool):
                value = "1" if value else "0"
            submitted.add_field(name, ftype=field["type"], value=value)
    await bounded(muc.set_room_config(address, submitted), "the room is configured")
    await bounded(
        muc.set_affiliation(address, jid=juliet.boundjid.bare, affiliation="member"), "a member"
    )
    await bounded(
        muc.set_affiliation(address, jid=f"tybalt@{place.domain}", affiliation="outcast", reason="a feud"),
        "an outcast",
    )
    await bounded(juliet.plugin["xep_0045"].join_muc_wait(address, "Juliet"), "the member enters")
    muc.set_subject(address, "He jests at scars")
    for number in range(4):
        speaker, listener = (romeo, juliet) if number % 2 else (juliet, romeo)
        heard = listener.wait_until("groupchat_message", 30)
        message = speaker.make_message(mto=address, mbody=f"room {number}", mtype="groupchat")
        message["id"] = speaker.new_id()
        message.send()
        await heard


async def take_in(place, kind, path):
    """Imports with the server stopped, after a trial run, and twice: what is there is not added again."""
    try:
        place.run("import", kind, str(path))
        raise Failed("a running server was changed behind its back")
    except RuntimeError as refusal:
        check("is running" in str(refusal), "a running server refuses an import")
    place.stop()
    imported = lambda *options: json.loads(  # noqa: E731
        place.run("import", kind, str(path), "--json", *options)
    )["import"]
    trial = imported("--dry-run")
    report = imported()
    check(report["accounts"] == len(PEOPLE) == trial["accounts"], "every account is taken")
    print(f"      left out: {list(report['skipped'])}", flush=True)
    again = imported()
    changes = [again[kind] for kind in ("accounts", "contacts", "nodes", "items", "messages", "rooms")]
    check(changes == [0] * 6, "a second import adds nothing")
    # What only waits is found among what waits.
    known = report["messages"] + report["room_messages"] - report["waiting"]
    check(again["messages_known"] >= known, "it knows them all")
    place.start()


async def check_passwords(place):
    """Everybody logs in, finds their contacts, and gets what waited."""
    for name in PEOPLE:
        one = client(place, name, "new")
        await one.login()
        await one.logout()
    check(True, "all passwords are the old ones")
    juliet = client(place, "juliet", "newer")
    await juliet.login()
    check(juliet.client_roster["romeo@localhost"]["subscription"] == "both", "so are the contacts")


async def check_export(place, directory):
    """An account goes on to another server, where it has another name."""
    file = directory.with_suffix(".xml")
    place.run("export", "romeo", str(file))
    directory.mkdir()
    other = Anemone(directory)
    try:
        other.stop()
        done = json.loads(other.run("import", "account", str(file), "--json", "--name", "montague"))
        check(done["import"]["messages"] == LINES + 1, "the file has the archive")
        other.start()
        moved = Client(other, "montague", PEOPLE["romeo"], "new", plugins=PLUGINS)
        await moved.login()
        said = [f"line {number} <&> 'ü'" for number in range(LINES)] + ["while you were away"]
        check(await bodies(moved) == said, "the archive is there under the new name")
        contact = moved.client_roster["juliet@localhost"]
        check(contact["name"] == "Juliet ♥", "so are the contacts, who do not know the new name")
        check(contact["subscription"] == "none", "they have to be asked again")
        await check_kept(moved, ["feast", "orchard"])
        await moved.logout()
    finally:
        other.stop()


async def check_moved(place, rooms, bookmarked):
    """Everybody logs in with the password they had, and finds what `fill` made."""
    romeo = client(place, "romeo", "new")
    await romeo.login()
    check(True, "the password is the one it was")
    contact = romeo.client_roster["juliet@localhost"]
    check(contact["subscription"] == "both", "the contact sees and is seen")
    check(contact["name"] == "Juliet ♥", "it has the name that was given to it")
    check(sorted(contact["groups"]) == ["Love & more", "Verona"], "and is in its groups")
    said = [f"line {number} <&> 'ü'" for number in range(LINES)] + ["while you were away"]
    check(await bodies(romeo) == said, "the archive is there, in order, nothing twice")
    await check_kept(romeo, bookmarked)
    juliet = client(place, "juliet", "new")
    await juliet.login(presence=False)
    juliet.auto_authorize = None
    juliet.auto_subscribe = False
    await juliet.get_roster()
    juliet.send_presence()
    await until(lambda: juliet.bodies == ["while you were away"], "what waited is delivered")
    await juliet_knows(juliet)
    check(await bodies(juliet) == said, "her archive has it all as well")
    blocked = await bounded(juliet.plugin["xep_0191"].get_blocked(), "the block list")
    check("tybalt@localhost" in str(blocked), "who was blocked stays so")
    devices = await bounded(
        juliet.plugin["xep_0060"].get_items("romeo@localhost", DEVICES), "a contact's devices"
    )
    check("31415" in str(devices), "a contact's OMEMO devices can be read")
    await check_room(romeo, juliet, f"{ROOM}@{rooms}")
    await check_news(romeo, juliet)
    for one in (romeo, juliet):
        await one.logout()
    paris = client(place, "count.paris", "new")
    await paris.login()
    await paris.logout()
    check(True, "a name and a password with unusual letters log in")
    await check_keys(place)


async def bodies(one, room=None) -> list:
    found = []
    with_room = {"jid": room} if room else {}
    async for message in one.plugin["xep_0313"].iterate(rsm={"max": 10}, **with_room):
        found.append(message["mam_result"]["forwarded"]["stanza"]["body"])
    return [body for body in found if body]


async def check_kept(romeo, bookmarked):
    own = romeo.boundjid.bare
    pubsub = romeo.plugin["xep_0060"]
    found = await bounded(pubsub.get_items(own, BOOKMARKS), "bookmarks")
    names = [item["id"].split("@")[0] for item in found["pubsub"]["items"]]
    check(names == bookmarked, "the bookmarks are there")
    found = await bounded(pubsub.get_items(own, AVATAR), "the avatar")
    check(PIXEL in str(found), "the avatar is there")
    found = await bounded(pubsub.get_items(own, BUNDLE), "the OMEMO keys")
    check("BQ==" in str(found), "the OMEMO keys are there")
    card = await bounded(romeo.plugin["xep_0054"].get_vcard(own), "the vCard")
    check(card["vcard_temp"]["FN"] == "Romeo Montague", "the vCard is there")
    iq = romeo.make_iq_get()
    iq.append(element("<query xmlns='jabber:iq:private'><exodus xmlns='exodus:prefs'/></query>"))
    found = await bounded(iq.send(), "a private document")
    check("b &amp; c" in str(found), "the private document is there")


async def check_news(romeo, juliet):
    """The node has its items, its owner and its subscriber."""
    pubsub = juliet.plugin["xep_0060"]
    found = await bounded(pubsub.get_items(SERVICE, NEWS), "the node of the service")
    names = [item["id"] for item in found["pubsub"]["items"]]
    check(sorted(names) == ["n0", "n1"], "its items are there")
    heard = []
    juliet.add_event_handler(
        "pubsub_publish", lambda message: heard.append(message["pubsub_event"]["items"]["item"]["id"])
    )
    await tell_news(romeo, 2)
    await until(lambda: "n2" in heard, "its owner publishes, its subscriber hears of it")


async def check_keys(place):
    """Clients that can give the keys that the old server did not have (XEP-0480), and everybody logs in
    with the strongest ones from then on."""

    def keys() -> int:
        with sqlite3.connect(f"file:{place.data / 'anemone.db'}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM credential").fetchone()[0]

    print(f"      keys of {len(PEOPLE)} people: {keys()}", flush=True)
    for name, password in PEOPLE.items():
        device = Clownfish(place, name, password, f"keys-{name.replace('.', '-')}")
        result = await device.login()
        check(result.code == DONE, f"{name} logs in with another client")
    check(keys() == 3 * len(PEOPLE), "there are keys for every hash function")
    romeo = client(place, "romeo", "strong")
    await romeo.login()
    used = romeo.plugin["feature_mechanisms"].mech.name
    check("SHA-512" in used, f"logins use the strongest mechanism, {used}")
    await romeo.logout()


async def check_room(romeo, juliet, address):
    topics = []
    juliet.add_event_handler(
        "groupchat_subject", lambda message: topics.append(message["subject"])
    )
    await bounded(juliet.plugin["xep_0045"].join_muc_wait(address, "Juliet"), "a member comes in")
    await until(lambda: topics == ["He jests at scars"], "the room has its subject")
    await bounded(romeo.plugin["xep_0045"].join_muc_wait(address, "Romeo"), "so does the owner")
    info = str(await bounded(romeo.plugin["xep_0030"].get_info(address), "the room's features"))
    check("The Feast" in info and "muc_membersonly" in info, "its configuration is the old one")
    outcasts = await bounded(
        romeo.plugin["xep_0045"].get_affiliation_list(address, "outcast"), "the outcasts"
    )
    check([str(jid) for jid in outcasts] == ["tybalt@localhost"], "who was banned stays so")
    lines = await bodies(juliet, address)
    check(lines == [f"room {number}" for number in range(4)], "its archive is there")
