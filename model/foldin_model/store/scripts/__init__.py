"""The Lua scripts that make a change to the store atomic, loaded from the files beside this one."""

from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files
from typing import Self


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and the name that the store calls it by once it is loaded."""

    text: str
    sha: str

    @classmethod
    def load(cls, name: str) -> Self:
        """The script of that file name."""
        text = files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")
        return cls(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


CLAIM = Script.load("claim")
WRITE = Script.load("write")
KEEP = Script.load("keep")
POINT = Script.load("point")
RETIRE = Script.load("retire")
PURGE = Script.load("purge")
UPSERT = Script.load("upsert")
SHOW = Script.load("show")
RATE_ITEM = Script.load("rate_item")
ABSORB = Script.load("absorb")
FORGET_RATER = Script.load("forget_rater")
