"""Everything that can be set about a server, in one frozen object.

It knows names, defaults and limits; what a setting does is said where it is used.
"""

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
OF_OTHER_PROGRAMS: Final = frozenset(
    {
        "FOLDIN_MOVIELENS_URL",
        "FOLDIN_DATASET",
        "FOLDIN_CA",
        "FOLDIN_CERTIFICATE",
        "FOLDIN_KEY",
        "FOLDIN_SERVER_NAME",
    }
)
OF_KUBERNETES: Final = re.compile(
    r"FOLDIN_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)"
)
"""What every pod of a namespace is told of a Service that is called foldin."""
MOST: Final = 2**31 - 1  # of anything that is counted: gRPC takes no more, and durations in ms


class SettingsError(ValueError):
    """A setting that is unknown or cannot be used; the message says which and what would do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Each field is set by FOLDIN_<NAME> or by the option --<name> of `foldin serve`."""

    address: Annotated[str, "Where to listen, host:port; port 0 takes any."] = "127.0.0.1:50051"
    transport: Annotated[
        Transport,
        "What carries the calls: grpcio, or native (pygrpc-native: several times the calls a "
        "second, but no TLS and no connection age); auto takes native where it can do all that "
        "is asked for.",
    ] = "auto"
    workers: Annotated[
        int, "Processes that share the port, each with one event loop and the mapped model."
    ] = 1
    tls_certificate: Annotated[Path | None, "PEM chain that the server shows (grpcio)."] = None
    tls_key: Annotated[Path | None, "PEM key of that certificate."] = None
    tls_client_ca: Annotated[Path | None, "PEM roots; callers must show a certificate."] = None
    redis_url: Annotated[str | None, "The store; without one an embedded store runs."] = None
    namespace: Annotated[str, "Names the keys of this installation in the store."] = "default"
    data_dir: Annotated[Path | None, "Holds the embedded store and installed models."] = None
    metrics_address: Annotated[
        str | None,
        "Serves Prometheus metrics at host:port; worker n of several, from 0, at port + n.",
    ] = None
    log_calls: Annotated[bool, "Write one log line a call."] = True
    store_timeout_ms: Annotated[float, "Longest wait for the store."] = 250.0
    revision_wait_ms: Annotated[float, "Longest wait for min_user_revision."] = 1_000.0
    poll_interval_ms: Annotated[
        float, "Time between looks for a new model, new items and availability."
    ] = 200.0
    retire_after_s: Annotated[float, "How long a replaced model serves page tokens."] = 600.0
    stop_delay_s: Annotated[float, "How long a stop waits for callers to turn away."] = 0.2
    stop_grace_s: Annotated[float, "How long a stop waits for calls in flight."] = 10.0
    max_in_flight: Annotated[int, "Calls in work at a time in one process; more are refused."] = (
        1_000
    )
    freshness: Annotated[
        FreshnessOption,
        "Whether a Recommend asks the store for the user's revision: strict, always; bounded, not "
        "while the store tells of every write, which may be missed for at most two seconds. Own "
        "writes and min_user_revision hold in either case.",
    ] = "strict"
    user_cache_size: Annotated[int, "Users answered as last known when the store is gone."] = 10_000
    fast_path: Annotated[
        Literal["on", "off"],
        "Whether Recommend and BatchRecommend are answered by the fast path, which sends the same "
        "bytes as the general way in less time.",
    ] = "on"
    answer_cache_size: Annotated[
        int, "Answers given again while model, request and revision are the same; 0 keeps none."
    ] = 10_000
    max_message_bytes: Annotated[int, "Largest request taken; answers may have 64 MiB."] = 4 << 20
    max_connection_age_s: Annotated[
        float | None,
        "Age at which connections are renewed; unset, 600 s on grpcio and never on native.",
    ] = None
    keepalive_s: Annotated[float, "Silent connections are probed this often."] = 60.0

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                _check_number(entry.name, value)
        for name in ("address", "metrics_address"):
            _check_address(name, getattr(self, name))
        for name, kind in (("transport", Transport), ("freshness", FreshnessOption)):
            if (value := getattr(self, name)) not in get_args(kind):
                choices = ", ".join(get_args(kind))
                raise SettingsError(f"{name} is {value!r}; choose one of {choices}")

    def shown(self) -> dict[str, object]:
        """All settings as they may be logged: secrets in the store's URL are hidden."""
        values = asdict(self).items()
        shown = {name: str(value) if isinstance(value, Path) else value for name, value in values}
        if self.redis_url:
            shown["redis_url"] = without_secrets(self.redis_url)
        return shown


_MAY_BE_ZERO: Final = frozenset(
    {"retire_after_s", "stop_delay_s", "stop_grace_s", "answer_cache_size"}
)


def check_names(environment: Mapping[str, str] = os.environ) -> None:
    """Every FOLDIN_ variable is a setting, of this program or of another one of foldin's.

    Those that Kubernetes sets for a Service called foldin are let through. Raises SettingsError
    with the nearest known name.
    """
    known = {PREFIX + entry.name.upper() for entry in fields(Settings)} | OF_OTHER_PROGRAMS
    for name in sorted(environment):
        if OF_KUBERNETES.fullmatch(name):
            continue
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0)[0]
            raise SettingsError(f"{name} is no setting; did you mean {near}?")


def split_address(address: str) -> tuple[str, int]:
    """The host and port of host:port; an IPv6 host stands in brackets."""
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
    most = MOST // 1_000 if name.endswith("_s") else MOST
    if not (0 if may_be_zero else 1e-9) <= value <= most:  # as nan is neither
        least = "0 or more" if may_be_zero else "above 0"
        raise SettingsError(f"{name} is {value}; it must be {least} and at most {most}")
