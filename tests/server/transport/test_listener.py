"""Which transport a server takes, what it refuses at the start, and TLS."""

import re
import socket
from pathlib import Path

import grpc
import pytest
from certificates import needs_openssl, self_signed
from foldin.v1 import recommendation_pb2 as pb
from foldin.v1.recommendation_pb2_grpc import RecommendationServiceStub
from foldin_server.process.server import running
from foldin_server.process.stores import Stores
from foldin_server.settings import Settings, SettingsError
from foldin_server.transport import listener
from foldin_server.transport.listener import choose_transport, read_tls, reserved
from planted import Planted
from server.live import publish_version, settings


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """pygrpc-native is not installed."""
    monkeypatch.setattr(listener, "find_spec", lambda _: None)


def test_auto_takes_native_where_it_can_do_all_that_is_asked_for() -> None:
    assert choose_transport(Settings()) == "native"
    assert choose_transport(Settings(max_connection_age_s=60)) == "grpcio"
    assert choose_transport(Settings(tls_certificate=Path("c"), tls_key=Path("k"))) == "grpcio"
    assert choose_transport(Settings(transport="grpcio")) == "grpcio"


@pytest.mark.usefixtures("missing")
def test_without_native_auto_takes_grpcio_and_native_is_refused() -> None:
    assert choose_transport(Settings()) == "grpcio"
    with pytest.raises(SettingsError, match=re.escape("pip install 'foldin[native]'")):
        choose_transport(Settings(transport="native"))


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        (Settings(transport="native", max_connection_age_s=60), "max_connection_age_s"),
        (Settings(transport="native", tls_certificate=Path("c")), "tls_certificate"),
        (Settings(transport="native", tls_client_ca=Path("c")), "tls_client_ca"),
    ],
)
def test_settings_that_native_lacks_are_refused_with_a_remedy(asked: Settings, name: str) -> None:
    option = f"--{name.replace('_', '-')}"
    with pytest.raises(SettingsError, match=f"{name} is set.*--transport grpcio.*{option}"):
        choose_transport(asked)


def test_an_unknown_transport_is_refused() -> None:
    with pytest.raises(SettingsError, match="choose one of auto, grpcio, native"):
        Settings(transport="carrier pigeon")  # type: ignore[arg-type]


def test_half_of_a_pair_and_unreadable_files_are_refused(tmp_path: Path) -> None:
    assert read_tls(Settings()) is None
    with pytest.raises(SettingsError, match="set both --tls-certificate and --tls-key"):
        read_tls(Settings(tls_key=tmp_path / "key"))
    with pytest.raises(SettingsError, match=r"can't be set up from .*cert.*must be a readable PEM"):
        read_tls(Settings(tls_certificate=tmp_path / "cert", tls_key=tmp_path / "key"))


@needs_openssl
def test_a_key_of_another_certificate_or_with_a_password_is_refused(tmp_path: Path) -> None:
    certificate, _ = self_signed(tmp_path, "ours")
    _, strange = self_signed(tmp_path, "other")
    locked = self_signed(tmp_path, "locked", "-passout", "pass:secret")
    for pair in ((certificate, strange), locked):
        with pytest.raises(SettingsError, match="unencrypted and that of the certificate"):
            read_tls(Settings(tls_certificate=pair[0], tls_key=pair[1]))


@needs_openssl
async def test_tls_proves_the_server_and_if_asked_the_caller(
    small: Planted, stores: Stores, tmp_path: Path
) -> None:
    publish_version(small, stores.models)
    certificate, key = self_signed(tmp_path, "server")
    caller, caller_key = self_signed(tmp_path, "caller")
    chosen = settings(
        transport="auto", tls_certificate=certificate, tls_key=key, tls_client_ca=caller
    )
    roots = certificate.read_bytes()
    proven = grpc.ssl_channel_credentials(roots, caller_key.read_bytes(), caller.read_bytes())
    async with running(chosen, stores) as server:
        target = f"localhost:{server.address.rpartition(':')[2]}"
        assert await answered(grpc.aio.secure_channel(target, proven))
        unproven = grpc.ssl_channel_credentials(roots)
        for channel in (
            grpc.aio.secure_channel(target, unproven),
            grpc.aio.insecure_channel(target),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await answered(channel)
            assert raised.value.code() is grpc.StatusCode.UNAVAILABLE


async def answered(channel: grpc.aio.Channel) -> bool:
    async with channel:
        stub = RecommendationServiceStub(channel)
        answer: pb.RecommendResponse = await stub.Recommend(pb.RecommendRequest(user_id="1"))
        return bool(answer.items)


def test_a_reserved_port_can_be_shared_but_was_free() -> None:
    with reserved("127.0.0.1:0") as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(SettingsError, match="cannot listen"), reserved(address):
            pass
        workers = [socket.socket() for _ in range(2)]
        for worker in workers:
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            worker.bind(("127.0.0.1", port))
            worker.listen()
        with socket.create_connection(("127.0.0.1", port)):
            pass
        for worker in workers:
            worker.close()


def test_a_host_that_is_not_ours_cannot_be_reserved() -> None:
    with (
        pytest.raises(SettingsError, match="cannot listen"),
        reserved("192.0.2.1:1"),
    ):
        pass
