"""Certificates for the reference server: an authority, and one certificate signed by it."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def make_authority(certificate_file: Path, key_file: Path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = common_name("Interop test authority")
    certificate = (
        draft(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    write(certificate, certificate_file, key, key_file)


def make_certificate(authority_file, authority_key_file, certificate_file, key_file, domain: str, *more: str):
    """For a domain, and more names of the same server."""
    authority = x509.load_pem_x509_certificate(authority_file.read_bytes())
    authority_key = serialization.load_pem_private_key(authority_key_file.read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        draft(common_name(domain), authority.subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in (domain, *more)]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write(certificate, certificate_file, key, key_file)


def common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def draft(subject, issuer, public_key) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + 30 * DAY)
    )


def write(certificate, certificate_file: Path, key, key_file: Path):
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    key_file.chmod(0o600)
