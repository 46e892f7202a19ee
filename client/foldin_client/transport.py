"""How a channel is set up: addresses, load balancing, retries and keepalive, all in one place.

Pure settings for grpc; no channel is opened here.
"""

import ipaddress
import json

from foldin_client import catalog_calls, model_calls, recommendation_calls

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT_S = 5.0

# Servers must allow pings this often (grpc.http2.min_ping_interval_without_data_ms, 60 s here too).
KEEPALIVE_TIME_MS = 60_000
KEEPALIVE_TIMEOUT_MS = 10_000
MAX_ANSWER_BYTES = 64 * 1024 * 1024  # a batch of 100 explained lists of 200 items

# Every write carries a request_id, so the server knows it again. An activation has none: sent twice
# it could flip a pointer that somebody else has moved in between.
_RETRIED = (
    {"service": recommendation_calls.SERVICE},
    {"service": catalog_calls.SERVICE},
    {"service": model_calls.SERVICE, "method": "GetServingModel"},
    {"service": model_calls.SERVICE, "method": "ListModels"},
)

# Overload is not retried: the answer says how long to wait, and a retry at once would add to it.
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


def target(address: str) -> str:
    """The grpc target of an address: `host:port`, several `ip:port` with commas, or any grpc URI.

    Raises ValueError for several addresses that are not all IP addresses of one family.
    """
    if "," not in address or address.startswith(("ipv4:", "ipv6:", "dns:", "xds:")):
        return address
    parts = [part.strip() for part in address.split(",")]
    versions = {_ip_version(part) for part in parts}
    if versions not in ({4}, {6}):
        raise ValueError(
            f"{address!r}: several addresses must all be IP addresses of one family, such as "
            "10.0.0.1:50051,10.0.0.2:50051; for one name with many addresses use dns:///name:port"
        )
    return f"ipv{versions.pop()}:{','.join(parts)}"


def channel_options(address: str) -> list[tuple[str, int | str]]:
    """The options of a channel to the address."""
    options: list[tuple[str, int | str]] = [
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
        ("grpc.keepalive_time_ms", KEEPALIVE_TIME_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    ]
    if _is_local(address):
        options.append(("grpc.enable_http_proxy", 0))  # a proxy can't reach this machine's loopback
    return options


def _ip_version(address: str) -> int | None:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None


def _is_local(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    return host in {"localhost", "::1"} or host.startswith("127.") or address.startswith("unix:")
