"""The programs inside the node, as the supervisor is told of them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from swath_sde.cluster._configuration import CONFIGURATION_INSIDE, PORTS
from swath_sde.cluster._keys import KEYS_INSIDE
from swath_sde.cluster._layout import INSIDE, LOGS, PROGRAMS, RUN
from swath_sde.cluster._settings import CLUSTER_DOMAIN, NODE_ADDRESS, POD_NETWORK, SERVICE_NETWORK

if TYPE_CHECKING:
    from swath_sde.cluster._settings import Settings

__all__ = ["VOLUMES", "inner_supervisor", "programs"]

VOLUMES = INSIDE / "volumes"
"""Folder of the volumes, as the node's processes see it."""


def programs(settings: Settings) -> dict[str, list[str]]:
    """Return the command lines by name, in the order in which they start."""
    node = str(PROGRAMS / "node")
    keys = KEYS_INSIDE
    etcd = ["127.0.0.1:2379", "127.0.0.1:2380"]
    found = {
        "etcd": [
            node, "etcd", f"--name={settings.name}", "--data-dir=/var/lib/etcd", "--logger=zap",
            "--log-level=warn",
            f"--listen-client-urls=https://{etcd[0]}", f"--advertise-client-urls=https://{etcd[0]}",
            f"--listen-peer-urls=https://{etcd[1]}", f"--initial-advertise-peer-urls=https://{etcd[1]}",
            f"--initial-cluster={settings.name}=https://{etcd[1]}",
            *_pair("", keys / "etcd.pem"), *_pair("peer-", keys / "etcd.pem"),
            f"--trusted-ca-file={keys}/etcd/ca.crt", f"--peer-trusted-ca-file={keys}/etcd/ca.crt",
            "--client-cert-auth", "--peer-client-cert-auth",
        ],
        "containerd": ["/usr/bin/containerd", "--config", f"{CONFIGURATION_INSIDE}/containerd.toml"],
        "apiserver": [node, "kube-apiserver", *_api_server()],
        "controller-manager": [
            node, "kube-controller-manager", "--bind-address=127.0.0.1",
            f"--secure-port={PORTS['controllers']}",
            "--leader-elect=false", "--use-service-account-credentials", "--profiling=false",
            f"--cluster-cidr={POD_NETWORK}", "--allocate-node-cidrs=false",
            f"--cluster-signing-cert-file={keys}/cluster/ca.crt",
            f"--cluster-signing-key-file={keys}/cluster/ca.key",
            f"--root-ca-file={keys}/cluster/ca.crt",
            f"--service-account-private-key-file={keys}/service-accounts.key",
            *_delegated(f"{keys}/controller-manager.kubeconfig"),
        ],
        "scheduler": [
            node, "kube-scheduler", "--bind-address=127.0.0.1", f"--secure-port={PORTS['scheduler']}",
            "--leader-elect=false", "--profiling=false", *_delegated(f"{keys}/scheduler.kubeconfig"),
        ],
        "kubelet": [
            node, "kubelet", f"--config={CONFIGURATION_INSIDE}/kubelet.yaml",
            f"--kubeconfig={keys}/kubelet.kubeconfig", f"--hostname-override={settings.name}",
            f"--node-ip={NODE_ADDRESS}", "--root-dir=/var/lib/kubelet", "--cert-dir=/var/lib/kubelet/pki",
        ],
        "proxy": [node, "kube-proxy", f"--config={CONFIGURATION_INSIDE}/proxy.yaml"],
        "dns": [node, "coredns", "-conf", f"{CONFIGURATION_INSIDE}/Corefile"],
        "volumes": [
            node, "volume-provisioner", f"--kubeconfig={keys}/volumes.kubeconfig", f"--node={settings.name}",
            f"--root={VOLUMES}",
        ],
        "policies": [
            node, "network-policies", f"--kubeconfig={keys}/policies.kubeconfig", f"--node={settings.name}",
            f"--pods={POD_NETWORK}",
        ],
    }  # fmt: skip
    if not settings.policies:
        del found["policies"]
    return found


def _pair(prefix: str, pem: object) -> list[str]:
    return [f"--{prefix}cert-file={pem}", f"--{prefix}key-file={pem}"]


def _delegated(kubeconfig: str) -> list[str]:
    return [
        f"--{name}={kubeconfig}"
        for name in ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    ]


def _api_server() -> list[str]:
    keys = KEYS_INSIDE
    return [
        f"--advertise-address={NODE_ADDRESS}", "--secure-port=6443", "--allow-privileged=true",
        "--profiling=false", "--etcd-servers=https://127.0.0.1:2379", f"--etcd-cafile={keys}/etcd/ca.crt",
        f"--etcd-certfile={keys}/apiserver-etcd.pem", f"--etcd-keyfile={keys}/apiserver-etcd.pem",
        f"--client-ca-file={keys}/cluster/ca.crt",
        f"--tls-cert-file={keys}/apiserver.pem", f"--tls-private-key-file={keys}/apiserver.pem",
        f"--kubelet-certificate-authority={keys}/cluster/ca.crt",
        "--kubelet-preferred-address-types=InternalIP",
        f"--kubelet-client-certificate={keys}/apiserver-kubelet.pem",
        f"--kubelet-client-key={keys}/apiserver-kubelet.pem",
        f"--requestheader-client-ca-file={keys}/front-proxy/ca.crt",
        "--requestheader-allowed-names=front-proxy-client", "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={keys}/front-proxy.pem", f"--proxy-client-key-file={keys}/front-proxy.pem",
        f"--service-account-issuer=https://kubernetes.default.svc.{CLUSTER_DOMAIN}",
        f"--service-account-key-file={keys}/service-accounts.key",
        f"--service-account-signing-key-file={keys}/service-accounts.key",
        f"--service-cluster-ip-range={SERVICE_NETWORK}", "--service-node-port-range=8000-32767",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
        f"--admission-control-config-file={CONFIGURATION_INSIDE}/admission.yaml",
        f"--authentication-config={CONFIGURATION_INSIDE}/authentication.yaml",
        f"--encryption-provider-config={keys}/encryption.yaml",
        f"--audit-policy-file={CONFIGURATION_INSIDE}/audit.yaml", f"--audit-log-path={LOGS}/audit.log",
        "--audit-log-maxsize=20", "--audit-log-maxbackup=5", "--audit-log-maxage=30",
        "--audit-log-mode=batch",
    ]  # fmt: skip


def inner_supervisor(settings: Settings) -> str:
    """Return the configuration of the supervisor that is the node's first process."""
    parts = [
        f"""\
[supervisord]
nodaemon=true
user=root
logfile={LOGS}/supervisor.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile=/run/swath/supervisor.pid
childlogdir={LOGS}
directory=/
strip_ansi=true

[unix_http_server]
file={RUN}/node.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
    ]
    for order, (name, command) in enumerate(programs(settings).items()):
        parts.append(f"""\
[program:{name}]
command={shlex.join(command).replace("%", "%%")}
priority={10 * (order + 1)}
autorestart=true
startsecs=1
startretries=1000
stopwaitsecs=15
redirect_stderr=true
stdout_logfile={LOGS}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
""")
    return "\n".join(parts)
