"""Our crate for OMEMO against python-omemo, message by message: both versions, whoever begins, with
losses, repetitions and changed order. No server takes part.

`test_oracle.py --record` writes the sessions that the tests of the crate replay, to
crates/omemo/tests/vectors/transcripts. The random numbers of python-omemo are different each time.
"""

import argparse
import asyncio
import os
import random
import sys
from types import SimpleNamespace

import x3dh
import xeddsa
from oldmemo import oldmemo as legacy
from twomemo import twomemo as modern

from client import check, run_with
from omemo_storage import Memory
from server import ROOT

PEER = os.environ.get("INTEROP_OMEMO_PEER", str(ROOT / "target/debug/examples/peer"))
TRANSCRIPTS = ROOT / "crates/omemo/tests/vectors/transcripts"
VERSIONS = {"legacy": (legacy, legacy.Oldmemo), "omemo2": (modern, modern.Twomemo)}
US, THEM = ("us@localhost", 1), ("them@localhost", 2)
PRE_KEYS = 25
MESSAGES = 300
SEEDS = range(1, 5)
RECORDED = 24


class Ours:
    """The program of the crate: a device that does what it is told, a line each time."""

    def __init__(self, version: str, seed: int):
        self.version, self.seed = version, seed
        self.transcript = []

    async def __aenter__(self):
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(
            PEER, self.version, str(self.seed), stdin=pipe, stdout=pipe, limit=1 << 20
        )
        return self

    async def __aexit__(self, *_):
        self.process.stdin.close()
        await self.process.wait()

    async def ask(self, command: str) -> str:
        self.process.stdin.write(f"{command}\n".encode())
        answer = (await self.process.stdout.readline()).decode().rstrip("\n")
        if not answer.startswith("error"):
            self.transcript += [command, answer]
        return answer

    async def encrypt(self, plaintext: bytes):
        """Whether it is a key exchange, and the message."""
        kind, message = (await self.ask(f"encrypt {plaintext.hex()}")).split()
        return kind == "kex", bytes.fromhex(message)

    async def decrypt(self, message) -> bytes:
        """None when it cannot be read."""
        word, rest = (await self.ask(f"decrypt {message[1].hex()}")).split(" ", 1)
        return bytes.fromhex(rest) if word == "ok" else None


class Theirs:
    """A device of python-omemo, below its handling of lists and trust."""

    def __init__(self, version: str):
        self.version = version
        self.library, kind = VERSIONS[version]
        self.backend = kind(Memory())
        self.session = None

    @property
    def is_legacy(self) -> bool:
        return self.version == "legacy"

    async def bundle(self) -> str:
        """As the crate's program reads it."""
        await self.backend.generate_pre_keys(PRE_KEYS)
        one = await self.backend.get_bundle(*THEM)
        identity, signature = one.bundle.identity_key, bytearray(one.bundle.signed_pre_key_sig)
        head = b"\x05" if self.is_legacy else b""
        if self.is_legacy:
            signature[63] |= identity[31] & 0x80
            identity = head + xeddsa.ed25519_pub_to_curve25519_pub(identity)
        pre_keys = sorted((number, key) for key, number in one.pre_key_ids.items())
        listed = ",".join(f"{number}:{(head + key).hex()}" for number, key in pre_keys)
        signed = (head + one.bundle.signed_pre_key).hex()
        return f"{identity.hex()} {one.signed_pre_key_id} {signed} {signature.hex()} {listed}"

    def read_bundle(self, words: str):
        identity, signed_id, signed, signature, listed = words.split()
        identity, signed = bytes.fromhex(identity), bytes.fromhex(signed)
        signature = bytearray.fromhex(signature)
        skip = 1 if self.is_legacy else 0
        self.sign = bool(signature[63] & 0x80)
        if self.is_legacy:
            identity = xeddsa.curve25519_pub_to_ed25519_pub(identity[1:], self.sign)
            signature[63] &= 0x7F
        pre_keys = dict(pair.split(":") for pair in listed.split(","))
        pre_keys = {bytes.fromhex(key)[skip:]: int(number) for number, key in pre_keys.items()}
        bundle = x3dh.Bundle(identity, signed[skip:], bytes(signature), frozenset(pre_keys))
        return self.library.BundleImpl(*US, bundle, int(signed_id), pre_keys)

    def material(self, plaintext: bytes):
        size = self.library.PlainKeyMaterialImpl.KEY_LENGTH
        return self.library.PlainKeyMaterialImpl(plaintext[:size], plaintext[size:])

    async def begin(self, bundle, plaintext: bytes):
        material = self.material(plaintext)
        self.session, sealed = await self.backend.build_session_active(*US, bundle, material)
        return self.wrap(sealed)

    def wrap(self, sealed):
        """The bytes on the wire: a key exchange until something was received."""
        if self.session.initiation.name != "ACTIVE" or self.session.confirmed:
            return False, sealed.serialize()
        whole = self.session.key_exchange.serialize(sealed.serialize())
        return True, whole[0] if self.is_legacy else whole

    async def encrypt(self, plaintext: bytes):
        material = self.material(plaintext)
        return self.wrap(await self.backend.encrypt_key_material(self.session, material))

    async def decrypt(self, message) -> bytes:
        key_exchange, content = message
        exchange = None
        if key_exchange:
            sign = (self.sign,) if self.is_legacy else ()
            exchange, content = self.library.KeyExchangeImpl.parse(content, *sign)
        sealed = self.library.EncryptedKeyMaterialImpl.parse(content, *THEM)
        if self.session is None:
            self.session, material = await self.backend.build_session_passive(
                *US, exchange, sealed
            )
        else:
            material = await self.backend.decrypt_key_material(self.session, sealed)
        return material.key + material.auth_tag


async def converse(version: str, first: str, seed: int, count: int) -> SimpleNamespace:
    """A session of so many messages. Both sides write, and the wire is a bad one."""
    chance = random.Random(seed)
    size = 32 if version == "legacy" else 48
    said = SimpleNamespace(read=0, lost=0, repeated=0, late=0, transcript=None)
    async with Ours(version, seed) as ours:
        theirs = Theirs(version)
        wire = []
        bundle = theirs.read_bundle(await ours.ask("bundle"))
        if first == "initiated":
            answer = await ours.ask(f"initiate {await theirs.bundle()}")
            if answer != "ok":
                raise AssertionError(f"the bundle of python-omemo is refused: {answer}")
        else:
            opening = chance.randbytes(size)
            wire.append((ours, opening, await theirs.begin(bundle, opening)))
        for _ in range(count):
            # Whoever was written to can write; the one who began can from the start.
            writers = [ours] if first == "initiated" else [theirs]
            if said.read:
                writers = [ours, theirs]
            writer = chance.choice(writers)
            plaintext = chance.randbytes(size)
            wire.append((theirs if writer is ours else ours, plaintext, await writer.encrypt(plaintext)))
            while wire and (len(wire) > 6 or chance.random() < 0.5):
                await deliver(wire, chance, ours, said)
        while wire:
            await deliver(wire, chance, ours, said)
        said.transcript = ours.transcript
    return said


async def deliver(wire: list, chance, ours, said):
    at = 0 if chance.random() < 0.6 else chance.randrange(min(len(wire), 4))
    to, plaintext, message = wire.pop(at)
    if chance.random() < 0.05 and said.read:
        said.lost += 1
        return
    said.late += at > 0
    if await to.decrypt(message) != plaintext:
        raise AssertionError(f"message {said.read} is not what was written")
    said.read += 1
    if to is ours and chance.random() < 0.1:
        said.repeated += 1
        if await to.decrypt(message) is not None:
            raise AssertionError("a message was read twice")


async def compare():
    for version in VERSIONS:
        for first in ("initiated", "accepted"):
            read = lost = repeated = late = 0
            for seed in SEEDS:
                said = await converse(version, first, seed, MESSAGES)
                read, lost = read + said.read, lost + said.lost
                repeated, late = repeated + said.repeated, late + said.late
            check(read > MESSAGES, f"{version}, {first} by us: {read} messages are what was written, "
                  f"{late} late, {lost} lost, {repeated} repeated")


async def record():
    for version, (library, _) in VERSIONS.items():
        for first in ("initiated", "accepted"):
            said = await converse(version, first, 1, RECORDED)
            name = "Oldmemo" if library is legacy else "Twomemo"
            lines = [
                f"# A session with python-omemo ({name} 2.1), which has read what was encrypted here, and",
                "# written what is decrypted. Seed, then each command of examples/peer.rs with its answer.",
                "# Made by tests/interop/test_oracle.py --record.",
                "seed 1",
                *said.transcript,
            ]  # fmt: skip
            file = TRANSCRIPTS / f"{version}_{first}.txt"
            file.write_text("\n".join(lines) + "\n")
            print(f"  written: {file}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--record", action="store_true", help="write the crate's transcripts")
    run_with(record if parser.parse_args(sys.argv[1:]).record else compare)
