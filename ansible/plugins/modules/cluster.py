#!/usr/bin/python
"""Ansible module swath.sde.cluster."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: Start, stop or remove the embedded Kubernetes cluster
version_added: 0.1.0
description:
  - Makes the single-node Kubernetes of an installation whose C(where.kind) is C(embedded), starts it, and
    waits until it is ready.
  - Its programs are built once, with their progress told, and are kept for all installations of the machine.
  - With C(where.kind) C(kubeconfig) the cluster is yours. The module changes nothing there.
options:
  file:
    description:
      - Path of the installation's C(swath.yaml), on the control node.
    type: path
    required: true
  state:
    description:
      - V(started), the cluster runs as C(swath.yaml) has it.
      - V(stopped), no process, mount or device of it is left. Its data stays.
      - V(absent), its data is removed, too.
    type: str
    choices: [started, stopped, absent]
    default: started
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
- name: Start the cluster
  swath.sde.cluster:
    file: /etc/swath/swath.yaml

- name: Remove the cluster and all its data
  swath.sde.cluster:
    file: /etc/swath/swath.yaml
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
      sample: Embedded cluster
    name:
      description: Its name there.
      type: str
      sample: swath
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
kubeconfig:
  description: File that leads an administrator to the cluster.
  returned: success, not in check mode, if O(state) is V(started)
  type: str
  sample: /root/.local/share/swath/clusters/swath/kubeconfig
"""

from typing import Any

from ansible_collections.swath.sde.plugins.module_utils.work import Work, perform


def _choose(options: dict[str, Any]) -> Work:
    from swath_sde.changes import Action, Change  # noqa: PLC0415 -- as in work.py
    from swath_sde.cluster import EmbeddedCluster  # noqa: PLC0415

    def embedded(installation: Any) -> bool:
        return bool(installation.where.kind == "embedded")

    if options["state"] == "started":
        return Work(
            plan=lambda it: EmbeddedCluster(it).plan() if embedded(it) else [],
            apply=lambda it, progress: EmbeddedCluster(it).up(progress),
            facts=lambda it: {
                "kubeconfig": str(EmbeddedCluster(it).kubeconfig if embedded(it) else it.where.kubeconfig)
            },
        )

    def plan(installation: Any) -> list[Any]:
        if not embedded(installation):
            return []
        status = EmbeddedCluster(installation).status()
        there = status.running or (options["state"] == "absent" and status.exists)
        return [Change("Embedded cluster", installation.name, Action.DELETE if there else Action.NONE)]

    def apply(installation: Any, _progress: Any) -> None:
        cluster = EmbeddedCluster(installation)
        if options["state"] == "absent":
            cluster.reset()
        else:
            cluster.down()

    return Work(plan=plan, apply=apply)


def main() -> None:
    """Run the module."""
    perform(
        "cluster",
        {"state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"}},
        _choose,
    )


if __name__ == "__main__":
    main()
