"""TLS certificates, made by openssl for one test."""

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the keys")
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


class Pair(NamedTuple):
    """A certificate and its key."""

    certificate: Path
    key: Path


def self_signed(folder: Path, name: str, *more: str, host: str = "localhost") -> Pair:
    """Returns a self-signed certificate for the host."""
    pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
    named = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")
    locked = more or ("-nodes",)
    out = ("-days", "2", "-out", pair.certificate, "-keyout", pair.key)
    _openssl("req", "-x509", *NEW_KEY, *named, *locked, *out)
    return pair


def signed(folder: Path, name: str, authority: Pair, *, host: str) -> Pair:
    """Returns a certificate for the host, signed by the authority."""
    pair, request = Pair(folder / f"{name}.crt", folder / f"{name}.key"), folder / f"{name}.csr"
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName=DNS:{host}\n")
    named = ("-subj", f"/CN={host}")
    _openssl("req", *NEW_KEY, *named, "-nodes", "-out", request, "-keyout", pair.key)
    by = ("-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial")
    extended = ("-days", "2", "-extfile", extensions)
    _openssl("x509", "-req", "-in", request, *by, *extended, "-out", pair.certificate)
    return pair


def _openssl(*arguments: str | Path) -> None:
    command = ["openssl", *arguments]
    subprocess.run(command, check=True, capture_output=True)
