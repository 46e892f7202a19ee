"""The request id of a call: the caller's own, or a new one."""

import re
import secrets
from itertools import count
from typing import Final

from foldin_server.admission.call import NO_METADATA, Call, Metadata
from foldin_server.admission.step import Step

KEY: Final = "x-request-id"
_VISIBLE_ASCII: Final = re.compile(r"[!-~]{1,128}")
_PROCESS: Final = secrets.token_hex(6)
_numbers: Final = count(1)


class RequestIds(Step):
    """Takes the request id that a caller sends, 1 to 128 visible ASCII characters.

    Any other is ignored. A call without one gets a new id when its log line or its failure needs
    it: a random part for each process, then a number.
    """

    def arrive(self, call: Call) -> None:
        for key, value in call.metadata:
            if key == KEY and isinstance(value, str) and _VISIBLE_ASCII.fullmatch(value):
                call.request_id, call.request_id_sent = value, True
                return


def request_id(call: Call) -> str:
    """Returns the request id of a call, a new one where the caller sent none."""
    if not call.request_id:
        call.request_id = f"{_PROCESS}-{next(_numbers):x}"
    return call.request_id


def success_trailers(call: Call) -> Metadata:
    """Returns the trailing metadata of a call that succeeded."""
    return ((KEY, call.request_id),) if call.request_id_sent else NO_METADATA


def failure_trailers(call: Call, trailers: Metadata) -> Metadata:
    """Returns the trailing metadata of a call that failed: that of its status, and its id."""
    return (*trailers, (KEY, request_id(call)))
