import re
import shutil
import subprocess
from pathlib import Path

import grpc
import pytest
import yaml
from certificates import needs_openssl, self_signed, signed
from grpc_health.v1.health_pb2 import HealthCheckResponse
from project.checkout import BIN, ROOT
from scripted import scripted_server

from deploy.healthcheck import main, serving

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
PARTS = ("client", "server", "trainer")


def compose() -> dict[str, dict[str, dict[str, object]]]:
    loaded = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def stages() -> dict[str, str]:
    """The text of every stage of the Dockerfile, by its name."""
    parts = re.split(r"^FROM \S+ AS (\S+)$", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("service", ["redis", "trainer", "server"])
def test_every_service_is_limited_and_restarts_as_it_should(service: str) -> None:
    declared = compose()["services"][service]
    limits = declared["deploy"]["resources"]["limits"]  # type: ignore[index]
    assert set(limits) == {"cpus", "memory"}
    assert declared["restart"] == ("no" if service == "trainer" else "unless-stopped")


def test_the_services_that_stay_have_health_checks() -> None:
    services = compose()["services"]
    assert {name for name, service in services.items() if "healthcheck" in service} == {
        "redis",
        "server",
    }


def test_lasting_data_lie_in_a_volume() -> None:
    document = compose()
    mounted = {
        str(volume).partition(":")[0]
        for service in document["services"].values()
        for volume in service["volumes"]  # type: ignore[attr-defined]
    }
    assert mounted == set(document["volumes"])


def test_the_store_keeps_an_append_only_file_and_never_evicts() -> None:
    command = " ".join(compose()["services"]["redis"]["command"])  # type: ignore[arg-type]
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_ports_are_open_to_this_machine_alone() -> None:
    for service in compose()["services"].values():
        for port in service.get("ports", []):  # type: ignore[attr-defined]
            assert str(port).startswith("127.0.0.1:")


@pytest.mark.parametrize("part", PARTS)
def test_a_part_has_an_image_without_root_and_without_build_tools(part: str) -> None:
    text = stages()[part]
    assert "USER 10001" in text
    assert "RUN" not in text
    assert f"COPY --from=build-{part} " in text


@pytest.mark.parametrize("service", ["trainer", "server"])
def test_compose_builds_a_target_that_exists(service: str) -> None:
    build = compose()["services"][service]["build"]
    assert isinstance(build, dict)
    assert build["target"] in stages()
    assert (ROOT / build["dockerfile"]).exists()


def test_images_are_pinned() -> None:
    tags = [str(compose()["services"]["redis"]["image"])]
    tags += re.findall(r"^ARG PYTHON_TAG=(\S+)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert len(tags) == 2
    assert all(re.search(r"\d+\.\d+\.\d+", tag) for tag in tags)


def test_copied_files_are_in_the_build_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8")
    kept = set(re.findall(r"^!(\S+)$", ignored, re.MULTILINE))
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert {name for line in copied for name in line.split()} == kept
    assert all((ROOT / name).exists() for name in kept)


def test_the_linter_has_nothing_to_say_about_the_dockerfile() -> None:
    finished = subprocess.run(
        [BIN / "hadolint", "--no-color", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (finished.returncode, finished.stdout) == (0, "")


def test_docker_accepts_the_compose_file() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], check=False).returncode:
        pytest.skip("docker compose is not installed")
    subprocess.run(
        [docker, "compose", "--file", ROOT / "docker-compose.yml", "config", "--quiet"], check=True
    )


def test_the_health_check_fails_where_nothing_serves() -> None:
    assert not serving("127.0.0.1:1", timeout_s=0.5)


@needs_openssl
@pytest.mark.parametrize("signer", ["itself", "an authority"])
@pytest.mark.parametrize("caller", ["anybody", "the proven"])
def test_the_health_check_needs_only_the_servers_environment(
    signer: str, caller: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = self_signed(tmp_path, "authority", host="foldin.example")
    certificate, key = authority
    if signer == "an authority":
        certificate, key = signed(tmp_path, "server", authority, host="*.foldin.example")
    client_ca = authority.certificate if caller == "the proven" else None
    credentials = grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())],
        None if client_ca is None else client_ca.read_bytes(),
        require_client_auth=client_ca is not None,
    )
    with scripted_server(credentials) as server:
        server.script("Check", HealthCheckResponse(status=HealthCheckResponse.SERVING))
        monkeypatch.setenv("FOLDIN_ADDRESS", f"0.0.0.0:{server.address.rpartition(':')[2]}")
        assert main() == 1
        monkeypatch.setenv("FOLDIN_TLS_CERTIFICATE", str(certificate))
        monkeypatch.setenv("FOLDIN_TLS_KEY", str(key))
        if client_ca is not None:
            monkeypatch.setenv("FOLDIN_TLS_CLIENT_CA", str(client_ca))
        assert main() == 0
        server.script("Check", HealthCheckResponse(status=HealthCheckResponse.NOT_SERVING))
        assert main() == 1


@needs_openssl
def test_the_health_check_presents_the_pair_of_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (certificate, key), caller = self_signed(tmp_path, "server"), self_signed(tmp_path, "caller")
    credentials = grpc.ssl_server_credentials(
        [(key.read_bytes(), certificate.read_bytes())],
        caller.certificate.read_bytes(),
        require_client_auth=True,
    )
    with scripted_server(credentials) as server:
        server.script("Check", HealthCheckResponse(status=HealthCheckResponse.SERVING))
        monkeypatch.setenv("FOLDIN_ADDRESS", server.address)
        monkeypatch.setenv("FOLDIN_TLS_CERTIFICATE", str(certificate))
        monkeypatch.setenv("FOLDIN_TLS_KEY", str(key))
        monkeypatch.setenv("FOLDIN_TLS_CLIENT_CA", str(caller.certificate))
        with pytest.raises(ValueError, match="set FOLDIN_CERTIFICATE and FOLDIN_KEY"):
            main()
        monkeypatch.setenv("FOLDIN_CERTIFICATE", str(caller.certificate))
        monkeypatch.setenv("FOLDIN_KEY", str(caller.key))
        assert main() == 0
