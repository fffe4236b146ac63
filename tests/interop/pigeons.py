"""A gateway to a network of pigeons, made of slidge: the part that each gateway writes itself.

There is one pigeon, Homer, who repeats what he is told. The network is in this file; what people
would do with an app of its own there, they do by a message that begins with "elsewhere ".
"""

from slidge import BaseGateway, BaseSession
from slidge.command.register import FormField
from slidge.contact import LegacyContact, LegacyRoster


class Gateway(BaseGateway):
    COMPONENT_NAME = "Pigeon post"
    COMPONENT_TYPE = "pigeon"
    REGISTRATION_FIELDS = [FormField(var="loft", label="Loft", required=True)]

    async def validate(self, user_jid, registration_form):
        return {"loft": registration_form["loft"]}


class Session(BaseSession):
    async def login(self):
        return "the loft is open"


class Roster(LegacyRoster):
    async def fill(self):
        homer = await self.by_legacy_id("homer")
        await homer.add_to_roster()
        yield homer


class Pigeon(LegacyContact):
    async def update_info(self):
        self.name = "Homer"
        self.is_friend = True
        self.online("on the roof")

    async def on_message(self, message):
        if message.body.startswith("elsewhere "):
            # Written in the app of that network: everybody's devices have to hear of it.
            self.send_text(message.body.removeprefix("elsewhere "), carbon=True)
        else:
            self.send_text(f"coo: {message.body}")

    async def on_sticker(self, sticker):
        raise NotImplementedError
