"""TLS of a client: the certificates that it trusts and shows, and the server's name.

Files are read and checked here; no connection is opened.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc


@dataclass(frozen=True, slots=True)
class Tls:
    """The PEM files by which a client trusts a server and, where asked, identifies itself."""

    ca: Path
    """Certificates to trust: of the authority that signed the server's, or the server's own."""
    certificate: Path | None = None
    """Certificate chain to send to servers that ask for one."""
    key: Path | None = None
    """Key of that certificate, unencrypted."""
    server_name: str | None = None
    """The name in the server's certificate; None where it is the host of the address."""

    def credentials(self) -> grpc.ChannelCredentials:
        """Returns gRPC's credentials. Raises ValueError, which names the files and the remedy.

        grpc itself accepts any bytes and then never connects.
        """
        certificate, key = self.certificate, self.key
        if (certificate is None) is not (key is None):
            raise ValueError("a certificate is of no use without its key; give both or neither")
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
    """Raises ValueError; without it OpenSSL would ask the terminal for a password."""
    raise ValueError("the key is encrypted")
