"""The handlers of ModelService: list the models, and choose the one that serves."""

# ruff: noqa: N802, ARG002 (names and arguments are those of the contract)

import asyncio
import logging
from pathlib import Path

from foldin.v1 import model_pb2 as pb
from foldin_model.ids import Version
from foldin_model.lifecycle import installation, publisher, retention
from foldin_model.store.protocols import ModelStore, Pointer

from foldin_server.admission.call import Call
from foldin_server.admission.door import Door
from foldin_server.replies import renderer
from foldin_server.requests import parser
from foldin_server.versions.snapshots import Snapshots

log = logging.getLogger(__name__)


class ModelService:
    """Published models."""

    def __init__(
        self, door: Door, snapshots: Snapshots, store: ModelStore, directory: Path
    ) -> None:
        self._door = door
        self._snapshots = snapshots
        self._store = store
        self._directory = directory

    async def GetServingModel(
        self, request: pb.GetServingModelRequest, call: Call
    ) -> pb.GetServingModelResponse:
        """Returns the model that this process serves, and why it is not the current one if so."""
        self._door.weigh(call)
        snapshot = self._snapshots.serving()
        call.model_version = snapshot.version
        pointer = self._snapshots.pointer
        return pb.GetServingModelResponse(
            model=renderer.model(snapshot.manifest, _state(snapshot.version, pointer)),
            epoch=pointer.epoch,
            load_error=self._snapshots.load_error,
            overlay_revision=snapshot.overlay_revision,
        )

    async def ListModels(self, request: pb.ListModelsRequest, call: Call) -> pb.ListModelsResponse:
        """Returns every version in the store, newest first; damaged ones are only logged."""
        self._door.weigh(call)
        pointer = await asyncio.to_thread(self._store.pointer)
        models = []
        for listed in await asyncio.to_thread(retention.versions, self._store):
            if listed.manifest is None:
                shown = {"model_version": listed.version, "error": listed.damage}
                log.error("version_damaged", extra=shown)
            else:
                models.append(renderer.model(listed.manifest, _state(listed.version, pointer)))
        return pb.ListModelsResponse(
            models=models,
            epoch=pointer.epoch,
            current_version=pointer.current or "",
            previous_version=pointer.previous or "",
        )

    async def ActivateModel(
        self, request: pb.ActivateModelRequest, call: Call
    ) -> pb.ActivateModelResponse:
        """Makes a version current, if it is whole, and serves it here before it answers."""
        version = Version(parser.checked_id("version", request.version))
        self._door.weigh(call)
        pointer = await asyncio.to_thread(self._activate, version, request.epoch or None)
        await self._snapshots.refresh(again=True)
        return pb.ActivateModelResponse(
            epoch=pointer.epoch,
            current_version=pointer.current or "",
            previous_version=pointer.previous or "",
        )

    def _activate(self, version: Version, epoch: int | None) -> Pointer:
        installation.install(self._store, version, self._directory, thorough=True)
        return publisher.activate(self._store, version, epoch)


def _state(version: str, pointer: Pointer) -> pb.Model.State:
    if version == pointer.current:
        return pb.Model.STATE_CURRENT
    if version == pointer.previous:
        return pb.Model.STATE_PREVIOUS
    return pb.Model.STATE_AVAILABLE
