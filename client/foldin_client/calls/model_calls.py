"""The RPCs of ModelService and the health check as pure functions: each returns an `Rpc`.

The clients send them as methods of the same names; the docstrings describe those methods.
"""

from foldin.v1 import model_pb2
from google.protobuf.empty_pb2 import Empty

from foldin_client import values
from foldin_client.calls import responses
from foldin_client.calls.rpc import Rpc, unary
from foldin_client.errors import Details, VersionNotFound

SERVICE = "foldin.v1.ModelService"


def get_serving_model() -> Rpc[values.ServingModel]:
    """Returns the model that the answering server process serves."""
    return unary(
        SERVICE,
        "GetServingModel",
        model_pb2.GetServingModelRequest(),
        model_pb2.GetServingModelResponse,
        responses.serving_model,
    )


def list_models() -> Rpc[values.ModelList]:
    """Returns every published version, newest first."""
    return unary(
        SERVICE,
        "ListModels",
        model_pb2.ListModelsRequest(),
        model_pb2.ListModelsResponse,
        responses.model_list,
    )


def activate_model(version: str, *, epoch: int = 0) -> Rpc[values.Activation]:
    """Makes the version the current one on every server.

    Raises VersionConflict where the store is at another `epoch`. Epoch 0 sets no condition: a
    store has it only before its first activation.
    """
    return unary(
        SERVICE,
        "ActivateModel",
        model_pb2.ActivateModelRequest(version=version, epoch=epoch),
        model_pb2.ActivateModelResponse,
        responses.activation,
    )


def rollback(known: values.ModelList) -> Rpc[values.Activation]:
    """Makes the previous version of `known` the current one again.

    Raises VersionNotFound where there is none; the server answers VersionConflict where another
    activation came after `known` was read.
    """
    if not known.previous_version:
        raise VersionNotFound(
            "no model was active before the current one; activate a version of `foldin models`",
            Details(resource_type="foldin.v1.Model"),
        )
    return activate_model(known.previous_version, epoch=known.epoch)


def is_serving() -> Rpc[bool]:
    """Returns whether the server process is ready, as the standard health service reports it."""
    # grpc.health.v1 is not in the client's dependencies: the request for "" has no bytes, and the
    # answer's one field, status, is 1 for SERVING.
    return Rpc("/grpc.health.v1.Health/Check", Empty(), lambda data: data == b"\x08\x01")
