"""XEP-0198 with slixmpp: a dropped connection loses nothing and doubles nothing, and neither
does a restart of the server. After a crash everything acknowledged is in the archives."""

from client import Client, check, run, until

PLUGINS = ("xep_0059", "xep_0198", "xep_0313")


class Resumer(Client):
    def __init__(self, place, name, password, resource):
        super().__init__(place, name, password, resource, plugins=PLUGINS)
        self.acknowledged = set()
        self.add_event_handler("stanza_acked", lambda stanza: self.acknowledged.add(stanza["id"]))

    async def login(self):
        event = await super().login()
        if event == "session_start":
            await until(lambda: self.plugin["xep_0198"].sm_id, f"{self.boundjid}: resumable")
        return event

    async def drop(self):
        """Loses the connection without a word, as a phone in a tunnel does."""
        gone = self.outcome("disconnected")
        self.abort()
        await gone


async def acknowledged(client, messages, what):
    """Waits until the server took responsibility for these messages."""
    # slixmpp sends stanzas from a queue and requests past it.
    await client.waiting_queue.join()
    client.plugin["xep_0198"].request_ack()
    wanted = {message["id"] for message in messages}
    await until(lambda: wanted <= client.acknowledged, what)


async def main(place):
    for name in ("romeo", "juliet"):
        place.add_account(name, name * 2)
    juliet = Resumer(place, "juliet", "julietjuliet", "balcony")
    romeo = Resumer(place, "romeo", "romeoromeo", "orchard")
    await juliet.login()
    await romeo.login()

    await drops(juliet, romeo)
    if place.supports("resumption-across-restart"):
        await restart(place, juliet, romeo)
    check(len(set(juliet.bodies)) == len(juliet.bodies), "nothing arrived twice")
    if place.supports("durable-acknowledgement"):
        await crash(place, juliet, romeo)
    await juliet.logout()
    await romeo.logout()


async def drops(juliet, romeo):
    expected = []
    for round_number in range(5):
        sent = []
        for number in range(4):
            sent.append(romeo.say(juliet.boundjid.bare, f"drop {round_number}.{number}"))
            if number == 1:
                await juliet.drop()
        expected += [message["body"] for message in sent]
        await acknowledged(romeo, sent, f"round {round_number}: the server has four messages")
        check(await juliet.login() == "session_resumed", "the stream is resumed")
        await until(
            lambda: juliet.bodies[-len(expected) :] == expected, "all are there, once and in order"
        )

    await romeo.drop()
    kept = [romeo.say(juliet.boundjid.bare, f"from a tunnel {number}") for number in range(3)]
    check(await romeo.login() == "session_resumed", "the sender resumes")
    await until(
        lambda: juliet.bodies[-3:] == [message["body"] for message in kept],
        "what was written without a connection arrives afterwards",
    )


async def restart(place, juliet, romeo):
    """The operator restarts the server: streams go on where they were."""
    sent = await write_to_absent(juliet, romeo, "during a restart")
    gone = romeo.outcome("disconnected")
    place.restart()
    await gone
    for client in (juliet, romeo):
        check(await client.login() == "session_resumed", f"{client.boundjid.user} resumes")
    await until(
        lambda: juliet.bodies[-len(sent) :] == sent, "what was acknowledged arrives, in order"
    )
    answer = juliet.say(romeo.boundjid.bare, "after the restart")
    await until(lambda: romeo.bodies[-1:] == [answer["body"]], "and the chat goes on")


async def crash(place, juliet, romeo):
    """The power fails: a stream may be lost, what was acknowledged may not."""
    sent = await write_to_absent(juliet, romeo, "before a crash")
    gone = romeo.outcome("disconnected")
    place.restart(kill=True)
    await gone
    for client in (juliet, romeo):
        await client.login()
        results = client.plugin["xep_0313"].iterate(rsm={"max": 20})
        texts = [
            result["mam_result"]["forwarded"]["stanza"]["body"] async for result in results
        ]
        check(texts[-len(sent) :] == sent, f"{client.boundjid.user}'s archive has all of it, once")
    answer = juliet.say(romeo.boundjid.bare, "after the crash")
    await until(lambda: romeo.bodies[-1:] == [answer["body"]], "and the chat goes on")


async def write_to_absent(juliet, romeo, occasion) -> list:
    await juliet.drop()
    sent = [romeo.say(juliet.boundjid.bare, f"{occasion} {number}") for number in range(4)]
    await acknowledged(romeo, sent, "the server has four messages")
    return [message["body"] for message in sent]


if __name__ == "__main__":
    run(main)
