"""Clownfish killed in the middle of sending and listening: nothing is lost and nothing doubled."""

import asyncio
import random
import signal

from client import check, run, until
from clownfish import DONE
from omemo_device import LEGACY, MODERN
from stage import juliet_and_romeo

ROMEO, JULIET = "romeo@localhost", "juliet@localhost"
ROUNDS = 25


async def main(place):
    juliet, romeo = await juliet_and_romeo(place)
    chance = random.Random(20)
    print(f"  seed 20, {ROUNDS} rounds", flush=True)

    confirmed = await killed_while_sending(juliet, chance)
    # What was queued when it was killed goes out with the next command.
    check((await juliet.send(ROMEO, "last")).code == DONE, "a last one is sent")
    confirmed.append("last")
    await until(lambda: any(text == "last" for _, text in romeo.log), "romeo has the last one")
    got = [text for identifier, text in romeo.log if not identifier.startswith("chat-")]
    check(len(got) == len(set(got)), f"no text came twice ({len(got)} came)")
    check(set(confirmed) <= set(got), f"all {len(confirmed)} that were confirmed came")
    check([text for text in got if text in set(confirmed)] == confirmed, "in their order")
    check(not romeo.failures, f"romeo decrypted everything: {romeo.failures}")

    await killed_while_listening(romeo, juliet, chance)
    await romeo.logout()


async def killed_while_sending(juliet, chance) -> list:
    confirmed = []
    for number in range(ROUNDS):
        process = await juliet.start("send", ROMEO, f"text {number}")
        # Anywhere between its start and its end.
        await asyncio.sleep(chance.uniform(0, 0.5))
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.communicate()
        if process.returncode == DONE:
            confirmed.append(f"text {number}")
    return confirmed


async def killed_while_listening(romeo, juliet, chance):
    heard = []
    for number in range(ROUNDS):
        await romeo.chat(JULIET, f"chat-{number}", f"hear {number}", chance.choice([LEGACY, MODERN]))
        process = await juliet.start("listen", "--json")
        await asyncio.sleep(chance.uniform(0, 0.8))
        process.send_signal(signal.SIGKILL)
        out, _ = await process.communicate()
        heard += [line for line in out.decode().splitlines() if line]
    await romeo.chat(JULIET, "chat-end", "the end", MODERN)
    while not any("the end" in line for line in heard):
        result = await juliet.run("listen", "--json", "--count", "1", "--timeout", "30")
        check(result.code == DONE, "listening goes on")
        heard += result.out.splitlines()
    for number in range(ROUNDS):
        times = sum(f'"hear {number}"' in line for line in heard)
        # A line may come again when the program was killed just after it.
        check(1 <= times <= 2, f"text {number} was printed ({times} times)")
    check(not any('"error"' in line for line in heard), "every text could be read")


if __name__ == "__main__":
    run(main)
