"""Prints, as JSON, the pod and the volume claim that KubeSpawner makes for a user."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

# KubeSpawner wants to know a cluster; this one is never asked.
KUBECONFIG = Path(tempfile.mkdtemp()) / "kubeconfig"
KUBECONFIG.write_text(
    json.dumps(
        {
            "current-context": "none",
            "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
            "clusters": [{"name": "none", "cluster": {"server": "https://192.0.2.1"}}],
            "users": [{"name": "none", "user": {}}],
        }
    )
)
os.environ["KUBECONFIG"] = str(KUBECONFIG)

from jupyterhub import orm  # noqa: E402 - reads KUBECONFIG
from jupyterhub.app import JupyterHub  # noqa: E402 - reads KUBECONFIG
from jupyterhub.objects import Hub  # noqa: E402 - reads KUBECONFIG
from jupyterhub.user import User  # noqa: E402 - reads KUBECONFIG
from kubernetes_asyncio import client  # noqa: E402 - reads KUBECONFIG
from kubespawner import KubeSpawner  # noqa: E402 - reads KUBECONFIG


async def main(name: str, profile: str) -> None:
    app = JupyterHub()
    app.load_config_file(str(Path(os.environ["SWATH_HUB_CONFIG"]) / "jupyterhub_config.py"))
    database = orm.new_session_factory("sqlite:///:memory:")()
    person = orm.User(name=name)
    database.add(person)
    database.commit()
    user = User(person, {"config": app.config, "authenticator": None, "spawner_class": KubeSpawner})
    spawner = KubeSpawner(
        config=app.config,
        user=user,
        orm_spawner=orm.Spawner(name=""),
        hub=Hub(base_url="/hub/"),
        _mock=True,
        api_token="not-a-token",
        oauth_client_id="client",
    )
    spawner.user_options = {"profile": profile}
    if spawner.profile_list:
        await spawner.load_user_options()
    pod = await spawner.get_pod_manifest()
    claim = spawner.get_pvc_manifest()
    wire = client.ApiClient().sanitize_for_serialization
    json.dump({"pod": wire(pod), "claim": wire(claim), "delete_pvc": spawner.delete_pvc}, sys.stdout)


asyncio.run(main(*sys.argv[1:]))
