"""The administration's pages with Python's own HTTP client: signing in and out, what is refused, and every
operation that the forms have."""

import http.cookiejar
import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request

from client import Client, bounded, check, run, until
from server import free_ports, without_sections


class Browser:
    """Keeps cookies and follows redirections, and nothing else."""

    def __init__(self, place):
        self.place = place
        self.origin = f"https://{place.domain}:{place.https_port}"
        context = ssl.create_default_context(cafile=place.authority)
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(self.jar)
        )

    def open(self, path, form=None, **headers):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.origin + path, data=data, headers=headers)
        try:
            answer = self.opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.headers, answer.read().decode()

    def sign_in(self, name, password):
        return self.open("/admin/sign-in", {"name": name, "password": password}, Origin=self.origin)

    def do(self, action, **fields):
        """Fills in a form that is on some page."""
        _, _, page = self.open("/admin/")
        word = re.search(r'name="form" value="([^"]+)"', page).group(1)
        return self.open(f"/admin/{action}", {"form": word, **fields}, Origin=self.origin)

    def done(self, what, action, **fields):
        status, _, page = self.do(action, **fields)
        check(status == 200, f"{what} ({status})")
        return page


def signing_in(place, browser):
    status, headers, page = browser.open("/admin")
    check(status == 200 and 'type="password"' in page, "who is not signed in is asked to")
    policy = headers["Content-Security-Policy"]
    check("default-src 'none'" in policy and "script-src" not in policy, "no script may run")
    check("<script" not in page and headers["Cache-Control"] == "no-store", "none is there, nothing stays")
    wrong = [browser.sign_in(name, "wrong")[2] for name in ("ada", "nobody", "romeo")]
    check(wrong[0] == wrong[1] == wrong[2], "a wrong password looks like a name that nobody has")
    check(browser.sign_in("romeo", "wherefore art")[2] == wrong[0], "and so does somebody who is no administrator")
    status, _, page = browser.open("/admin/accounts")
    check('type="password"' in page and "romeo" not in page, "nothing is shown before")
    status, _, page = browser.sign_in("ada@localhost", "an engine of brass")
    check(status == 200 and "Overview" in page, "an administrator comes in")
    cookie, = browser.jar
    check(cookie.name.startswith("__Host-") and cookie.secure and cookie.path == "/", "the cookie is this host's")
    rest = {name.lower(): value for name, value in cookie._rest.items()}
    check("httponly" in rest and rest["samesite"] == "Strict", "no script and no other site gets it")


def refusals(browser):
    forged = {"account": "romeo@localhost"}
    status, _, _ = browser.open("/admin/account-disable", forged, Origin=browser.origin)
    check(status == 403, "a form without the session's word is refused")
    forged["form"] = "guess"
    status, _, _ = browser.open("/admin/account-disable", forged, Origin=browser.origin)
    check(status == 403, "so is one with another word")
    _, _, page = browser.open("/admin/")
    forged["form"] = re.search(r'name="form" value="([^"]+)"', page).group(1)
    status, _, _ = browser.open("/admin/account-disable", forged, Origin="https://evil.example")
    check(status == 403, "so is one from another origin")
    status, _, _ = browser.open("/admin/account-disable", forged, Origin="null")
    check(status == 403, "and from none that can be told")
    _, headers, _ = browser.open("/admin/")
    check(headers["Referrer-Policy"] == "same-origin", "browsers tell the origin of our own forms")
    status, _, _ = browser.open("/admin/account-disable", forged, Sec_Fetch_Site="cross-site")
    check(status == 403, "and one that the browser says is from another site")
    status, _, page = browser.do("account-delete", account="romeo@localhost", confirm="romeo")
    check(status == 422 and "nothing was done" in page, "nothing is deleted without its address")
    status, _, page = browser.do("account-admin-revoke", account="ada@localhost")
    check(status == 422 and "yourself" in page, "nobody locks themselves out")
    status, _, page = browser.do("reload")
    check(status == 422, "what is no form is no way in")


def accounts(place, browser):
    page = browser.done("an account is made", "account-add", account="mercutio", password="a plague on both")
    page = browser.done("one whose password is made", "account-add", account="tybalt", password="")
    check(re.search(r"<code>[a-z2-9-]{24}</code>", page), "its password is shown once")
    _, _, page = browser.open("/admin/accounts?q=merc")
    check("mercutio@localhost" in page and "tybalt@localhost" not in page, "accounts are found")
    browser.done("it is disabled", "account-disable", account="mercutio@localhost")
    _, _, page = browser.open("/admin/accounts/mercutio%40localhost")
    check("disabled" in page, "its page says so")
    browser.done("enabled", "account-enable", account="mercutio@localhost")
    browser.done("an administrator", "account-admin", account="mercutio@localhost")
    browser.done("and no more", "account-admin-revoke", account="mercutio@localhost")
    browser.done("its password is reset", "account-password", account="mercutio@localhost", password="queen mab was here")
    browser.done(
        "it is deleted", "account-delete", account="mercutio@localhost", confirm="mercutio@localhost"
    )
    _, _, page = browser.open("/admin/accounts")
    check("mercutio@localhost" not in page, "and gone")
    listed = json.loads(place.run("account", "list", "--json"))["accounts"]
    check("mercutio@localhost" not in [one["address"] for one in listed], "as the command line says")


def invitations(browser):
    browser.done("an invitation that makes contacts", "invite-new", uses="1", days="1", contact_of="romeo", note="")
    _, _, page = browser.open("/admin/invitations")
    check("romeo@localhost" in page, "the list says whose")
    page = browser.done(
        "an invitation is made", "invite-new", name="", uses="2", days="3", note="<b>for two</b>"
    )
    check("/invite/" in page, "its link is shown")
    _, _, page = browser.open("/admin/invitations")
    check("&lt;b&gt;for two&lt;/b&gt;" in page and "<b>for" not in page, "text stays text")
    number = re.search(r'name="id" value="(\d+)"', page).group(1)
    browser.done("it is revoked", "invite-revoke", id=number)
    _, _, page = browser.open("/admin/invitations")
    check("revoked" in page, "the list says so")
    status, _, _ = browser.do("invite-new", uses="none", days="3")
    check(status == 422, "nonsense is refused")


def reset_link(place, browser):
    """Who forgot a password sets another one with a link, once."""
    place.add_account("nurse", "i forgot it")
    page = browser.done("a link for a password is made", "account-reset-link", account="nurse@localhost")
    path = re.search(r"https://[^/<]+(/reset/[a-z0-9]{26})", page).group(1)
    other = Browser(place)
    unknown = other.open("/reset/" + "a" * 26)
    check(unknown[0] == 404, "what is no link is none")
    status, headers, page = other.open(path)
    check(status == 200 and "nurse@localhost" in page, "its page says whose password it is")
    check("<script" not in page and headers["Referrer-Policy"] == "no-referrer", "and tells nobody of itself")
    _, _, page = other.open(path, Accept_Language="de")
    check("Neues Passwort" in page and '<html lang="de"' in page, "in German for who reads that")
    status, _, page = other.open(path, {"password": "one thing", "again": "another"})
    check(status == 422 and "not the same" in page, "the password is typed twice")
    status, _, page = other.open(path, {"password": "short", "again": "short"})
    check(status == 422 and "at least" in page, "and not a short one")
    status, _, page = other.open(path, {"password": "now i know", "again": "now i know"})
    check(status == 200 and "The password is set" in page, "it is set")
    check(other.open(path)[2] == unknown[2], "a second time the link looks like none")
    check(other.open(path, {"password": "once more", "again": "once more"})[0] == 404, "and does nothing")
    check(other.open("/invite/" + path.rsplit("/", 1)[1])[0] == 404, "it is no invitation either")
    link = json.loads(place.run("account", "reset-link", "nurse", "--json"))["reset_link"]["link"]
    place.run("account", "disable", "nurse")
    check(other.open("/reset/" + link.rsplit("/", 1)[1])[2] == unknown[2], "nor that of a disabled account")
    place.run("account", "enable", "nurse")


async def logged_in_anew(place):
    nurse = Client(place, "nurse", "now i know", "kitchen")
    await nurse.login()
    ended = nurse.outcome("stream_error", "disconnected")
    link = json.loads(place.run("account", "reset-link", "nurse", "--json"))["reset_link"]["link"]
    other = Browser(place)
    status, _, _ = other.open("/reset/" + link.rsplit("/", 1)[1], {"password": "and again", "again": "and again"})
    check(status == 200, "a link of the command line does the same")
    await bounded(ended, "who is connected must log in anew")
    again = Client(place, "nurse", "and again", "kitchen")
    await again.login()
    await again.logout()


def rooms(browser):
    browser.done("a room is made", "room-create", room="feast", owner="romeo", title="The Feast", public="yes")
    _, _, page = browser.open("/admin/rooms")
    check("The Feast" in page and "public" in page, "it is in the list")
    _, _, page = browser.open("/admin/rooms/feast%40conference.localhost")
    check("romeo@localhost" in page and "owner" in page, "its page says who belongs to it")
    address = "feast@conference.localhost"
    browser.done("it is given to somebody", "room-affiliation", room=address, who="ada", affiliation="owner", reason="")
    browser.done("its former owner goes", "room-affiliation", room=address, who="romeo", affiliation="none", reason="")
    status, _, page = browser.do("room-affiliation", room=address, who="ada", affiliation="member", reason="")
    check(status == 422 and "needs an owner" in page, "the last owner stays")
    browser.done("it is changed", "room-set", room=address, title="The <i>Ball</i>", description="", members_only="yes")
    _, _, page = browser.open("/admin/rooms/feast%40conference.localhost")
    check("The &lt;i&gt;Ball" in page and "ada@localhost" in page and "romeo@" not in page, "its page shows it")
    check('name="members_only" checked' in page and 'name="public">' in page, "the form has what is set")
    browser.done("it is destroyed", "room-destroy", room=address, confirm=address, reason="")


def views(place, browser):
    for path, words in {
        "/admin/federation": "No other server was talked to",
        "/admin/reports": "There are none",
        "/admin/storage": "romeo@localhost",
        "/admin/privacy": "How long",
        "/admin/privacy?account=romeo%40localhost": "1 account",
    }.items():
        status, _, page = browser.open(path)
        check(status == 200 and words in page, path)
    ledger = json.loads(place.run("privacy", "--json"))["privacy"]
    _, _, page = browser.open("/admin/privacy")
    missing = [entry["what"] for entry in ledger if entry["what"][:20] not in page]
    check(not missing and any(entry["kept"] == "30 days" for entry in ledger), "the ledger is the commands'")


def notices(place, browser):
    browser.done("everybody is told something once", "notice-motd", text="Tea <b>is</b> served")
    _, _, page = browser.open("/admin/notices")
    check("Tea &lt;b&gt;is&lt;/b&gt; served" in page, "the page has the message of the day")
    browser.done("it is deleted", "notice-motd-delete")
    told = browser.done("who is online is told at once", "notice-now", text="Fire")
    check("devices were told" in told, "the page says how many")
    told = json.loads(place.run("notice", "show", "--json"))["notices"]
    check("day" not in told, "as the command line says")


def domains(place, browser):
    browser.done("a domain is not talked to", "federation-list", list="deny", domain="Spam.example")
    _, _, page = browser.open("/admin/federation")
    check("spam.example" in page and "Take it off" in page, "it is on the page")
    chosen = json.loads(place.run("federation", "domains", "--json"))["domains"]
    check(chosen == {"deny": ["spam.example"], "allow": []}, "as the command line says")
    browser.done("it is again", "federation-deny-remove", domain="spam.example")


def downtime(place, browser):
    browser.done("an outage is announced", "outage-announce", text="New disks", after="60", takes="30")
    _, _, page = browser.open("/admin/downtime")
    check("New disks" in page, "the page shows it")
    browser.done("it is over", "outage-end")
    browser.done("a restart is ordered", "restart", after="60", text="")
    _, _, page = browser.open("/admin/downtime")
    check("restarts in 59 minutes" in page, "the page says when")
    _, _, page = browser.open("/admin/")
    check("restarts in 59 minutes" in page, "and so does the overview")
    page = browser.done("it is called off", "stop-cancel", text="")
    check("restart was called off" in page, "which it says")
    status, _, page = browser.do("stop-cancel", text="")
    check(status == 422 and "neither a restart nor a stop" in page, "there is nothing any more")
    status, _, page = browser.do("stop", after="0", text="", confirm="")
    check(status == 422 and "nothing was done" in page, "nothing stops without the domain")
    check(json.loads(place.run("status", "--json"))["status"].get("ordered") is None, "as the command line says")


def record(place, browser):
    """What was done by whom, by every way in, and nothing that is secret."""
    _, _, page = browser.open("/admin/audit")
    check("ada@localhost (web)" in page and "account delete" in page, "the page says who did what")
    check("mercutio@localhost" in page and "as they were written" in page, "on whom, and that it is genuine")
    listed = json.loads(place.run("audit", "list", "--json"))["audit"]
    did = {(one["door"], one["did"], one["outcome"]) for one in listed}
    check(("web", "sign in", "done") in did, "signing in is on record")
    check(("web", "room destroy", "done") in did and ("command line", "account admin", "done") in did, "and all else")
    page = browser.done("all of it is checked", "audit-verify", hash=listed[0]["hash"][:16])
    check("are as they were written" in page, "which it is")
    told = json.dumps(listed)
    check("queen mab" not in told and "for two" not in told, "no password and no text is")


async def failing_peer(place, browser):
    """Another server that nobody can connect to: the page says so, and why."""
    [closed] = free_ports(1)
    config = place.data / "anemone.toml"
    hosts = f'[federation]\nenabled = true\n[federation.hosts]\n"gone.example" = "127.0.0.1:{closed}"\n'
    text = without_sections(config.read_text(), {"federation", "federation.hosts"})
    config.write_text(f"{text}\n{hosts}")
    place.restart()
    browser.origin = f"https://{place.domain}:{place.https_port}"
    browser.sign_in("ada", "an engine of brass")
    romeo = Client(place, "romeo", "wherefore art", "orchard")
    await romeo.login()
    romeo.say("paris@gone.example", "Where are you?")

    def shown():
        page = browser.open("/admin/federation")[2]
        row = re.search(r"<tr>(?:(?!</tr>).)*gone\.example.*?</tr>", page, re.DOTALL)
        return row.group(0) if row else ""

    await until(lambda: "nothing listens there" in shown(), "the page says why another server cannot be reached")
    check("failing" in shown() and f"127.0.0.1:{closed}" in shown(), "and where it was looked for")
    listed = json.loads(place.run("federation", "list", "--json"))["federation"]
    check([one["waiting"] for one in listed if one["domain"] == "gone.example"] == [1], "what waits is counted")
    check("1, " in shown() and "the oldest for" in shown(), "how much, and for how long")
    status, _, page = browser.do("federation-try", domain="gone.example")
    check(status == 422 and "nothing listens there" in page, "looking for it now tells why not")
    status, _, page = browser.do("federation-end", domain="gone.example")
    check(status == 422 and "no stream" in page, "there is nothing to end")
    status, _, page = browser.do("federation-try", domain="no domain")
    check(status == 422 and "not a domain" in page, "nonsense is told")
    back = romeo.outcome("message_error")
    page = browser.done("what waits is given back", "federation-give-back", domain="gone.example")
    check("1 stanza goes back" in page, "so much")
    await bounded(back, "its sender is told")
    status, _, page = browser.do("federation-give-back", domain="gone.example")
    check(status == 422 and "nothing waits" in page, "and nothing is left")
    await romeo.logout()


async def sessions(place, browser):
    romeo = Client(place, "romeo", "wherefore art", "balcony")
    await romeo.login()
    _, _, page = browser.open("/admin/accounts/romeo%40localhost")
    check("balcony" in page, "the page of an account shows its devices")
    ended = romeo.outcome("stream_error", "disconnected")
    full = "romeo@localhost/balcony"
    browser.done("one of its sessions is ended", "session-kick", account=full)
    await bounded(ended, "the device is told")
    status, _, page = browser.do("session-kick", account=full)
    check(status == 422 and "has no session" in page, "it is gone")
    for what, fields in {"token-revoke": {}, "push-delete": {}, "upload-delete": {"file": "0" * 32}}.items():
        status, _, page = browser.do(what, account="romeo@localhost", **fields)
        check(status == 422 and "no " in page, f"{what}: there is none")
    status, _, page = browser.do("upload-delete-all", account="romeo@localhost", confirm="")
    check(status == 422 and "nothing was done" in page, "nothing is deleted without the address")
    browser.done("it moved", "account-move", account="romeo@localhost", to="romeo@mantua.example")
    _, _, page = browser.open("/admin/accounts/romeo%40localhost")
    check("romeo@mantua.example" in page, "its page says where to")
    browser.done("it did not", "account-move-back", account="romeo@localhost")
    _, _, page = browser.open("/admin/accounts/romeo%40localhost")
    check("romeo@mantua.example" not in page, "and no longer")
    romeo = Client(place, "romeo", "wherefore art", "balcony")
    await romeo.login()
    ended = romeo.outcome("stream_error", "disconnected")
    browser.done("its sessions are ended", "session-kick", account="romeo@localhost")
    await bounded(ended, "the device is told")


def links(place, browser):
    link = json.loads(place.run("admin", "link", "--json"))["link"]
    path = "/admin/link/" + link.rsplit("/", 1)[1]
    other = Browser(place)
    status, _, page = other.open(path)
    check(status == 200 and not list(other.jar), "looking at a link uses nothing up")
    status, _, page = other.open(path, {}, Origin=other.origin)
    check("the operator" in page, "its button signs in")
    status, _, _ = Browser(place).open(path, {}, Origin=other.origin)
    check(status == 403, "a second time it does not")
    other.done("the operator can do what administrators can", "account-add", account="paris", password="county paris")


def endings(place, browser):
    """Sessions end with the password, the right, and by hand."""
    place.run("account", "password", "ada", "--password-stdin", stdin="another engine\n")
    _, _, page = browser.open("/admin/accounts")
    check('type="password"' in page, "another password ends the session")
    browser.sign_in("ada", "another engine")
    _, _, page = browser.do("sign-out")
    check('type="password"' in page, "signing out ends it")
    browser.sign_in("ada", "another engine")
    place.run("account", "admin", "ada", "--revoke")
    _, _, page = browser.open("/admin/accounts")
    check('type="password"' in page, "who is no administrator any more is out")


def guessing(place, browser):
    """With rates on, as they are by default, guesses take longer and longer."""
    config = place.data / "anemone.toml"
    config.write_text(config.read_text().replace("throttle = false", "throttle = true"))
    place.run("reload")
    import time

    def attempt():
        began = time.monotonic()
        status = browser.sign_in("ada", "a guess")[0]
        return time.monotonic() - began, status

    attempts = [attempt() for _ in range(8)]
    slowed = attempts[-1][0] > 4 * attempts[0][0] or attempts[-1][1] == 429
    check(slowed, "guesses of a password are slowed down")


def long_lists(place, browser):
    """More accounts than a page has: walked through page by page, nothing twice, and searched."""
    place.stop()
    many = "".join(f"<user name='witch{number:03}'/>" for number in range(230))
    file = place.directory / "many.xml"
    file.write_text(
        f"<server-data xmlns='urn:xmpp:pie:0'><host jid='{place.domain}'>{many}</host></server-data>"
    )
    place.run("import", "ejabberd", str(file))
    place.start()
    browser.origin = f"https://{place.domain}:{place.https_port}"
    browser.sign_in("ada", "an engine of brass")
    for table in ("accounts", "storage"):
        found, path, pages = [], f"/admin/{table}?q=WITCH", 0
        while path:
            _, _, page = browser.open(path)
            found += re.findall(r">(witch\d{3})@localhost</a>", page)
            following = re.search(r'href="([^"]+)">Next page', page)
            path = following and following.group(1).replace("&amp;", "&")
            pages += 1
        check(found == [f"witch{number:03}" for number in range(230)], f"{table}: everybody once, in order")
        check(pages == 3 and "First page" in page and "romeo@" not in page, f"{table}: three pages")
    _, _, page = browser.open("/admin/accounts?q=witch007")
    check(len(re.findall(r">witch\d{3}@", page)) == 1 and "Next page" not in page, "one is found")


async def main(place):
    for name, password in {"ada": "an engine of brass", "romeo": "wherefore art"}.items():
        place.add_account(name, password)
    place.run("account", "admin", "ada")
    browser = Browser(place)
    signing_in(place, browser)
    refusals(browser)
    accounts(place, browser)
    invitations(browser)
    reset_link(place, browser)
    await logged_in_anew(place)
    rooms(browser)
    views(place, browser)
    notices(place, browser)
    domains(place, browser)
    downtime(place, browser)
    record(place, browser)
    await failing_peer(place, browser)
    await sessions(place, browser)
    links(place, browser)
    long_lists(place, browser)
    endings(place, browser)
    guessing(place, browser)


run(main)
