"""Every failure that foldin reports, with the gRPC code and the reason that it has on the wire.

FoldinError
├── InvalidField          INVALID_ARGUMENT     INVALID_FIELD
├── RequestIdReused       INVALID_ARGUMENT     REQUEST_ID_REUSED
├── PageTokenInvalid      INVALID_ARGUMENT     PAGE_TOKEN_INVALID
├── PageTokenMismatch     INVALID_ARGUMENT     PAGE_TOKEN_MISMATCH
├── PageTokenExpired      FAILED_PRECONDITION  PAGE_TOKEN_EXPIRED
├── NotFound
│   ├── ItemNotFound      NOT_FOUND            ITEM_NOT_FOUND
│   ├── UserNotFound      NOT_FOUND            USER_NOT_FOUND
│   └── VersionNotFound   NOT_FOUND            VERSION_NOT_FOUND
├── HistoryFull           FAILED_PRECONDITION  HISTORY_FULL
├── OverlayFull           FAILED_PRECONDITION  OVERLAY_FULL
├── ModelNotReady         UNAVAILABLE          MODEL_NOT_READY
├── StoreUnavailable      UNAVAILABLE          STORE_UNAVAILABLE
│   └── StoreRefused      UNAVAILABLE          STORE_UNAVAILABLE
├── StoreMismatch         FAILED_PRECONDITION  STORE_MISMATCH
├── Overloaded            RESOURCE_EXHAUSTED   OVERLOADED
├── RevisionNotVisible    ABORTED              REVISION_NOT_VISIBLE
├── VersionConflict       ABORTED              VERSION_CONFLICT
├── ArtifactCorrupt       DATA_LOSS            ARTIFACT_CORRUPT
├── TokenInvalid          UNAUTHENTICATED      TOKEN_INVALID        for authentication
└── ScopeMissing          PERMISSION_DENIED    SCOPE_MISSING        for authentication
"""

from dataclasses import dataclass
from typing import Any, ClassVar


class FoldinError(Exception):
    """A failure with a code and a reason. Its message names the value, the limit and the remedy."""

    code: ClassVar[str] = "INTERNAL"
    reason: ClassVar[str] = "INTERNAL"
    retry_after_ms: ClassVar[int | None] = None

    def __reduce__(self) -> tuple[Any, ...]:
        # By default unpickling calls the class with the message alone, which loses attributes.
        return _rebuilt, (type(self), self.args, vars(self))


def _rebuilt(
    kind: type[FoldinError], args: tuple[object, ...], attributes: dict[str, object]
) -> FoldinError:
    """Returns the error that another process raised."""
    error = kind.__new__(kind, *args)
    vars(error).update(attributes)
    return error


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is not accepted, and why."""

    field: str
    description: str


class InvalidField(FoldinError):
    """One or more fields of a request, or settings, are outside their limits."""

    code = "INVALID_ARGUMENT"
    reason = "INVALID_FIELD"

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(f"{v.field}: {v.description}" for v in violations))
        self.violations = violations


class RequestIdReused(FoldinError):
    """A request id came before with other content."""

    code = "INVALID_ARGUMENT"
    reason = "REQUEST_ID_REUSED"


class PageTokenInvalid(FoldinError):
    """A page token is damaged or was not issued by this service."""

    code = "INVALID_ARGUMENT"
    reason = "PAGE_TOKEN_INVALID"


class PageTokenMismatch(FoldinError):
    """A page token belongs to a request with other fields."""

    code = "INVALID_ARGUMENT"
    reason = "PAGE_TOKEN_MISMATCH"


class PageTokenExpired(FoldinError):
    """A page token refers to a model version that is no longer served."""

    code = "FAILED_PRECONDITION"
    reason = "PAGE_TOKEN_EXPIRED"


class NotFound(FoldinError):
    """A named resource does not exist. `resource_type` and `name` are sent as ResourceInfo."""

    code = "NOT_FOUND"
    resource_type: ClassVar[str]

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class ItemNotFound(NotFound):
    """Neither the model nor the overlay has an item of that id."""

    reason = "ITEM_NOT_FOUND"
    resource_type = "foldin.v1.Item"


class UserNotFound(NotFound):
    """The store knows nothing of the user, and the request sets require_known_user."""

    reason = "USER_NOT_FOUND"
    resource_type = "foldin.v1.User"


class VersionNotFound(NotFound):
    """The store has no model version of that name."""

    reason = "VERSION_NOT_FOUND"
    resource_type = "foldin.v1.Model"


class HistoryFull(FoldinError):
    """A user has as many ratings as are allowed."""

    code = "FAILED_PRECONDITION"
    reason = "HISTORY_FULL"


class OverlayFull(FoldinError):
    """As many items as are allowed are new or hidden."""

    code = "FAILED_PRECONDITION"
    reason = "OVERLAY_FULL"


class ModelNotReady(FoldinError):
    """No model version is loaded yet."""

    code = "UNAVAILABLE"
    reason = "MODEL_NOT_READY"
    retry_after_ms = 1_000


class StoreUnavailable(FoldinError):
    """The store cannot be reached or does not answer in time."""

    code = "UNAVAILABLE"
    reason = "STORE_UNAVAILABLE"
    retry_after_ms = 1_000


class StoreRefused(StoreUnavailable):
    """The store answers, but with an error to this command: it may be full."""


class StoreMismatch(FoldinError):
    """The namespace was created with settings that this program does not support."""

    code = "FAILED_PRECONDITION"
    reason = "STORE_MISMATCH"


class Overloaded(FoldinError):
    """The server has as many calls in progress as are allowed."""

    code = "RESOURCE_EXHAUSTED"
    reason = "OVERLOADED"
    retry_after_ms = 100


class RevisionNotVisible(FoldinError):
    """The store does not have the revision yet that the request asks for."""

    code = "ABORTED"
    reason = "REVISION_NOT_VISIBLE"


class VersionConflict(FoldinError):
    """The current version has changed meanwhile, or a version in use cannot be removed."""

    code = "ABORTED"
    reason = "VERSION_CONFLICT"


class ArtifactCorrupt(FoldinError):
    """Stored data is damaged, or a model does not match its manifest. It is never served."""

    code = "DATA_LOSS"
    reason = "ARTIFACT_CORRUPT"


class TokenInvalid(FoldinError):
    """A caller has no valid token."""

    code = "UNAUTHENTICATED"
    reason = "TOKEN_INVALID"


class ScopeMissing(FoldinError):
    """A caller's token does not allow the call."""

    code = "PERMISSION_DENIED"
    reason = "SCOPE_MISSING"
