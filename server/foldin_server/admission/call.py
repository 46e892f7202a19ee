"""One call from its arrival to its end, as the door, its handler and the log know it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from foldin.v1.ratings_pb2 import ServingInfo
from foldin_model.ids import UserId, Version
from foldin_model.records.personalization import Personalization

from foldin_server.runtime.deadline import NEVER, Deadline

Metadata = Sequence[tuple[str, str | bytes]]
NO_METADATA: Final[Metadata] = ()
_NAMES: Final = {kind: kind.name.lower() for kind in Personalization}


@dataclass(slots=True, eq=False)
class Call:
    """A call, and what it turned out to be.

    The fields up to `arrival_only` are known on its arrival, before its request is parsed. The
    others are filled in by the door and by handlers. `started` is a time of `time.monotonic()`.
    """

    method: str
    deadline: Deadline = NEVER
    metadata: Metadata = NO_METADATA
    peer: str = ""
    byte_count: int = 0
    arrival_only: bool = False
    """Whether its method is for operators: see `foldin_server.admission.method.Method`."""
    started: float = field(init=False, default_factory=time.monotonic)
    request_id: str = field(init=False, default="")
    request_id_sent: bool = field(init=False, default=False)
    """Whether the caller chose the request id; else it is made when it is first needed."""
    holds_place: bool = field(init=False, default=False)
    cost: int | None = field(init=False, default=None)
    """The number of single calls that the request amounts to; None before it was weighed."""
    code: str = field(init=False, default="OK")
    reason: str = field(init=False, default="")
    model_version: str = field(init=False, default="")
    personalization: str = field(init=False, default="")
    degraded: bool = field(init=False, default=False)
    user_id: UserId | None = field(init=False, default=None)

    def note_info(self, info: ServingInfo) -> None:
        """Notes what the caller learns about how the answer was made."""
        self.model_version = info.model_version
        self.degraded = info.degraded
        if info.personalization:
            self.personalization = _NAMES[Personalization(info.personalization)]

    def note_answer(
        self, version: Version, personalization: Personalization, *, degraded: bool = False
    ) -> None:
        """Notes how an answer for a user was made."""
        self.model_version = version
        self.personalization = _NAMES[personalization]
        self.degraded = degraded
