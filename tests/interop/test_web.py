"""The client for browsers as the server gives it out, asked for with Python's own HTTP client: which
files, in which form, kept how long, under which policy. web/tests drives the client itself."""

import gzip
import http.client
import json
import re
import ssl

from client import check, run
from server import HOST, free_ports


class Visitor:
    """Who asks for files, with or without TLS."""

    def __init__(self, place, port, tls):
        self.context = ssl.create_default_context(cafile=place.authority) if tls else None
        self.port = port

    def ask(self, path, method="GET", **headers):
        """The answer as its status, headers and bytes. The path goes out as it is."""
        if self.context:
            connection = http.client.HTTPSConnection("localhost", self.port, context=self.context)
        else:
            connection = http.client.HTTPConnection("localhost", self.port)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, answer.headers, content


def absent(visitor):
    """A server that was built without the client."""
    status, headers, page = visitor.ask("/")
    check(status == 200 and b"built without Clownfish" in page, "the page says what is missing")
    check(b"make web" in page, "and how to get it")
    check("script" not in page.decode(), "without a script")
    check(visitor.ask("/sw.js")[0] == 404, "there is nothing else")


def files(visitor):
    status, headers, page = visitor.ask("/")
    check(status == 200 and headers["Content-Type"] == "text/html; charset=utf-8", "the page is there")
    check(headers["Cache-Control"] == "no-cache", "it is asked for each time")
    tag = headers["ETag"]
    status, headers, content = visitor.ask("/", If_None_Match=f'"other", {tag}')
    check(status == 304 and content == b"", "and sent only when it is new")
    check("Content-Security-Policy" in headers, "with the policy in force")
    scripts = re.findall(r'<script type="module" src="(/assets/[^"]+\.js)"', page.decode())
    inline = page.count(b"<script") != len(scripts) or b"style=" in page
    check(scripts and not inline, "nothing is inline")

    # The largest: what is small already is sent as it is.
    script = max(scripts, key=lambda path: len(visitor.ask(path)[2]))
    status, headers, plain = visitor.ask(script)
    check(status == 200 and headers["Content-Type"].startswith("text/javascript"), "so are its scripts")
    check("immutable" in headers["Cache-Control"], "which is kept for good")
    check(headers["Content-Encoding"] is None, "as it is, for who understands nothing else")
    status, headers, packed = visitor.ask(script, Accept_Encoding="gzip, deflate")
    check(headers["Content-Encoding"] == "gzip" and gzip.decompress(packed) == plain, "or smaller")
    status, headers, smallest = visitor.ask(script, Accept_Encoding="gzip, deflate, br")
    check(headers["Content-Encoding"] == "br" and len(smallest) < len(packed), "or smaller still")
    check(headers["Vary"].lower() == "accept-encoding", "and caches know")
    status, headers, content = visitor.ask(script, method="HEAD")
    check(status == 200 and content == b"" and int(headers["Content-Length"]) == len(plain),
          "its head tells its size")

    listed = json.loads(visitor.ask("/assets.json")[2])
    core = next(path for path in listed["files"] if path.endswith(".wasm"))
    check(visitor.ask(core)[1]["Content-Type"] == "application/wasm", "the core has its type")
    worker = visitor.ask(listed["worker"])[1]
    check("wasm-unsafe-eval" in worker["Content-Security-Policy"], "the worker has the policy")
    check(worker["Cache-Control"] == "no-cache", "which may change")
    manifest = visitor.ask("/manifest.webmanifest")[1]
    check(manifest["Content-Type"] == "application/manifest+json", "so has the manifest")


def paths(visitor):
    for path in [
        "/assets/../index.html", "/assets/%2e%2e/sw.js", "/index.html", "//", "/assets/",
        "/assets/main.js", "/sw.js/", "/SW.JS", "/sw.js.br", "/assets/..%2f..%2fCargo.toml",
        "/assets/" + "x" * 5000,
    ]:
        status, headers, _ = visitor.ask(path)
        check(status == 404, f"{path[:40]} leads nowhere")
        check("script-src" not in headers["Content-Security-Policy"], "and runs nothing")
    check(visitor.ask("/", method="POST")[0] == 404, "nothing is posted to the page")
    status, headers, _ = visitor.ask("/share", method="POST")
    check(status == 303 and headers["Location"] == "/", "what is shared without it leads to it")


def policy(visitor, socket):
    _, headers, _ = visitor.ask("/")
    place = socket.split("/")[2]
    rules = {}
    for rule in headers["Content-Security-Policy"].split("; "):
        name, _, value = rule.partition(" ")
        rules[name] = value
    check(rules["default-src"] == "'none'" and rules["script-src"] == f"{place}/assets/ 'wasm-unsafe-eval'",
          "it runs its own files only")
    check(rules["style-src"] == f"{place}/assets/" and rules["trusted-types"] == "clownfish", "styles as well")
    check(rules["connect-src"].split()[:2] == ["'self'", socket], f"it connects to {socket}")
    check("*" not in headers["Content-Security-Policy"], "and to nothing unnamed")
    for name, value in {
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }.items():
        check(headers[name] == value, f"{name} is {value}")
    check("camera=(self)" in headers["Permissions-Policy"], "the camera is for the app itself")


def invitation(place, visitor, built_in):
    token = place.invite()
    page = visitor.ask(f"/invite/{token}")[2].decode()
    link = f'href="/#/invite/{token}/localhost/"'
    check((link in page) == built_in, "an invitation goes on in the browser, where that is possible")
    check("Conversations" in page and "preauth=" in page, "or in another app")


async def main(place):
    if not place.supports("front-door"):
        check(True, "this server has no client for browsers")
        return
    [port] = free_ports(1)
    config = place.data / "anemone.toml"
    config.write_text(config.read_text().replace("\n[listen]\n", f'\n[listen]\nhttp = ["{HOST}:{port}"]\n'))
    place.restart()
    secure = Visitor(place, place.https_port, tls=True)
    plain = Visitor(place, port, tls=False)
    built_in = secure.ask("/sw.js")[0] == 200
    for visitor, scheme in [(secure, "wss"), (plain, "ws")]:
        if built_in:
            files(visitor)
            paths(visitor)
            policy(visitor, f"{scheme}://localhost:{visitor.port}/xmpp-websocket")
        else:
            absent(visitor)
        invitation(place, visitor, built_in)
        check(b"Conversations" in visitor.ask("/about")[2], "the front door is there in any case")
    check(b"wss://chat.example/" in plain.ask("/.well-known/host-meta", Host="chat.example")[2],
          "who comes through a proxy is told an address with TLS")

    config.write_text(config.read_text() + "\n[web]\nenabled = false\n")
    place.restart()
    status, _, page = secure.ask("/")
    check(status == 200 and b"Conversations" in page, "without the client the front door is in front")
    check(secure.ask("/sw.js")[0] == 404, "and nothing of the client is there")


if __name__ == "__main__":
    run(main)
