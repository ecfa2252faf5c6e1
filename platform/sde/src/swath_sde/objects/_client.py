"""The Kubernetes API by its official client, in the few words that plans and applies need."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from kubernetes import config
from kubernetes.client import VersionApi
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ResourceNotFoundError
from urllib3.exceptions import HTTPError

from swath_sde.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Object", "Objects"]

Object = dict[str, Any]
"""A Kubernetes object as its manifest has it."""

FIELD_MANAGER = "swath"
"""By this name the API server knows who set a field."""


class Objects:
    """The objects of one cluster.

    Parameters
    ----------
    kubeconfig
        File that leads to it.
    context
        Context in that file; by default its current one.

    Raises
    ------
    ClusterError
        The file is none, or the cluster does not answer.
    """

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        self.kubeconfig = kubeconfig
        self.context = context
        try:
            self.api = config.new_client_from_config(str(kubeconfig), context)
        except ConfigException as error:
            raise ClusterError(f"{kubeconfig} leads to no cluster: {error}") from None
        with _told(f"the cluster of {kubeconfig} ({self.api.configuration.host})"):
            self._client = DynamicClient(self.api)

    def version(self) -> str:
        """Return the version of the cluster's Kubernetes, as in ``v1.35.4``."""
        with _told("the cluster's version"):
            return str(VersionApi(self.api).get_code().git_version)

    def get(self, kind: str, name: str, namespace: str | None = None, *, api: str = "v1") -> Object | None:
        """Return an object, None where there is none."""
        with _told(f"{kind} {name}"):
            return self._get(api, kind, name, namespace)

    def list(
        self, kind: str, namespace: str | None = None, *, api: str = "v1", labels: str | None = None
    ) -> list[Object]:
        """Return the objects of a kind, in one namespace or in all, by a label selector."""
        with _told(f"the {kind} objects"):
            found = self._resource(api, kind).get(namespace=namespace, label_selector=labels)
            return [dict(item) for item in found.to_dict().get("items", [])]

    def current(self, body: Mapping[str, Any]) -> Object | None:
        """Return what is there under the name of a manifest, None where there is nothing."""
        meta = body["metadata"]
        return self.get(body["kind"], meta["name"], meta.get("namespace"), api=body["apiVersion"])

    def create(self, body: Mapping[str, Any]) -> Object:
        """Create an object.

        Raises
        ------
        ClusterError
            It exists, or is refused.
        """
        with _told(_name(body)):
            resource = self._resource(body["apiVersion"], body["kind"])
            made = resource.create(
                body=dict(body), namespace=body["metadata"].get("namespace"), field_manager=FIELD_MANAGER
            )
            return dict(made.to_dict())

    def apply(
        self, body: Mapping[str, Any], *, dry_run: bool = False, manager: str = FIELD_MANAGER
    ) -> Object:
        """Make an object what a manifest says (server-side apply), or only return what it would become.

        Raises
        ------
        ClusterError
            It is refused.
        """
        with _told(_name(body)):
            resource = self._resource(body["apiVersion"], body["kind"])
            options = {"dry_run": "All"} if dry_run else {}
            # A manager of a dry run owns nothing yet, so it has to force what others have set.
            applied = self._client.server_side_apply(
                resource, body=dict(body), field_manager=manager, force_conflicts=True, **options
            )
            return dict(applied.to_dict())

    def delete(self, kind: str, name: str, namespace: str | None = None, *, api: str = "v1") -> None:
        """Delete an object, and what it owns in the background; where there is none, nothing happens."""
        with _told(f"{kind} {name}"), contextlib.suppress(ResourceNotFoundError):
            try:
                self._resource(api, kind).delete(
                    name=name, namespace=namespace, body={"propagationPolicy": "Background"}
                )
            except ApiException as error:
                if error.status != 404:
                    raise

    def replace(self, body: Mapping[str, Any]) -> Object:
        """Replace an object in the version that it was read in.

        Raises
        ------
        ClusterError
            Somebody else has changed it since, or it is refused.
        """
        with _told(_name(body)):
            resource = self._resource(body["apiVersion"], body["kind"])
            replaced = resource.replace(body=dict(body), namespace=body["metadata"].get("namespace"))
            return dict(replaced.to_dict())

    def _resource(self, api: str, kind: str) -> Any:
        return self._client.resources.get(api_version=api, kind=kind)

    def _get(self, api: str, kind: str, name: str, namespace: str | None) -> Object | None:
        try:
            return dict(self._resource(api, kind).get(name=name, namespace=namespace).to_dict())
        except ApiException as error:
            if error.status == 404:
                return None
            raise
        except ResourceNotFoundError:
            return None


def _name(body: Mapping[str, Any]) -> str:
    return f"{body['kind']} {body['metadata']['name']}"


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Tell a failure of the API in one sentence."""
    try:
        yield
    except ApiException as error:
        raise ClusterError(f"{what}: {_message(error)}", status=error.status) from None
    except ResourceNotFoundError as error:
        raise ClusterError(f"{what}: this cluster knows no such kind ({error})") from None
    except (HTTPError, ConnectionError, TimeoutError) as error:
        raise ClusterError(
            f"{what}: the Kubernetes API does not answer: {_reason(error)}. See that the cluster runs, and "
            "that this machine reaches it"
        ) from None


def _reason(error: Exception) -> str:
    """Return what the innermost of errors around errors says, without the objects that it names."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, Exception):
        return _reason(inner)
    return str(inner or error).rpartition("object at 0x")[2].partition(">: ")[2] or str(inner or error)


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return f"{error.status} {error.reason}"
