"""Ansible lookup swath.sde.installation."""

from __future__ import annotations

DOCUMENTATION = r"""
name: installation
short_description: What a swath.yaml says, with all defaults
version_added: 0.1.0
description:
  - Reads and checks a C(swath.yaml) as every verb of C(swath) does. This is the only place that a role or
    playbook gets a value of the installation from, so that nothing is configured twice.
options:
  _terms:
    description: Path of the file.
    required: true
author:
  - the Swath maintainers
"""

EXAMPLES = r"""
- name: Address of Keycloak
  ansible.builtin.debug:
    msg: "{{ lookup('swath.sde.installation', '/etc/swath/swath.yaml').urls.keycloak }}"
"""

RETURN = r"""
_value:
  description:
    - One dictionary a file, with the keys of C(swath.yaml), and what follows from them.
    - C(enabled), the names of the enabled components, in the order in which they need one another.
    - C(namespaces), C(hosts) and C(urls), each a dictionary by component.
    - C(issuer), the issuer of the realm's tokens.
    - C(image_registry), what stands before an image's name.
    - C(kubeconfig) and C(context), which lead an administrator to the cluster.
  type: list
  elements: dict
"""

from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """The lookup."""

    def run(
        self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any
    ) -> list[dict[str, Any]]:
        """Return what each file says."""
        self.set_options(var_options=variables, direct=kwargs)
        try:
            from swath_sde.errors import PlatformError  # noqa: PLC0415 -- its absence is told in words
        except ModuleNotFoundError:
            raise AnsibleError(
                "ansible-playbook runs with a Python that has no swath_sde: call the one beside swath, "
                "in .venv/bin of its checkout"
            ) from None
        try:
            return [_described(str(term)) for term in terms]
        except PlatformError as error:
            raise AnsibleError(str(error)) from None


def _described(file: str) -> dict[str, Any]:
    from swath_sde.configuration import load_installation  # noqa: PLC0415 -- as above

    installation = load_installation(file)
    components = list(type(installation.components).model_fields)
    if installation.where.kind == "embedded":
        from swath_sde.cluster import EmbeddedCluster  # noqa: PLC0415 -- as above

        kubeconfig = str(EmbeddedCluster(installation).kubeconfig)
    else:
        kubeconfig = str(installation.where.kubeconfig)
    return {
        **installation.model_dump(mode="json", by_alias=True),
        "enabled": installation.components.enabled(),
        "namespaces": {name: installation.namespace(name) for name in components},
        "hosts": {name: installation.host(name) for name in components},
        "urls": {name: installation.url(name) for name in components},
        "issuer": installation.issuer,
        "image_registry": installation.image_registry,
        "kubeconfig": kubeconfig,
        "context": installation.where.context,
    }
