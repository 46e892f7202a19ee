"""The floor: a gRPC server that answers every call with the same bytes and does nothing else.

Requests are not parsed and replies not built, so that only the framework is measured.
Run as `python -m benchmarks.serving.echo TRANSPORT ADDRESS BYTES`; the address is shared.
"""

import asyncio
import sys
from typing import Any

import grpc
import uvloop

METHODS = ("Recommend", "SimilarItems", "SubmitRating")


async def serve(transport: str, address: str, reply_bytes: int) -> None:
    """Serves until it is killed; says so in one line."""
    reply = b"\x00" * reply_bytes

    async def answer(_request: bytes, _context: Any) -> bytes:
        return reply

    handler: Any = grpc.unary_unary_rpc_method_handler(answer)
    options = (("grpc.so_reuseport", 1),)
    server = _made(transport, options)
    server.add_registered_method_handlers(
        "foldin.v1.RecommendationService", dict.fromkeys(METHODS, handler)
    )
    server.add_insecure_port(address)
    await server.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


def _made(transport: str, options: tuple[tuple[str, int], ...]) -> Any:
    if transport == "native":
        import pygrpc_native.aio  # noqa: PLC0415 (only where it is asked for)

        return pygrpc_native.aio.server(options=options)
    return grpc.aio.server(options=options)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
