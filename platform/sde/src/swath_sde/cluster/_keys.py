"""The certificates, keys and kubeconfigs of a cluster's inside."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from swath_sde.cluster._layout import INSIDE
from swath_sde.cluster._settings import CLUSTER_DOMAIN, NODE_ADDRESS, SERVICE_ADDRESS
from swath_sde.trust import Authority, Request, write_whole

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from swath_sde.cluster._settings import Settings
    from swath_sde.trust import Usage

__all__ = ["KEYS_INSIDE", "certificates_until", "keep_keys"]

KEYS_INSIDE = INSIDE / "keys"
"""The keys, as the node's processes see them."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One certificate of the node."""

    authority: str
    """Which authority issues it."""
    request: Request
    """What it says."""
    programs: tuple[str, ...]
    """The programs that read it when they start."""
    kubeconfig: bool = False
    """Whether a kubeconfig belongs to it."""


def _wanted(settings: Settings) -> dict[str, _Wanted]:
    """Return the certificates by name."""
    client: tuple[Usage, ...] = ("client",)
    both: tuple[Usage, ...] = ("server", "client")

    def user(name: str, program: str, *groups: str) -> _Wanted:
        return _Wanted("cluster", Request(name, client, organizations=groups), (program,), kubeconfig=True)

    kubernetes = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    return {
        "apiserver": _Wanted(
            "cluster",
            Request(
                "kube-apiserver",
                ("server",),
                hosts=(
                    *kubernetes, f"kubernetes.default.svc.{CLUSTER_DOMAIN}", "localhost", settings.name,
                    "127.0.0.1", NODE_ADDRESS, SERVICE_ADDRESS,
                ),
            ),
            ("apiserver",),
        ),
        "apiserver-kubelet": _Wanted(
            "cluster", Request("kube-apiserver-kubelet-client", client), ("apiserver",)
        ),
        "apiserver-etcd": _Wanted("etcd", Request("kube-apiserver", client), ("apiserver",)),
        "front-proxy": _Wanted("front-proxy", Request("front-proxy-client", client), ("apiserver",)),
        "etcd": _Wanted("etcd", Request("etcd", both, hosts=("localhost", "127.0.0.1")), ("etcd",)),
        "kubelet-server": _Wanted(
            "cluster",
            Request(f"system:node:{settings.name}", ("server",), hosts=(settings.name, NODE_ADDRESS)),
            ("kubelet",),
        ),
        "kubelet": user(f"system:node:{settings.name}", "kubelet", "system:nodes"),
        "controller-manager": user("system:kube-controller-manager", "controller-manager"),
        "scheduler": user("system:kube-scheduler", "scheduler"),
        "proxy": user("system:kube-proxy", "proxy"),
        "dns": user("swath:dns", "dns"),
        "volumes": user("swath:volumes", "volumes"),
        "policies": user("swath:policies", "policies"),
    }  # fmt: skip


def keep_keys(settings: Settings, *, now: dt.datetime | None = None, anew: bool = False) -> set[str]:
    """See to it that all keys and certificates are good; return the programs whose own were renewed.

    Parameters
    ----------
    settings
        The cluster.
    now
        The time to count from; by default the clock's.
    anew
        Issue all certificates again, whether they are due or not.
    """
    folder = settings.layout.keys
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authorities = {
        name: Authority.at(folder / name, name=f"{settings.name} {name}", now=now)
        for name in ("cluster", "etcd", "front-proxy")
    }
    renewed: set[str] = set()
    inside = "https://127.0.0.1:6443"
    for name, wanted in _wanted(settings).items():
        pem = folder / f"{name}.pem"
        if anew:
            pem.unlink(missing_ok=True)
        if authorities[wanted.authority].keep(pem, wanted.request, now=now):
            renewed.update(wanted.programs)
        if wanted.kubeconfig:
            key = str(KEYS_INSIDE / f"{name}.pem")
            user = {"client-certificate": key, "client-key": key}
            _kubeconfig(
                folder / f"{name}.kubeconfig", authorities["cluster"].pem, inside, settings.name, user
            )
    _keep_secrets(folder)
    _keep_administrator(settings, authorities["cluster"], now, anew=anew)
    return renewed


def certificates_until(settings: Settings) -> dt.datetime | None:
    """Return when the first of the certificates ends; None where there are none."""
    files = settings.layout.keys.glob("*.pem")
    ends = [x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc for file in files]
    return min(ends, default=None)


def _keep_administrator(
    settings: Settings, authority: Authority, now: dt.datetime | None, *, anew: bool
) -> None:
    """See to the administrator's kubeconfig, which carries its certificate within."""
    pem = settings.layout.keys / "administrator.pem"
    if anew:
        pem.unlink(missing_ok=True)
    authority.keep(
        pem, Request("swath:administrator", ("client",), organizations=("system:masters",)), now=now
    )
    encoded = base64.b64encode(pem.read_bytes()).decode("ascii")
    _kubeconfig(
        settings.layout.kubeconfig,
        authority.pem,
        f"https://127.0.0.1:{settings.api_port}",
        settings.name,
        {"client-certificate-data": encoded, "client-key-data": encoded},
    )


def _keep_secrets(folder: Path) -> None:
    """See to the keys that are made once and stay: what they have signed or encrypted must stay readable."""
    signing = folder / "service-accounts.key"
    if not signing.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        write_whole(signing, text.decode("ascii"), mode=0o600)
    encryption = folder / "encryption.yaml"
    if not encryption.exists():
        key_text = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
        content = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [
                {
                    "resources": ["secrets"],
                    "providers": [
                        {"secretbox": {"keys": [{"name": "first", "secret": key_text}]}},
                        {"identity": {}},
                    ],
                }
            ],
        }
        write_whole(encryption, yaml.safe_dump(content), mode=0o600)


def _kubeconfig(path: Path, authority: str, server: str, name: str, user: dict[str, str]) -> None:
    encoded = base64.b64encode(authority.encode()).decode("ascii")
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": encoded}}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    text = yaml.safe_dump(content, sort_keys=False)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_whole(path, text, mode=0o600)
