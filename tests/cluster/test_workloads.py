"""What a Kubernetes is expected to do, done by the embedded one."""

import json
import subprocess
import urllib.request
from urllib.parse import urlsplit

import pytest
from swath_sde.cluster import NodeError


def _get(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return answer.read().decode().strip()


def test_a_pod_runs_answers_commands_and_has_logs(apply, running, kubectl, manifest, retry):
    apply(manifest.pod("web", "serve", "8080"))
    running("web")
    assert kubectl("exec", "web", "--", "/bin/probe", "id").split() == ["1000", "0"]
    assert retry(lambda: "serving 8080" in kubectl("logs", "web"))


def test_a_port_is_forwarded_to_a_pod(apply, running, manifest, forward, retry):
    apply(manifest.pod("web", "serve", "8080"))
    running("web")
    with forward("pod/web", 8080) as port:
        assert retry(lambda: _get(port) == "web")


def test_a_service_is_found_by_name_and_balances(apply, running, kubectl, manifest, retry):
    labels = {"app": "web"}
    pods = [manifest.pod(name, "serve", "8080", labels=labels) for name in ("one", "two")]
    apply(*pods, manifest.service("web", 80), manifest.pod("client", "serve", "8081"))
    running("one", "two", "client")
    seen = set()

    def both():
        seen.add(kubectl("exec", "client", "--", "/bin/probe", "get", "http://web/").strip())
        return seen == {"one", "two"}

    assert retry(both), seen


def test_a_pod_reaches_itself_through_its_service(apply, running, kubectl, manifest, retry):
    apply(manifest.pod("self", "serve", "8080", labels={"app": "web"}), manifest.service("web", 80))
    running("self")
    assert retry(lambda: kubectl("exec", "self", "--", "/bin/probe", "get", "http://web/").strip() == "self")


def test_a_node_port_is_on_this_machines_loopback(cluster, apply, running, manifest, retry):
    port = cluster.installation.where.https_port
    apply(manifest.pod("web", "serve", "8080"), manifest.service("web", port, node_port=port))
    running("web")
    assert retry(lambda: _get(port) == "web")


def test_names_of_the_installation_lead_to_the_ingress(cluster, apply, running, kubectl, manifest, retry):
    apply(manifest.pod("client", "serve", "8080"))
    running("client")
    ingress = cluster.installation.namespace("ingress")
    cluster.kubectl("delete", "namespace", ingress, "--ignore-not-found")  # another test may have left it
    cluster.kubectl("create", "namespace", ingress)
    try:
        cluster.kubectl("-n", ingress, "create", "service", "clusterip", "ingress", "--tcp=80:80")
        address = cluster.kubectl(
            "-n", ingress, "get", "service", "ingress", "-o", "jsonpath={.spec.clusterIP}"
        )
        host = cluster.installation.host("hub")
        assert retry(lambda: address in kubectl("exec", "client", "--", "/bin/probe", "lookup", host))
        assert address in cluster.run(["getent", "ahostsv4", host])  # as the container runtime resolves it
    finally:
        cluster.kubectl("delete", "namespace", ingress)


def test_names_of_the_outside_are_answered(apply, running, kubectl, manifest, retry):
    # A name that this machine can resolve: that of the proxy which it has its Go modules from.
    proxies = subprocess.run(["go", "env", "GOPROXY"], check=True, capture_output=True, text=True).stdout
    host = urlsplit(proxies.replace("|", ",").split(",")[0].strip()).hostname
    apply(manifest.pod("client", "serve", "8080"))
    running("client")
    assert retry(lambda: kubectl("exec", "client", "--", "/bin/probe", "lookup", host).startswith("["))


def test_a_volume_outlives_its_pod_and_goes_with_its_claim(cluster, apply, running, kubectl, manifest, retry):
    apply(manifest.claim("kept"), manifest.pod("first", "serve", "8080", claim="kept"))
    running("first")
    kubectl("exec", "first", "--", "/bin/probe", "write", "/data/file", "still here")
    kubectl("delete", "pod", "first")
    apply(manifest.pod("second", "serve", "8080", claim="kept"))
    running("second")
    assert kubectl("exec", "second", "--", "/bin/probe", "read", "/data/file").strip() == "still here"
    volume = kubectl("get", "pvc", "kept", "-o", "jsonpath={.spec.volumeName}")
    folder = cluster.state / "data" / "volumes" / volume
    assert (folder / "file").read_text() == "still here"
    kubectl("delete", "pod", "second")
    kubectl("delete", "pvc", "kept")
    assert retry(lambda: not folder.exists())


def test_a_deployment_is_replaced_without_a_gap(apply, kubectl, manifest, retry):
    spec = manifest.pod("web", "serve", "8080")
    del spec["spec"]["restartPolicy"]
    spec["spec"]["containers"][0]["readinessProbe"] = {
        "httpGet": {"path": "/", "port": 8080},
        "periodSeconds": 1,
    }
    template = {"metadata": {"labels": {"app": "web"}}, "spec": spec["spec"]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template},
    }
    apply(deployment)
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    before = set(kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}").split())
    kubectl(
        "patch",
        "deployment",
        "web",
        "-p",
        json.dumps({"spec": {"template": {"metadata": {"labels": {"v": "2"}}}}}),
    )
    kubectl("rollout", "status", "deployment/web", "--timeout=60s")
    after = set(kubectl("get", "pods", "-l", "v=2", "-o", "jsonpath={.items[*].metadata.name}").split())
    assert len(after) == 2
    assert not before & after
    assert kubectl("get", "deployment", "web", "-o", "jsonpath={.status.availableReplicas}") == "2"


def test_memory_is_limited(apply, kubectl, manifest, retry):
    apply(manifest.pod("glutton", "eat", "200", memory="64Mi"))
    path = "jsonpath={.status.containerStatuses[0].state.terminated.reason}"
    assert retry(lambda: kubectl("get", "pod", "glutton", "-o", path)) == "OOMKilled"


def test_memory_within_the_limit_is_had(apply, kubectl, manifest, retry):
    apply(manifest.pod("modest", "eat", "40", memory="128Mi"))
    path = "jsonpath={.status.containerStatuses[0].state.terminated.reason}"
    assert retry(lambda: kubectl("get", "pod", "modest", "-o", path)) == "Completed"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda spec: spec.update(hostNetwork=True), "hostNetwork"),
        (
            lambda spec: spec["containers"][0]["securityContext"].update(
                privileged=True, allowPrivilegeEscalation=True
            ),
            "privileged",
        ),
        (lambda spec: spec["securityContext"].update(runAsUser=0), "runAsUser=0"),
        (lambda spec: spec["volumes"].append({"name": "x", "hostPath": {"path": "/"}}), "hostPath"),
    ],
    ids=["host network", "privileged", "root", "host path"],
)
def test_pods_that_are_not_restricted_are_refused(apply, manifest, change, told):
    pod = manifest.pod("bad", "serve", "8080")
    change(pod["spec"])
    with pytest.raises(NodeError, match=rf'violates PodSecurity "restricted:latest".*{told}'):
        apply(pod)


def test_a_namespace_can_be_loosened_in_writing(cluster, namespace, apply, manifest):
    cluster.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=privileged")
    pod = manifest.pod("more", "serve", "8080")
    pod["spec"]["hostNetwork"] = True
    assert "created" in apply(pod)


def _policy(name, selected, **spec):
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {"matchLabels": {"app": selected}}, **spec},
    }


def test_network_policies_are_enforced(cluster, apply, running, kubectl, manifest, retry):
    assert cluster.status().network_policies_enforced
    names = ("web", "friend", "stranger")
    apply(*(manifest.pod(name, "serve", "8080") for name in names), manifest.service("web", 80))
    running(*names)

    def reaches(name):
        try:
            return kubectl("exec", name, "--", "/bin/probe", "get", "http://web/").strip() == "web"
        except NodeError:
            return False

    assert retry(lambda: reaches("friend"))
    assert retry(lambda: reaches("stranger"))
    allowed = [{"from": [{"podSelector": {"matchLabels": {"app": "friend"}}}]}]
    apply(_policy("friends-only", "web", policyTypes=["Ingress"], ingress=allowed))
    assert retry(lambda: not reaches("stranger"))
    assert retry(lambda: reaches("friend"))
    names_only = [{"ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")]}]
    apply(_policy("names-only", "friend", policyTypes=["Egress"], egress=names_only))
    assert retry(lambda: not reaches("friend"))
    assert "10.96." in kubectl("exec", "friend", "--", "/bin/probe", "lookup", "web")

    # What the node itself offers is not left out: the API server and the kubelet, by any address.
    def told(address, *, by):
        with pytest.raises(NodeError) as refused:
            kubectl("exec", by, "--", "/bin/probe", "get", address)
        return str(refused.value)

    for address in (
        "https://kubernetes.default.svc/",
        "https://10.0.2.100:6443/",
        "https://10.0.2.100:7250/",
    ):
        assert "certificate" in told(
            address, by="stranger"
        )  # it has a connection, and does not know who answers
        assert "imeout" in told(address, by="friend")
    by_address = [{"to": [{"ipBlock": {"cidr": "10.0.2.100/32"}}], "ports": [{"port": 6443}]}, *names_only]
    apply(_policy("names-only", "friend", policyTypes=["Egress"], egress=by_address))
    assert retry(lambda: "certificate" in told("https://kubernetes.default.svc/", by="friend"))
    assert "imeout" in told("https://10.0.2.100:7250/", by="friend")
    kubectl("delete", "networkpolicy", "--all")
    assert retry(lambda: reaches("friend"))
    assert retry(lambda: reaches("stranger"))
