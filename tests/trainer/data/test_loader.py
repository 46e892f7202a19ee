"""Data sets are read from the files of every edition, from CSV and from Parquet."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from foldin_model.scale import Scale
from foldin_trainer.data import Columns, Dataset, load_dataset
from foldin_trainer.data.items import split_genres, split_title
from hypothesis import given
from hypothesis import strategies as st
from tiny import write_movielens


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def test_a_written_data_set_is_read_back_in_file_order(tiny: Dataset, tmp_path: Path) -> None:
    read = load_dataset(write_movielens(tiny, tmp_path / "ml"))
    assert read.ratings.hash == tiny.ratings.hash
    assert read.items == tiny.items
    assert read.report.scale_origin == "MovieLens"
    assert read.report.ratings == len(tiny.ratings)


def test_the_one_million_edition_is_latin_1_with_double_colons(tmp_path: Path) -> None:
    write(tmp_path / "ratings.dat", "1::1193::5::978300760\n2::661::3::978302109\n")
    write(tmp_path / "movies.dat", "661::Misérables, Les (1995)::Drama|Musical\n", "latin-1")
    write(tmp_path / "users.dat", "1::F::1::10::48067\n")
    read = load_dataset(tmp_path)
    assert read.ratings.user_ids == ("1", "2")
    assert read.ratings.item_ids == ("1193", "661")
    assert read.items.titles == ("", "Misérables, Les")
    assert read.items.years == (None, 1995)
    assert read.ratings.scale == Scale(1, 5)
    assert read.report.untitled == 1


def test_the_ten_million_edition_is_utf_8_in_half_stars(tmp_path: Path) -> None:
    write(tmp_path / "ratings.dat", "1::122::0.5::838985046\n1::185::5::838983525\n")
    write(
        tmp_path / "movies.dat", "122::Misérables, Les (1995)::Comedy\n185::Net: A::B (1995)::X\n"
    )
    with pytest.raises(Exception, match=r"movies\.dat, line 2: the line has 4 fields"):
        load_dataset(tmp_path)
    write(tmp_path / "movies.dat", "122::Misérables, Les (1995)::Comedy\n185::Net: A (1995)::X\n")
    read = load_dataset(tmp_path)
    assert read.items.titles == ("Misérables, Les", "Net: A")
    assert read.ratings.scale == Scale(0.5, 5)


def test_the_original_hundred_thousand_has_genre_flags(tmp_path: Path) -> None:
    write(tmp_path / "u.data", "196\t242\t3\t881250949\n186\t302\t1\t891717742\n")
    flags = "|".join("1" if i in {4, 8} else "0" for i in range(19))
    write(tmp_path / "u.item", f"242|Kolya é (1996)|24-Jan-1997||http://x|{flags}\n", "latin-1")
    read = load_dataset(tmp_path)
    assert read.items.titles == ("Kolya é", "")
    assert read.items.genres == (("Children's", "Drama"), ())
    assert read.ratings.timestamps is not None
    assert read.ratings.timestamps.tolist() == [881250949, 891717742]


def test_recboles_layout_is_read(tmp_path: Path) -> None:
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    write(tmp_path / "ml-100k.inter", header + "196\t242\t3\t881250949\n")
    header = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    rows = "242\tKolya\t1996\tComedy\n9\tLand Before Time (1995)\tV\tAnimation Children's\n"
    write(tmp_path / "ml-100k.item", header + rows + "267\tunkonwn\tunkonwn\tunknown\n")
    read = load_dataset(tmp_path)
    assert read.ratings.item_ids == ("242", "9", "267")
    assert read.items.years == (1996, 1995, None)
    assert read.items.genres == (("Comedy",), ("Animation", "Children's"), ())


def test_the_later_of_two_ratings_of_an_item_is_kept_at_its_place(tmp_path: Path) -> None:
    rows = "user,item,rating,timestamp\na,x,1,30\nb,x,2,5\na,x,4,20\na,y,3,1\n"
    read = load_dataset(write(tmp_path / "own.csv", rows))
    assert read.ratings.values.tolist() == [1, 2, 3]
    assert read.report.duplicates == 1
    assert read.report.rows == 4


def test_without_times_the_last_rating_in_the_file_is_kept(tmp_path: Path) -> None:
    read = load_dataset(write(tmp_path / "own.csv", "user,item,rating\na,x,1\nb,x,2\na,x,4\n"))
    assert read.ratings.values.tolist() == [2, 4]
    assert read.ratings.timestamps is None
    assert "by file order" in read.report.facts()["duplicates"]


def test_columns_are_found_by_common_names_or_those_given(tmp_path: Path) -> None:
    path = write(tmp_path / "own.csv", "Stars;who;User-ID;time\n5;x;a;7\n2;y;a;8\n")
    read = load_dataset(path, columns=Columns(item="who"))
    assert (read.ratings.user_ids, read.ratings.item_ids) == (("a",), ("x", "y"))
    assert read.ratings.scale == Scale(2, 5)
    assert read.report.scale_origin == "inferred"


def test_a_given_scale_is_used(tmp_path: Path) -> None:
    path = write(tmp_path / "own.csv", "user,item,rating\na,x,2\n")
    read = load_dataset(path, scale=Scale(1, 10))
    assert read.ratings.scale == Scale(1, 10)
    assert read.report.scale_origin == "given"


def test_parquet_and_csv_of_the_same_ratings_are_equal(tmp_path: Path) -> None:
    rows = "user,item,rating,timestamp\n1,7,3.5,100\n2,8,4,200\n1,8,1,300\n"
    from_csv = load_dataset(write(tmp_path / "own.csv", rows))
    columns = {
        "user": pa.array([1, 2, 1]),
        "item": pa.array(["7", "8", "8"]),
        "rating": pa.array([3.5, 4, 1], pa.float32()),
        "timestamp": pa.array([100, 200, 300], pa.timestamp("s")),
    }
    pa.parquet.write_table(pa.table(columns), tmp_path / "own.parquet")
    from_parquet = load_dataset(tmp_path / "own.parquet")
    assert from_parquet.ratings.hash == from_csv.ratings.hash


def test_an_item_table_may_have_items_without_ratings(tmp_path: Path) -> None:
    path = write(tmp_path / "own.csv", "user,item,rating\na,x,2\nb,x,4\n")
    rows = '\ufeffid,title,genres,year\nx,"A, b",Jazz|Soul,1961\nz,C (1994),,\n'
    read = load_dataset(path, items=write(tmp_path / "items.csv", rows))
    assert read.ratings.item_ids == ("x", "z")
    assert read.items.titles == ("A, b", "C (1994)")
    assert read.items.genres == (("Jazz", "Soul"), ())
    assert read.items.years == (1961, None)


def test_an_item_table_in_parquet_may_hold_lists(tmp_path: Path) -> None:
    path = write(tmp_path / "own.csv", "user,item,rating\na,5,2\nb,5,4\n")
    table = pa.table({"movieId": [5], "title": ["Heat (1995)"], "genres": [["Crime", "Action"]]})
    pa.parquet.write_table(table, tmp_path / "items.parquet")
    read = load_dataset(path, items=tmp_path / "items.parquet")
    assert read.items.titles == ("Heat",)
    assert read.items.years == (1995,)
    assert read.items.genres == (("Crime", "Action"),)


@pytest.mark.parametrize("id_", [6, 123_456_789_012])
def test_ids_that_are_floats_in_parquet_are_the_same_in_every_file(
    tmp_path: Path, id_: int
) -> None:
    tables = {
        "ratings": {"user": [float(id_), 2.0], "item": [float(id_), 2.0], "rating": [1.0, 2.0]},
        "items": {"id": [float(id_)], "title": ["Heat (1995)"]},
        "users": {"user": [id_, 2], "age": [30.0, 30.0]},
    }
    for name, columns in tables.items():
        pa.parquet.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    read = load_dataset(
        tmp_path / "ratings.parquet",
        items=tmp_path / "items.parquet",
        users=tmp_path / "users.parquet",
    )
    assert read.ratings.item_ids == (str(id_), "2")
    assert read.items.titles == ("Heat", "")
    assert read.users.attributes["age"] == (("30",), ("30",))


def test_ratings_cannot_be_changed(tiny: Dataset) -> None:
    with pytest.raises(ValueError, match="read-only"):
        tiny.ratings.values[0] = 1


def test_the_hash_is_equal_for_equal_ratings_alone(tiny: Dataset) -> None:
    ratings = tiny.ratings
    everything = np.arange(len(ratings))
    assert ratings.take(everything).hash == ratings.hash
    assert ratings.take(everything[::-1]).hash != ratings.hash
    assert ratings.take(everything[1:]).hash != ratings.hash


@pytest.mark.parametrize(
    ("text", "title", "year"),
    [
        ("Heat (1995)", "Heat", 1995),
        ("Shanghai Triad (Yao a yao) (1995) ", "Shanghai Triad (Yao a yao)", 1995),
        ("Death Note (2006–2007)", "Death Note", 2006),
        ("Babylon 5", "Babylon 5", None),
        ("Land Before Time III (1995) (V)", "Land Before Time III", 1995),
        ("(1997)", "(1997)", None),
    ],
)
def test_a_year_at_the_end_of_a_title_is_split_off(text: str, title: str, year: int | None) -> None:
    assert split_title(text) == (title, year)


def test_no_genres_listed_is_no_genre() -> None:
    assert split_genres("(no genres listed)") == ()
    assert split_genres("Comedy|Drama|Comedy") == ("Comedy", "Drama")


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "1", "Ünï", 'q"u,o']),
        st.sampled_from(["x", "y y", "7"]),
        st.floats(0.5, 5),
        st.integers(0, 5),
    ),
    min_size=1,
    max_size=30,
)


@given(rows=ROWS)
def test_reading_keeps_for_each_pair_the_last_by_time(
    rows: list[tuple[str, str, float, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("own") / "own.csv"
    quoted = (
        f'"{u.replace(chr(34), chr(34) * 2)}",{i},{value!r},{time}' for u, i, value, time in rows
    )
    write(path, "\n".join(("user,item,rating,timestamp", *quoted)))
    expected: dict[tuple[str, str], tuple[int, float]] = {}
    for user, item, value, time in rows:
        if time >= expected.get((user, item), (-1, 0.0))[0]:
            expected[user, item] = (time, value)
    ratings = load_dataset(path, scale=Scale(0.5, 5)).ratings
    found = {
        (ratings.user_ids[u], ratings.item_ids[i]): value
        for u, i, value in zip(ratings.users, ratings.items, ratings.values, strict=True)
    }
    assert found == {pair: value for pair, (_, value) in expected.items()}
