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
  file:
    description:
      - Path of the installation's C(swath.yaml), on the control node.
    type: path
    required: true
  names:
    description:
      - Images to build and deliver, by default all.
    type: list
    elements: str
attributes:
  check_mode:
    description: Plans, and changes nothing.
    support: full
  diff_mode:
    description: Tells what differs, before and after; values of secrets are never in it.
    support: full
requirements:
  - swath-sde, in the Python that runs the module
author:
  - the Swath maintainers
"""

EXAMPLES = r"""
- name: Build and deliver all images
  swath.sde.images:
    file: /etc/swath/swath.yaml

- name: The two images that a registry needs before it can serve any other
  swath.sde.images:
    file: /etc/swath/swath.yaml
    names: [haproxy, registry]
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

from ansible_collections.swath.sde.plugins.module_utils.work import Work, perform


def _choose(options: dict[str, Any]) -> Work:
    from swath_sde.images import build_images, plan_images  # noqa: PLC0415

    names = options["names"]

    def plan(installation: Any) -> list[Any]:
        return [change for change in plan_images(installation) if names is None or change.name in names]

    def apply(installation: Any, progress: Any) -> None:
        build_images(installation, names=names, progress=progress)

    return Work(plan=plan, apply=apply)


def main() -> None:
    """Run the module."""
    perform("images", {"names": {"type": "list", "elements": "str"}}, _choose)


if __name__ == "__main__":
    main()
