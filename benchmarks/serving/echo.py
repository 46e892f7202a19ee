"""The floor: a gRPC server that answers every call with the same bytes and does nothing else.

Requests are not parsed and replies not built, so that only the framework is measured. One method
refuses every other call, which measures what a refusal costs the framework.
Run as `python -m benchmarks.serving.echo TRANSPORT ADDRESS BYTES`; the address is shared.
"""

import asyncio
import sys
from itertools import cycle
from typing import Any

import grpc
import uvloop

METHODS = ("Recommend", "SimilarItems", "SubmitRating")
HALF_REFUSED = "HalfRefused"


async def serve(transport: str, address: str, reply_bytes: int) -> None:
    """Serves until it is killed; prints one line when it is ready."""
    reply = b"\x00" * reply_bytes

    async def answer(_request: bytes, _context: Any) -> bytes:
        return reply

    refused = cycle((True, False))

    async def answer_or_refuse(request: bytes, context: Any) -> bytes:
        if next(refused):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls are in work")
        return await answer(request, context)

    handler: Any = grpc.unary_unary_rpc_method_handler(answer)
    half: Any = grpc.unary_unary_rpc_method_handler(answer_or_refuse)
    options = (("grpc.so_reuseport", 1),)
    server = _made(transport, options)
    server.add_registered_method_handlers(
        "foldin.v1.RecommendationService", {**dict.fromkeys(METHODS, handler), HALF_REFUSED: half}
    )
    server.add_insecure_port(address)
    await server.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


def _made(transport: str, options: tuple[tuple[str, int], ...]) -> Any:
    if transport == "native":
        import pygrpc_native.aio  # noqa: PLC0415 (only for that transport)

        return pygrpc_native.aio.server(options=options)
    return grpc.aio.server(options=options)


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
