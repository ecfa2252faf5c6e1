"""``swath config kubectl``: a kubeconfig for people, who log in by single sign-on."""

from __future__ import annotations

from pathlib import Path

import click

from swath_sde.verbs._config import config


@config.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), required=False)
def kubectl(file: Path | None) -> None:
    """Write a kubeconfig with which kubectl logs in by single sign-on. It holds no secret.

    FILE is the swath.yaml of the installation; the kubeconfig goes to the output.

    \b
    Examples:
      swath config kubectl > swath.kubeconfig
      kubectl --kubeconfig swath.kubeconfig get pods --namespace swath-hub
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    import yaml  # noqa: PLC0415 -- at the start of no other verb

    from swath_sde.cluster import EmbeddedCluster  # noqa: PLC0415
    from swath_sde.configuration import load_installation  # noqa: PLC0415
    from swath_sde.errors import ConfigurationError  # noqa: PLC0415
    from swath_sde.identity import user_kubeconfig  # noqa: PLC0415
    from swath_sde.trust import installation_authority  # noqa: PLC0415

    installation = load_installation(file)
    where = installation.where
    path = where.kubeconfig if where.kubeconfig is not None else EmbeddedCluster(installation).kubeconfig
    try:
        administrators = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigurationError(
            f"{path}, which leads to the cluster, cannot be read ({_reason(error)}): is the platform up?"
        ) from None
    authorities = installation_authority(installation).path.read_text(encoding="utf-8")
    click.echo(yaml.safe_dump(user_kubeconfig(installation, administrators, authorities)), nl=False)


def _reason(error: Exception) -> str:
    """Return what went wrong without the path, which the message tells already."""
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
