#!/usr/bin/python
"""Ansible module swath.sde.identity."""

from __future__ import annotations

DOCUMENTATION = r"""
module: identity
short_description: Bring the Keycloak realm to what swath.yaml says
version_added: 0.1.0
description:
  - Compares groups, roles, users, clients, password policy, brute-force protection and sessions of the realm
    with C(identity) of C(swath.yaml), and repairs what differs.
  - Objects that Swath did not create are never deleted. Passwords of users that exist are never changed.
extends_documentation_fragment:
  - swath.sde.installation
author:
  - the Swath maintainers
"""

EXAMPLES = r"""
- name: Realm
  swath.sde.identity:
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
      sample: Keycloak client
    name:
      description: Its name there.
      type: str
      sample: hub
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

from ansible_collections.swath.sde.plugins.module_utils.parts import realm
from ansible_collections.swath.sde.plugins.module_utils.work import Work, perform


def _choose(_options: dict[str, Any]) -> Work:
    return realm()


def main() -> None:
    """Run the module."""
    perform("identity", {}, _choose)


if __name__ == "__main__":
    main()
