"""Every failure that foldin answers with, each with the gRPC code and reason it has on the wire.

FoldinError
├── InvalidField          INVALID_ARGUMENT     INVALID_FIELD
├── RequestIdReused       INVALID_ARGUMENT     REQUEST_ID_REUSED
├── PageTokenInvalid      INVALID_ARGUMENT     PAGE_TOKEN_INVALID
├── PageTokenMismatch     INVALID_ARGUMENT     PAGE_TOKEN_MISMATCH
├── PageTokenExpired      FAILED_PRECONDITION  PAGE_TOKEN_EXPIRED
├── ItemNotFound          NOT_FOUND            ITEM_NOT_FOUND
├── UserNotFound          NOT_FOUND            USER_NOT_FOUND
├── VersionNotFound       NOT_FOUND            VERSION_NOT_FOUND
├── HistoryFull           FAILED_PRECONDITION  HISTORY_FULL
├── OverlayFull           FAILED_PRECONDITION  OVERLAY_FULL
├── ModelNotReady         UNAVAILABLE          MODEL_NOT_READY
├── StoreUnavailable      UNAVAILABLE          STORE_UNAVAILABLE
├── StoreMismatch         FAILED_PRECONDITION  STORE_MISMATCH
├── Overloaded            RESOURCE_EXHAUSTED   OVERLOADED
├── RevisionNotVisible    ABORTED              REVISION_NOT_VISIBLE
├── VersionConflict       ABORTED              VERSION_CONFLICT
├── ArtifactCorrupt       DATA_LOSS            ARTIFACT_CORRUPT
├── TokenInvalid          UNAUTHENTICATED      TOKEN_INVALID
└── ScopeMissing          PERMISSION_DENIED    SCOPE_MISSING
"""

from dataclasses import dataclass
from typing import Any, ClassVar


class FoldinError(Exception):
    """A failure with a name. The message names the value, the limit and the remedy."""

    code: ClassVar[str] = "INTERNAL"
    reason: ClassVar[str] = "INTERNAL"
    retry_after_ms: ClassVar[int | None] = None

    def __reduce__(self) -> tuple[Any, ...]:
        # An Exception would be made again by calling its class with nothing but the message.
        return _made_again, (type(self), self.args, vars(self))


def _made_again(
    kind: type[FoldinError], args: tuple[object, ...], attributes: dict[str, object]
) -> FoldinError:
    """The error that another process raised."""
    error = kind.__new__(kind, *args)
    vars(error).update(attributes)
    return error


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that cannot be accepted, and why."""

    field: str
    description: str


class InvalidField(FoldinError):
    """One or more fields of a request are outside their limits."""

    code = "INVALID_ARGUMENT"
    reason = "INVALID_FIELD"

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in violations))
        self.violations = violations


class RequestIdReused(FoldinError):
    code = "INVALID_ARGUMENT"
    reason = "REQUEST_ID_REUSED"


class PageTokenInvalid(FoldinError):
    code = "INVALID_ARGUMENT"
    reason = "PAGE_TOKEN_INVALID"


class PageTokenMismatch(FoldinError):
    code = "INVALID_ARGUMENT"
    reason = "PAGE_TOKEN_MISMATCH"


class PageTokenExpired(FoldinError):
    code = "FAILED_PRECONDITION"
    reason = "PAGE_TOKEN_EXPIRED"


class NotFound(FoldinError):
    """Something named does not exist. `resource_type` and `name` travel as ResourceInfo."""

    code = "NOT_FOUND"
    resource_type: ClassVar[str]

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class ItemNotFound(NotFound):
    reason = "ITEM_NOT_FOUND"
    resource_type = "foldin.v1.Item"


class UserNotFound(NotFound):
    reason = "USER_NOT_FOUND"
    resource_type = "foldin.v1.User"


class VersionNotFound(NotFound):
    reason = "VERSION_NOT_FOUND"
    resource_type = "foldin.v1.Model"


class HistoryFull(FoldinError):
    code = "FAILED_PRECONDITION"
    reason = "HISTORY_FULL"


class OverlayFull(FoldinError):
    """As many items as may be are new or hidden beside the serving model."""

    code = "FAILED_PRECONDITION"
    reason = "OVERLAY_FULL"


class ModelNotReady(FoldinError):
    code = "UNAVAILABLE"
    reason = "MODEL_NOT_READY"
    retry_after_ms = 1_000


class StoreUnavailable(FoldinError):
    code = "UNAVAILABLE"
    reason = "STORE_UNAVAILABLE"
    retry_after_ms = 1_000


class StoreRefused(StoreUnavailable):
    """The store, which is in reach, answered one command with an error: it is full, say."""


class StoreMismatch(FoldinError):
    """The store was created with other settings or by another kind of program."""

    code = "FAILED_PRECONDITION"
    reason = "STORE_MISMATCH"


class Overloaded(FoldinError):
    code = "RESOURCE_EXHAUSTED"
    reason = "OVERLOADED"
    retry_after_ms = 100


class RevisionNotVisible(FoldinError):
    code = "ABORTED"
    reason = "REVISION_NOT_VISIBLE"


class VersionConflict(FoldinError):
    code = "ABORTED"
    reason = "VERSION_CONFLICT"


class ArtifactCorrupt(FoldinError):
    """A stored model does not match its manifest. It is never served."""

    code = "DATA_LOSS"
    reason = "ARTIFACT_CORRUPT"


class TokenInvalid(FoldinError):
    code = "UNAUTHENTICATED"
    reason = "TOKEN_INVALID"


class ScopeMissing(FoldinError):
    code = "PERMISSION_DENIED"
    reason = "SCOPE_MISSING"
