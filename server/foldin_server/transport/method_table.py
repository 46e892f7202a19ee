"""How unary methods are answered without a task of their own, where the transport can do that.

On the native front they get calls as these arrive (`foldin_server.transport.taken_call`).
"""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

import grpc
from foldin.v1 import recommendation_pb2
from grpc import aio

from foldin_server.admission.calls import Calls
from foldin_server.api.recommendation_service import Recommendations

if TYPE_CHECKING:
    from foldin_server.transport.taken_call import TakenCall

METHOD: Final = "Recommend"
SERVICE: Final = recommendation_pb2.DESCRIPTOR.services_by_name["RecommendationService"].full_name
Begin = Callable[[bytes, "TakenCall"], Coroutine[object, object, bytes] | None]


def add_recommend(recommendations: Recommendations, server: aio.Server) -> None:
    """From now on `recommendations` gets the bytes of Recommend's requests and answers bytes."""
    handler: Any = grpc.unary_unary_rpc_method_handler(recommendations.Recommend)
    server.add_registered_method_handlers(SERVICE, {METHOD: handler})

    def begin(request: bytes, taken: "TakenCall") -> Coroutine[object, object, bytes] | None:
        return recommendations.begin(request, taken, taken)

    take_method(server, f"/{SERVICE}/{METHOD}", recommendations.calls, begin)


def take_method(server: aio.Server, path: str, calls: Calls, begin: Begin) -> None:
    """From now on `begin` gets the calls of its method, if the server is on the native front."""
    if (take := getattr(server, "take", None)) is not None:
        take(path, calls, begin)
