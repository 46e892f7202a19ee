"""A store's url as it may be shown: in logs, and in errors that reach callers."""

import re
from typing import Final

HIDDEN: Final = "***"
_URL: Final = re.compile(r"(\w+://[^:?]*)(:[^?]*@)?([^?@]*)(\?[^@]*)?")


def without_secrets(url: str) -> str:
    """The url with password and options hidden, and all of what is no url of a store.

    A password that was not quoted may hold any sign, so it ends at the last @. There may be one
    among the options too; where an @ follows them, nobody can tell what is secret.
    """
    parts = _URL.fullmatch(url)
    if parts is None:
        return HIDDEN
    beginning, password, place, options = parts.groups()
    login = f"{beginning}:{HIDDEN}@" if password else beginning
    return f"{login}{place}?{HIDDEN}" if options else f"{login}{place}"
