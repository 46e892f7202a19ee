"""Many replies of Recommend written one after the other, in machine code."""

from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final

import numpy as np
from foldin_model.arrays import Integers, Mask, Rows
from foldin_model.machine_code import STARTS, compiled
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
_BYTES: Final = "Array(uint8, 1, 'C', True)"
_TABLE: Final = "Array(uint8, 2, 'C', True)"
_SLOTS: Final = "Array(int32, 2, 'C', True)"
_PLACES: Final = "Array(int64, 2, 'C', True)"
_MARKS: Final = "Array(boolean, 1, 'C', True)"
_SEVEN_BITS: Final = 0x7F
_VARINT: Final = 10  # bytes of the longest
_FLOAT: Final = 4  # bytes
# that of base64 in addresses (RFC 4648, section 5)
_ALPHABET: Final = np.frombuffer((ascii_uppercase + ascii_lowercase + digits + "-_").encode(), "u1")


@compiled()
def _put(out: Bytes, at: int, part: Bytes) -> int:
    """Writes a part from `at` on. Returns where it ends."""
    for place in range(len(part)):
        out[at + place] = part[place]
    return at + len(part)


@compiled()
def _put_varint(out: Bytes, at: int, number: int) -> int:
    """Writes a number as a varint. Returns where it ends."""
    while number > _SEVEN_BITS:
        out[at] = np.uint8(number & _SEVEN_BITS | _SEVEN_BITS + 1)
        number >>= 7
        at += 1
    out[at] = np.uint8(number)
    return at + 1


@compiled()
def _put_field(out: Bytes, at: int, tag: int, number: int) -> int:
    """Writes a number with its tag, nothing for 0. Returns where it ends."""
    return at if number == 0 else _put_varint(out, _put_varint(out, at, tag), number)


@compiled()
def _put_base64(out: Bytes, at: int, raw: Bytes) -> int:
    """Writes bytes in base64 without padding. Returns where it ends."""
    whole = len(raw) - len(raw) % 3
    for place in range(0, whole, 3):
        a, b, c = raw[place], raw[place + 1], raw[place + 2]
        out[at] = _ALPHABET[a >> 2]
        out[at + 1] = _ALPHABET[(a & 3) << 4 | b >> 4]
        out[at + 2] = _ALPHABET[(b & 15) << 2 | c >> 6]
        out[at + 3] = _ALPHABET[c & 63]
        at += 4
    if whole < len(raw):
        a, b = raw[whole], raw[whole + 1] if whole + 1 < len(raw) else np.uint8(0)
        out[at] = _ALPHABET[a >> 2]
        out[at + 1] = _ALPHABET[(a & 3) << 4 | b >> 4]
        at += 2
        if whole + 1 < len(raw):
            out[at] = _ALPHABET[(b & 15) << 2]
            at += 1
    return at


@compiled(
    f"Tuple((uint8[::1], int64[::1]))({_SLOTS}, {_TABLE}, {_TABLE}, {STARTS}, {STARTS}, {_BYTES},"
    f" {_SLOTS}, {_PLACES}, {_MARKS}, {_TABLE}, {STARTS}, {_TABLE},"
    f" {_PLACES}, {STARTS}, {STARTS}, UniTuple(int64, 6))"
)
def replies(  # noqa: PLR0917 (numba is quickest with arguments that have no names)
    rows: Rows,
    scores: Bytes,
    predictions: Bytes,
    counts: Integers,
    sources: Integers,
    letters: Bytes,
    slots: Rows,
    places: Integers,
    goes_on: Mask,
    signed: Bytes,
    kinds: Integers,
    infos: Bytes,
    cuts: Integers,
    rating_counts: Integers,
    revisions: Integers,
    tags: tuple[int, int, int, int, int, int],
) -> tuple[Bytes, Integers]:
    """Returns the replies to (m,) users and where each ends; both are empty if an item has no slot.

    The i-th has the items at `rows[i, :counts[i]]`, of (m, k). An item is `letters[a:b]`, its
    numbers, `letters[b:c]`, with a, b, c those of `places` (any, 3) at its slot, which `slots`
    (sources, n_items) has by `sources` (m,) and row; slot 0 is none. Its numbers are floats, four
    bytes each, of `scores` and `predictions` (m, 4 k). Then, if it `goes_on` (m,), comes its one of
    `signed` (m, s) in base64. Last is `infos[kinds[i]]` as far as its second of `cuts` (kinds, 2),
    with the fields of `rating_counts` and `revisions` (m,) at the first. `tags` are those of both
    numbers, of the token, of the info, and of both fields in it.
    """
    score_tag, predicted_tag, token_tag, info_tag, count_tag, revision_tag = tags
    token_size = signed.shape[1] // 3 * 4 + (signed.shape[1] % 3 * 4 + 2) // 3
    size = 0
    for i in range(len(rows)):
        for j in range(counts[i]):
            slot = slots[sources[i], rows[i, j]]
            if slot == 0:
                return np.empty(0, np.uint8), np.empty(0, np.int64)
            size += places[slot, 2] - places[slot, 0] + 2 * (1 + _FLOAT)
        size += (token_size if goes_on[i] else 0) + cuts[kinds[i], 1]
        size += 8 * _VARINT  # four tags, two sizes, two numbers
    out, ends = np.empty(size, np.uint8), np.empty(len(rows), np.int64)
    fields = np.empty(4 * _VARINT, np.uint8)
    at = 0
    for i in range(len(rows)):
        for j in range(counts[i]):
            item = places[slots[sources[i], rows[i, j]]]
            number = slice(_FLOAT * j, _FLOAT * (j + 1))
            at = _put(out, at, letters[item[0] : item[1]])
            at = _put(out, _put_varint(out, at, score_tag), scores[i, number])
            at = _put(out, _put_varint(out, at, predicted_tag), predictions[i, number])
            at = _put(out, at, letters[item[1] : item[2]])
        if goes_on[i]:
            at = _put_varint(out, _put_varint(out, at, token_tag), token_size)
            at = _put_base64(out, at, signed[i])
        info, (cut, end) = infos[kinds[i]], cuts[kinds[i]]
        between = _put_field(fields, 0, count_tag, rating_counts[i])
        between = _put_field(fields, between, revision_tag, revisions[i])
        at = _put_varint(out, _put_varint(out, at, info_tag), end + between)
        at = _put(out, at, info[:cut])
        at = _put(out, at, fields[:between])
        at = _put(out, at, info[cut:end])
        ends[i] = at
    return out[:at], ends
