"""The web side with Python's own HTTP client: the front door, the form in which strangers ask
for an account, and the way from a request to a login. Then visitors who never finish."""

import asyncio
import json
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

from client import Client, bounded, check, run
from server import find_token
from test_registration import Newcomer

# How long the server lets a connection live that has not logged in; see `configure`.
PATIENCE = 8
# The answer that is under way still gets some seconds, and this machine may be busy.
GENEROUS = 60


class Browser:
    def __init__(self, place):
        self.context = ssl.create_default_context(cafile=place.authority)
        self.place = place

    def open(self, path, form=None, method=None):
        """A page as its status, headers and text."""
        url = f"https://{self.place.domain}:{self.place.https_port}{path}"
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        request = urllib.request.Request(url, data=data, method=method)
        try:
            answer = urllib.request.urlopen(request, timeout=30, context=self.context)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read().decode()

    def dial(self):
        """A connection over which nothing has been said yet."""
        plain = socket.create_connection((self.place.host, self.place.https_port), timeout=GENEROUS)
        return self.context.wrap_socket(plain, server_hostname=self.place.domain)


def configure(place, text):
    """Adds to the configuration and lets the server read it again."""
    file = place.data / "anemone.toml"
    file.write_text(file.read_text().replace("[limits]\n", "[limits]\n" + text["limits"]))
    file.write_text(file.read_text() + text["more"])
    place.run("reload")


def front_door(place, browser):
    status, headers, page = browser.open("/about")
    check(status == 200 and "Conversations" in page, "the front door names apps")
    check("fingerprints" in page, "and says how to verify a device")
    check("script" not in page, "it needs no script")
    policy = headers["Content-Security-Policy"]
    check("default-src 'none'" in policy and "frame-ancestors 'none'" in policy, "nor allows one")
    status, _, _ = browser.open("/request")
    check(status == 404, "by default nobody can ask for an account there")

    own = place.data / "door.html"
    own.write_text("<p>Bring your own lute.</p>")
    configure(place, {
        "limits": f"unauthenticated_seconds = {PATIENCE}\n",
        "more": """
[front_door]
title = "House of Capulet"
page = "door.html"
requests = true

[contact]
admin = ["mailto:nurse@verona.example"]
""",
    })
    _, _, page = browser.open("/about")
    check("Bring your own lute." in page and "House of Capulet" in page, "it can be edited")
    check("mailto:nurse@verona.example" in page and "/request" in page, "and says whom to ask")


async def request(place, browser):
    form = {"name": "juliet", "contact": "juliet@verona.example", "text": "<b>It is the east</b>"}
    status, _, page = browser.open("/request", {**form, "contact": ""})
    check(status == 422 and "&lt;b&gt;" in page and "<b>It" not in page, "a form is checked")
    status, _, _ = browser.open("/request", {**form, "name": "trap", "website": "spam"})
    check(status == 200, "who fills in what people do not see is thanked")
    status, _, _ = browser.open("/request", {**form, "text": "x" * 20_000})
    check(status == 413, "a form has a limit")
    status, _, page = browser.open("/request", form)
    check(status == 200 and "Thank you" in page, "a request is taken")

    waiting = json.loads(place.run("request", "list", "--json"))["requests"]
    check([row["name"] for row in waiting] == ["juliet"], "the operator sees it, and no spam")
    token = find_token(place.run("request", "approve", str(waiting[0]["id"]), "--json"))
    check(not json.loads(place.run("request", "list", "--json"))["requests"], "and approves it")

    status, _, page = browser.open(f"/invite/{token}")
    check(status == 200 and "juliet@localhost" in page, "the invitation has a page with the name")
    check("<svg" in page and f"preauth={token}" in page, "with a code and a link for apps")
    answers, inside = await Newcomer(place, "juliet", "what's in a name", token).come_in()
    check(inside, f"the account can be made: {answers}")
    status, _, page = browser.open(f"/invite/{token}")
    check(status == 404 and "no longer valid" in page, "and the invitation is used up")
    listed = json.loads(place.run("invite", "list", "--all", "--json"))["invitations"]
    check(listed[0]["used_by"] == ["juliet@localhost"], "which the operator sees")


def gone(connection):
    """Whether the server has ended the connection."""
    try:
        while connection.recv(4096):
            pass
    except ssl.SSLEOFError:
        pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


async def unfinished(place, browser):
    silent = browser.dial()
    head = browser.dial()
    head.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    body = browser.dial()
    body.sendall(
        b"POST /request HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nname="
    )
    plain = socket.create_connection((place.host, place.https_port), timeout=GENEROUS)
    slow = [("says nothing", silent), ("never ends a header", head), ("never ends a form", body),
            ("never begins TLS", plain)]
    # One byte now and then must not extend anything.
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        for connection in (head, body):
            try:
                connection.sendall(b"x")
            except OSError:
                pass
        await asyncio.sleep(0.2)
    for what, connection in slow:
        check(await asyncio.to_thread(gone, connection), f"a visitor who {what} is sent away")
        connection.close()
    status, _, _ = browser.open("/about")
    check(status == 200, "others still come in")
    client = Client(place, "juliet", "what's in a name")
    await bounded(client.login(), "and log in")
    check(True, "and log in")
    await client.logout()


async def main(place):
    if not place.supports("front-door"):
        check(True, "this server has no front door")
        return
    browser = Browser(place)
    front_door(place, browser)
    await request(place, browser)
    await unfinished(place, browser)


if __name__ == "__main__":
    run(main)
