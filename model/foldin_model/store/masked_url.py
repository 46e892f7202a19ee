"""A store's URL as it may be shown: in logs, and in errors that reach callers."""

import re
from typing import Final

from foldin_model.errors import InvalidField
from foldin_model.store.url import HIDDEN, parse_store_url

_URL: Final = re.compile(r"(\w+://[^:?]*)(:[^?]*@)?([^?@]*)(\?[^@]*)?")


def without_secrets(url: str) -> str:
    """Returns the URL with password and options hidden; `***` for what is no URL at all.

    One that the parser refuses may have a password that was not quoted. It can hold any sign, so
    it ends at the last @; where an @ follows the options, nobody can tell what is secret.
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
