"""One entry of a batch: it succeeds or fails by itself."""

import logging
from collections.abc import Awaitable
from typing import TypeVar

from foldin_model.errors import FoldinError
from google.rpc.status_pb2 import Status

from foldin_server.admission.statuses import internal_status, status_of

log = logging.getLogger(__name__)
Response = TypeVar("Response")


async def entry_result(work: Awaitable[Response], method: str) -> Response | Status:
    """Returns the response of one entry, or the status that would have ended a call of its own."""
    try:
        return await work
    except FoldinError as error:
        return status_of(error)
    except Exception:
        log.exception("failure", extra={"method": method})
        return internal_status()
