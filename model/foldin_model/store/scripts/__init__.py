"""The Lua scripts that make each change to the store atomic, read from the files here."""

from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files
from typing import Self


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text, and the SHA-1 by which EVALSHA runs it once it is loaded."""

    text: str
    sha: str

    @classmethod
    def load(cls, name: str) -> Self:
        """Reads `<name>.lua`."""
        text = files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")
        return cls(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


CREATE_NAMESPACE = Script.load("create_namespace")
WRITE_RATINGS = Script.load("write_ratings")
KEEP_FOLDED = Script.load("keep_folded")
ACTIVATE = Script.load("activate")
UNLIST = Script.load("unlist")
PURGE_USER = Script.load("purge_user")
UPSERT_ITEMS = Script.load("upsert_items")
SET_AVAILABILITY = Script.load("set_availability")
RATE_ITEM = Script.load("rate_item")
ABSORB_ITEMS = Script.load("absorb_items")
FORGET_RATER = Script.load("forget_rater")
