"""The certificates of a cluster: its own authority, and one short-lived certificate for each node.

A node's certificate names the node id and nothing else; both ends of a connection compare it. Keys are made here and
never written to a disk by this module. ECDSA on P-256, as TLS 1.3 wants it everywhere.
"""

import datetime as dt
import os
import ssl
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from strongroom_cluster.errors import ClusterError
from strongroom_storage.crypto.secret import SecretBytes

AUTHORITY_DAYS: Final = 3650
NODE_DAYS: Final = 30
# Clocks of two nodes may differ by so much.
_SKEW: Final = dt.timedelta(minutes=10)


class CertificateInvalid(ClusterError):
    """A certificate is not what a node of this cluster would show."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The cluster's own certificate authority. Its key belongs behind the barrier."""

    certificate: bytes  # PEM
    key: SecretBytes = field(repr=False)  # PEM, PKCS #8


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a node shows (`certificate`, `key`), and whom it trusts: one authority, or two while they rotate."""

    certificate: bytes
    key: SecretBytes = field(repr=False)
    trusted: bytes = b""


def make_authority(now: float) -> Authority:
    """A new authority; `now` in Unix seconds."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "strongroom cluster")])
    moment = _moment(now)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _SKEW)
        .not_valid_after(moment + dt.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate.public_bytes(serialization.Encoding.PEM), _key_pem(key))


def issue(authority: Authority, node_id: str, now: float, *, also_trusted: bytes = b"") -> Credentials:
    """A certificate for a node, valid for 30 days; renew it after half of them.

    While the authority is rotated, `also_trusted` is the other one's certificate: first every node trusts both, then
    every node gets a certificate of the new one, then the old one is forgotten.
    """
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    issuer_key = serialization.load_pem_private_key(authority.key.reveal(), None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise CertificateInvalid("the authority's key is of another kind")
    key = ec.generate_private_key(ec.SECP256R1())
    moment = _moment(now)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _SKEW)
        .not_valid_after(min(moment + dt.timedelta(days=NODE_DAYS), issuer.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(node_id)]), critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return Credentials(pem, _key_pem(key), authority.certificate + also_trusted)


def renewal_due(credentials: Credentials, now: float) -> bool:
    """Whether half of a certificate's life is over; `now` in Unix seconds."""
    certificate = x509.load_pem_x509_certificate(credentials.certificate)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return _moment(now) >= begin + (end - begin) / 2


def make_context(credentials: Credentials, *, is_server: bool) -> ssl.SSLContext:
    """TLS 1.3 with a certificate asked of both sides, trusting the cluster's authority alone.

    Names are compared by `peer_id`, not by the TLS library: a node id need not be a host name.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if is_server else ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if is_server:
        context.num_tickets = 0  # connections live for days; a ticket would only outlive a certificate
    context.load_verify_locations(cadata=credentials.trusted.decode("ascii"))
    # The library reads keys from files only: give it one that exists in memory and nowhere else.
    file = os.memfd_create("strongroom", os.MFD_CLOEXEC)
    try:
        os.write(file, credentials.certificate + credentials.key.reveal())
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.ftruncate(file, 0)
        os.close(file)
    return context


def peer_id(tls: ssl.SSLObject) -> str:
    """The node id in the certificate of the other side. Raises CertificateInvalid."""
    shown = tls.getpeercert() or {}
    names = shown.get("subjectAltName", ())
    match names:
        case (("DNS", str(name)),) if name:
            return name
        case _:
            raise CertificateInvalid("a certificate does not name exactly one node")


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> SecretBytes:
    return SecretBytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _moment(now: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(now, dt.UTC)
