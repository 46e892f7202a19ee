"""The gRPC server's channel options, in one place: sizes, keepalive and the age of connections.

The client's side of keepalive stands beside its channel; both must agree on the ping interval.
"""

from typing import Final

from grpc import aio

from foldin_server.settings import Settings, SettingsError

KEEPALIVE_TIMEOUT_S: Final = 20
MIN_CLIENT_PING_S: Final = 10
CONNECTION_GRACE_S: Final = 30

Options = tuple[tuple[str, int], ...]


def options(settings: Settings) -> Options:
    """What `grpc.aio.server` is told."""
    return (
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", _ms(settings.keepalive_s)),
        ("grpc.keepalive_timeout_ms", _ms(KEEPALIVE_TIMEOUT_S)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", _ms(MIN_CLIENT_PING_S)),
        ("grpc.max_connection_age_ms", _ms(settings.max_connection_age_s)),
        ("grpc.max_connection_age_grace_ms", _ms(CONNECTION_GRACE_S)),
    )


def bind(server: aio.Server, address: str) -> str:
    """The address that the server listens on, with its real port. Raises SettingsError."""
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise SettingsError(
            f"cannot listen on {address}; is another server there? Choose another --address"
        ) from error
    return f"{address.rpartition(':')[0]}:{port}"


def _ms(seconds: float) -> int:
    return round(1_000 * seconds)
