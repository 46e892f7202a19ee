"""The gRPC server on either transport, and its channel options: sizes, keepalive, connection age.

The client's side of keepalive stands beside its channel; both must agree on the ping interval.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

import grpc

from foldin_server.admission.door import Door
from foldin_server.settings import Settings
from foldin_server.transport.grpcio_server import GrpcioServer
from foldin_server.transport.listener import (
    Tls,
    cannot_listen,
    choose_transport,
    read_tls,
    reserved,
)

if TYPE_CHECKING:
    from foldin_server.transport.native_server import NativeServer

KEEPALIVE_TIMEOUT_S: Final = 20
MIN_CLIENT_PING_S: Final = 10
CONNECTION_AGE_S: Final = 600.0
CONNECTION_GRACE_S: Final = 30
MAX_ANSWER_BYTES: Final = 64 << 20  # room for 100 explained lists of 200; foldin's clients take it

Options = tuple[tuple[str, int], ...]


def make_server(settings: Settings, door: Door) -> tuple["NativeServer | GrpcioServer", str]:
    """Returns a server that is bound but takes no calls yet, and its address with the real port.

    The native server runs HTTP/2 in threads of its own, beside the interpreter lock; it passes
    streams from callers (here, reflection) to a `grpc.aio` server behind it. The port of the other
    is shared by several `grpc.aio` servers, so it must be free first; of several processes the
    parent has seen to that. Raises SettingsError.
    """
    options = _options(settings)
    if choose_transport(settings) == "native":
        # The library of the native transport is an extra.
        from foldin_server.transport.native_server import NativeServer  # noqa: PLC0415

        shared = ("grpc.so_reuseport", int(settings.workers > 1))
        native = NativeServer((*options, shared), door)
        return native, _bound(settings.address, native.add_insecure_port)
    parent_has = settings.workers > 1
    with nullcontext(settings.address) if parent_has else reserved(settings.address) as address:
        server = GrpcioServer((*options, *_grpcio_options(settings)), door)
        if (tls := read_tls(settings)) is None:
            return server, _bound(address, server.add_insecure_port)
        credentials = _credentials(tls)
        return server, _bound(address, lambda at: server.add_secure_port(at, credentials))


def _bound(address: str, bind: Callable[[str], int]) -> str:
    """Binds an address and returns it with its real port. Raises SettingsError."""
    try:
        port = bind(address)
    except RuntimeError as error:
        raise cannot_listen(address) from error
    return f"{address.rpartition(':')[0]}:{port}"


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(tls.key, tls.certificate)],
        root_certificates=tls.client_ca,
        require_client_auth=tls.client_ca is not None,
    )


def _options(settings: Settings) -> Options:
    """Returns the options of both transports; `native` takes any number of client pings."""
    return (
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", MAX_ANSWER_BYTES),
        ("grpc.keepalive_time_ms", _ms(settings.keepalive_s)),
        ("grpc.keepalive_timeout_ms", _ms(KEEPALIVE_TIMEOUT_S)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", _ms(MIN_CLIENT_PING_S)),
    )


def _grpcio_options(settings: Settings) -> Options:
    return (
        ("grpc.max_connection_age_ms", _ms(settings.max_connection_age_s or CONNECTION_AGE_S)),
        ("grpc.max_connection_age_grace_ms", _ms(CONNECTION_GRACE_S)),
    )


def _ms(seconds: float) -> int:
    return round(1_000 * seconds)
