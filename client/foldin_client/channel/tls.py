"""TLS on the caller's side: whom to trust, what to show, and what the server is called.

Files are read and checked here; no connection is opened.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc


@dataclass(frozen=True, slots=True)
class Tls:
    """How a caller knows a server, and proves itself where the server asks for that."""

    ca: Path
    """PEM certificates to trust: of who signed the server's, or the server's own."""
    certificate: Path | None = None
    """PEM chain to show."""
    key: Path | None = None
    """PEM key of that certificate, unencrypted."""
    server_name: str | None = None
    """What the server's certificate calls it; None where that is the host of its address."""

    def credentials(self) -> grpc.ChannelCredentials:
        """What a client takes. Raises ValueError that names the files and the remedy.

        grpc itself takes any bytes, and then only never connects.
        """
        certificate, key = self.certificate, self.key
        if (certificate is None) is not (key is None):
            raise ValueError("a certificate proves nothing without its key; give both or neither")
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(self.ca)
            if certificate is not None:
                context.load_cert_chain(certificate, key, no_password)
            return grpc.ssl_channel_credentials(
                self.ca.read_bytes(),
                None if key is None else key.read_bytes(),
                None if certificate is None else certificate.read_bytes(),
            )
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            files = ", ".join(str(path) for path in (self.ca, certificate, key) if path is not None)
            raise ValueError(
                f"TLS can't be set up from {files}: {error}; each must be a readable PEM file, "
                "the key unencrypted and that of the certificate"
            ) from error


def no_password() -> str:
    """Raises ValueError, where OpenSSL would ask the terminal for a password."""
    raise ValueError("the key is encrypted")
