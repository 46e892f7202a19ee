import pickle

import foldin_client.errors as client
import foldin_model.errors as model
import pytest
from foldin_trainer.data.errors import DataError


def named_failures() -> dict[str, type[model.FoldinError]]:
    """The model's error classes that have a reason of their own, by name."""
    classes = [value for value in vars(model).values() if isinstance(value, type)]
    return {
        failure.__name__: failure
        for failure in classes
        if issubclass(failure, model.FoldinError) and "reason" in vars(failure)
    }


@pytest.mark.parametrize("name", sorted(set(named_failures()) - {"FoldinError"}))
def test_the_client_raises_a_class_of_the_same_name_code_and_reason(name: str) -> None:
    ours, theirs = named_failures()[name], getattr(client, name)
    assert issubclass(theirs, client.FoldinError)
    assert (theirs.code, theirs.reason) == (ours.code, ours.reason)


def test_every_reason_names_one_class() -> None:
    reasons = [failure.reason for failure in named_failures().values()]
    assert len(reasons) == len(set(reasons))


@pytest.mark.parametrize("module", [model, client], ids=["model", "client"])
def test_the_tree_in_the_docstring_names_every_class(module: object) -> None:
    drawn = module.__doc__ or ""
    for name in named_failures():
        assert name in drawn


@pytest.mark.parametrize(
    "error",
    [
        model.InvalidField(model.Violation("value", "is 7, which is more than 5")),
        model.ItemNotFound("7", "there is no item '7'"),
        model.ModelNotReady("no model was published yet"),
        DataError("ratings.csv", 3, "a rating of 7", "give one from 1 to 5", unit="row"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_another_process_is_the_same_here(error: model.FoldinError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
