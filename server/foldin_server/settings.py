"""The settings of a server in one frozen object: names, defaults, limits and help texts."""

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from foldin_model.store.masked_url import without_secrets

PREFIX: Final = "FOLDIN_"
Transport = Literal["auto", "grpcio", "native"]
ChosenTransport = Literal["grpcio", "native"]
FreshnessOption = Literal["strict", "bounded"]
FastPath = Literal["on", "off"]
OTHER_VARIABLES: Final = frozenset(
    {
        "FOLDIN_MOVIELENS_URL",
        "FOLDIN_DATASET",
        "FOLDIN_CA",
        "FOLDIN_CERTIFICATE",
        "FOLDIN_KEY",
        "FOLDIN_SERVER_NAME",
    }
)
"""Variables of other programs of foldin."""
KUBERNETES_VARIABLES: Final = re.compile(
    r"FOLDIN_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""The variables that Kubernetes sets in every pod of a namespace with a Service named foldin."""
MAX_NUMBER: Final = 2**31 - 1  # the largest number that gRPC takes, also for durations in ms


class SettingsError(ValueError):
    """A setting is unknown or has an invalid value; the message names the remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of `foldin serve`, each set by FOLDIN_<NAME> or by the option --<name>."""

    address: Annotated[str, "Address to listen on, host:port; port 0 takes any free port."] = (
        "127.0.0.1:50051"
    )
    transport: Annotated[
        Transport,
        "Library of the gRPC server: grpcio, or native (pygrpc-native: several times the calls a "
        "second, but no TLS and no connection age); auto takes native where it is installed and "
        "can do all that is set.",
    ] = "auto"
    workers: Annotated[
        int, "Processes that share the port; each has one event loop and maps the model."
    ] = 1
    tls_certificate: Annotated[
        Path | None, "PEM file with the certificate chain of the server (grpcio only)."
    ] = None
    tls_key: Annotated[Path | None, "PEM file with the private key of that certificate."] = None
    tls_client_ca: Annotated[
        Path | None, "PEM file with root certificates; every caller must present a certificate."
    ] = None
    redis_url: Annotated[
        str | None, "URL of the store; without one, an embedded store is started."
    ] = None
    namespace: Annotated[
        str, "Name that keeps the keys of this installation apart from others in the store."
    ] = "default"
    data_dir: Annotated[Path | None, "Directory of the embedded store and of installed models."] = (
        None
    )
    metrics_address: Annotated[
        str | None,
        "Address of the Prometheus metrics, host:port; worker n, counted from 0, uses port + n.",
    ] = None
    log_calls: Annotated[bool, "Write one log line for each call."] = True
    store_timeout_ms: Annotated[float, "Longest wait for a reply of the store."] = 250.0
    revision_wait_ms: Annotated[
        float, "Longest wait until a requested min_user_revision is visible."
    ] = 1_000.0
    poll_interval_ms: Annotated[
        float, "Time between checks for a new model, new items and changed availability."
    ] = 200.0
    retire_after_s: Annotated[float, "How long page tokens of a replaced model stay valid."] = 600.0
    stop_delay_s: Annotated[
        float, "How long a stopping server takes calls after it reports NOT_SERVING."
    ] = 0.2
    stop_grace_s: Annotated[float, "How long a stopping server waits for calls in flight."] = 10.0
    max_in_flight: Annotated[
        int, "Calls in flight at a time in one process; further calls are refused."
    ] = 1_000
    freshness: Annotated[
        FreshnessOption,
        "How a Recommend makes sure that a user is unchanged: strict asks the store every time; "
        "bounded relies on the store to report every write, and may miss writes of other "
        "processes for at most two seconds. min_user_revision holds in both cases.",
    ] = "strict"
    user_cache_size: Annotated[
        int, "Users kept in memory, from where they are answered while the store is out of reach."
    ] = 10_000
    fast_path: Annotated[
        FastPath,
        "Whether Recommend and BatchRecommend are answered by the fast path, which sends the same "
        "bytes as the general way in less time.",
    ] = "on"
    answer_cache_size: Annotated[
        int,
        "Responses kept to be sent again while model, request and user revision are the same; 0 "
        "keeps none.",
    ] = 10_000
    max_message_bytes: Annotated[
        int, "Size of the largest request that is accepted; a response may have 64 MiB."
    ] = 4 << 20
    max_connection_age_s: Annotated[
        float | None,
        "Age at which a connection is closed and made anew; unset: 600 s (grpcio), never (native).",
    ] = None
    keepalive_s: Annotated[float, "Time between keepalive probes of a silent connection."] = 60.0

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                _check_number(entry.name, value)
        for name in ("address", "metrics_address"):
            _check_address(name, getattr(self, name))
        choices_of = {"transport": Transport, "freshness": FreshnessOption, "fast_path": FastPath}
        for name, kind in choices_of.items():
            if (value := getattr(self, name)) not in get_args(kind):
                choices = ", ".join(get_args(kind))
                raise SettingsError(f"{name} is {value!r}; choose one of {choices}")

    def shown(self) -> dict[str, object]:
        """Returns all settings as they may be logged, without the secrets in the store's URL."""
        values = asdict(self).items()
        shown = {name: str(value) if isinstance(value, Path) else value for name, value in values}
        if self.redis_url:
            shown["redis_url"] = without_secrets(self.redis_url)
        return shown


_MAY_BE_ZERO: Final = frozenset(
    {"retire_after_s", "stop_delay_s", "stop_grace_s", "answer_cache_size"}
)


def check_names(environment: Mapping[str, str] = os.environ) -> None:
    """Checks that every FOLDIN_ variable is a setting of this program or another one of foldin.

    Variables that Kubernetes sets for a Service named foldin are ignored. Raises SettingsError
    with the nearest known name.
    """
    known = {PREFIX + entry.name.upper() for entry in fields(Settings)} | OTHER_VARIABLES
    for name in sorted(environment):
        if KUBERNETES_VARIABLES.fullmatch(name):
            continue
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0)[0]
            raise SettingsError(f"{name} is no setting; did you mean {near}?")


def split_address(address: str) -> tuple[str, int]:
    """Returns the host and port of host:port; an IPv6 host is written in brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _check_address(name: str, address: str | None) -> None:
    if address is None:
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65_535:
        raise SettingsError(f"{name} is {address!r}; write host:port, such as 127.0.0.1:50051")


def _check_number(name: str, value: float) -> None:
    may_be_zero = name in _MAY_BE_ZERO
    most = MAX_NUMBER // 1_000 if name.endswith("_s") else MAX_NUMBER
    if not (0 if may_be_zero else 1e-9) <= value <= most:  # nan fails too
        least = "0 or more" if may_be_zero else "above 0"
        raise SettingsError(f"{name} is {value}; it must be {least} and at most {most}")
