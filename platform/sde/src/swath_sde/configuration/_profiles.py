"""What ``swath config init`` writes: a file to start from, with the choices that matter."""

from __future__ import annotations

__all__ = ["PROFILES", "starting_file"]

_HEAD = """\
# An installation of Swath. What is left out has a default; `swath config schema` describes every key,
# `swath config validate` checks this file, `swath plan` shows what it would change.
version: 1
name: swath
"""

_IDENTITY = """
identity:
  groups:                     # who belongs together, and the role that they have everywhere
    admins: {role: platform-admin}
    developers-land: {role: developer}
    scientists: {role: reader}
    auditors: {role: reader, workspace: false}
  users:                      # first passwords are made in the cluster, never in this file
    - {username: admin, email: admin@example.org, first_name: Platform, last_name: Admin, groups: [admins]}
    - username: developer
      email: developer@example.org
      first_name: Example
      last_name: Developer
      groups: [developers-land]
"""

_COMPONENTS = """
components:
  postgresql: {storage: 10Gi}
  registry: {storage: 20Gi}
  hub:
    profiles: [jupyterlab, code-server]
    user_storage: 10Gi
    idle_minutes: 60          # a server that nobody uses is stopped, an editor left open included
    max_age_hours: 10         # no longer than a session
"""

PROFILES = {
    "embedded": "a Kubernetes that Swath makes on this machine, images built here",
    "cluster": "your own cluster, by a kubeconfig; images built in it",
    "airgap": "a site that mirrors package registries only: embedded, no image from outside",
}
"""The profiles and what each is for."""


def starting_file(profile: str) -> str:
    """Return the text of a first ``swath.yaml`` for one of the profiles.

    Raises
    ------
    KeyError
        There is no such profile.
    """
    body = {
        "embedded": """\
domain: swath.localhost       # browsers lead names below localhost to this machine
where:
  kind: embedded
  https_port: 8443
""",
        "cluster": """\
domain: swath.example.org     # a wildcard record *.swath.example.org leads to your cluster
where:
  kind: kubeconfig
  kubeconfig: kubeconfig.yaml # a relative path counts from this file's folder
  https_port: 443
images:
  builder: kaniko             # as Jobs in the cluster; buildah builds where it cannot be pulled
  registry: registry.example.org/swath  # one that the cluster can pull from
  login: registry-login.json  # buildah login --authfile registry-login.json registry.example.org
storage:
  class: null                 # the cluster's default
""",
        "airgap": """\
domain: swath.localhost
where:
  kind: embedded
  https_port: 8443
images:
  source: build               # from packages alone: apt, PyPI, npm, Maven, Go modules
  builder: buildah
""",
    }[profile]
    components = _COMPONENTS
    if profile == "cluster":
        components = components.replace("registry: {storage: 20Gi}", "registry: {enabled: false}")
    return _HEAD + body + components + _IDENTITY
