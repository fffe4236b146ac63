"""Avatars and vCards: XEP-0084 in PEP, XEP-0054 and XEP-0153 for older clients, and XEP-0398,
by which a picture published in one way is seen in the other."""

import base64
import hashlib

from client import Client, befriend, bounded, check, run, until

PLUGINS = ("xep_0054", "xep_0060", "xep_0084", "xep_0115", "xep_0163")

# The smallest picture there is: one transparent pixel.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
HASH = hashlib.sha1(PICTURE).hexdigest()


class Viewer(Client):
    def __init__(self, place, name, password, resource, plugins=()):
        super().__init__(place, name, password, resource, plugins=(*PLUGINS, *plugins))
        self.seen = []
        self.add_event_handler("avatar_metadata_publish", self.on_metadata)

    def on_metadata(self, message):
        info = message["pubsub_event"]["items"]["item"]["avatar_metadata"]["items"]
        self.seen += [(message["from"].bare, one["id"]) for one in info]


async def main(place):
    for name in ("romeo", "juliet"):
        place.add_account(name, name * 2)
    juliet = Viewer(place, "juliet", "julietjuliet", "balcony")
    # Only romeo's client knows XEP-0153. Juliet's sends plain presence, to which the server
    # adds the hash of her picture.
    romeo = Viewer(place, "romeo", "romeoromeo", "orchard", plugins=("xep_0153",))
    await juliet.login()
    await romeo.login()
    await befriend(romeo, juliet)

    avatar = juliet.plugin["xep_0084"]
    await bounded(avatar.publish_avatar(PICTURE), "juliet publishes the picture")
    await bounded(
        avatar.publish_avatar_metadata(
            {"id": HASH, "type": "image/png", "bytes": str(len(PICTURE)), "width": "1", "height": "1"}
        ),
        "and tells of it",
    )
    await until(lambda: ("juliet@localhost", HASH) in romeo.seen, "romeo hears of the picture")
    answer = await bounded(
        romeo.plugin["xep_0084"].retrieve_avatar(juliet.boundjid.bare, HASH), "romeo fetches it"
    )
    data = answer["pubsub"]["items"]["item"]["avatar_data"]["value"]
    check(data == PICTURE, "it is the same picture")

    vcard = await bounded(
        romeo.plugin["xep_0054"].get_vcard(juliet.boundjid.bare, cached=False), "romeo's old client"
    )
    check(vcard["vcard_temp"]["PHOTO"]["BINVAL"] == PICTURE, "it is in the vCard as well")

    def old_hash():
        return any(
            presence["from"].bare == "juliet@localhost"
            and presence["vcard_temp_update"]["photo"] == HASH
            for presence in romeo.presences
        )

    juliet.send_presence(pstatus="with a picture")
    await until(old_hash, "the server puts the picture's hash into presence")

    card = romeo.plugin["xep_0054"].make_vcard()
    card["FN"] = "Romeo Montague"
    card["PHOTO"]["TYPE"] = "image/png"
    card["PHOTO"]["BINVAL"] = PICTURE
    await bounded(romeo.plugin["xep_0054"].publish_vcard(card), "romeo's old client sets a vCard")
    await until(
        lambda: ("romeo@localhost", HASH) in juliet.seen, "juliet hears of it in the modern way"
    )
    card = await bounded(
        juliet.plugin["xep_0054"].get_vcard(romeo.boundjid.bare, cached=False), "juliet looks"
    )
    check(card["vcard_temp"]["FN"] == "Romeo Montague", "and reads his name")
    await juliet.logout()
    await romeo.logout()


if __name__ == "__main__":
    run(main)
