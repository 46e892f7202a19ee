"""Published splits are read from files: cases, masks, notes and errors."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from foldin_trainer.commands.evaluate import evaluate
from foldin_trainer.data import Columns, DataError
from foldin_trainer.evaluation.protocols.given_split import SplitFiles, load_split

TRAIN = "user,item,rating\n1,a,5\n1,b,3\n2,a,1\n2,c,4\n"


def files(tmp_path: Path, train: str, test: str, mask: str | None = None) -> SplitFiles:
    for name, text in (("train", train), ("test", test), ("mask", mask)):
        if text is not None:
            (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    masked = None if mask is None else tmp_path / "mask.csv"
    return SplitFiles(tmp_path / "train.csv", tmp_path / "test.csv", masked)


def test_rows_belong_to_the_items_of_both_files(tmp_path: Path) -> None:
    split = load_split(files(tmp_path, TRAIN, "item;rating;user\nd;2;2\nc;5;1\na;4;3\n"))
    ratings = split.dataset.ratings
    assert ratings.item_ids == ("a", "b", "c", "d")
    assert ratings.user_ids == ("1", "2", "3")
    assert (ratings.scale.low, ratings.scale.high) == (1.0, 5.0)
    found = {
        str(case.user_id): [
            case.given_rows.tolist(),
            case.hidden_rows.tolist(),
            case.hidden_values.tolist(),
        ]
        for case in split.trial.cases
    }
    assert found["1"] == [[0, 1], [2], [5.0]]
    assert found["2"] == [[0, 2], [3], [2.0]]
    assert found["3"] == [[], [0], [4.0]]
    assert split.trial.valued
    assert split.masking == "Not recommended to a user: the items among their given ratings."
    assert any("1 test users have no training rating" in note for note in split.notes)


def test_masked_pairs_are_not_recommended_and_are_reported(tmp_path: Path) -> None:
    asked = files(tmp_path, TRAIN, "user,item,rating\n1,c,5\n", "user,item\n1,c\n1,unheard\n")
    split = load_split(asked)
    (case,) = split.trial.cases
    assert case.masked_rows.tolist() == [2]
    assert "the 2 pairs of" in split.masking
    assert any("1 test pairs are in the mask" in note for note in split.notes)


@pytest.mark.parametrize("without", ["train", "test"])
def test_without_a_rating_column_all_pairs_count_the_same(tmp_path: Path, without: str) -> None:
    bare = "user,item,when\n1,c,9\n2,b,8\n"
    train, test = (bare, TRAIN) if without == "train" else (TRAIN, bare)
    split = load_split(files(tmp_path, train, test))
    assert not split.trial.valued
    assert set(split.dataset.ratings.values.tolist()) == {1.0}
    assert any("There are no values" in note for note in split.notes)


def test_test_pairs_of_the_training_file_are_counted(tmp_path: Path) -> None:
    split = load_split(files(tmp_path, TRAIN, "user,item,rating\n1,a,5\n1,c,2\n"))
    assert any("1 test pairs are in the training file too" in note for note in split.notes)


def test_columns_with_other_names_are_found_by_option(tmp_path: Path) -> None:
    text = "who,what\n1,a\n2,b\n"
    asked = files(tmp_path, text, text)
    named = SplitFiles(asked.train, asked.test, columns=Columns(user="who", item="what"))
    assert load_split(named).dataset.ratings.item_ids == ("a", "b")
    with pytest.raises(DataError, match="no user column among 'who', 'what'"):
        load_split(asked)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("user,item\n1,a\n,b\n", "mask.csv, line 3: the user id is empty"),
        ("user,item\n1,a\n1\n", "line 3: the line has 1 fields, not 2"),
        ("user,item\n", "there is no pair in the file"),
        ("user\n1\n", "no item column"),
    ],
)
def test_an_invalid_line_is_named(tmp_path: Path, mask: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_split(files(tmp_path, TRAIN, TRAIN, mask))


def test_users_of_both_files_get_attributes_from_a_table(tmp_path: Path) -> None:
    asked = files(tmp_path, TRAIN, "user,item,rating\n3,a,4\n")
    table = tmp_path / "users.csv"
    table.write_text("user,city\n3,Ulm\n1,Ulm\n2,Bonn\n9,Bonn\n")
    dataset = load_split(replace(asked, users=table)).dataset
    assert dataset.ratings.user_ids == ("1", "2", "3")
    assert dataset.users.attributes == {"city": (("Ulm",), (), ("Ulm",))}
    assert dataset.report.attributes == ("city",)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"\x80\x00\xff\x13", "users.csv, line 1: the header is not UTF-8"),
        (b"city\nUlm\n", "users.csv, line 1: no user id column among 'city'"),
        (b"user\n1\n", "there is no column besides 'user'"),
    ],
)
def test_a_file_that_is_not_a_table_of_users_is_refused_by_name(
    tmp_path: Path, table: bytes, message: str
) -> None:
    asked = files(tmp_path, TRAIN, "user,item,rating\n3,a,4\n")
    (tmp_path / "users.csv").write_bytes(table)
    options = ["--train", str(asked.train), "--test", str(asked.test)]
    result = CliRunner().invoke(evaluate, [*options, "--users", str(tmp_path / "users.csv")])
    assert result.exit_code == 1
    assert message in result.output
