"""JupyterHub's configuration: what the chart's values say (``settings.json``), and secrets from files.

JupyterHub runs this file with ``c`` in its name space, and ``get_config`` to get at it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(os.environ.get("SWATH_HUB_CONFIG", "/etc/jupyterhub"))
SECRETS = Path(os.environ.get("SWATH_HUB_SECRETS", "/run/secrets/hub"))

# The authenticator stands beside this file, and is no installed package.
sys.path.insert(0, str(HERE))

from swath_access import SwathAuthenticator  # noqa: E402 - the path is known only now

if TYPE_CHECKING:
    from traitlets.config import Config

    def get_config() -> Config:
        """Return the configuration that is being loaded; JupyterHub defines it."""


def secret(key: str) -> str:
    """Return a secret from the Secret's mounted files."""
    return (SECRETS / key).read_text("utf-8").strip()


def profiles(names: list[str]) -> list[dict[str, Any]]:
    """Return KubeSpawner's profiles; the first is the default."""
    known = {
        "jupyterlab": ("JupyterLab", "Notebooks, terminals and a file browser.", "/lab"),
        "code-server": ("code-server", "Visual Studio Code's editor in the browser.", "/vscode/"),
    }
    return [
        {
            "slug": name,
            "display_name": known[name][0],
            "description": known[name][1],
            "default": position == 0,
            "kubespawner_override": {"default_url": known[name][2]},
        }
        for position, name in enumerate(names)
    ]


settings: dict[str, Any] = json.loads((HERE / "settings.json").read_text("utf-8"))
c = get_config()

# --- The hub itself. Users' servers and the proxy run on while it is replaced.
hub = c.JupyterHub
hub.hub_bind_url = "http://0.0.0.0:8081"
hub.hub_connect_url = f"http://{settings['release']}.{settings['namespace']}:8081"
hub.public_url = f"{settings['url']}/"
hub.cleanup_servers = False
hub.cookie_secret = bytes.fromhex(secret("cookie-secret"))
# A login lasts no longer than a server may.
hub.cookie_max_age_days = max(1, settings["culling"]["maxAgeHours"] / 24)
database = settings["database"]
hub.db_url = (
    f"postgresql+psycopg://{database['username']}:{secret('db-password')}"
    f"@{database['host']}:{database['port']}/{database['name']}"
)
hub.tornado_settings = {
    "headers": {"Content-Security-Policy": "frame-ancestors 'self'", "X-Content-Type-Options": "nosniff"},
    # TLS ends at the ingress: the hub sees plain http, cookies must be sent over https alone nevertheless.
    "cookie_options": {"secure": True, "samesite": "lax"},
}
hub.allow_named_servers = False
# The proxy's record of activity counts every byte, an editor's keep-alive too: it is not asked.
hub.last_activity_interval = 0

hub.proxy_class = "jupyterhub.proxy.ConfigurableHTTPProxy"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = f"http://proxy-api.{settings['namespace']}:8001"
c.ConfigurableHTTPProxy.auth_token = secret("proxy-token")

# --- Who may: groups of the single sign-on.
oidc, access = settings["oidc"], settings["access"]
endpoint = f"{oidc['issuer']}/protocol/openid-connect"
hub.authenticator_class = SwathAuthenticator
c.CryptKeeper.keys = [bytes.fromhex(secret("crypt-key"))]
authenticator = c.SwathAuthenticator
authenticator.client_id = oidc["clientId"]
authenticator.client_secret = secret("client-secret")
authenticator.authorize_url = f"{endpoint}/auth"
authenticator.token_url = f"{endpoint}/token"
authenticator.userdata_url = f"{endpoint}/userinfo"
authenticator.oauth_callback_url = f"{settings['url']}/hub/oauth_callback"
authenticator.logout_redirect_url = (
    f"{endpoint}/logout?client_id={oidc['clientId']}&post_logout_redirect_uri={settings['url']}/"
)
authenticator.login_service = "single sign-on"
authenticator.auto_login = True
authenticator.scope = ["openid", "profile", "email"]
authenticator.enable_pkce = True
authenticator.username_claim = oidc["usernameClaim"]
authenticator.enable_auth_state = True
authenticator.manage_groups = True
authenticator.auth_state_groups_key = f"oauth_user.{oidc['groupsClaim']}"
# Nobody gets JupyterHub's own role "admin", which may enter every server: see the role "operator" below.
authenticator.allowed_groups = {*access["allowedGroups"], *access["adminGroups"]}
authenticator.auth_refresh_age = access["checkSeconds"]
authenticator.check_seconds = access["checkSeconds"]
authenticator.refresh_pre_spawn = True

# --- Users' pods: *restricted*, without a service-account token.
hub.spawner_class = "kubespawner.KubeSpawner"
spawner = c.KubeSpawner
spawner.namespace = settings["namespace"]
spawner.image = settings["image"]
spawner.image_pull_policy = "IfNotPresent"
spawner.image_pull_secrets = settings["imagePullSecrets"]
# After the image's own entry point, which clones the welcome repositories.
spawner.cmd = ["jupyterhub-singleuser"]
spawner.port = 8888
spawner.start_timeout = settings["startSeconds"]
spawner.http_timeout = 120
spawner.service_account = "workspace"
spawner.automount_service_account_token = False
spawner.common_labels = settings["labels"]
spawner.component_label = "workspace"
spawner.pod_name_template = "workspace-{username}"
spawner.delete_grace_period = 10
spawner.enable_user_namespaces = False
# Set whole, as the chart sets it for every other pod.
spawner.uid = None
spawner.gid = None
spawner.fs_gid = None
spawner.pod_security_context = settings["podSecurity"]
spawner.container_security_context = settings["containerSecurity"]
requests, limits = settings["resources"]["requests"], settings["resources"]["limits"]
spawner.extra_resource_guarantees = {key: str(value) for key, value in requests.items()}
spawner.extra_resource_limits = {key: str(value) for key, value in limits.items()}
spawner.extra_pod_config = {"enableServiceLinks": False}
spawner.notebook_dir = "/home/swath"
chosen = profiles(settings["profiles"])
spawner.default_url = chosen[0]["kubespawner_override"]["default_url"]
if len(chosen) > 1:
    spawner.profile_list = chosen

spawner.storage_pvc_ensure = True
spawner.delete_pvc = False
spawner.pvc_name_template = "claim-{username}"
spawner.storage_capacity = settings["storage"]["size"]
spawner.storage_access_modes = ["ReadWriteOnce"]
if settings["storage"]["class"]:
    spawner.storage_class = settings["storage"]["class"]
WORKSPACE_FILES = {
    "jupyter_server_config.py": "jupyter_server_config.py",
    "swath_activity.py": "swath_activity.py",
    # JupyterLab's defaults: nobody is asked about news, as many sites have no way there.
    "default_setting_overrides.json": "labconfig/default_setting_overrides.json",
}
volumes: dict[str, tuple[str, dict[str, Any]]] = {
    "home": ("/home/swath", {"persistentVolumeClaim": {"claimName": "claim-{username}"}}),
    "tmp": ("/tmp", {"emptyDir": {}}),  # noqa: S108 - the pod's own
    "shared-memory": ("/dev/shm", {"emptyDir": {"medium": "Memory", "sizeLimit": "512Mi"}}),  # noqa: S108
    "trust": ("/etc/swath/trust", {"configMap": {"name": settings["trustConfigMap"]}}),
    "activity": (
        "/etc/swath/jupyter",
        {
            "configMap": {
                "name": "workspace",
                "items": [{"key": key, "path": path} for key, path in WORKSPACE_FILES.items()],
            }
        },
    ),
    "welcome": (
        "/etc/swath/welcome",
        {"configMap": {"name": settings["welcomeConfigMap"], "optional": True}},
    ),
}
spawner.volumes = [{"name": name, **source} for name, (_, source) in volumes.items()]
spawner.volume_mounts = [
    {"name": name, "mountPath": path, **({"readOnly": True} if "configMap" in source else {})}
    for name, (path, source) in volumes.items()
]

idle = round(settings["culling"]["idleMinutes"] * 60)
spawner.environment = {
    "HOME": "/home/swath",
    # The server's own idea of activity, below /etc/swath/jupyter, is told to the hub this often.
    "JUPYTER_CONFIG_PATH": "/etc/swath/jupyter",
    "JUPYTERHUB_ACTIVITY_INTERVAL": str(min(60, max(5, idle // 4))),
    # code-server listens on a unix socket, which no other user of the network can reach.
    "JUPYTER_VSCODE_PROXY_USE_SOCKET": "true",
    **settings["environment"],
}

# --- Idle servers are stopped by a service of the hub that may do just that.
hub.services = [
    {
        "name": "idle-culler",
        "command": [
            sys.executable,
            "-m",
            "jupyterhub_idle_culler",
            # Not by the Service, which leads here only once this pod is ready.
            "--url=http://127.0.0.1:8081/hub/api",
            f"--timeout={idle}",
            f"--max-age={round(settings['culling']['maxAgeHours'] * 3600)}",
            f"--cull-every={min(300, max(5, idle // 4))}",
        ],
    }
]
hub.load_roles = [
    {
        "name": "operator",
        "description": "Sees users and their servers, starts and stops them, and cannot enter them",
        "groups": access["adminGroups"],
        "scopes": [
            "admin-ui",
            "list:users",
            "read:users",
            "servers",
            "list:groups",
            "read:groups",
            "list:services",
            "read:hub",
        ],
    },
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
]
