"""Registration by invitation: XEP-0401 and XEP-0445 (the token), XEP-0077 (the form).

Without a token nobody gets an account; with one, exactly one person does.
"""

from slixmpp.exceptions import IqError

from client import Client, LoginFailed, bounded, check, run

PREAUTH = "<iq type='set' id='{id}' to='{to}'><preauth xmlns='urn:xmpp:pars:0' token='{token}'/></iq>"


class Newcomer(Client):
    """A client that registers on the stream before it logs in, as slixmpp does it."""

    def __init__(self, place, name, password, token):
        super().__init__(place, name, password, plugins=("xep_0077",))
        self.token = token
        self.answers = []
        self.add_event_handler("register", self.register_account)

    async def register_account(self, _form):
        if self.token:
            iq = await self.request_before_login(
                "preauth", PREAUTH.format(id="preauth", to=self.boundjid.domain, token=self.token)
            )
            self.answers.append(("token", iq["type"]))
        request = self.Iq()
        request["type"] = "set"
        request["register"]["username"] = self.boundjid.user
        request["register"]["password"] = self.password
        try:
            await request.send()
            self.answers.append(("form", "result"))
        except IqError as error:
            self.answers.append(("form", error.condition))

    async def come_in(self):
        """Tries to register and to log in: the answers, and whether the login worked."""
        try:
            await self.login()
            return self.answers, True
        except LoginFailed:
            return self.answers, False
        finally:
            await self.logout()


async def main(place):
    answers, inside = await Newcomer(place, "mallory", "no token at all", None).come_in()
    check(not inside, f"without an invitation there is no account: {answers}")

    answers, inside = await Newcomer(place, "mallory", "made-up token", "c0ffee").come_in()
    check(not inside, f"with a made-up token there is no account: {answers}")

    token = place.invite()
    answers, inside = await Newcomer(place, "juliet", "what's in a name", token).come_in()
    check(answers == [("token", "result"), ("form", "result")], f"an invitation works: {answers}")
    check(inside, "and the new account logs in")

    answers, inside = await Newcomer(place, "mallory", "second hand", token).come_in()
    check(not inside, f"the same invitation does not work twice: {answers}")

    token = place.invite()
    answers, inside = await Newcomer(place, "juliet", "taking over", token).come_in()
    check(("form", "conflict") in answers and not inside, f"a taken name is refused: {answers}")

    again = Client(place, "juliet", "what's in a name")
    await bounded(again.login(), "the first password still works")
    check(True, "and the account is still its owner's")
    await again.logout()


if __name__ == "__main__":
    run(main)
