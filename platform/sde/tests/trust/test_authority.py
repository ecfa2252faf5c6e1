"""Private authorities: what they issue, and when they issue it anew. Dates are shifted, never the clock."""

import datetime as dt
import ssl
import stat

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from swath_sde.errors import PlatformError
from swath_sde.trust import Authority, Request

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
SERVER = Request("web", ("server",), hosts=("*.swath.localhost", "swath.localhost", "127.0.0.1"), days=90)


@pytest.fixture
def authority(tmp_path):
    return Authority.at(tmp_path / "ca", name="Test", now=NOW)


def _verify(authority, pem, *, host="hub.swath.localhost", at=NOW):
    policy = PolicyBuilder().store(Store([authority.certificate])).time(at)
    policy.build_server_verifier(x509.DNSName(host)).verify(x509.load_pem_x509_certificate(pem.encode()), [])


def test_a_certificate_is_good_for_its_hosts_and_its_time(authority):
    pem = authority.issue(SERVER, now=NOW)
    _verify(authority, pem)
    _verify(authority, pem, at=NOW + dt.timedelta(days=89))
    for host, at in (("example.org", NOW), ("hub.swath.localhost", NOW + dt.timedelta(days=91))):
        with pytest.raises(VerificationError):
            _verify(authority, pem, host=host, at=at)


def test_another_authority_does_not_vouch_for_it(authority, tmp_path):
    other = Authority.at(tmp_path / "other", name="Test", now=NOW)
    with pytest.raises(VerificationError):
        _verify(other, authority.issue(SERVER, now=NOW))


def test_a_client_certificate_is_none_for_a_server(authority):
    pem = authority.issue(Request("ada", ("client",), organizations=("group",), hosts=("web.test",)), now=NOW)
    with pytest.raises(VerificationError):
        _verify(authority, pem, host="web.test")
    subject = x509.load_pem_x509_certificate(pem.encode()).subject.rfc4514_string()
    assert subject == "CN=ada,O=group"


def test_openssl_takes_certificate_and_key_from_one_file(authority, tmp_path):
    assert authority.keep(tmp_path / "web.pem", SERVER, now=NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "web.pem")


def test_keys_are_for_their_owner_alone(authority, tmp_path):
    authority.keep(tmp_path / "web.pem", SERVER, now=NOW)
    for file in (authority.key_path, tmp_path / "web.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700
    assert "PRIVATE" not in authority.pem


def test_the_authority_stays_the_same(authority):
    again = Authority.at(authority.folder, name="Another name", now=NOW + dt.timedelta(days=100))
    assert again.certificate == authority.certificate


@pytest.mark.parametrize(
    ("days", "after", "renewed"),
    [
        (365, 334, False),
        (365, 336, True),
        (90, 59, False),
        (90, 61, True),
        (6, 3, False),
        (6, 5, True),
        (90, 99, True),
    ],
)
def test_it_is_renewed_when_thirty_days_or_a_third_are_left(authority, tmp_path, days, after, renewed):
    request = Request("web", ("server",), hosts=("web.test",), days=days)
    file = tmp_path / "web.pem"
    assert authority.keep(file, request, now=NOW)
    assert authority.keep(file, request, now=NOW + dt.timedelta(days=after)) is renewed
    assert authority.fits(file.read_bytes(), request, now=NOW + dt.timedelta(days=after))


def test_a_certificate_from_the_future_is_renewed(authority, tmp_path):
    file = tmp_path / "web.pem"
    authority.keep(file, SERVER, now=NOW + dt.timedelta(days=3))
    assert authority.keep(file, SERVER, now=NOW + dt.timedelta(hours=1))


@pytest.mark.parametrize(
    "other",
    [
        Request("other", SERVER.usages, hosts=SERVER.hosts, days=90),
        Request("web", ("server", "client"), hosts=SERVER.hosts, days=90),
        Request("web", SERVER.usages, hosts=("web.test",), days=90),
        Request("web", SERVER.usages, hosts=SERVER.hosts, organizations=("x",), days=90),
    ],
    ids=["name", "usage", "hosts", "organization"],
)
def test_one_that_says_something_else_is_replaced(authority, tmp_path, other):
    file = tmp_path / "web.pem"
    authority.keep(file, SERVER, now=NOW)
    assert authority.keep(file, other, now=NOW)
    assert not authority.keep(file, other, now=NOW)


@pytest.mark.parametrize(
    "damage", [lambda text: text[:0], lambda text: text[: len(text) // 2], lambda text: "x" + text[40:]]
)
def test_a_damaged_file_is_replaced(authority, tmp_path, damage):
    file = tmp_path / "web.pem"
    authority.keep(file, SERVER, now=NOW)
    file.write_text(damage(file.read_text()))
    assert authority.keep(file, SERVER, now=NOW)
    _verify(authority, file.read_text())


def test_a_certificate_does_not_outlive_its_authority_nor_is_it_renewed_for_ever(authority, tmp_path):
    late = NOW + dt.timedelta(days=3640)
    file = tmp_path / "web.pem"
    authority.keep(file, SERVER, now=late)
    assert x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc == (
        authority.certificate.not_valid_after_utc
    )
    assert not authority.keep(file, SERVER, now=late + dt.timedelta(days=1))


def test_a_lost_key_is_told_with_its_remedy(authority):
    authority.key_path.unlink()
    with pytest.raises(PlatformError, match=r"ca\.key cannot be read.*backup"):
        Authority.at(authority.folder, name="Test").issue(SERVER, now=NOW)
