"""Addresses, timeouts and TLS of commands and clients, and messages when no server answers."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest
from certificates import Pair, needs_openssl, self_signed, signed
from click.testing import CliRunner, Result
from foldin.v1 import catalog_pb2
from foldin_client import AsyncClient, Client, Tls, errors
from foldin_client.channel.address import target
from foldin_client.cli import main
from scripted import Scripted, scripted_server

ITEM = catalog_pb2.GetItemResponse(item=catalog_pb2.Item(item_id="6", title="Heat"))


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environment)


@pytest.mark.parametrize(
    "address",
    [
        *("", " ", "host", ":50051", "host:0", "host:65536", "host:x", "http://host:1", "::1:1"),
        *("dns:", "dns:///", "unix:", "10.0.0.1:x,10.0.0.2:1"),
    ],
)
def test_an_invalid_address_is_wrong_usage_before_grpc_sees_it(address: str) -> None:
    result = run("models", "--address", address)
    assert result.exit_code == 2
    assert "'--address'" in result.stderr
    assert "write host:port with a port from 1 to 65535" in result.stderr
    with pytest.raises(ValueError, match="is no address"):
        Client(address)


@pytest.mark.parametrize(
    "address",
    ["host:50051", "10.0.0.1:1", "[::1]:65535", "dns:///host:1", "dns:host", "unix:/run/foldin"],
)
def test_an_address_is_a_host_and_port_or_any_uri_of_grpc(address: str) -> None:
    assert target(address) == address


@pytest.mark.parametrize("seconds", ["inf", "1e300", "86401", "nan", "0", "-1"])
def test_a_timeout_that_no_clock_can_hold_is_wrong_usage(seconds: str) -> None:
    result = run("models", "--timeout", seconds, "--address", "127.0.0.1:1")
    assert result.exit_code == 2
    assert "'--timeout'" in result.stderr
    assert "is not in the range 0<x<=86400" in result.stderr


def test_grpc_accepts_the_longest_timeout(server: Scripted) -> None:
    server.script("GetItem", ITEM)
    result = run("item", "6", "--timeout", "86400", "--address", server.address)
    assert result.exit_code == 0, result.stderr


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_passed_deadline_names_the_method_and_the_timeout(silent: str) -> None:
    command = ("models", "--address", silent, "--timeout", "0.25")
    result = run(*command)
    assert result.exit_code == 4
    assert "no answer to ListModels within 0.25 s" in result.stderr
    assert "--timeout waits longer" in result.stderr
    failure = json.loads(run(*command, "--json").stderr)
    assert failure["error"] == "DEADLINE_EXCEEDED"
    assert "no answer to ListModels within 0.25 s" in failure["message"]


async def test_the_asynchronous_client_names_them_too(silent: str) -> None:
    async with AsyncClient(silent, timeout_s=0.25) as client:
        with pytest.raises(errors.DeadlineExceeded, match=r"ListModels within 0\.25 s"):
            await client.list_models()


class Secure(NamedTuple):
    """A server that asks callers for a certificate, its authority, and a caller's certificate."""

    server: Scripted
    authority: Pair
    caller: Pair


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Secure]:
    authority = self_signed(tmp_path, "authority")
    certificate, key = signed(tmp_path, "server", authority, host="foldin.example")
    caller = signed(tmp_path, "caller", authority, host="caller.example")
    credentials = grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())],
        root_certificates=authority.certificate.read_bytes(),
        require_client_auth=True,
    )
    with scripted_server(credentials) as server:
        server.script("GetItem", ITEM)
        yield Secure(server, authority, caller)


@needs_openssl
def test_a_command_trusts_a_server_and_shows_its_certificate(secure: Secure) -> None:
    options = {
        "--ca": secure.authority.certificate,
        "--certificate": secure.caller.certificate,
        "--key": secure.caller.key,
        "--server-name": "foldin.example",
    }
    command = ("item", "6", "--address", secure.server.address)
    arguments = [str(part) for option in options.items() for part in option]
    assert "Heat" in run(*command, *arguments).stdout
    environment = {
        f"FOLDIN_{name[2:].replace('-', '_').upper()}": str(value)
        for name, value in options.items()
    }
    assert "Heat" in run(*command, **environment).stdout


@needs_openssl
def test_the_client_takes_the_same_files(secure: Secure) -> None:
    tls = Tls(secure.authority.certificate, *secure.caller, server_name="foldin.example")
    with Client(secure.server.address, tls=tls) as client:
        assert client.get_item("6").title == "Heat"


@needs_openssl
async def test_the_asynchronous_client_takes_the_same_files(secure: Secure) -> None:
    tls = Tls(secure.authority.certificate, *secure.caller, server_name="foldin.example")
    async with AsyncClient(secure.server.address, tls=tls) as client:
        assert (await client.get_item("6")).title == "Heat"


@needs_openssl
def test_a_server_with_another_name_or_authority_is_not_trusted(secure: Secure) -> None:
    pair = ("--certificate", str(secure.caller.certificate), "--key", str(secure.caller.key))
    command = ("item", "6", "--address", secure.server.address)
    for trust in (
        ("--ca", str(secure.authority.certificate), *pair),  # it has another name
        ("--ca", str(secure.caller.certificate), *pair, "--server-name", "foldin.example"),
        ("--ca", str(secure.authority.certificate), "--server-name", "foldin.example"),
    ):
        result = run(*command, *trust)
        assert result.exit_code == 4
        assert "no server that is trusted answers" in result.stderr
        assert "--server-name" in result.stderr
    plain = run(*command)
    assert plain.exit_code == 4
    assert "--ca if it has TLS" in plain.stderr
    assert secure.server.requests == []


@needs_openssl
def test_incomplete_tls_options_and_unreadable_files_are_wrong_usage(tmp_path: Path) -> None:
    pair = self_signed(tmp_path, "caller")
    other = self_signed(tmp_path, "other")
    ca = ("--ca", str(pair.certificate))
    for arguments, message in (
        (("--server-name", "foldin"), "--ca turns on"),
        ((*ca, "--key", str(pair.key)), "--certificate and --key are a pair"),
        (("--ca", str(pair.key)), "must be a readable PEM file"),
        ((*ca, "--certificate", str(pair.certificate), "--key", str(other.key)), "must be"),
        (("--ca", str(tmp_path / "none")), "does not exist"),
    ):
        result = run("models", "--address", "127.0.0.1:1", *arguments)
        assert result.exit_code == 2, result.stderr
        assert message in result.stderr
