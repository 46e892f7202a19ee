"""Every command parses the URL of a store alike: it uses all parts, or names the wrong one."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from foldin_model.commands.store import store
from foldin_model.errors import InvalidField
from foldin_server.process import lifetime, workers
from foldin_server.settings import Settings
from foldin_trainer.commands.ratings import ratings
from foldin_trainer.commands.train import train
from foldin_trainer.data import Dataset
from tiny import write_movielens

REFUSED = {
    "redis://store/foldin": "number of a database",
    "redis://store:6379/0?decode_responses=true": "unknown option decode_responses",
    " redis://store": "blanks before or after",
    "redis://store:x": "host and port cannot be read",
    "valkey://store": "valkey:// is no kind of store",
    "unix://run/valkey.sock": "third slash",
}


@pytest.fixture(scope="module")
def source(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the tiny data set."""
    return str(write_movielens(tiny, tmp_path_factory.mktemp("data") / "ml"))


@pytest.mark.parametrize("url", REFUSED)
def test_every_command_refuses_a_url_with_the_same_words(
    url: str, source: str, tmp_path: Path
) -> None:
    data_dir = ["--data-dir", str(tmp_path)]
    place = ["--redis-url", url, *data_dir]
    runs = [
        CliRunner().invoke(store, [*place, "size"]),
        CliRunner().invoke(store, [*place, "purge", "ann"]),
        CliRunner().invoke(store, [*place, "gc"]),
        CliRunner().invoke(ratings, ["import", source, *place]),
        CliRunner().invoke(train, [source, *place]),
    ]
    messages = set()
    for run in runs:
        assert run.exit_code == 1
        messages.add(run.stderr.strip().partition(": ")[2])
    settings = Settings(redis_url=url, data_dir=tmp_path, address="127.0.0.1:0")
    for serve in (lifetime.serve, workers.serve):
        with pytest.raises(InvalidField) as refused:
            serve(settings)
        messages.add(str(refused.value))
    (message,) = messages
    assert message.startswith("redis_url: is no url of a store: ")
    assert REFUSED[url] in message
    assert not list(tmp_path.glob("store*"))


def test_every_command_uses_all_parts_of_the_url(
    source: str, valkey_url: str, namespace: str, tmp_path: Path
) -> None:
    url = valkey_url.replace("unix://", "UNIX://") + "?db=1"
    data_dir = ["--data-dir", str(tmp_path)]
    imported = CliRunner().invoke(
        ratings, ["import", source, "--redis-url", url, "--namespace", namespace, *data_dir]
    )
    assert imported.exit_code == 0, imported.stderr

    def keys(url: str) -> int:
        options = ["--redis-url", url, "--namespace", namespace, *data_dir]
        run = CliRunner().invoke(store, [*options, "size"])
        assert run.exit_code == 0, run.stderr
        return int(run.stdout.split()[-2].replace(",", ""))

    assert keys(url) > 0
    assert keys(valkey_url) == 0
    options = ["--redis-url", url, "--namespace", namespace, *data_dir]
    before = keys(url)
    purged = CliRunner().invoke(store, [*options, "purge", "1"])
    assert purged.exit_code == 0, purged.stderr
    assert keys(url) < before
