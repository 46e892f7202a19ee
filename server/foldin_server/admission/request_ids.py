"""The request id of a call: the caller's own, or a new one."""

import re
import secrets
from itertools import count
from typing import Final

from foldin_server.admission.call import NO_METADATA, Call, Metadata
from foldin_server.admission.step import Step

KEY: Final = "x-request-id"
_VISIBLE_ASCII: Final = re.compile(r"[!-~]{1,128}")


class RequestIds(Step):
    """Gives every call a request id for the log, and for the caller's trailing metadata.

    A caller's id has 1 to 128 visible ASCII characters; any other is ignored. New ids are unique
    among all servers: a random part for each process, then a number.
    """

    def __init__(self) -> None:
        self._process = secrets.token_hex(6)
        self._numbers = count(1)

    def arrive(self, call: Call) -> None:
        sent = sent_id(call.metadata)
        call.request_id_sent = sent is not None
        call.request_id = sent if sent is not None else self.new()

    def new(self) -> str:
        """Returns an id that no other call has."""
        return f"{self._process}-{next(self._numbers):x}"


def sent_id(metadata: Metadata) -> str | None:
    """Returns the request id that the caller sent, None without a valid one."""
    for key, value in metadata:
        if key == KEY and isinstance(value, str) and _VISIBLE_ASCII.fullmatch(value):
            return value
    return None


def success_trailers(call: Call) -> Metadata:
    """Returns the trailing metadata of a call that succeeded."""
    return ((KEY, call.request_id),) if call.request_id_sent else NO_METADATA


def failure_trailers(call: Call, trailers: Metadata) -> Metadata:
    """Returns the trailing metadata of a call that failed, with that of its status."""
    return (*trailers, (KEY, call.request_id)) if call.request_id else trailers
