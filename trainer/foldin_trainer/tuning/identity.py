"""Identifies a search by everything that its figures depend on."""

from hashlib import sha256

from foldin_trainer.data.dataset import Dataset


def content_hash(dataset: Dataset) -> str:
    """Returns the SHA-256, in hex, of the ratings and of all that is known of items and users."""
    items, digest = dataset.items, sha256(dataset.ratings.hash.encode())
    users = list(dataset.users.attributes.items())
    for known in (items.titles, items.genres, items.years, items.tags, users):
        digest.update(repr(known).encode())
    for embedding in items.embeddings:
        digest.update(b"none" if embedding is None else b"some" + embedding.tobytes())
    return digest.hexdigest()


def short(name: str) -> str:
    """Returns eight characters that stand for the name of a search."""
    return sha256(name.encode()).hexdigest()[:8]
