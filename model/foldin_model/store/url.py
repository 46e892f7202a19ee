"""The only parser of store URLs. It names what is wrong with a URL in an InvalidField.

`redis://[user:password@]host:6379/database`, `rediss://` for the same over TLS, and
`unix://[user:password@]/path/of/the/socket`, each with options after a `?`. Anything
else is refused, so that all commands treat a URL alike.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from foldin_model.errors import InvalidField, Violation

Kind = Literal["redis", "rediss", "unix"]

KINDS: Final[Mapping[str, Kind]] = {"redis": "redis", "rediss": "rediss", "unix": "unix"}
DEFAULT_HOST: Final = "localhost"
DEFAULT_PORT: Final = 6379
HIDDEN: Final = "***"
OPTIONS: Final = (
    "client_name",
    "db",
    "password",
    "socket_connect_timeout",
    "socket_timeout",
    "ssl_ca_certs",
    "ssl_ca_data",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_ciphers",
    "ssl_keyfile",
    "ssl_password",
    "username",
)
_REMEDY: Final = "write redis://host:6379/0, rediss:// or unix:///path"
_FLAGS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_DATABASE: Final = re.compile(r"[0-9]{1,9}")
_HOST: Final = re.compile(r"[\w.:%-]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f#]")


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """Where a store is and how to log in: `host` and `port`, or `socket` for the kind `unix`."""

    text: str = field(repr=False)
    """The URL as it was written, with its secrets."""
    kind: Kind
    host: str
    port: int
    socket: str
    database: int
    user: str | None
    password: str | None = field(repr=False)
    client_name: str | None
    timeout_s: float | None
    """How long a reply may take; None leaves it to the program."""
    connect_timeout_s: float | None
    tls: Mapping[str, str | bool] = field(repr=False)
    """The options `ssl_...`, with their names and meaning in redis-py."""

    @classmethod
    def of(cls, url: "StoreUrl | str") -> "StoreUrl":
        """Returns the URL, parsed unless it is already. Raises InvalidField."""
        return url if isinstance(url, StoreUrl) else parse_store_url(url)

    @property
    def shown(self) -> str:
        """The URL without password and options, for logs and messages.

        Where the options hold an @, it is unclear what is secret, so everything is hidden.
        """
        parts = urlsplit(self.text)
        login, at, place = parts.netloc.rpartition("@")
        if ":" in login:
            login = f"{login.partition(':')[0]}:{HIDDEN}"
        if "@" in parts.query:
            return HIDDEN
        options = f"?{HIDDEN}" if parts.query else ""
        return f"{self.kind}://{login}{at}{place}{parts.path}{options}"


def parse_store_url(text: str) -> StoreUrl:
    """Reads the URL of a store. Raises InvalidField, whose message holds no secret of the URL."""
    parts, port = _split(text)
    kind = KINDS[parts.scheme]
    options = _Options(parts.query, kind)
    user, password = options.text("username"), options.text("password")
    database = options.database("db")
    if kind == "unix":
        host, socket, named = "", _socket(parts), 0
    else:
        host, socket, named = _host(parts), "", _database(parts)
    return StoreUrl(
        text=text,
        kind=kind,
        host=host,
        port=DEFAULT_PORT if port is None else port,
        socket=socket,
        database=named if database is None else database,
        user=unquote(parts.username or "") or user,
        password=unquote(parts.password or "") or password,
        client_name=options.word("client_name"),
        timeout_s=options.seconds("socket_timeout"),
        connect_timeout_s=options.seconds("socket_connect_timeout"),
        tls=options.tls(),
    )


def _split(text: str) -> tuple[SplitResult, int | None]:
    """Splits a URL of a known kind; returns its parts and its port."""
    if text != text.strip():
        _refuse("there are blanks before or after it")
    if _CONTROL.search(text):
        _refuse("it has a # or a control character; write %23 for #")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        _refuse("its host and port cannot be read")
    if not text[len(parts.scheme) :].startswith("://"):
        _refuse("it does not begin with a kind of store")
    if parts.scheme not in KINDS:
        _refuse(f"{parts.scheme}:// is no kind of store")
    if port == 0:
        _refuse("there is no port 0")
    return parts, port


def _host(parts: SplitResult) -> str:
    host = unquote(parts.hostname or DEFAULT_HOST)
    if not _HOST.fullmatch(host):
        _refuse("its host cannot be read")
    return host


def _database(parts: SplitResult) -> int:
    number = unquote(parts.path).removeprefix("/").removesuffix("/")
    if not number:
        return 0
    if not _DATABASE.fullmatch(number):
        _refuse("what follows the host must be the number of a database, such as /0")
    return int(number)


def _socket(parts: SplitResult) -> str:
    if parts.netloc.rpartition("@")[2]:
        _refuse("the path of a socket begins with a third slash, as in unix:///run/valkey.sock")
    path = unquote(parts.path)
    if not path.strip("/"):
        _refuse("it names no socket")
    return path


class _Options:
    """The options of a URL, read by type. Raises InvalidField, which names the option."""

    def __init__(self, query: str, kind: Kind) -> None:
        try:
            pairs = parse_qsl(query, keep_blank_values=True)
        except ValueError:
            _refuse("its options cannot be read")
        self._values = dict(pairs)
        names = [name for name, _ in pairs]
        for name, value in pairs:
            if name not in OPTIONS:
                # With an @ behind it the name may be a piece of a password that was not quoted.
                shown = name if name.isidentifier() and "@" not in query else "of a URL"
                _refuse(f"unknown option {shown}; known are {', '.join(OPTIONS)}")
            if not value:
                _refuse(f"option {name} has no value")
            if names.count(name) > 1:
                _refuse(f"option {name} is given twice")
            if name.startswith("ssl_") and kind != "rediss":
                _refuse(f"option {name} is for rediss:// alone")

    def text(self, name: str) -> str | None:
        """Returns the option as it is, None where it is not set."""
        return self._values.get(name)

    def word(self, name: str) -> str | None:
        """Returns an option of printable ASCII without blanks, as the store requires for a name."""
        value = self.text(name)
        if value is not None and not re.fullmatch(r"[!-~]+", value):
            _refuse(f"option {name} must be ASCII without blanks")
        return value

    def database(self, name: str) -> int | None:
        """Returns the number of a database."""
        value = self.text(name)
        if value is not None and not _DATABASE.fullmatch(value):
            _refuse(f"option {name} must be the number of a database")
        return None if value is None else int(value)

    def seconds(self, name: str) -> float | None:
        """Returns seconds above 0."""
        value = self.text(name)
        if value is None:
            return None
        try:
            seconds = float(value)
        except ValueError:
            seconds = math.nan
        if not 0 < seconds < math.inf:
            _refuse(f"option {name} must be seconds above 0")
        return seconds

    def tls(self) -> dict[str, str | bool]:
        """Returns the options of TLS."""
        found: dict[str, str | bool] = {}
        for name, value in self._values.items():
            if name == "ssl_check_hostname":
                if value.lower() not in _FLAGS:
                    _refuse(f"option {name} must be true or false")
                found[name] = _FLAGS[value.lower()]
            elif name.startswith("ssl_"):
                found[name] = value
        if found.get("ssl_cert_reqs", "none") not in ("none", "optional", "required"):
            _refuse("option ssl_cert_reqs must be none, optional or required")
        return found


def _refuse(why: str) -> NoReturn:
    raise InvalidField(Violation("redis_url", f"is no url of a store: {why}; {_REMEDY}"))
