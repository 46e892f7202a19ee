"""The errors that a call can raise, one class for each reason that the server reports.

Names, codes and reasons are the server's; the last two are for calls that no server answered.

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
├── StoreMismatch         FAILED_PRECONDITION  STORE_MISMATCH
├── Overloaded            RESOURCE_EXHAUSTED   OVERLOADED
├── RevisionNotVisible    ABORTED              REVISION_NOT_VISIBLE
├── VersionConflict       ABORTED              VERSION_CONFLICT
├── ArtifactCorrupt       DATA_LOSS            ARTIFACT_CORRUPT
├── TokenInvalid          UNAUTHENTICATED      TOKEN_INVALID
├── ScopeMissing          PERMISSION_DENIED    SCOPE_MISSING
├── DeadlineExceeded      DEADLINE_EXCEEDED    DEADLINE_EXCEEDED   no answer within timeout_s
└── Unreachable           UNAVAILABLE          UNREACHABLE         no server at the address
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Violation:
    """A field that the server refuses, and why."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class Details:
    """What a server reports about a failure beside its message."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    resource_type: str = ""
    resource_name: str = ""
    retry_after_ms: int | None = None


class FoldinError(Exception):
    """A failed call. `code` is the gRPC code, `reason` the server's name of the failure."""

    code: str = "UNKNOWN"
    reason: str = "UNKNOWN"

    def __init__(self, message: str = "", details: Details | None = None) -> None:
        super().__init__(message)
        self.details = details or Details()

    @property
    def message(self) -> str:
        return str(self)

    @property
    def metadata(self) -> Mapping[str, str]:
        """Further facts from the server's ErrorInfo, such as limits."""
        return self.details.metadata

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The fields that the server refused."""
        return self.details.violations

    @property
    def retry_after_ms(self) -> int | None:
        """How long to wait before the same call, as the server asks; None where it does not say."""
        return self.details.retry_after_ms


class InvalidField(FoldinError):
    """Fields of a request are outside their limits."""

    code = "INVALID_ARGUMENT"
    reason = "INVALID_FIELD"


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
    """Something named in the request does not exist."""

    code = "NOT_FOUND"
    reason = "NOT_FOUND"

    @property
    def resource_type(self) -> str:
        return self.details.resource_type

    @property
    def name(self) -> str:
        """The id or version that was not found."""
        return self.details.resource_name


class ItemNotFound(NotFound):
    reason = "ITEM_NOT_FOUND"


class UserNotFound(NotFound):
    reason = "USER_NOT_FOUND"


class VersionNotFound(NotFound):
    reason = "VERSION_NOT_FOUND"


class HistoryFull(FoldinError):
    code = "FAILED_PRECONDITION"
    reason = "HISTORY_FULL"


class OverlayFull(FoldinError):
    """The limit of items that may be new or hidden beside the serving model is reached."""

    code = "FAILED_PRECONDITION"
    reason = "OVERLAY_FULL"


class ModelNotReady(FoldinError):
    code = "UNAVAILABLE"
    reason = "MODEL_NOT_READY"


class StoreUnavailable(FoldinError):
    code = "UNAVAILABLE"
    reason = "STORE_UNAVAILABLE"


class StoreMismatch(FoldinError):
    """The store was created with other settings or by another kind of program."""

    code = "FAILED_PRECONDITION"
    reason = "STORE_MISMATCH"


class Overloaded(FoldinError):
    code = "RESOURCE_EXHAUSTED"
    reason = "OVERLOADED"


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


class DeadlineExceeded(FoldinError):
    """No answer came in time. A write may have been stored: send it again with its request_id."""

    code = "DEADLINE_EXCEEDED"
    reason = "DEADLINE_EXCEEDED"


class Unreachable(FoldinError):
    """No server answered at the address, even after retries."""

    code = "UNAVAILABLE"
    reason = "UNREACHABLE"
