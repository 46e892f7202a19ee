"""Page tokens: all that a server with the same model version needs to continue a list.

A token is opaque to callers and authenticated, not encrypted. Of the user it holds only what the
list was made with.
"""

import binascii
import hmac
import struct
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from foldin_model.arrays import Doubles, Rows
from foldin_model.errors import PageTokenInvalid, PageTokenMismatch
from foldin_model.ids import Version
from foldin_model.records.folded_users import FoldedUser, FoldedUsers
from foldin_model.records.personalization import Personalization
from foldin_model.retrieval.search import Cursor

SIGNATURE_BYTES: Final = 16
ARGUMENTS_BYTES: Final = 16
_FORMAT: Final = 1
_HEADER: Final = np.dtype(
    [
        ("format", "u1"),
        ("kind", "u1"),  # of the position
        ("arguments", f"V{ARGUMENTS_BYTES}"),
        ("revision", "<i8"),
        ("rating_count", "<i8"),
        ("personalization", "u1"),
        ("sizes", "<u2", 3),  # bytes of the version and numbers of both vectors, which follow
    ]
)
_CURSOR: Final = struct.Struct("<dq")
_NO_ROW: Final = np.zeros(0, np.int32)
_SAFE_IN_URLS: Final = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True, slots=True, eq=False)
class PageToken:
    """Where a list continues.

    `position` is a cursor in the canonical order, the number of items shown of a fixed list, or
    the rows, in order, that are left of a diversified one. `arguments` is a digest, of
    ARGUMENTS_BYTES, of all arguments but the page size. `user` is the user that the list was made
    for, without the rows `seen`, which a token does not carry; None for a list for no user.
    """

    version: Version
    arguments: bytes
    position: Cursor | int | Rows
    user: FoldedUser | None = None

    def check(self, arguments: bytes) -> None:
        """Raises PageTokenMismatch unless the token belongs to these arguments."""
        if not hmac.compare_digest(self.arguments, arguments):
            raise PageTokenMismatch(
                "the page token belongs to other arguments; repeat all of them but page_size, "
                "or leave the token out to start again"
            )

    def encode(self, key: bytes) -> str:
        """Returns the token as callers see it, signed with `key`."""
        return _text(self.signed(key)).decode()

    def signed(self, key: bytes) -> bytes:
        """Returns the signed bytes, of which `encode` is the text."""
        body = _packed(self)
        return _signature(body, key) + body

    @classmethod
    def decode(cls, text: str, key: bytes) -> Self:
        """Returns the token that `encode` encoded. Raises PageTokenInvalid for any other text."""
        try:
            raw = text.encode("ascii")
            signed = urlsafe_b64decode(raw + b"=" * (-len(raw) % 4))
        except (UnicodeEncodeError, binascii.Error) as error:
            raise _invalid() from error
        signature, body = signed[:SIGNATURE_BYTES], signed[SIGNATURE_BYTES:]
        if _text(signed) != raw or not hmac.compare_digest(signature, _signature(body, key)):
            raise _invalid()
        if body[0] != _FORMAT:
            raise _invalid()
        return cls(*_unpacked(body))


def signed_cursors(
    key: bytes,
    arguments: Sequence[bytes],
    users: FoldedUsers,
    scores: Doubles,
    rows: Rows,
) -> NDArray[np.uint8]:
    """Returns (m, bytes): `PageToken.signed` of the lists of m users of one version.

    The lists continue after the cursors with these `scores` and `rows`, both (m,).
    """
    name = users.version.encode()
    sizes = users.ranking_vectors.shape[1], users.rating_vectors.shape[1]
    tokens = np.empty(len(users), _signed_cursor(len(name), *sizes))
    header = tokens["header"]
    header["format"], header["kind"] = _FORMAT, 0
    header["arguments"] = np.frombuffer(b"".join(arguments), _HEADER["arguments"])
    header["revision"], header["rating_count"] = users.revisions, users.rating_counts
    header["personalization"] = users.personalizations
    header["sizes"] = len(name), *sizes
    tokens["version"] = np.frombuffer(name, tokens.dtype["version"])
    tokens["ranking_vector"] = users.ranking_vectors
    tokens["rating_vector"] = users.rating_vectors
    tokens["score"], tokens["row"] = scores, rows
    packed, size = memoryview(tokens.tobytes()), tokens.itemsize
    keyed = _keyed(key)
    signatures = []
    for start in range(0, len(packed), size):
        mac = keyed.copy()
        mac.update(packed[start + SIGNATURE_BYTES : start + size])
        signatures.append(mac.digest()[:SIGNATURE_BYTES])
    tokens["signature"] = np.frombuffer(b"".join(signatures), tokens.dtype["signature"])
    return tokens.view(np.uint8).reshape(len(users), size)


@lru_cache(maxsize=8)
def _keyed(key: bytes) -> hmac.HMAC:
    """Returns an HMAC with the key alone; callers copy it and never update it."""
    return hmac.new(key, digestmod="sha256")


@cache
def _signed_cursor(version_bytes: int, ranking: int, rating: int) -> np.dtype[np.void]:
    """Returns the dtype of a signature and what `_packed` makes of a token with user and cursor."""
    return np.dtype(
        [
            ("signature", f"V{SIGNATURE_BYTES}"),
            ("header", _HEADER),
            ("version", f"V{version_bytes}"),
            ("ranking_vector", "<f4", ranking),
            ("rating_vector", "<f4", rating),
            ("score", "<f8"),
            ("row", "<i8"),
        ]
    )


def _invalid() -> PageTokenInvalid:
    return PageTokenInvalid(
        "the page token is not one that this service gave; pass next_page_token unchanged, "
        "or leave the token out to start again"
    )


def _text(signed: bytes) -> bytes:
    return binascii.b2a_base64(signed, newline=False).rstrip(b"=").translate(_SAFE_IN_URLS)


def _signature(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:SIGNATURE_BYTES]


def _packed(token: PageToken) -> bytes:
    user, version = token.user, token.version.encode()
    none = np.zeros(0)
    ranking, rating = (user.ranking_vector, user.rating_vector) if user else (none, none)
    kind, position = _packed_position(token.position)
    header = np.zeros((), _HEADER)
    header["format"], header["kind"] = _FORMAT, kind
    header["arguments"] = np.void(token.arguments)
    if user:
        header["revision"], header["rating_count"] = user.revision, user.rating_count
        header["personalization"] = user.personalization
    header["sizes"] = len(version), len(ranking), len(rating)
    vectors = ranking.astype("<f4").tobytes() + rating.astype("<f4").tobytes()
    return header.tobytes() + version + vectors + position


def _unpacked(body: bytes) -> tuple[Version, bytes, Cursor | int | Rows, FoldedUser | None]:
    header = np.frombuffer(body, _HEADER, count=1)[0]
    version_bytes, ranking_size, rating_size = header["sizes"].tolist()
    version_end = _HEADER.itemsize + version_bytes
    vectors_end = version_end + 4 * (ranking_size + rating_size)
    vectors = np.frombuffer(body[version_end:vectors_end], "<f4").astype(np.float64)
    version = Version(body[_HEADER.itemsize : version_end].decode())
    user = None
    if header["personalization"]:
        user = FoldedUser(
            version,
            int(header["revision"]),
            int(header["rating_count"]),
            Personalization(header["personalization"]),
            vectors[:ranking_size],
            vectors[ranking_size:],
            _NO_ROW,
        )
    position = _unpacked_position(int(header["kind"]), body[vectors_end:])
    return version, header["arguments"].tobytes(), position, user


def _packed_position(position: Cursor | int | Rows) -> tuple[int, bytes]:
    if isinstance(position, Cursor):
        return 0, _CURSOR.pack(*position)
    if isinstance(position, int):
        return 1, struct.pack("<q", position)
    return 2, position.astype("<i4").tobytes()


def _unpacked_position(kind: int, packed: bytes) -> Cursor | int | Rows:
    if kind == 0:
        return Cursor(*_CURSOR.unpack(packed))
    if kind == 1:
        return int.from_bytes(packed, "little", signed=True)
    return np.frombuffer(packed, "<i4").astype(np.int32)
