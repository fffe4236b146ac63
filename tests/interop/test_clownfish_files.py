"""Encrypted files (XEP-0363, XEP-0454) between Clownfish and slixmpp, both ways."""

import asyncio
import os
import ssl
import urllib.request
from xml.etree import ElementTree as ET

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from client import bounded, check, run, until
from clownfish import DONE, USAGE
from omemo_device import LEGACY, MODERN
from stage import juliet_and_romeo

ROMEO, JULIET = "romeo@localhost", "juliet@localhost"
UPLOAD = "urn:xmpp:http:upload:0"


async def main(place):
    juliet, romeo = await juliet_and_romeo(place)

    await to_romeo(place, romeo, juliet)
    await to_juliet(place, romeo, juliet)
    await romeo.logout()


async def to_romeo(place, romeo, juliet):
    content = os.urandom(300_000)
    path = place.directory / "rose.bin"
    path.write_bytes(content)
    result = await juliet.run("send", ROMEO, "--file", str(path))
    check(result.code == DONE, f"clownfish sends a file: {result.err.strip()}")
    await until(lambda: any("aesgcm://" in text for _, text in romeo.log), "romeo gets its address")
    link = next(text for _, text in romeo.log if "aesgcm://" in text).split()[0]
    address, _, secret = link.removeprefix("aesgcm://").partition("#")
    sealed = await asyncio.to_thread(fetch, place, f"https://{address}")
    check(content not in sealed and len(sealed) == len(content) + 16, "the server has it encrypted")
    check(unseal(sealed, secret) == content, "romeo decrypts it")
    check("rose" not in address, "the address does not tell its name")
    result = await juliet.run("send", ROMEO, "--file", str(place.directory / "nothing"))
    check(result.code == USAGE, "a file that is not there is not sent")


async def to_juliet(place, romeo, juliet):
    content = os.urandom(70_000)
    for number, (version, nonce) in enumerate(((LEGACY, 12), (MODERN, 12), (LEGACY, 16))):
        key, iv = os.urandom(32), os.urandom(nonce)
        sealed = AESGCM(key).encrypt(iv, content, None)
        url = await upload(place, romeo, sealed)
        link = url.replace("https://", "aesgcm://") + "#" + (iv + key).hex()
        await romeo.chat(JULIET, f"chat-file-{number}", link, version)
    folder = place.directory / "downloads"
    lines = await juliet.listen(3, "--files", str(folder))
    for line in lines:
        check(open(line["file"]["path"], "rb").read() == content, "clownfish decrypts the file")
    check(len({line["file"]["path"] for line in lines}) == 3, "none replaces another")

    # One whose bytes were exchanged on the server.
    key, iv = os.urandom(32), os.urandom(12)
    sealed = bytearray(AESGCM(key).encrypt(iv, content, None))
    sealed[1000] ^= 1
    url = await upload(place, romeo, bytes(sealed))
    link = url.replace("https://", "aesgcm://") + "#" + (iv + key).hex()
    await romeo.chat(JULIET, "chat-file-bad", link, LEGACY)
    line, = await juliet.listen(1, "--files", str(folder))
    check("path" not in line["file"] and "damaged" in line["error"], "a changed file is not kept")
    check(len(list(folder.iterdir())) == 3, "nothing of it is left")


async def upload(place, romeo, content: bytes) -> str:
    iq = romeo.make_iq_get(ito=f"upload.{place.domain}")
    iq.append(ET.Element(f"{{{UPLOAD}}}request", {"filename": "a.bin", "size": str(len(content))}))
    answer = await bounded(iq.send(), "a place for a file")
    slot = answer.xml.find(f"{{{UPLOAD}}}slot")
    await asyncio.to_thread(put, place, slot.find(f"{{{UPLOAD}}}put"), content)
    return slot.find(f"{{{UPLOAD}}}get").get("url")


def put(place, target, content: bytes):
    headers = {one.get("name"): one.text for one in target.iterfind(f"{{{UPLOAD}}}header")}
    headers["Content-Type"] = "application/octet-stream"
    request = urllib.request.Request(
        target.get("url"), data=content, headers=headers, method="PUT"
    )
    with urllib.request.urlopen(request, context=trust(place), timeout=30) as answer:
        check(answer.status in (200, 201), "romeo uploads a file")


def fetch(place, url: str) -> bytes:
    with urllib.request.urlopen(url, context=trust(place), timeout=30) as answer:
        return answer.read()


def trust(place):
    return ssl.create_default_context(cafile=str(place.authority))


def unseal(sealed: bytes, secret: str) -> bytes:
    secret = bytes.fromhex(secret)
    return AESGCM(secret[-32:]).decrypt(secret[:-32], sealed, None)


if __name__ == "__main__":
    run(main)
