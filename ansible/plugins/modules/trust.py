#!/usr/bin/python
"""Ansible module swath.sde.trust."""

from __future__ import annotations

DOCUMENTATION = r"""
module: trust
short_description: Make the private certificate authority, the certificates and the generated secrets
version_added: 0.1.0
description:
  - Makes in the cluster what the components share before they are released, namely the namespaces, the
    private certificate authority with the certificates that it signed, the bundle that every pod trusts, and
    generated passwords.
  - What is there stays. A certificate is renewed when less than 30 days, or a third of its time, are left.
options:
  state:
    description:
      - V(present), all of it is in the cluster.
      - V(absent), the namespaces of the installation are removed with all that is in them, volumes included.
    type: str
    choices: [present, absent]
    default: present
extends_documentation_fragment:
  - swath.sde.installation
author:
  - the Swath maintainers
"""

EXAMPLES = r"""
- name: Certificates and secrets
  swath.sde.trust:
    file: /etc/swath/swath.yaml
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
      sample: Secret
    name:
      description: Its name there.
      type: str
      sample: swath-ingress/ingress-tls
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

from ansible_collections.swath.sde.plugins.module_utils.parts import no_cluster, secrets
from ansible_collections.swath.sde.plugins.module_utils.work import Work, perform


def _choose(options: dict[str, Any]) -> Work:
    if options["state"] == "present":
        return secrets()
    from swath_sde.changes import Action, Change  # noqa: PLC0415 -- as in work.py
    from swath_sde.objects import objects_of  # noqa: PLC0415
    from swath_sde.secrets import remove_namespaces  # noqa: PLC0415

    def plan(installation: Any) -> list[Any]:
        if no_cluster(installation):
            return []  # it went with the cluster
        names = {
            installation.namespace(component) for component in type(installation.components).model_fields
        }
        there = [body["metadata"]["name"] for body in objects_of(installation).list("Namespace", None)]
        return [Change("Namespace", name, Action.DELETE) for name in there if name in names]

    return Work(plan=plan, apply=lambda it, _progress: [] if no_cluster(it) else remove_namespaces(it))


def main() -> None:
    """Run the module."""
    perform(
        "trust", {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}, _choose
    )


if __name__ == "__main__":
    main()
