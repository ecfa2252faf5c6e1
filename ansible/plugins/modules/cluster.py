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
  state:
    description:
      - V(started), the cluster runs as C(swath.yaml) has it.
      - V(stopped), no process, mount or device of it is left. Its data stays.
      - V(absent), its data is removed, too.
    type: str
    choices: [started, stopped, absent]
    default: started
extends_documentation_fragment:
  - swath.sde.installation
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
  sample: ~/.local/share/swath/clusters/swath/kubeconfig
"""

from typing import Any

from ansible_collections.swath.sde.plugins.module_utils.parts import no_cluster, start
from ansible_collections.swath.sde.plugins.module_utils.work import Work, perform


def _embedded(installation: Any) -> bool:
    return bool(installation.where.kind == "embedded")


def _choose(options: dict[str, Any]) -> Work:
    from swath_sde.changes import Action, Change  # noqa: PLC0415 -- as in work.py
    from swath_sde.cluster import EmbeddedCluster  # noqa: PLC0415

    if options["state"] == "started":
        part = start()
        return Work(
            plan=lambda it: part.plan(it) if _embedded(it) else [],
            apply=lambda it, progress: part.apply(it, progress) if _embedded(it) else [],
            facts=lambda it: {
                "kubeconfig": str(EmbeddedCluster(it).kubeconfig if _embedded(it) else it.where.kubeconfig)
            },
        )

    def plan(installation: Any) -> list[Any]:
        if not _embedded(installation):
            return []
        state = EmbeddedCluster(installation).status().state
        there = state != "absent" if options["state"] == "absent" else not no_cluster(installation)
        return [Change("cluster", installation.name, Action.DELETE)] if there else []

    def apply(installation: Any, progress: Any) -> list[Any]:
        changes = plan(installation)
        cluster = EmbeddedCluster(installation)
        if changes and options["state"] == "absent":
            cluster.reset(progress)
        elif changes:
            cluster.down(progress)
        return changes

    return Work(plan=plan, apply=apply)


def _refuse_where_it_cannot_work(options: dict[str, Any]) -> Work:
    """Check mode of `started`, after the machine was looked at: what stands in the way is told at once."""
    from swath_sde.cluster import EmbeddedCluster, NotPossibleError  # noqa: PLC0415 -- as in work.py

    work = _choose(options)

    def plan(installation: Any) -> list[Any]:
        if options["state"] == "started" and _embedded(installation) and no_cluster(installation):
            found = EmbeddedCluster(installation).findings()
            if found:
                raise NotPossibleError(found)
        return work.plan(installation)

    return Work(plan=plan, apply=work.apply, facts=work.facts)


def main() -> None:
    """Run the module."""
    perform(
        "cluster",
        {"state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"}},
        _refuse_where_it_cannot_work,
    )


if __name__ == "__main__":
    main()
