"""Calls foldin through the generated stubs, as a program in any other language would.

    python examples/raw_stub.py USER

Shows a deadline, a request id that the server's log repeats, and the details of a failed call.
The server is that of FOLDIN_ADDRESS, by default 127.0.0.1:50051.
"""

import os
import sys
from typing import cast

import grpc
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.recommendation_pb2_grpc import RecommendationServiceStub
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from grpc_status import rpc_status


def print_failure(failed: grpc.Call) -> None:
    """Prints the status of a failed call, its reason, and the fields that were refused."""
    print(f"{failed.code().name}: {failed.details()}")
    status = rpc_status.from_call(failed)
    if status is None:  # the call never reached a server
        return
    info, refused = ErrorInfo(), BadRequest()
    for detail in status.details:
        if detail.Unpack(info):
            print(f"  reason {info.reason} of {info.domain}")
        if detail.Unpack(refused):
            for violation in refused.field_violations:
                print(f"  {violation.field}: {violation.description}")


def main(user_id: str) -> None:
    with grpc.insecure_channel(os.environ.get("FOLDIN_ADDRESS", "127.0.0.1:50051")) as channel:
        foldin = RecommendationServiceStub(channel)
        metadata = (("x-request-id", "raw-stub-1"),)
        answer, call = foldin.Recommend.with_call(
            pb.RecommendRequest(user_id=user_id, page_size=5), timeout=5.0, metadata=metadata
        )
        for item in answer.items:
            print(f"{item.score:7.3f}  {item.title}")
        print("request id:", dict(call.trailing_metadata())["x-request-id"])
        try:
            foldin.Recommend(pb.RecommendRequest(user_id=user_id, page_size=-1), timeout=5.0)
        except grpc.RpcError as failed:
            print_failure(cast("grpc.Call", failed))  # as every error of a stub is


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "ada")
