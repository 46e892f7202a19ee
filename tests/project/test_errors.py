import foldin_client.errors as client
import foldin_model.errors as model
import pytest


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
