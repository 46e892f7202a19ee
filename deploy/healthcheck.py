"""The health check of the server's container: exit code 0 while the server has a model to serve.

It reads the environment of the server and needs no other. If FOLDIN_TLS_CLIENT_CA has not signed
the server's own certificate, FOLDIN_CERTIFICATE and FOLDIN_KEY name a pair that it has signed.
"""

import os
import sys

from foldin_client import Client, FoldinError, Tls
from foldin_local.own_tls import own_tls


def serving(address: str, timeout_s: float = 3.0, tls: Tls | None = None) -> bool:
    """Returns whether the server at `address` answers and has a model to serve."""
    with Client(address, timeout_s=timeout_s, tls=tls) as client:
        try:
            return client.is_serving()
        except FoldinError:
            return False


def main() -> int:
    port = os.environ.get("FOLDIN_ADDRESS", "127.0.0.1:50051").rpartition(":")[2]
    return 0 if serving(f"127.0.0.1:{port}", tls=own_tls(os.environ)) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        sys.exit(str(error))
