"""Which settings are accepted and refused, and how they are logged."""

import dataclasses
import re
from typing import Any

import pytest
from foldin_server.settings import Settings, SettingsError, check_names
from project.checkout import ROOT


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://foldin:secret@store:6379/0", "redis://foldin:***@store:6379/0"),
        ("redis://:secret@store", "redis://:***@store"),
        ("redis://:sec@ret/s#cret:secret@store:6379", "redis://:***@store:6379"),
        ("redis://store:6379/0?password=secret", "redis://store:6379/0?***"),
        ("redis://foldin:secret@store/0?db=1&pass%77ord=secret", "redis://foldin:***@store/0?***"),
        ("redis://store/0?password=secret@secret", "***"),
        ("redis://:secret?secret@store", "***"),
        ("foldin:secret@store", "***"),
        ("redis://foldin@[::1]:6379/0", "redis://foldin@[::1]:6379/0"),
        ("redis://[::1", "redis://[::1"),
        ("unix:///tmp/a@b/valkey.sock", "unix:///tmp/a@b/valkey.sock"),
    ],
)
def test_settings_are_shown_without_secrets(url: str, shown: str) -> None:
    settings = Settings(redis_url=url).shown()
    assert settings["redis_url"] == shown
    assert "secret" not in str(settings)


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    check_names({"FOLDIN_ADDRESS": "x", "PATH": "y", "FOLDIN_DATA_DIR": "z", "FOLDIN_CA": "a"})
    with pytest.raises(SettingsError, match=r"FOLDIN_MAX_INFLIGHT.*FOLDIN_MAX_IN_FLIGHT"):
        check_names({"FOLDIN_MAX_INFLIGHT": "3"})


def test_variables_of_kubernetes_for_a_service_named_foldin_are_ignored() -> None:
    port = "FOLDIN_PORT_50051_TCP"
    names = [
        "FOLDIN_SERVICE_HOST",
        "FOLDIN_SERVICE_PORT",
        "FOLDIN_SERVICE_PORT_GRPC",
        "FOLDIN_PORT",
    ]
    names += [port, f"{port}_PROTO", f"{port}_PORT", f"{port}_ADDR", "FOLDIN_PORT_53_UDP"]
    check_names(dict.fromkeys(names, "x"))


@pytest.mark.parametrize(
    "name", ["FOLDIN_PORTS", "FOLDIN_PORT_GRPC", "FOLDIN_SERVICE", "FOLDIN_METRICS_PORT"]
)
def test_a_variable_that_only_resembles_those_of_kubernetes_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is no setting"):
        check_names({name: "x"})


def test_the_variables_of_compose_are_accepted() -> None:
    named = re.findall(r"FOLDIN_[A-Z_]+", (ROOT / "docker-compose.yml").read_text("utf-8"))
    assert "FOLDIN_DATASET" in named
    check_names(dict.fromkeys(named, "x"))


def numbers() -> list[str]:
    """Returns the names of the settings that are numbers."""
    defaults = dataclasses.asdict(Settings(max_connection_age_s=1.0))
    return [name for name, value in defaults.items() if type(value) in (int, float)]


@pytest.mark.parametrize("name", numbers())
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 99_999_999_999, -1])
def test_a_number_out_of_range_is_refused(name: str, value: float) -> None:
    chosen: dict[str, Any] = {name: value}
    with pytest.raises(SettingsError, match=rf"{name} is .*; it must be .* and at most 2147483"):
        Settings(**chosen)


@pytest.mark.parametrize("name", ["transport", "freshness", "fast_path"])
def test_an_unknown_choice_is_refused(name: str) -> None:
    chosen: dict[str, Any] = {name: "other"}
    with pytest.raises(SettingsError, match=f"{name} is 'other'; choose one of "):
        Settings(**chosen)


@pytest.mark.parametrize("address", ["", "host", ":1", "host:", "host:x", "host:65536", "host:-1"])
def test_an_address_is_host_and_port(address: str) -> None:
    with pytest.raises(SettingsError, match="write host:port"):
        Settings(address=address)
