"""What URLs of stores are understood, and how the others are refused: by name, without secrets."""

from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest
from foldin_model.errors import InvalidField
from foldin_model.store.masked_url import without_secrets
from foldin_model.store.redis.client import connect
from foldin_model.store.redis.endpoint import Endpoint
from foldin_model.store.url import OPTIONS, StoreUrl, parse_store_url
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import parse_url

UNDERSTOOD: dict[str, dict[str, object]] = {
    "redis://": {"host": "localhost", "port": 6379, "database": 0},
    "redis:///3": {"host": "localhost", "database": 3},
    "redis://store:7/2": {"kind": "redis", "host": "store", "port": 7, "database": 2},
    "REDIS://Store": {"kind": "redis", "host": "store"},
    "redis://store/0/": {"database": 0},
    "redis://store/1?db=2": {"database": 2},
    "redis://ann:p%40ss@store": {"user": "ann", "password": "p@ss"},
    "redis://:p@ss@store": {"user": None, "password": "p@ss", "host": "store"},
    "redis://store?username=ann&password=p%2Bs": {"user": "ann", "password": "p+s"},
    "redis://[::1]:7": {"host": "::1", "port": 7},
    "redis://store?socket_timeout=2.5&client_name=foldin": {
        "timeout_s": 2.5,
        "connect_timeout_s": None,
        "client_name": "foldin",
    },
    "rediss://store?ssl_cert_reqs=none&ssl_check_hostname=no": {
        "kind": "rediss",
        "tls": {"ssl_cert_reqs": "none", "ssl_check_hostname": False},
    },
    "unix:///run/valkey.sock": {"kind": "unix", "socket": "/run/valkey.sock", "database": 0},
    "unix://ann:secret@/run/a%20b@c?db=4": {
        "socket": "/run/a b@c",
        "database": 4,
        "user": "ann",
        "password": "secret",
    },
}

REFUSED = {
    "": "does not begin with a kind of store",
    "store:6379": "does not begin with a kind of store",
    "redis:store": "does not begin with a kind of store",
    "http://a:secret@store": "http:// is no kind of store",
    " redis://store": "blanks before or after",
    "redis://store\n": "blanks before or after",
    "redis://sto\tre": "control character",
    "redis://:secret#@store": "a # or a control character",
    "redis://[::1": "host and port cannot be read",
    "redis://store:99999": "host and port cannot be read",
    "redis://a:1,b:1/0": "host and port cannot be read",
    "redis://:secret/word@store": "host and port cannot be read",
    "redis://store:0": "no port 0",
    "redis://sto re": "its host cannot be read",
    "redis://store/foldin": "number of a database",
    "redis://store/-1": "number of a database",
    "redis://store/٣": "number of a database",
    "redis://store/0/1": "number of a database",
    "redis://store/0?decode_responses=true": "unknown option decode_responses",
    "redis://store?protocol=3": "unknown option protocol",
    "redis://store?health_check_interval=5": "unknown option health_check_interval",
    "redis://store?DB=1": "unknown option DB",
    "redis://store?sec%72et@word=1": "unknown option of a URL",
    "redis://store?db=secret": "option db must be the number of a database",
    "redis://store?db=": "option db has no value",
    "redis://store?db": "option db has no value",
    "redis://store?db=1&db=1": "option db is given twice",
    "redis://store?socket_timeout=0": "option socket_timeout must be seconds above 0",
    "redis://store?socket_timeout=nan": "option socket_timeout must be seconds above 0",
    "redis://store?socket_connect_timeout=x": "option socket_connect_timeout must be seconds",
    "redis://store?client_name=a%20b": "option client_name must be ASCII",
    "redis://store?ssl_ca_certs=/ca.pem": "option ssl_ca_certs is for rediss:// alone",
    "rediss://store?ssl_cert_reqs=secret": "option ssl_cert_reqs must be none, optional or",
    "rediss://store?ssl_check_hostname=maybe": "option ssl_check_hostname must be true or false",
    "unix://run/valkey.sock": "third slash",
    "unix://": "names no socket",
    "unix:///run/valkey.sock?ssl_keyfile=/key.pem": "option ssl_keyfile is for rediss:// alone",
}


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_a_url_is_understood(text: str) -> None:
    url = parse_store_url(text)
    wanted = UNDERSTOOD[text]
    assert {name: getattr(url, name) for name in wanted} == wanted


@pytest.mark.parametrize("text", REFUSED)
def test_a_url_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidField) as refused:
        parse_store_url(text)
    message = str(refused.value)
    assert message.startswith("redis_url: is no url of a store: ")
    assert REFUSED[text] in message
    assert message.endswith("write redis://host:6379/0, rediss:// or unix:///path")
    assert "secret" not in message


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_redis_py_reads_an_understood_url_alike(text: str) -> None:
    scheme, _, rest = text.partition("://")
    theirs: dict[str, Any] = parse_url(f"{scheme.lower()}://{rest}")  # type: ignore[no-untyped-call]
    ours = connect(parse_store_url(text), 1.0).connection_pool.connection_kwargs
    theirs.pop("connection_class", None)
    if "ssl_check_hostname" in theirs:
        theirs["ssl_check_hostname"] = False
    assert {name: ours[name] for name in theirs} == theirs


def test_both_kinds_of_client_are_set_up_from_one_url() -> None:
    url = parse_store_url("redis://ann:word@store:7/3?client_name=me&socket_timeout=9")
    endpoint = Endpoint(url, 1.0)
    settings = connect(url, 1.0).connection_pool.connection_kwargs
    assert endpoint.timeout_s == settings["socket_timeout"] == 9.0
    assert endpoint.connect_timeout_s == settings["socket_connect_timeout"] == 1.0
    assert endpoint.greeting() == [
        ("AUTH", "ann", "word"),
        ("CLIENT", "SETNAME", "me"),
        ("SELECT", 3),
    ]
    assert endpoint.greeting(3)[0] == ("HELLO", 3, "AUTH", "ann", "word")


def test_a_user_without_a_password_logs_in_too() -> None:
    endpoint = Endpoint(parse_store_url("redis://ann@store"), 1.0)
    assert endpoint.greeting() == [("AUTH", "ann", "")]
    assert endpoint.greeting(3) == [("HELLO", 3, "AUTH", "ann", "")]


def test_a_parsed_url_is_taken_as_it_is() -> None:
    url = parse_store_url("redis://store")
    assert StoreUrl.of(url) is url
    assert StoreUrl.of("redis://store") == url


def test_no_secret_is_in_the_representation() -> None:
    url = parse_store_url("rediss://ann:secret@store?ssl_password=secret")
    assert "secret" not in repr(url)
    assert url.shown == "rediss://ann:***@store?***"


PIECES = [
    "redis://",
    "UNIX://",
    "a",
    ":",
    "@",
    "/",
    "0",
    "?",
    "&",
    "=",
    "#",
    "%",
    " ",
    "[",
    *OPTIONS,
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=9).map("".join))
def test_any_text_is_understood_or_refused(text: str) -> None:
    without_secrets(text)
    with suppress(InvalidField):
        parse_store_url(text)


@given(st.text(min_size=1))
def test_a_quoted_password_arrives_and_is_not_shown(password: str) -> None:
    text = f"redis://ann:{quote(password, safe='')}@store/1"
    assert parse_store_url(text).password == password
    assert without_secrets(text) == "redis://ann:***@store/1"
