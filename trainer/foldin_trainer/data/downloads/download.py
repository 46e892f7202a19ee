"""Downloads one file over HTTP: resumes a broken transfer and checks the published MD5.

`movielens` decides what to download, and what to do without a network.
"""

import fcntl
import re
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import BinaryIO, Final

import requests

from foldin_trainer.data.errors import FetchFailed, SourceUnreachable

CONNECT_TIMEOUT_S: Final = 4.0
ANSWER_TIMEOUT_S: Final = 8.0
STALL_TIMEOUT_S: Final = 30.0
ATTEMPTS: Final = 5
BLOCK_BYTES: Final = 1 << 18

Progress = Callable[[int, int | None], None]
"""Called with the bytes on disk and their expected total, None if unknown."""


def published_md5(url: str) -> str:
    """Returns the MD5 published at `url`.md5, in hex.

    Raises SourceUnreachable, within seconds, if nothing answers or the answer is no checksum.
    """
    try:
        answer = requests.get(f"{url}.md5", timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S))
    except requests.RequestException as failure:
        raise SourceUnreachable(f"{url} cannot be reached ({_cause(failure)})") from failure
    if answer.status_code != requests.codes.ok:
        raise SourceUnreachable(f"{url}.md5 answered with status {answer.status_code}")
    found = re.search(r"\b[0-9a-f]{32}\b", answer.text.lower())
    if found is None:
        raise SourceUnreachable(f"{url}.md5 answered without a checksum")
    return found[0]


def download(url: str, part: Path, expected_md5: str, progress: Progress) -> None:
    """Downloads `url` to `part`, whole and with that MD5.

    Continues what `part` holds already. Keeps it for the next try if the transfer fails, and
    removes it if the checksum does. Raises FetchFailed.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as file:
        _lock(file, part)
        resumed = file.tell() > 0
        _transfer(url, file, progress)
        if resumed and _md5(part) != expected_md5:
            # The first part came from another version of the file.
            _restart(file)
            _transfer(url, file, progress)
        found = _md5(part)
        if found != expected_md5:
            part.unlink()
            raise FetchFailed(
                f"{url} has the MD5 {found}, not the published {expected_md5}; nothing was kept, "
                "try again or give the file with --from"
            )


def _transfer(url: str, file: BinaryIO, progress: Progress) -> None:
    """Appends the rest of the file; gives up after an attempt that brought no bytes."""
    failure: Exception | None = None
    for _ in range(ATTEMPTS):
        before = file.tell()
        try:
            if _continue(url, file, progress):
                return
        except requests.RequestException as broken:
            failure = broken
        if file.tell() <= before:
            break
    cause = "it ended early" if failure is None else _cause(failure)
    raise FetchFailed(
        f"{url} broke off after {file.tell():,} bytes ({cause}); run it again to continue"
    ) from failure


def _continue(url: str, file: BinaryIO, progress: Progress) -> bool:
    """Appends what one request brings; returns whether the file is complete."""
    start = file.tell()
    # A compressed answer would have another length than the file.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    timeout = (CONNECT_TIMEOUT_S, STALL_TIMEOUT_S)
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            return True  # complete already; the checksum decides
        if answer.status_code not in {requests.codes.ok, requests.codes.partial_content}:
            raise FetchFailed(f"{url} answered with status {answer.status_code}")
        if answer.status_code == requests.codes.ok:
            _restart(file)
        # Bytes from before a connection broke are kept; the length is checked below.
        answer.raw.enforce_content_length = False
        length = answer.headers.get("Content-Length")
        total = None if length is None else file.tell() + int(length)
        progress(file.tell(), total)
        try:
            for block in answer.iter_content(BLOCK_BYTES):
                file.write(block)
                progress(file.tell(), total)
        finally:
            file.flush()
        return total is None or file.tell() >= total


def _restart(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()


def _lock(file: BinaryIO, part: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FetchFailed(f"{part} is being written by another fetch; wait for it") from None


def _md5(path: Path) -> str:
    digest = md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _cause(failure: BaseException) -> str:
    """Returns the innermost reason in one line; requests wraps it several times."""
    reason: object = failure
    while isinstance(reason, BaseException):
        inner = getattr(reason, "reason", None) or next(
            (a for a in reason.args if isinstance(a, BaseException)), None
        )
        if inner is None:
            break
        reason = inner
    text = str(reason).rpartition(": ")[2]
    return text or type(failure).__name__
