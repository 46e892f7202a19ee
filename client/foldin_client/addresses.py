"""Where servers are: how an address is written, and what it means to grpc.

Pure; the command line reads its defaults here without importing grpc.
"""

import ipaddress

DEFAULT_ADDRESS = "127.0.0.1:50051"
DEFAULT_TIMEOUT_S = 5.0


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


def authority(address: str) -> str | None:
    """What every server of a list is called in its calls; None where the address is one name.

    Without it grpc would put the whole list there, and HTTP/2 servers refuse a name with commas.
    """
    scheme, _, listed = target(address).partition(":")
    return listed.partition(",")[0] if scheme in {"ipv4", "ipv6"} and "," in listed else None


def is_local(address: str) -> bool:
    """Whether the address is this machine's loopback or a Unix socket."""
    host = _host(address)
    return host in {"localhost", "::1"} or host.startswith("127.") or address.startswith("unix:")


def _ip_version(address: str) -> int | None:
    try:
        return ipaddress.ip_address(_host(address)).version
    except ValueError:
        return None


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")
