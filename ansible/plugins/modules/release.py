#!/usr/bin/python
"""Ansible module swath.sde.release."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Install, change or remove the Helm release of a component
version_added: 0.1.0
description:
  - Renders the chart of one component from C(swath.yaml), compares it with what is in the cluster, and where
    that differs upgrades or installs the release.
  - Objects that Swath did not make are never changed nor removed.
options:
  component:
    description:
      - Name of the component, as in C(components) of C(swath.yaml).
    type: str
    required: true
    choices: [ingress, registry, postgresql, keycloak, hub]
  state:
    description:
      - V(present), the release is in the cluster as C(swath.yaml) has it.
      - V(absent), it is removed. Volumes stay.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - swath.sde.installation
author:
  - the Swath maintainers
"""

EXAMPLES = r"""
- name: Keycloak
  swath.sde.release:
    file: /etc/swath/swath.yaml
    component: keycloak

- name: No JupyterHub any more
  swath.sde.release:
    file: /etc/swath/swath.yaml
    component: hub
    state: absent
"""

RETURN = r"""
changes:
  description: What was done, or in check mode what would be done, one entry an object.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: What the object is, in the words of its own system.
      type: str
      sample: Helm release
    name:
      description: Its name there.
      type: str
      sample: keycloak
    action:
      description: One of C(create), C(update) and C(delete).
      type: str
      sample: update
    details:
      description: What differs, a line each.
      type: list
      elements: str
exit_status:
  description: On failure, 1 if something failed, 2 if C(swath.yaml) is refused, 130 if it was interrupted.
  returned: failure
  type: int
"""

from typing import Any

from ansible_collections.swath.sde.plugins.module_utils.parts import no_cluster, release
from ansible_collections.swath.sde.plugins.module_utils.work import Work, perform

COMPONENTS = ["ingress", "registry", "postgresql", "keycloak", "hub"]


def _choose(options: dict[str, Any]) -> Work:
    component = options["component"]
    if options["state"] == "present":
        return release(component)
    from swath_sde.changes import Action, Change  # noqa: PLC0415 -- as in work.py
    from swath_sde.releases import release_status, remove_release  # noqa: PLC0415

    def plan(installation: Any) -> list[Any]:
        if no_cluster(installation) or release_status(installation, component).status == "absent":
            return []
        return [Change("Helm release", component, Action.DELETE)]

    return Work(
        plan=plan,
        apply=lambda it, _progress: remove_release(it, component) if not no_cluster(it) else [],
    )


def main() -> None:
    """Run the module."""
    perform(
        "release",
        {
            "component": {"type": "str", "required": True, "choices": COMPONENTS},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        _choose,
    )


if __name__ == "__main__":
    main()
