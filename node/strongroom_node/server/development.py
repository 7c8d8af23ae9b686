"""`server -dev`: a node in memory for trying things out, with TLS of its own making if wanted."""

import datetime as dt
import ipaddress
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from strongroom_node.config.schema import ServerConfig
from strongroom_storage.crypto.entropy import random_base62

CA_FILE: Final = "vault-ca.pem"
CERTIFICATE_FILE: Final = "vault-cert.pem"
KEY_FILE: Final = "vault-key.pem"
_VALID: Final = dt.timedelta(days=365)
_SKEW: Final = dt.timedelta(hours=1)
_TOKEN_CHARACTERS: Final = 24


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where a development server's certificates are."""

    folder: Path
    is_temporary: bool

    @property
    def ca(self) -> Path:
        """What clients have to trust."""
        return self.folder / CA_FILE

    def remove(self) -> None:
        """Take away what was made in a temporary folder."""
        if self.is_temporary:
            for name in (CA_FILE, CERTIFICATE_FILE, KEY_FILE):
                (self.folder / name).unlink(missing_ok=True)
            self.folder.rmdir()


def random_root_token() -> str:
    """A root token for a server that was given none."""
    return f"hvs.{random_base62(_TOKEN_CHARACTERS)}"


def make_certificates(folder: str, names: Iterable[str]) -> Certificates:
    """A CA and a certificate for the local host and `names`, into a folder; without one into a new temporary folder."""
    path = Path(folder) if folder else Path(tempfile.mkdtemp(prefix="vault-tls"))
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = dt.datetime.now(dt.UTC)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Strongroom development CA")])
    ca = _certificate(ca_name, ca_name, ca_key, ca_key, now, is_ca=True).sign(ca_key, hashes.SHA256())
    own_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    alternatives = x509.SubjectAlternativeName([_general(name) for name in _names(names)])
    server = (
        _certificate(own_name, ca_name, key, ca_key, now, is_ca=False)
        .add_extension(alternatives, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    _write(path / CA_FILE, ca.public_bytes(pem))
    _write(path / CERTIFICATE_FILE, server.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(path / KEY_FILE, private)
    return Certificates(path, not folder)


def with_tls(config: ServerConfig, certificates: Certificates) -> ServerConfig:
    """The configuration with TLS on its first listener."""
    first = replace(
        config.listeners[0],
        tls_disable=False,
        tls_cert_file=str(certificates.folder / CERTIFICATE_FILE),
        tls_key_file=str(certificates.folder / KEY_FILE),
        shown={"address": config.listeners[0].address},
    )
    return replace(config, listeners=(first, *config.listeners[1:]))


def _certificate(
    name: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
    *,
    is_ca: bool,
) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=is_ca, crl_sign=is_ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer_identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(issuer_identifier, critical=False)
    )


def _names(more: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(("localhost", "127.0.0.1", "::1", *more)))


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, data: bytes) -> None:
    """Only the owner may read any of it."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
