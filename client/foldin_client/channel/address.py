"""Addresses of servers: how they are written, and the gRPC target they stand for.

The command line reads its defaults here; grpc is not imported, so that help comes at once.
"""

import ipaddress
import re

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT_S = 5.0
HIGHEST_PORT = 65_535

_URI = re.compile(r"(dns|ipv4|ipv6|unix|unix-abstract|vsock|xds):.*[^/\s]")
_HOST_AND_PORT = re.compile(r"(\[[^\s\[\]/]+\]|[^\s\[\]/:]+):([0-9]{1,5})")


def target(address: str) -> str:
    """Returns the gRPC target of `host:port`, of several `ip:port` with commas, or of a gRPC URI.

    Raises ValueError for anything else, and for several that are not all IPs of one family.
    """
    if _URI.fullmatch(address):
        return address
    parts = [part.strip() for part in address.split(",")]
    if len(parts) == 1:
        _check(address)
        return address
    versions = {_ip_version(part) for part in parts}
    if versions not in ({4}, {6}):
        raise ValueError(
            f"{address!r}: several addresses must all be IP addresses of one family, such as "
            "10.0.0.1:50051,10.0.0.2:50051; for one name with many addresses use dns:///name:port"
        )
    for part in parts:
        _check(part)
    return f"ipv{versions.pop()}:{','.join(parts)}"


def authority(address: str) -> str | None:
    """Returns the `:authority` for the calls to a list of servers, None where the address is one.

    By default grpc would send the whole list, and HTTP/2 servers refuse a name with commas.
    """
    scheme, _, listed = target(address).partition(":")
    return listed.partition(",")[0] if scheme in {"ipv4", "ipv6"} and "," in listed else None


def is_local(address: str) -> bool:
    """Returns whether the address is this machine's loopback or a Unix socket."""
    host = _host(address)
    return host in {"localhost", "::1"} or host.startswith("127.") or address.startswith("unix:")


def _check(address: str) -> None:
    """Raises ValueError unless the address is host:port; grpc itself would guess or fail late."""
    written = _HOST_AND_PORT.fullmatch(address)
    if written is None or not 1 <= int(written[2]) <= HIGHEST_PORT:
        raise ValueError(
            f"{address!r} is no address; write host:port with a port from 1 to {HIGHEST_PORT}, "
            f"such as {DEFAULT_ADDRESS} or [::1]:50051, or a gRPC URI such as dns:///name:50051"
        )


def _ip_version(address: str) -> int | None:
    try:
        return ipaddress.ip_address(_host(address)).version
    except ValueError:
        return None


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")
