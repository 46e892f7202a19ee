"""Runs the k6 loads, one after the other, against a running server.

Every load is bounded in time and count; the exit code is that of the first
load that failed.
"""

import os
import subprocess
import sys
from pathlib import Path

import grpc

HERE = Path(__file__).parent
LOADS = ("recommend", "similar", "submit", "mixed")
K6 = Path(sys.executable).with_name("k6")


def answers(address: str, timeout_s: float = 3.0) -> bool:
    """Returns whether a gRPC server answers at `address`."""
    with grpc.insecure_channel(address) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=timeout_s)
        except grpc.FutureTimeoutError:
            return False
    return True


def main() -> int:
    address = os.environ.get("FOLDIN_ADDRESS", "127.0.0.1:50051")
    if not answers(address):
        print(
            f"No server answers on {address}. Run `make up` in another terminal first, "
            "or name one with FOLDIN_ADDRESS.",
            file=sys.stderr,
        )
        return 1
    for load in LOADS:
        print(f"\n{load} on {address}", flush=True)
        command = [str(K6), "run", "--quiet", "--no-usage-report", str(HERE / f"{load}.js")]
        environment = {**os.environ, "FOLDIN_ADDRESS": address}
        finished = subprocess.run(command, env=environment, check=False)
        if finished.returncode != 0:
            return finished.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
