#!/usr/bin/python
"""Ansible module swath.sde.images."""

from __future__ import annotations

DOCUMENTATION = r"""
module: images
short_description: Build the images of an installation and deliver them
version_added: 0.1.0
description:
  - Builds the images of the enabled components from the Dockerfiles of Swath, and delivers them to the
    registry of the installation.
  - The tag of an image follows from all that it is made of. What is there already is not built again.
options:
  state:
    description:
      - V(built), they are in the machine's cache.
      - V(imported), the two that the registry and the way to it are made of are in the embedded cluster's own
        store, as it cannot pull them from a registry that does not run yet. Nothing is done on your own.
      - V(delivered), all others are in the registry.
    type: str
    choices: [built, imported, delivered]
    default: delivered
extends_documentation_fragment:
  - swath.sde.installation
author:
  - the Swath maintainers
"""

EXAMPLES = r"""
- name: Build all images
  swath.sde.images:
    file: /etc/swath/swath.yaml
    state: built

- name: Deliver them to the registry
  swath.sde.images:
    file: /etc/swath/swath.yaml
    state: delivered
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
      sample: Image
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

from ansible_collections.swath.sde.plugins.module_utils.parts import build, delivery
from ansible_collections.swath.sde.plugins.module_utils.work import Work, perform


def _choose(options: dict[str, Any]) -> Work:
    if options["state"] == "built":
        return build()
    if options["state"] == "delivered":
        return delivery(first=False)
    first = delivery(first=True)

    def embedded(installation: Any) -> bool:
        return bool(installation.where.kind == "embedded" and installation.images.registry is None)

    return Work(
        plan=lambda it: first.plan(it) if embedded(it) else [],
        apply=lambda it, progress: first.apply(it, progress) if embedded(it) else [],
        lacks=lambda it: first.lacks(it) if embedded(it) else "",
    )


def main() -> None:
    """Run the module."""
    perform(
        "images",
        {"state": {"type": "str", "choices": ["built", "imported", "delivered"], "default": "delivered"}},
        _choose,
    )


if __name__ == "__main__":
    main()
