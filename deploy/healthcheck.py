"""Asks a foldin server whether it serves: the exit code answers a container's health check.

It needs the server's own environment and nothing else.
"""

import os
import sys

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse


def serving(address: str, timeout_s: float = 3.0) -> bool:
    """Whether the server at `address` is there and has a model to serve."""
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            answer = check(HealthCheckRequest(), timeout=timeout_s)
        except grpc.RpcError:
            return False
    return bool(answer.status == HealthCheckResponse.SERVING)


def main() -> int:
    port = os.environ.get("FOLDIN_ADDRESS", "127.0.0.1:50051").rpartition(":")[2]
    return 0 if serving(f"127.0.0.1:{port}") else 1


if __name__ == "__main__":
    sys.exit(main())
