"""Files that cannot be used are refused with the line, the problem and the remedy."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from click.testing import CliRunner
from foldin_model.scale import Scale
from foldin_trainer.commands.data import data
from foldin_trainer.data import DataError, load_dataset
from foldin_trainer.data.files.item_tables import read_item_table

HEADER = "user,item,rating,timestamp\n"
GOOD = "a,x,3,10\n"


def failure(path: Path, content: str | bytes, scale: Scale | None = None) -> DataError:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as caught:
        load_dataset(path, scale=scale)
    assert str(path) in str(caught.value)
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a,y,good,10", "'good' is not a number"),
        ("a,y,,10", "the rating is missing"),
        ("a,y,nan,10", "the rating is nan"),
        ("a,y,inf,10", "the rating is inf"),
        ("a,y,9,10", "off the scale 1 to 5"),
        (",y,3,10", "the user id is empty"),
        ("a,,3,10", "the item id is empty"),
        ("a,y\x07,3,10", "control characters"),
        ("a," + "é" * 129 + ",3,10", "has 258 bytes, more than 256"),
        ("a,y,3", "has 3 fields, not 4"),
        ("a,y,3,1.5e12", "not a time"),
        ("a,y,3,50000000000", "in the future"),
        ("a,y,3,soon", "not a time"),
        ("a,y,3,-1", "not a time"),
        ("a,y,3,", "not a time"),
    ],
)
def test_an_invalid_line_is_named(tmp_path: Path, row: str, problem: str) -> None:
    rows = HEADER + GOOD + '\n"b","x",4,11\n' + row + "\n" + GOOD
    error = failure(tmp_path / "own.csv", rows, Scale(1, 5))
    assert error.line == 5
    assert problem in str(error)
    assert "line 5" in str(error)


def test_milliseconds_are_recognized(tmp_path: Path) -> None:
    error = failure(tmp_path / "own.csv", HEADER + "a,x,3,1700000000000\n")
    assert "milliseconds" in error.remedy


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    error = failure(tmp_path / "own.csv", HEADER.encode() + b"a,x,3,1\nb\xe9,x,3,1\n")
    assert error.line == 3
    assert "UTF-8" in str(error)


def test_the_remedy_names_the_encoding(tmp_path: Path) -> None:
    text = HEADER + "a,x,3,1\n"
    assert "-f utf-16" in failure(tmp_path / "wide.csv", text.encode("utf-16")).remedy
    assert "-f windows-1252" in failure(tmp_path / "own.csv", text.encode() + b"\x93,x,3,1").remedy


def test_lines_that_end_in_cr_alone_are_refused_with_the_remedy(tmp_path: Path) -> None:
    error = failure(tmp_path / "own.csv", (HEADER + "a,x,3,1\n").replace("\n", "\r"))
    assert error.line == 1
    assert "CR" in error.problem


def test_lines_are_counted_through_quoted_line_breaks(tmp_path: Path) -> None:
    rows = 'user,item,note,rating\na,x,"two\nlines",3\nb,x,-,bad\n'
    assert failure(tmp_path / "own.csv", rows).line == 4


@pytest.mark.parametrize(("content", "line"), [("", 1), ("\n", 1), (HEADER, None)])
def test_an_empty_file_is_refused(tmp_path: Path, content: str, line: int | None) -> None:
    assert failure(tmp_path / "own.csv", content).line == line


def test_a_missing_column_is_refused_with_the_names_of_the_others(tmp_path: Path) -> None:
    error = failure(tmp_path / "own.csv", "user,thing,rating\na,x,3\n")
    assert error.line == 1
    assert "no item column among 'user', 'thing', 'rating'" in str(error)
    assert "--item-column" in error.remedy


def test_a_scale_is_not_inferred_from_a_single_value(tmp_path: Path) -> None:
    assert "--scale" in failure(tmp_path / "own.csv", HEADER + GOOD).remedy


def test_a_file_that_is_not_parquet_is_refused(tmp_path: Path) -> None:
    assert "not a Parquet file" in str(failure(tmp_path / "own.parquet", HEADER + GOOD))


def test_a_bad_row_of_a_parquet_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    table = pa.table({"user": ["a", "b"], "item": ["x", "x"], "rating": [1.0, None]})
    pa.parquet.write_table(table, path)
    with pytest.raises(DataError, match="row 2: the rating is missing"):
        load_dataset(path)


@pytest.mark.parametrize("bad", [None, datetime(1961, 1, 1, tzinfo=UTC)])
def test_a_bad_time_among_dates_of_a_parquet_file_is_named(
    tmp_path: Path, bad: datetime | None
) -> None:
    times = [datetime(1998, 8, 3, 14, 24, 26, tzinfo=UTC)] * 7
    columns = {"user": list("abcdefg"), "item": ["x"] * 7, "rating": [1.0] * 7}
    table = pa.table(columns | {"timestamp": [*times[:5], bad, times[6]]})
    pa.parquet.write_table(table, tmp_path / "own.parquet")
    shown = "" if bad is None else "-283996800"
    with pytest.raises(DataError, match=f"row 6: the timestamp '{shown}' is not a time"):
        load_dataset(tmp_path / "own.parquet")


@pytest.mark.parametrize("ends", ["0:inf", "-inf:5", "nan:5", "5:1"])
def test_a_scale_is_finite_and_ascends(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(HEADER + GOOD)
    refused = CliRunner().invoke(data, ["check", str(path), "--scale", ends])
    assert refused.exit_code == 2
    assert ends in refused.output


def test_an_edition_without_its_titles_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,2,3,4\n")
    with pytest.raises(DataError, match=r"movies\.csv: the file is missing"):
        load_dataset(tmp_path)


def test_an_edition_with_another_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_text("user,movieId,rating\n1,2,3\n")
    (tmp_path / "movies.csv").write_text("movieId,title,genres\n")
    with pytest.raises(DataError, match=r"ratings\.csv, line 1: the header is"):
        load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("rows", "problem", "line"),
    [
        ("id,title\nx,A\nx,B\n", "appears twice", 3),
        ("id,title\nx,A\ny\n", "has 1 fields, not 2", 3),
        ("id,title,year\nx,A,soon\n", "not a year", 2),
        ("title\nA\n", "no id column", 1),
        ("id,title\n", "no item", None),
    ],
)
def test_a_bad_item_table_is_refused(
    tmp_path: Path, rows: str, problem: str, line: int | None
) -> None:
    ratings, items = tmp_path / "own.csv", tmp_path / "items.csv"
    ratings.write_text(HEADER + GOOD + "b,x,4,1\n")
    items.write_text(rows)
    with pytest.raises(DataError, match=problem) as caught:
        load_dataset(ratings, items=items)
    assert caught.value.line == line
    assert caught.value.path == items


def test_an_item_table_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    ratings, items = tmp_path / "own.csv", tmp_path / "items.csv"
    ratings.write_text(HEADER + GOOD + "b,x,4,1\n")
    items.write_bytes(b"id,title\nx,A\ny,B\xe9\n")
    with pytest.raises(DataError, match="line 3: the line is not UTF-8"):
        load_dataset(ratings, items=items)


def test_an_edition_that_was_not_fetched_says_how_to_fetch_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="foldin data fetch ml-25m"):
        load_dataset("ml-25m", data_dir=tmp_path)


def test_a_source_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or data set"):
        load_dataset(tmp_path / "nothing.csv")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_invalid_line_is_named_after_many_blocks(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foldin_trainer.data.files.rating_tables.BLOCK_BYTES", 256)
    monkeypatch.setattr("foldin_trainer.data.files.rating_tables.BLOCK_ROWS", 64)
    path = tmp_path / f"own.{kind}"
    values = [1.0 + i % 5 for i in range(1000)]
    values[900] = 7.0
    if kind == "csv":
        rows = "\n\n".join(f"u{i},x,{value}" for i, value in enumerate(values))
        path.write_text("user,item,rating\n" + rows)
    else:
        users = [f"u{i}" for i in range(1000)]
        table = pa.table({"user": users, "item": ["x"] * 1000, "rating": values})
        pa.parquet.write_table(table, path)
    with pytest.raises(DataError, match="the rating 7 is off the scale") as caught:
        load_dataset(path, scale=Scale(1, 5))
    assert caught.value.line == (2 + 2 * 900 if kind == "csv" else 901)


def test_control_characters_are_removed_from_titles(tmp_path: Path) -> None:
    table = tmp_path / "items.csv"
    table.write_text('id,title,genres\nx,"One\nTwo\x1b[2J (1995)",A\x07|B\n')
    item = read_item_table(table)["x"]
    assert (item.title, item.genres, item.year) == ("One Two [2J", ("A", "B"), 1995)


def test_embeddings_of_items_are_numbers_separated_by_bars(tmp_path: Path) -> None:
    table = tmp_path / "items.csv"
    table.write_text("id,title,embedding\na,A,0.5|-1\nb,B,\n")
    items = read_item_table(table)
    embedding = items["a"].embedding
    assert embedding is not None
    assert embedding.tolist() == [0.5, -1.0]
    assert items["b"].embedding is None


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ("1|2|3", "line 3: the embedding has 3 numbers, the ones before have 2"),
        ("1|x", "line 3: the embedding '1|x' is not numbers"),
        ("1|nan", "line 3: the embedding is not finite"),
    ],
)
def test_an_embedding_that_cannot_be_used_is_named_by_its_line(
    tmp_path: Path, last: str, message: str
) -> None:
    table = tmp_path / "items.csv"
    table.write_text(f"id,embedding\na,0.5|-1\nb,{last}\n")
    with pytest.raises(DataError, match=re.escape(message)):
        read_item_table(table)
