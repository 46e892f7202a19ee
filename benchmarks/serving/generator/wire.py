"""Unary calls on one connection, one at a time, as bytes: gRPC over HTTP/2 and JSON over HTTP/1.1.

It has as little of either protocol as the load needs. Header blocks are encoded once a connection.
A reply without a message, or a reset stream, is a failed call.
"""

import struct
from typing import Final, Protocol

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
WINDOW: Final = 1 << 20
_HEAD: Final = struct.Struct(">I")
_PREFIX: Final = struct.Struct(">BI")


class Wire(Protocol):
    """The protocol state of one connection."""

    def hello(self) -> bytes:
        """Returns the bytes to send before the first call."""
        ...

    def call(self, request: bytes) -> bytes:
        """Returns the bytes to send for a call."""
        ...

    def received(self, data: bytes) -> tuple[int | None, bytes]:
        """Returns the size of a complete reply (0 if it failed), and bytes to send at once."""
        ...


def grpc_request(path: str, message: bytes) -> bytes:
    """Returns a call as `GrpcWire.call` takes it: the path as a header field, then the DATA."""
    name = path.encode()
    field = b"\x04" + bytes([len(name)]) + name  # HPACK: literal, not indexed, name :path
    return bytes([len(field)]) + field + _PREFIX.pack(0, len(message)) + message


class GrpcWire:
    """A gRPC connection with one unary call at a time."""

    def __init__(self, authority: str) -> None:
        self._stream = -1
        self._rest = b""
        self._message: list[bytes] = []
        self._window = 0
        fields = ((b"content-type", b"application/grpc"), (b"te", b"trailers"))
        literals = b"".join(_literal(b"\x40" + _string(name), value) for name, value in fields)
        self._first = b"\x83\x86" + _literal(b"\x41", authority.encode()) + literals
        self._later = b"\x83\x86\xc0\xbf\xbe"  # the same from the table that the first call filled
        self._fields = self._first

    def hello(self) -> bytes:
        settings = struct.pack(">HI", 2, 0) + struct.pack(">HI", 4, (1 << 31) - 1)
        return (
            PREFACE
            + _frame(SETTINGS, 0, 0, settings)
            + _frame(WINDOW_UPDATE, 0, 0, _HEAD.pack((1 << 31) - 1 - 65_535))
        )

    def call(self, request: bytes) -> bytes:
        cut = request[0] + 1
        # Pseudo-header fields come first; the table is filled from authority on, last field first.
        fields = self._fields[:2] + request[1:cut] + self._fields[2:]
        self._fields = self._later
        self._stream += 2
        self._message = []
        stream = _HEAD.pack(self._stream)
        return b"".join(
            (
                _HEAD.pack(len(fields) << 8 | HEADERS),
                b"\x04",
                stream,
                fields,
                _HEAD.pack((len(request) - cut) << 8 | DATA),
                b"\x01",
                stream,
                request[cut:],
            )
        )

    @property
    def message(self) -> bytes:
        """The message of the last reply."""
        return b"".join(self._message)[_PREFIX.size :]

    def received(self, data: bytes) -> tuple[int | None, bytes]:
        if self._rest:
            data = self._rest + data
        position, end = 0, len(data)
        ended: int | None = None
        answer = b""
        while end - position >= 9:
            head = _HEAD.unpack_from(data, position)[0]
            following = position + 9 + (head >> 8)
            if following > end:
                break
            kind, flags = head & 0xFF, data[position + 4]
            if kind == DATA:
                self._message.append(data[position + 9 : following])
                self._window += head >> 8
            if kind in (DATA, HEADERS):
                if flags & END_STREAM:  # in a DATA frame: no trailers, hence no status
                    ended = sum(map(len, self._message)) if kind == HEADERS else 0
            elif kind == RST_STREAM:
                ended = 0
            else:
                answer += _of_connection(kind, flags, data[position + 9 : following])
            position = following
        self._rest = data[position:]
        if self._window > WINDOW:
            answer += _frame(WINDOW_UPDATE, 0, 0, _HEAD.pack(self._window))
            self._window = 0
        return ended, answer


class HttpWire:
    """An HTTP/1.1 connection that is kept open; a call is a complete request."""

    def __init__(self) -> None:
        self._rest = b""

    def hello(self) -> bytes:
        return b""

    def call(self, request: bytes) -> bytes:
        return request

    def received(self, data: bytes) -> tuple[int | None, bytes]:
        self._rest += data
        head = self._rest.find(b"\r\n\r\n")
        if head < 0:
            return None, b""
        start = self._rest.lower().index(b"content-length:") + 15
        size = int(self._rest[start : self._rest.index(b"\r\n", start)])
        if len(self._rest) < head + 4 + size:
            return None, b""
        fine = self._rest.startswith(b"HTTP/1.1 200")
        self._rest = b""
        return (size if fine else 0), b""


def http_request(path: str, body: bytes) -> bytes:
    """Returns a POST of JSON."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def _of_connection(kind: int, flags: int, body: bytes) -> bytes:
    """Returns the answer to a frame that belongs to no call."""
    if kind == GOAWAY:
        raise ConnectionError("the server closes the connection (GOAWAY)")
    if kind not in (SETTINGS, PING) or flags & ACK:
        return b""
    return _frame(kind, ACK, 0, body if kind == PING else b"")


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return _HEAD.pack(len(body) << 8 | kind) + bytes([flags]) + _HEAD.pack(stream) + body


def _string(text: bytes) -> bytes:
    return bytes([len(text)]) + text


def _literal(name: bytes, value: bytes) -> bytes:
    return name + _string(value)
