"""The options of a gRPC channel: load balancing, retries and keepalive.

Only settings; the clients open the channel.
"""

import json

import grpc

from foldin_client.calls import catalog_calls, model_calls, recommendation_calls
from foldin_client.channel.address import authority, is_local, target
from foldin_client.channel.tls import Tls

# Servers must allow pings this often (grpc.http2.min_ping_interval_without_data_ms, 60 s here too).
KEEPALIVE_TIME_MS = 60_000
KEEPALIVE_TIMEOUT_MS = 10_000
FIRST_RECONNECT_MS = 100  # grpc's own second is long for a server that restarts
MAX_RECONNECT_MS = 10_000
MAX_ANSWER_BYTES = 64 * 1024 * 1024  # a batch of 100 explained lists of 200 items

# Every write has a request_id, by which the server recognizes a repeated one. An activation has
# none: sent twice it could undo an activation that came in between.
_RETRIED = (
    {"service": recommendation_calls.SERVICE},
    {"service": catalog_calls.SERVICE},
    {"service": model_calls.SERVICE, "method": "GetServingModel"},
    {"service": model_calls.SERVICE, "method": "ListModels"},
)

# Overload is not retried: its answer says how long to wait, and an early retry would add load.
_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": _RETRIED,
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
    "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
}


def channel_arguments(
    address: str, tls: Tls | None, credentials: grpc.ChannelCredentials | None
) -> tuple[str, grpc.ChannelCredentials | None, list[tuple[str, int | str]]]:
    """Returns target, credentials (None for plain text) and options for a channel to the address.

    Given credentials take the place of those of `tls`. Raises ValueError for an address or files
    that cannot be used.
    """
    options = channel_options(address, None if tls is None else tls.server_name)
    if tls is not None and credentials is None:
        credentials = tls.credentials()
    return target(address), credentials, options


def channel_options(address: str, server_name: str | None = None) -> list[tuple[str, int | str]]:
    """Returns the options of a channel to the address.

    Where `server_name` is given, it is the name that certificates are checked for.
    """
    options: list[tuple[str, int | str]] = [
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
        ("grpc.keepalive_time_ms", KEEPALIVE_TIME_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.initial_reconnect_backoff_ms", FIRST_RECONNECT_MS),
        ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    ]
    if (name := server_name or authority(address)) is not None:
        options.append(("grpc.default_authority", name))
    if is_local(address):
        options.append(("grpc.enable_http_proxy", 0))  # no proxy reaches this machine's loopback
    return options
