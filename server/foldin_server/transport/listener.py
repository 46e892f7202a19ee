"""Where and how a server listens: its transport, its TLS files, a port shared by processes.

Nothing here needs gRPC, so that a parent of worker processes can check it before they start.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec

from foldin_server.settings import ChosenTransport, Settings, SettingsError, split_address


@dataclass(frozen=True, slots=True)
class Tls:
    """The certificate and key of a server, in PEM. With `client_ca`, callers must show one too."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None


def choose_transport(settings: Settings) -> ChosenTransport:
    """Returns the transport that can do what the settings ask for.

    Raises SettingsError with the remedy.
    """
    installed = find_spec("pygrpc_native") is not None
    beyond = next((name for name in _ONLY_GRPCIO if getattr(settings, name) is not None), None)
    if settings.transport != "native":
        usable = installed and beyond is None
        return "native" if settings.transport == "auto" and usable else "grpcio"
    if not installed:
        raise SettingsError(
            "transport is native, which is not installed; "
            "pip install 'foldin[native]', or choose --transport grpcio"
        )
    if beyond is not None:
        raise SettingsError(
            f"{beyond} is set, which the native transport can't do; "
            f"choose --transport grpcio, or leave --{beyond.replace('_', '-')} out"
        )
    return "native"


_ONLY_GRPCIO = ("tls_certificate", "tls_key", "tls_client_ca", "max_connection_age_s")


def read_tls(settings: Settings) -> Tls | None:
    """Returns the certificate and key of the settings, None without. Raises SettingsError."""
    certificate, key, client_ca = (
        settings.tls_certificate,
        settings.tls_key,
        settings.tls_client_ca,
    )
    if certificate is None and key is None and client_ca is None:
        return None
    if certificate is None or key is None:
        raise SettingsError("TLS takes a pair; set both --tls-certificate and --tls-key")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=_no_password)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
        return Tls(
            certificate.read_bytes(),
            key.read_bytes(),
            None if client_ca is None else client_ca.read_bytes(),
        )
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        files = ", ".join(str(path) for path in (certificate, key, client_ca) if path is not None)
        raise SettingsError(
            f"TLS can't be set up from {files}: {error}; each must be a readable PEM file, "
            "the key unencrypted and that of the certificate"
        ) from error


def _no_password() -> str:
    raise ValueError("the key is encrypted")


@contextmanager
def reserved(address: str) -> Iterator[str]:
    """Inside the block, the address with its real port is kept for servers that share it.

    Nobody else listens there at the start. Raises SettingsError.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise SettingsError(
            "a port can't be shared on this system; use --transport native and --workers 1"
        )
    host, port = split_address(address)
    try:
        family, _, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # A port shared by strangers would be joined without a word, so it must be free first.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            place = probe.getsockname()
        keeper = socket.socket(family, socket.SOCK_STREAM)
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind(place)  # it never listens, so no connection comes here
    except OSError as error:
        raise cannot_listen(address) from error
    with keeper:
        yield f"{address.rpartition(':')[0]}:{keeper.getsockname()[1]}"


def cannot_listen(address: str) -> SettingsError:
    """Returns the error for an address that is taken or not of this machine."""
    return SettingsError(
        f"cannot listen on {address}; is another server there? Choose another --address"
    )
