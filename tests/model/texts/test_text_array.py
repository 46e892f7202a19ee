"""Packed strings and rows found by them, compared with tuples and dictionaries."""

import pytest
from foldin_model.artifact import model_blob
from foldin_model.lifecycle import publisher
from foldin_model.lifecycle.publisher import Description
from foldin_model.overlay.stacked_rows import StackedRows
from foldin_model.retrieval.filters import ItemFilter, allowed_items
from foldin_model.retrieval.search import popular_items
from foldin_model.store.memory.models import MemoryModelStore
from foldin_model.texts import text_array
from foldin_model.texts.text_array import HashTableRows, Postings, SortedHashRows, Texts
from foldin_model.trained.catalog import Genres, Years
from foldin_model.trained.snapshot import Snapshot
from hypothesis import given
from hypothesis import strategies as st
from planted import Planted

STRINGS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(strings=st.lists(STRINGS, max_size=20))
def test_packed_texts_are_the_texts(strings: list[str]) -> None:
    packed = Texts.of(strings)
    assert list(packed) == strings
    assert [packed[-1 - place] for place in range(len(strings))] == strings[::-1]
    assert packed[1:3] == strings[1:3]
    with pytest.raises(IndexError):
        packed[len(strings)]


@given(
    rows=st.dictionaries(STRINGS, st.lists(st.integers(0, 99), min_size=1, unique=True)),
    key=STRINGS,
)
def test_postings_find_the_rows_of_a_key_and_of_its_beginning(
    rows: dict[str, list[int]], key: str
) -> None:
    postings = Postings.of(rows)
    for wanted in (*rows, key):
        assert postings.find(wanted).tolist() == rows.get(wanted, [])
        expected_rows = [row for name in rows if name.startswith(wanted) for row in rows[name]]
        assert sorted(postings.beginning(wanted).tolist()) == sorted(expected_rows)


@pytest.mark.parametrize("hashes", [2**64, 3, 1])
@given(ids=st.lists(STRINGS, unique=True), other=STRINGS)
def test_ids_are_found_even_if_their_hashes_collide(
    hashes: int, ids: list[str], other: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        whole = text_array._hash
        patch.setattr(text_array, "_hash", lambda text: whole(text) % hashes)
        found = SortedHashRows.of(ids)
        assert [found.get(id_) for id_ in ids] == list(range(len(ids)))
        assert found.get(other) == (ids.index(other) if other in ids else None)
        rows = [*range(len(ids)), ids.index(other) if other in ids else -1]
        assert found.each(Texts.of([*ids, other])).tolist() == rows


@given(ids=st.lists(STRINGS, unique=True), others=st.lists(STRINGS))
def test_a_table_finds_the_first_row_of_every_id_and_of_no_other(
    ids: list[str], others: list[str]
) -> None:
    found = HashTableRows.of([*ids, *ids])
    expected = {id_: row for row, id_ in enumerate(ids)}
    assert [found.get(id_) for id_ in (*ids, *others)] == [*map(expected.get, (*ids, *others))]
    wanted = Texts.joined([Texts.of(part) for part in (others, [], ids, others)])
    rows = [expected.get(id_, -1) for id_ in (*others, *ids, *others)]
    assert found.each(wanted).tolist() == rows


def test_a_table_finds_ids_that_begin_at_the_same_place() -> None:
    ids = [str(number) for number in range(5_000)]
    assert HashTableRows.of(ids).each(Texts.of(reversed(ids))).tolist() == [*range(4_999, -1, -1)]


@given(ids=st.lists(STRINGS, unique=True), later=st.lists(STRINGS, unique=True), other=STRINGS)
def test_joined_rows_find_ids_of_both_parts(ids: list[str], later: list[str], other: str) -> None:
    stacked = StackedRows(HashTableRows.of(ids), HashTableRows.of(later), len(ids))
    expected = {id_: row for row, id_ in reversed([*enumerate([*ids, *later])])}
    wanted = [*ids, *later, other]
    assert [stacked.get(id_) for id_ in wanted] == [*map(expected.get, wanted)]
    assert stacked.each(Texts.of(wanted)).tolist() == [expected.get(id_, -1) for id_ in wanted]


@given(parts=st.lists(st.lists(STRINGS)), cut=st.integers(0, 9))
def test_joined_texts_are_those_of_all_parts(parts: list[list[str]], cut: int) -> None:
    whole = Texts.of([text for part in parts for text in part])
    assert [*Texts.joined([Texts.of(part) for part in parts])] == [*whole]
    rest = Texts(whole.packed, whole.offsets[min(cut, len(whole)) :])
    assert [*Texts.joined([rest, Texts.of(["a"])])] == [*whole[cut:], "a"]


@given(years=st.lists(st.none() | st.integers(-3_000, 3_000)))
def test_packed_years_are_the_years(years: list[int | None]) -> None:
    assert list(Years.of(years)) == years
    assert list(Years.of(years)[1:]) == years[1:]


@given(genres=st.lists(st.lists(STRINGS, max_size=3).map(tuple)))
def test_packed_genres_are_the_genres(genres: list[tuple[str, ...]]) -> None:
    assert list(Genres.of(genres)) == genres
    assert Genres.of(genres)[1:] == genres[1:]


def test_a_large_mapped_catalog_answers_as_a_small_one(
    small: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = Description("planted", 1, 0, "", {}, {})
    manifest = publisher.publish(small.model, small.users, about, MemoryModelStore())
    blob = model_blob.pack_model(small.model)[0]
    monkeypatch.setattr(model_blob, "EAGER_ITEMS", 0)
    model, derived = model_blob.unpack_model(blob, manifest)
    assert isinstance(model.catalog.item_ids, Texts)
    for name in ("item_ids", "titles", "genres", "years"):
        assert list(getattr(model.catalog, name)) == list(getattr(small.model.catalog, name))
    wanted = ["105", "nobody", "101", *small.model.catalog.item_ids]
    assert model.catalog.rows(wanted).tolist() == small.model.catalog.rows(wanted).tolist()
    assert model_blob.pack_model(model)[0] == blob
    lazy = Snapshot.build(manifest, model, derived)
    eager = Snapshot.build(manifest, small.model)
    for title in ("drama story", "story 1", "horr", ""):
        assert lazy.titles.find(title).tolist() == eager.titles.find(title).tolist()
    item_filter = ItemFilter(include_genres=("drama", "LONG"), min_year=1960, max_year=1990)
    masks = [allowed_items(snapshot, item_filter) for snapshot in (lazy, eager)]
    assert masks[0] is not None
    assert masks[1] is not None
    assert masks[0].any()
    assert masks[0].tolist() == masks[1].tolist()
    assert (
        popular_items(lazy, masks[0], 10).rows.tolist()
        == popular_items(eager, masks[1], 10).rows.tolist()
    )
