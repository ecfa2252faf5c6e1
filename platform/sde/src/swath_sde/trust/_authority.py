"""An authority in a folder: its own certificate, and those that it issues."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from swath_sde.errors import PlatformError

__all__ = ["Authority", "Request", "Usage", "write_whole"]

Usage = Literal["server", "client"]
"""What a certificate may be used for."""

_USAGES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
_BACKDATED = dt.timedelta(hours=1)
"""How far back a certificate's validity begins: clocks of two machines need not agree."""
_AUTHORITY_DAYS = 3650
_RENEWAL = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Request:
    """What a certificate is to say."""

    name: str
    """Common name: for a client its user name."""
    usages: tuple[Usage, ...]
    """What it may be used for."""
    hosts: tuple[str, ...] = ()
    """Host names and IP addresses that it is good for; a host name may start with ``*.``."""
    organizations: tuple[str, ...] = ()
    """Organizations: for a client of Kubernetes its groups."""
    days: int = 365
    """Days of validity from the day of issue."""

    def subject(self) -> x509.Name:
        """Return the subject."""
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, value) for value in self.organizations]
        return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    def alternatives(self) -> list[x509.GeneralName]:
        """Return the hosts as a certificate names them."""
        return [_general_name(host) for host in self.hosts]


class Authority:
    """A private certificate authority.

    Its key never leaves its folder (mode 0600). What it issues is one file with certificate and key: both are
    replaced at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def at(cls, folder: Path, *, name: str, now: dt.datetime | None = None) -> Authority:
        """Return the authority in a folder; a new one is made where there is none.

        Parameters
        ----------
        folder
            Where it is kept.
        name
            Common name of a new one.
        now
            The time to count from; by default the clock's.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = cls(folder)
        if not authority.path.exists():
            authority._make(name, now or _clock())
        return authority

    @property
    def path(self) -> Path:
        """File of the certificate alone, for those who are to trust it."""
        return self.folder / "ca.crt"

    @property
    def key_path(self) -> Path:
        """File of the key."""
        return self.folder / "ca.key"

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The authority's own certificate."""
        return x509.load_pem_x509_certificate(self._read(self.path))

    @property
    def pem(self) -> str:
        """The authority's own certificate, as text."""
        return self._read(self.path).decode("ascii")

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key(self._read(self.key_path), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise PlatformError(f"{self.key_path} holds no elliptic-curve key: {self._remedy()}")
        return key

    def issue(self, request: Request, *, now: dt.datetime | None = None) -> str:
        """Return a new certificate with its key, as PEM text: first the certificate, then the key."""
        at = now or _clock()
        key = ec.generate_private_key(ec.SECP256R1())
        ends = min(at + dt.timedelta(days=request.days), self.certificate.not_valid_after_utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject())
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(max(at - _BACKDATED, self.certificate.not_valid_before_utc))
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(ca=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([_USAGES[usage] for usage in request.usages]), critical=False
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if request.hosts:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(request.alternatives()), critical=False
            )
        certificate = builder.sign(self._key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii") + _key_text(key)

    def keep(self, path: Path, request: Request, *, now: dt.datetime | None = None) -> bool:
        """See to it that a file holds a certificate that answers a request; return whether it was written.

        What is there stays as long as it is this authority's, says what is asked for, and is good for 30 days
        more (or, if it is asked for less than 90, for a third of them).
        """
        at = now or _clock()
        if path.exists() and self.fits(path.read_bytes(), request, now=at):
            return False
        write_whole(path, self.issue(request, now=at), mode=0o600)
        return True

    def fits(self, pem: bytes, request: Request, *, now: dt.datetime | None = None) -> bool:
        """Return whether a certificate answers a request, now and is not due for renewal."""
        try:
            found = x509.load_pem_x509_certificate(pem)
            serialization.load_pem_private_key(pem, password=None)
            found.verify_directly_issued_by(self.certificate)
            usages = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
            return False
        try:
            hosts = list(found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            hosts = []
        at = now or _clock()
        needed = min(_RENEWAL, dt.timedelta(days=request.days) / 3)
        # A certificate ends with its authority at the latest: then a new one would not last any longer.
        needed = min(needed, max(self.certificate.not_valid_after_utc - at - _BACKDATED, dt.timedelta()))
        return (
            found.subject == request.subject()
            and hosts == request.alternatives()
            and list(usages) == [_USAGES[usage] for usage in request.usages]
            and found.not_valid_before_utc <= at
            and found.not_valid_after_utc - at > needed
        )

    def _make(self, name: str, now: dt.datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]
        )  # X.520: at most 64 characters
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + dt.timedelta(days=_AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(ca=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        # The certificate comes last: where it is, the key is there, too, whenever this was interrupted.
        write_whole(self.key_path, _key_text(key), mode=0o600)
        text = certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
        write_whole(self.path, text, mode=0o644)

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise PlatformError(f"{path} cannot be read ({error.strerror}): {self._remedy()}") from None

    def _remedy(self) -> str:
        return f"restore {self.folder} from a backup, or remove it to start with a new authority"


def write_whole(path: Path, text: str, *, mode: int) -> None:
    """Write a file that has its name only when it is complete, and its mode from the start."""
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def _clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_text(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
