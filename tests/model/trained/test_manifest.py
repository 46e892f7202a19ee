"""Manifests: they survive JSON, and a manifest that disagrees with the model is refused."""

import json
from dataclasses import replace

import pytest
from foldin_model.artifact.model_blob import pack_model, unpack_model
from foldin_model.errors import ArtifactCorrupt
from foldin_model.lifecycle import publisher
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.trained.manifest import Manifest
from planted import Planted
from published import ABOUT, assert_equal_models


def _manifest(small: Planted) -> tuple[bytes, Manifest]:
    return pack_model(small.model)[0], publisher.publish(
        small.model, small.users, ABOUT, MemoryModelStore()
    )


@pytest.mark.parametrize(
    "field",
    ["item_count", "ranking_dimension", "rating_dimension", "similarity_dimension"],
)
def test_counts_and_shapes_that_disagree_are_refused(small: Planted, field: str) -> None:
    blob, manifest = _manifest(small)
    assert_equal_models(unpack_model(blob, manifest)[0], small.model)
    with pytest.raises(ArtifactCorrupt):
        unpack_model(blob, replace(manifest, **{field: getattr(manifest, field) + 1}))


def test_a_section_that_is_missing_or_elsewhere_is_refused(small: Planted) -> None:
    blob, manifest = _manifest(small)
    for index, section in enumerate(manifest.sections):
        rest = manifest.sections[:index] + manifest.sections[index + 1 :]
        with pytest.raises(ArtifactCorrupt, match=section.name.partition(".")[0]):
            unpack_model(blob, replace(manifest, sections=rest))
        beyond = replace(section, offset=len(blob) // 64 * 64 + 64)
        with pytest.raises(ArtifactCorrupt, match=section.name.partition(".")[0]):
            unpack_model(blob, replace(manifest, sections=(*rest, beyond)))


def test_a_manifest_survives_its_json(small: Planted) -> None:
    _, manifest = _manifest(small)
    assert Manifest.from_json(manifest.to_json()) == manifest
    assert Manifest.from_json(manifest.to_json()).to_json() == manifest.to_json()


def test_a_missing_field_of_a_manifest_is_named(small: Planted) -> None:
    document = json.loads(_manifest(small)[1].to_json())
    for name in document:
        lacking = {key: value for key, value in document.items() if key != name}
        with pytest.raises(ArtifactCorrupt, match=name):
            Manifest.from_json(json.dumps(lacking).encode())
        with pytest.raises(ArtifactCorrupt, match=name):
            Manifest.from_json(json.dumps(document | {name: [[]]}).encode())


@pytest.mark.parametrize("stored", [b"", b"[]", b"{", b"\xff", b'{"schema": 2}'])
def test_other_documents_are_refused(stored: bytes) -> None:
    with pytest.raises(ArtifactCorrupt):
        Manifest.from_json(stored)
