"""The configuration files of the node's programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from swath_sde.cluster._keys import KEYS_INSIDE
from swath_sde.cluster._layout import INSIDE
from swath_sde.cluster._room import FLOOR, INODES
from swath_sde.cluster._settings import CLUSTER_DOMAIN, DNS_ADDRESS, GATEWAY, NODE_ADDRESS, POD_NETWORK

if TYPE_CHECKING:
    from swath_sde.cluster._settings import Settings

__all__ = ["CONFIGURATION_INSIDE", "PAUSE_IMAGE", "PORTS", "STORAGE_CLASS", "configuration_files"]

CONFIGURATION_INSIDE = INSIDE / "configuration"
"""The configuration, as the node's processes see it."""
PAUSE_IMAGE = "swath.invalid/pause:1"
"""Image of the first process of each pod; its registry does not exist, as it is brought along."""
STORAGE_CLASS = "swath-local"
"""Name of the default storage class."""
PORTS = {
    "kubelet": 7250, "kubelet-health": 7248, "proxy-health": 7256, "proxy-metrics": 7249, "controllers": 7257,
    "scheduler": 7259, "dns-health": 7252, "dns-ready": 7253,
}  # fmt: skip
"""Ports inside the node, below those that a Service may take as its NodePort."""


def configuration_files(
    settings: Settings, *, runtime_capped: bool, cgroup_root: str, authority: str
) -> dict[str, str]:
    """Return all files by their names.

    Parameters
    ----------
    settings
        The cluster.
    runtime_capped
        Whether this process lacks CAP_SYS_RESOURCE, so that the out-of-memory scores cannot be lowered.
    cgroup_root
        The cgroup that holds those of the pods.
    authority
        Certificate of the installation's authority, which the API server trusts for the users' issuer and the
        container runtime for the registry.
    """
    return {
        "containerd.toml": _containerd(runtime_capped=runtime_capped),
        "network/10-swath.conflist": json.dumps(_network(), indent=2) + "\n",
        f"registries/registry.{settings.domain}:{settings.https_port}/hosts.toml": _registry(settings),
        "installation-ca.crt": authority,
        "kubelet.yaml": _yaml(_kubelet(cgroup_root)),
        "proxy.yaml": _yaml(_proxy(settings)),
        "admission.yaml": _yaml(_admission()),
        "authentication.yaml": _yaml(_authentication(settings, authority)),
        "audit.yaml": _yaml(_audit()),
        "Corefile": _corefile(settings),
        "resolv.conf": f"nameserver {NODE_ADDRESS}\n",
        "hosts": f"127.0.0.1 localhost\n::1 localhost\n{NODE_ADDRESS} {settings.name}\n",
    }


def _yaml(content: dict[str, Any]) -> str:
    return yaml.safe_dump(content, sort_keys=False)


def _containerd(*, runtime_capped: bool) -> str:
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # Without CAP_SYS_RESOURCE nothing may have a lower score than this process; asking ends the container.
  restrict_oom_score_adj = {str(runtime_capped).lower()}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{CONFIGURATION_INSIDE}/network"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{CONFIGURATION_INSIDE}/registries"
"""


def _registry(settings: Settings) -> str:
    server = f"https://registry.{settings.domain}:{settings.https_port}"
    return f"""\
server = "{server}"

[host."{server}"]
  capabilities = ["pull", "resolve"]
  ca = "{CONFIGURATION_INSIDE}/installation-ca.crt"
"""


def _network() -> dict[str, Any]:
    return {
        "cniVersion": "1.0.0",
        "name": "swath",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isGateway": True,
                "ipMasq": True,
                "hairpinMode": True,  # a pod reaches itself through its Service
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni/addresses",  # addresses do not outlive the node
                    "ranges": [[{"subnet": POD_NETWORK}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _kubelet(cgroup_root: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE_ADDRESS,
        "port": PORTS["kubelet"],
        "healthzPort": PORTS["kubelet-health"],
        "tlsCertFile": str(KEYS_INSIDE / "kubelet-server.pem"),
        "tlsPrivateKeyFile": str(KEYS_INSIDE / "kubelet-server.pem"),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(KEYS_INSIDE / "cluster" / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "clusterDomain": CLUSTER_DOMAIN,
        "clusterDNS": [DNS_ADDRESS],
        "resolvConf": "/etc/resolv.conf",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup_root,
        "failCgroupV1": False,
        "failSwapOn": False,
        "seccompDefault": True,
        "serializeImagePulls": False,
        "maxParallelImagePulls": 3,
        "maxPods": 200,
        "podPidsLimit": 4096,
        # The images that were brought along have no registry to come back from: none is thrown away.
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "87600h",  # nor on a full disk: longer than any kubelet runs
        "evictionHard": {
            "memory.available": "200Mi", "nodefs.available": f"{FLOOR >> 20}Mi",
            "imagefs.available": f"{FLOOR >> 20}Mi", "nodefs.inodesFree": f"{INODES}%",
        },
        # A disk that was full is used again soon after room was made; on one node, nothing moves elsewhere.
        "evictionPressureTransitionPeriod": "20s",
        "containerLogMaxSize": "20Mi",
        "containerLogMaxFiles": 3,
        "nodeStatusReportFrequency": "1m",
        "shutdownGracePeriod": "0s",
    }  # fmt: skip


def _proxy(settings: Settings) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(KEYS_INSIDE / "proxy.kubeconfig")},
        "clusterCIDR": POD_NETWORK,
        "hostnameOverride": settings.name,
        "healthzBindAddress": f"127.0.0.1:{PORTS['proxy-health']}",
        "metricsBindAddress": f"127.0.0.1:{PORTS['proxy-metrics']}",
        # The table's size is the whole machine's: not this cluster's to change.
        "conntrack": {"maxPerCore": 0, "min": 0},
        "oomScoreAdj": 0,
    }


def _admission() -> dict[str, Any]:
    levels = dict.fromkeys(("enforce", "audit", "warn"), "restricted")
    versions = {f"{mode}-version": "latest" for mode in levels}
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [
            {
                "name": "PodSecurity",
                "configuration": {
                    "apiVersion": "pod-security.admission.config.k8s.io/v1",
                    "kind": "PodSecurityConfiguration",
                    "defaults": levels | versions,
                    # None: what needs more has it written on its namespace, where it can be seen.
                    "exemptions": {"usernames": [], "runtimeClasses": [], "namespaces": []},
                },
            }
        ],
    }


def _authentication(settings: Settings, ca: str) -> dict[str, Any]:
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {
            "enabled": True,
            "conditions": [{"path": path} for path in ("/livez", "/readyz", "/healthz")],
        },
        "jwt": [
            {
                "issuer": {"url": settings.issuer, "certificateAuthority": ca, "audiences": ["kubernetes"]},
                "claimMappings": {
                    "username": {"claim": "preferred_username", "prefix": "oidc:"},
                    "groups": {"claim": "groups", "prefix": "oidc:"},
                },
            }
        ],
    }


def _audit() -> dict[str, Any]:
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "nonResourceURLs": ["/livez*", "/readyz*", "/healthz*", "/version"]},
            {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
            {"level": "None", "resources": [{"resources": ["events"]}, {"group": "events.k8s.io"}]},
            {
                "level": "None",
                "users": [
                    "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy",
                    "system:apiserver", "swath:dns", "swath:volumes", "swath:policies",
                ],
                "verbs": ["get", "list", "watch"],
            },
            # Who did what to which object; never what was in it.
            {"level": "Metadata"},
        ],
    }  # fmt: skip


def _corefile(settings: Settings) -> str:
    ingress = f"ingress.{settings.ingress_namespace}.svc.{CLUSTER_DOMAIN}."
    return f"""\
.:53 {{
    bind {NODE_ADDRESS}
    reload
    health 127.0.0.1:{PORTS["dns-health"]}
    ready 127.0.0.1:{PORTS["dns-ready"]}
    errors
    cache 10
    template IN A {settings.domain} {{
        answer "{{{{ .Name }}}} 10 IN CNAME {ingress}"
    }}
    template IN AAAA {settings.domain} {{
        answer "{{{{ .Name }}}} 10 IN CNAME {ingress}"
    }}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {KEYS_INSIDE}/dns.kubeconfig
        ttl 5
        fallthrough in-addr.arpa ip6.arpa
    }}
    forward . {GATEWAY}
}}
"""
