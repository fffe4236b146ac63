"""A data directory on a volume that fills up: nobody is told that a message is kept when it is
not, logins and reading go on, and the server takes messages again as soon as there is room."""

import asyncio
import subprocess

from slixmpp.exceptions import IqError

from client import Client, bounded, check, run, until
from server import answers
from test_archive import PLUGINS, bodies
from test_resumption import Resumer

# Runs the server on a volume of its own in a namespace of its own, which takes no privileges, and
# obeys: "fill" takes all the room there is, "free" gives it back.
KEEPER = """
set -e
volume=$1 data=$2 program=$3
mount -t tmpfs -o size=24m tmpfs "$volume"
cp -a "$data/." "$volume/"
"$program" serve --data "$volume" &
server=$!
exec 3<&0
trap 'kill -TERM $server; wait $server; exit $?' TERM
# A command in the background has no standard input, so it is kept under another number.
while read -r order <&3; do
  case $order in
    fill) cat /dev/zero >"$volume/ballast" 2>/dev/null || true ;;
    free) rm "$volume/ballast" ;;
  esac
  echo "$order"
done &
wait $server
"""
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
LARGE = "x" * 20_000


class SmallVolume:
    """`with SmallVolume(place) as volume`: the server of this place, on a small volume."""

    def __init__(self, place):
        self.place = place
        self.path = place.directory / "volume"
        self.path.mkdir()

    def __enter__(self):
        place = self.place
        place.stop()
        self.log = place.log.open("ab")
        place.process = self.keeper = subprocess.Popen(
            [*NAMESPACE, "sh", "-c", KEEPER, "sh", self.path, place.data, place.program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )
        return self

    def __exit__(self, *_):
        self.keeper.stdin.close()
        self.place.stop()
        self.keeper.stdout.close()
        self.log.close()

    def order(self, what: str):
        self.keeper.stdin.write(what + "\n")
        self.keeper.stdin.flush()
        return self.keeper.stdout.readline().strip() == what


class Sender(Resumer):
    """Knows what became of each message: acknowledged, refused, or neither yet."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.refused = {}
        self.add_event_handler("message_error", self.on_refused)

    def on_refused(self, message):
        self.refused[message["id"]] = message["error"]["condition"]

    async def fate(self, message, what):
        """Asks until the server has said something about it."""
        # slixmpp sends stanzas from a queue and requests past it.
        await self.waiting_queue.join()
        self.plugin["xep_0198"].request_ack()
        identity = message["id"]
        await until(lambda: identity in self.acknowledged or identity in self.refused, what)
        return identity not in self.refused


async def main(place):
    if not place.supports("full-disk"):
        check(True, "this server promises nothing about full disks")
        return
    if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode != 0:
        check(True, "this machine lets nobody mount a small volume: not tested")
        return
    for name in ("romeo", "juliet"):
        place.add_account(name, name * 2)
    with SmallVolume(place) as volume:
        await until(lambda: answers(place.host, place.c2s_port), "the server runs on the volume")
        await fill_and_free(place, volume)


async def fill_and_free(place, volume):
    romeo = Sender(place, "romeo", "romeoromeo", "orchard")
    juliet = Client(place, "juliet", "julietjuliet")
    await romeo.login()
    await juliet.login()
    kept = [romeo.say("juliet@localhost", "before")]
    check(await romeo.fate(kept[0], "a message is acknowledged"), "and kept")

    owner = Client(place, "juliet", "julietjuliet", "rooms", plugins=("xep_0004", "xep_0045"))
    await owner.login()
    room = f"coven@conference.{place.domain}"
    muc = owner.plugin["xep_0045"]
    await bounded(muc.join_muc_wait(room, "Juliet"), "a room is entered")
    form = owner.plugin["xep_0004"].make_form(ftype="submit")
    await bounded(muc.set_room_config(room, form), "and configured")

    def ban(who):
        return refusal(muc.set_affiliation(room, jid=f"{who}@{place.domain}", affiliation="outcast"))

    check(volume.order("fill"), "the volume is full")
    for number in range(200):
        message = romeo.say("juliet@localhost", f"full {number} {LARGE}")
        if not await romeo.fate(message, f"message {number} has its answer"):
            break
        kept.append(message)
    condition = romeo.refused.get(message["id"])
    check(condition == "resource-constraint", f"a message that is not kept comes back: {condition}")

    condition = await ban("tybalt")
    check(condition == "resource-constraint", f"nor is a ban that is not kept done: {condition}")

    other = Client(place, "juliet", "julietjuliet", "other", plugins=PLUGINS)
    await other.login()
    check(True, "people still log in")
    check((await history(other))[0] == "before", "and read their archive")

    check(volume.order("free"), "there is room again")
    for number in range(1000):
        message = romeo.say("juliet@localhost", f"after {number}")
        if await romeo.fate(message, f"try {number} has its answer"):
            kept.append(message)
            break
        await asyncio.sleep(0.05)
    archived = await bounded(history(other), "the archive")
    wanted = [message["body"] for message in kept]
    check([body for body in archived if body in wanted] == wanted,
          "everything acknowledged is in the archive, once and in order")
    condition = await ban("paris")
    check(condition is None, f"a ban is kept again: {condition}")
    await owner.logout()
    await other.logout()
    await juliet.logout()
    await romeo.logout()


async def refusal(request):
    """The condition of the error with which a request is answered."""
    try:
        await bounded(request, "a request has its answer")
    except IqError as error:
        return error.condition
    return None


async def history(client):
    """The bodies of the whole archive."""
    pages = client.plugin["xep_0313"].iterate(rsm={"max": 50})
    return bodies([message async for message in pages])


if __name__ == "__main__":
    run(main)
