"""A certificate whose time is over, or has not come: told, renewed, and used without a restart.

The machine's clock stays: the certificates are of other times.
"""

import base64
import datetime as dt
import json
import ssl
from typing import Any

import pytest
from faults import LONG_AGO
from installation import Platform
from swath_sde.trust import Authority, Request


def served(platform: Platform) -> str:
    """Return what a client that trusts the authority says of the ingress: `good`, or why it goes away."""
    try:
        platform.ask("GET", "keycloak", "/")
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    return "good"


def put(platform: Platform, issued: str) -> None:
    """Replace the certificate of all addresses by hand, and have it loaded."""
    begin = issued.rindex("-----BEGIN")
    data = {"tls.crt": issued[:begin], "tls.key": issued[begin:]}
    patch = {"data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}}
    place = ("-n", f"{platform.name}-ingress")
    platform.kubectl(*place, "patch", "secret", "ingress-tls", "--patch", json.dumps(patch))
    # The kubelet looks at a pod that has changed at once, and at others once a minute.
    platform.kubectl(*place, "annotate", "pods", "--all", "--overwrite", f"test/touched={hash(issued)}")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (LONG_AGO + dt.timedelta(days=1), "certificate has expired"),
        pytest.param(
            dt.datetime.now(dt.UTC) + dt.timedelta(days=40),
            "certificate is not yet valid",
            marks=pytest.mark.drill,
        ),
    ],
    ids=["expired", "of-a-clock-that-is-ahead"],
)
def test_a_certificate_out_of_its_time_is_told_and_renewed_while_all_runs(
    platform: Platform, now: dt.datetime, told: str
) -> None:
    pods = ("-n", f"{platform.name}-ingress", "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    before = platform.kubectl(*pods)
    domain = platform.description["domain"]
    request = Request(f"*.{domain}", ("server",), hosts=(f"*.{domain}", domain), days=30)
    put(platform, Authority(platform.state / "trust").issue(request, now=now))
    platform.eventually(lambda: served(platform), lambda seen: seen == told)
    if told == "certificate has expired":
        refused = platform.swath("apply", "--only", "realm")
        assert refused.returncode == 1
        assert "`swath apply --only secrets` makes a new one" in refused.stderr
        assert "Traceback" not in refused.stderr
    changes: dict[str, Any] = {change["name"]: change for change in platform.plan()}
    assert set(changes) == {f"{platform.name}-ingress/ingress-tls", "delivery", "realm"}
    assert "BEGIN" not in json.dumps(changes)
    done = platform.swath("apply", "--only", "secrets")
    assert done.returncode == 0, done.stderr
    platform.eventually(lambda: served(platform), lambda seen: seen == "good", patience=60)
    assert platform.plan() == []
    assert platform.kubectl(*pods) == before
