"""The URL of a store without its secrets, for logs and for errors that reach callers."""

import re
from typing import Final

from foldin_model.errors import InvalidField
from foldin_model.store.url import HIDDEN, parse_store_url

_URL: Final = re.compile(r"(\w+://[^:?]*)(:[^?]*@)?([^?@]*)(\?[^@]*)?")


def without_secrets(url: str) -> str:
    """Returns the URL with password and options hidden, or `***` where they cannot be told apart.

    A URL that the parser refuses may have a password that was not quoted and holds any character,
    so the password is taken to end at the last @. Where an @ stands among the options, everything
    is hidden.
    """
    try:
        return parse_store_url(url).shown
    except InvalidField:
        pass
    parts = _URL.fullmatch(url)
    if parts is None:
        return HIDDEN
    beginning, password, place, options = parts.groups()
    login = f"{beginning}:{HIDDEN}@" if password else beginning
    return f"{login}{place}?{HIDDEN}" if options else f"{login}{place}"
