"""OMEMO's keys and ratchets in a dictionary."""

from omemo.storage import Just, Nothing, Storage


class Memory(Storage):
    """It outlives streams, not the process."""

    def __init__(self):
        super().__init__()
        self.values = {}

    async def _load(self, key):
        return Just(self.values[key]) if key in self.values else Nothing()

    async def _store(self, key, value):
        self.values[key] = value

    async def _delete(self, key):
        self.values.pop(key, None)
