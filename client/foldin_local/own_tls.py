"""TLS settings of a caller on the server's own machine, derived from the server's settings alone.

The caller trusts the certificate that the server shows, whoever signed it. No connection is opened.
"""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from foldin_client.channel.tls import Tls, no_password


def own_tls(environment: Mapping[str, str]) -> Tls | None:
    """Returns how to reach a server with this environment, or None if it has no TLS.

    If the server asks callers for a certificate, FOLDIN_CERTIFICATE and FOLDIN_KEY are shown, else
    the server's own pair. Raises ValueError, with the remedy, if a handshake could not succeed.
    """
    certificate, key = environment.get("FOLDIN_TLS_CERTIFICATE"), environment.get("FOLDIN_TLS_KEY")
    if not certificate or not key:
        return None  # the server itself refuses half a pair
    client_ca = environment.get("FOLDIN_TLS_CLIENT_CA")
    own, own_key = environment.get("FOLDIN_CERTIFICATE"), environment.get("FOLDIN_KEY")
    pair = (own, own_key) if own and own_key else (certificate, key)
    try:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key, no_password)
        caller = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        caller.check_hostname = False  # the handshake is made to find the name
        caller.load_verify_locations(certificate)
        if client_ca:
            server.verify_mode = ssl.CERT_REQUIRED
            server.load_verify_locations(client_ca)
            caller.load_cert_chain(*pair, no_password)
        name = next(_names(server, caller), None)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        signed = f"; {pair[0]} must be signed by FOLDIN_TLS_CLIENT_CA={client_ca}, or set "
        remedy = f"{signed}FOLDIN_CERTIFICATE and FOLDIN_KEY to a pair that is" if client_ca else ""
        raise ValueError(
            f"no caller could trust a server with FOLDIN_TLS_CERTIFICATE={certificate}: {error}; "
            f"the files must be readable PEM and the certificates valid now{remedy}"
        ) from error
    shown, shown_key = map(Path, pair) if client_ca else (None, None)
    return Tls(Path(certificate), shown, shown_key, name)


def _names(server: ssl.SSLContext, caller: ssl.SSLContext) -> Iterator[str]:
    """Yields the names in the server's certificate, read by a handshake of the two in memory.

    Python has no other public way to read a certificate that is not an authority's.
    """
    for context in (server, caller):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # as grpc does
    to_server, to_caller = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller_side = caller.wrap_bio(to_caller, to_server)
    server_side = server.wrap_bio(to_server, to_caller, server_side=True)
    for side in (caller_side, server_side, caller_side, server_side):
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    match caller_side.getpeercert():
        case {"subjectAltName": [*names]}:
            pass
        case {"subject": [*parts]}:  # without alternatives grpc takes the common name
            names = [pair for part in parts for pair in part]
        case _:
            names = []
    for entry in names:
        match entry:
            case ("DNS" | "IP Address" | "commonName", str(name)):
                yield name.replace("*", "foldin", 1)  # any name that the wildcard matches
