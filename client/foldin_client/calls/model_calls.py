"""The RPCs of ModelService and the health check as pure functions: a call out. Nothing is sent."""

from foldin.v1 import model_pb2
from google.protobuf.empty_pb2 import Empty

from foldin_client import values
from foldin_client.calls import answers
from foldin_client.calls.rpc import Call, call
from foldin_client.errors import Details, VersionNotFound

SERVICE = "foldin.v1.ModelService"


def get_serving_model() -> Call[values.ServingModel]:
    """The model of the server process that answers."""
    return call(
        SERVICE,
        "GetServingModel",
        model_pb2.GetServingModelRequest(),
        model_pb2.GetServingModelResponse,
        answers.serving_model,
    )


def list_models() -> Call[values.ModelList]:
    """Every published version, newest first."""
    return call(
        SERVICE,
        "ListModels",
        model_pb2.ListModelsRequest(),
        model_pb2.ListModelsResponse,
        answers.model_list,
    )


def activate_model(version: str, *, epoch: int = 0) -> Call[values.Activation]:
    """The version is the current one on every server; another epoch in the store is a conflict.

    Epoch 0 is no condition: a store is at it only before its first activation.
    """
    return call(
        SERVICE,
        "ActivateModel",
        model_pb2.ActivateModelRequest(version=version, epoch=epoch),
        model_pb2.ActivateModelResponse,
        answers.activation,
    )


def rollback(known: values.ModelList) -> Call[values.Activation]:
    """The previous version is the current one again, unless another activation came between."""
    if not known.previous_version:
        raise VersionNotFound(
            "no model was active before the current one; activate a version of `foldin models`",
            Details(resource_type="foldin.v1.Model"),
        )
    return activate_model(known.previous_version, epoch=known.epoch)


def is_serving() -> Call[bool]:
    """Whether the server is ready, as the standard health service says for the whole process."""
    # grpc.health.v1 is not in the client's dependencies: the request for "" has no bytes, and the
    # answer's one field, status, is 1 for SERVING.
    return Call("/grpc.health.v1.Health/Check", Empty(), lambda data: data == b"\x08\x01")
