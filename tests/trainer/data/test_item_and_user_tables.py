"""Tags of items and attributes of users are read from every edition's files and from tables."""

from pathlib import Path
from zipfile import ZipFile

import pyarrow as pa
import pyarrow.parquet
import pytest
from foldin_trainer.data import DataError, ItemTable, UserTable, load_dataset
from foldin_trainer.data.downloads.movielens import fetch
from foldin_trainer.data.files.user_tables import read_user_table
from foldin_trainer.data.users import column_words

RATINGS = "userId,movieId,rating,timestamp\n1,10,4.0,964982703\n2,10,3.5,964981247\n2,20,1,1\n"
MOVIES = (
    "movieId,title,genres\n10,Heat (1995),Crime\n20,Big (1988),Comedy\n30,Alien (1979),Horror\n"
)
TAGS = (
    "userId,movieId,tag,timestamp\n"
    "1,10,Al  Pacino,1\n2,10,al pacino,2\n2,20,funny,3\n1,30,Funny ,4\n"
    '1,20,"mine, alone",5\n9,77,al pacino,6\n'
)


def movielens(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, "utf-8")
    return folder


def test_tags_are_in_lower_case_and_given_by_at_least_two_users(tmp_path: Path) -> None:
    read = load_dataset(movielens(tmp_path, ratings_csv=RATINGS, movies_csv=MOVIES, tags_csv=TAGS))
    assert read.ratings.item_ids == ("10", "20", "30")
    assert read.items.tags == (("al pacino",), ("funny",), ("funny",))
    assert read.report.facts()["with tags"] == "3 of the items"


def test_without_a_file_of_tags_no_item_has_one(tmp_path: Path) -> None:
    read = load_dataset(movielens(tmp_path, ratings_csv=RATINGS, movies_csv=MOVIES))
    assert read.items.tags == ((), (), ())
    assert "with tags" not in read.report.facts()
    assert ItemTable(("A", "B"), ((), ()), (None, None)).tags == ((), ())


def test_a_truncated_file_of_tags_is_refused(tmp_path: Path) -> None:
    folder = movielens(tmp_path, ratings_csv=RATINGS, movies_csv=MOVIES, tags_csv=TAGS + "1,2\n")
    with pytest.raises(DataError, match=r"tags\.csv, line 8: the line has 2 fields, not 4"):
        load_dataset(folder)


def test_the_ten_million_edition_has_tags_between_double_colons(tmp_path: Path) -> None:
    read = load_dataset(
        movielens(
            tmp_path,
            ratings_dat="1::122::5::838985046\n",
            movies_dat="122::Boomerang (1992)::Comedy|Romance\n",
            tags_dat="15::122::Excellent!::1215184630\n20::122::excellent!::1188263867\n",
        )
    )
    assert read.items.tags == (("excellent!",),)


def test_the_original_hundred_thousand_has_age_gender_and_occupation(tmp_path: Path) -> None:
    flags = "|".join("0" * 19)
    read = load_dataset(
        movielens(
            tmp_path,
            u_data="".join(f"{user}\t242\t3\t881250949\n" for user in (196, 186, 22, 5)),
            u_item=f"242|Kolya (1996)|24-Jan-1997||http://x|{flags}\n",
            u_user="186|17|F|writer|1\n22|24|M|writer|2\n196|18|M|lawyer|3\n7|60|M|none|4\n",
        )
    )
    assert read.ratings.user_ids == ("196", "186", "22", "5")
    assert read.users.attributes == {
        "age": (("18 to 25",), (), ("18 to 25",), ()),
        "gender": (("M",), (), ("M",), ()),
        "occupation": ((), ("writer",), ("writer",), ()),
    }
    assert read.report.facts()["of users"] == "age, gender, occupation"


def test_the_one_million_edition_has_ages_in_bands(tmp_path: Path) -> None:
    read = load_dataset(
        movielens(
            tmp_path,
            ratings_dat="1::1193::5::978300760\n2::1193::3::978302109\n",
            movies_dat="1193::One Flew Over the Cuckoo's Nest (1975)::Drama\n",
            users_dat="1::F::1::10::48067\n2::F::1::16::70072\n",
        )
    )
    assert read.users.attributes == {"age": (("under 18",),) * 2, "gender": (("F",),) * 2}


def test_recboles_table_of_users_is_read_and_an_invalid_age_refused(tmp_path: Path) -> None:
    header = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
    files = {
        "ml-100k.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
        "1\t242\t3\t881250949\n2\t242\t1\t881250949\n",
        "ml-100k.item": "item_id:token\tmovie_title:token_seq\trelease_year:token\t"
        "class:token_seq\n242\tKolya\t1996\tComedy\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert load_dataset(tmp_path).users == UserTable()
    people = tmp_path / "ml-100k.user"
    people.write_text(header + "1\t24\tM\ttechnician\t85711\n2\t53\tM\tother\t94043\n")
    assert load_dataset(tmp_path).users.attributes == {"gender": (("M",), ("M",))}
    people.write_text(header + "1\tyoung\tM\ttechnician\t85711\n")
    with pytest.raises(DataError, match=r"line 2: the age 'young' is not a number of years"):
        load_dataset(tmp_path)


OWN = "user,item,rating\n" + "".join(f"{name},x,{1 + n % 3}\n" for n, name in enumerate("abcd"))


def test_a_table_of_users_may_have_any_columns(tmp_path: Path) -> None:
    ratings, users = tmp_path / "own.csv", tmp_path / "people.csv"
    ratings.write_text(OWN)
    users.write_text("ID;town;likes\nd;Bonn;tea|cake\na; Bonn ;tea\nb;Rome;\nzz;Rome;cake\n")
    read = load_dataset(ratings, users=users)
    assert read.users.attributes == {
        "town": (("Bonn",), (), (), ("Bonn",)),
        "likes": (("tea",), (), (), ("tea",)),
    }


def test_a_table_beside_ratings_csv_is_read_with_it(tmp_path: Path) -> None:
    users = "userId,club\n1,red\n2,red\n"
    folder = movielens(tmp_path, ratings_csv=RATINGS, movies_csv=MOVIES, users_csv=users)
    assert load_dataset(folder).users.attributes == {"club": (("red",), ("red",))}


def test_a_table_of_users_may_be_parquet(tmp_path: Path) -> None:
    table = pa.table({"user": [1, 2], "langs": [["de", "en"], ["en"]], "age": [30, None]})
    pa.parquet.write_table(table, tmp_path / "users.parquet")
    assert read_user_table(tmp_path / "users.parquet") == {
        "langs": {"1": ("de", "en"), "2": ("en",)},
        "age": {"1": ("30",), "2": ()},
    }


def test_many_numbers_become_bands_of_about_equal_size() -> None:
    words = column_words([*map(str, range(80)), "", "1e3"])
    assert words[80] == ()
    assert words[81] == words[79] == ("70 and over",)
    sizes = {word: words.count(word) for word in words if word}
    assert len(sizes) == 8
    assert all(8 <= size <= 13 for size in sizes.values())
    assert words[0] == ("under 10",)
    assert column_words(["3", "5", "3"]) == [("3",), ("5",), ("3",)]
    assert column_words([*map(str, range(20)), "?"])[3] == ("3",)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name,town\na,Bonn\n", "no user id column among 'name', 'town'; rename it to id"),
        ("user,town\na,Bonn\na,Rome\n", "line 3: the user id 'a' appears twice"),
        ("user,town\n,Bonn\n", "line 2: the user id is empty"),
        ("user,town\na\n", "line 2: the line has 1 fields, not 2"),
        ("user,town,town\na,b,c\n", "two columns are named 'town'"),
        ("user,\na,b\n", "a column has no name"),
        ("user,town\n", "there is no user in the file"),
        ("user\na\n", "there is no column besides 'user'"),
    ],
)
def test_a_bad_table_of_users_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "users.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read_user_table(path)
    assert problem in str(caught.value)


def test_an_item_table_may_have_tags(tmp_path: Path) -> None:
    ratings, items = tmp_path / "own.csv", tmp_path / "items.csv"
    ratings.write_text(OWN)
    items.write_text("id,title,tags\nx,Alien (1979),Space| HR  Giger|space\ny,Big,\n")
    read = load_dataset(ratings, items=items)
    assert read.items.tags == (("space", "hr giger"), ())
    assert read.items.years == (1979, None)


def test_tags_are_fetched_and_an_older_copy_without_them_is_still_read(tmp_path: Path) -> None:
    name = "ml-latest-small"
    archive = tmp_path / "ml.zip"
    with ZipFile(archive, "w") as packed:
        for file, text in (("ratings", RATINGS), ("movies", MOVIES), ("tags", TAGS)):
            packed.writestr(f"{name}/{file}.csv", text)
    fetched = fetch(name, tmp_path, given=archive)
    assert any(load_dataset(name, data_dir=tmp_path).items.tags)
    (fetched.path / "tags.csv").unlink()
    assert not any(load_dataset(name, data_dir=tmp_path).items.tags)
