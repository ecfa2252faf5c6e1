"""An image registry's own interface (OCI distribution), as far as builds need it: digests, tags, deletion."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from swath_sde.address import loopback_of, why_not
from swath_sde.images._errors import BuildError, LoginRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)

_ELSEWHERE = {http.client.MOVED_PERMANENTLY, http.client.FOUND, http.client.TEMPORARY_REDIRECT}


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry with TLS and a login."""

    address: str
    """Host and port, then the path that images are below: ``registry.example.org/swath``."""
    username: str
    """Who logs in."""
    password: str = field(repr=False)
    """The password; it never stands on a command line."""
    certificate: Path
    """Certificate of the authority that signed the registry's."""

    @property
    def host(self) -> str:
        """Host and port, as a reference has them."""
        return self.address.partition("/")[0]

    def login(self) -> str:
        """Return the content of a login file, as container tools read it."""
        token = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return json.dumps({"auths": {self.host: {"auth": token}}})

    def silence(self) -> str | None:
        """Return why the registry itself does not answer; None where it does, and not only what is before it.

        Raises
        ------
        LoginRefusedError
            If it refuses the login.
        """
        try:
            status, _, _ = self._ask("GET", "")
        except LoginRefusedError:
            raise
        except BuildError as error:
            return str(error)
        if status < http.client.INTERNAL_SERVER_ERROR:
            return None
        return f"the registry {self.host} does not answer: what stands before it says {status}"

    def digest(self, name: str, tag: str) -> str | None:
        """Return the digest of a tag, or nothing where it is not there."""
        status, headers, _ = self._ask("HEAD", f"{name}/manifests/{tag}")
        return headers.get("docker-content-digest") if status == http.client.OK else None

    def tags(self, name: str) -> list[str]:
        """Return the tags of an image."""
        status, _, body = self._ask("GET", f"{name}/tags/list")
        return sorted(json.loads(body).get("tags") or []) if status == http.client.OK else []

    def delete(self, name: str, digest: str) -> None:
        """Delete a manifest with all of its tags; its layers go at the registry's next garbage collection.

        Raises
        ------
        BuildError
            If the registry refuses.
        """
        status, _, body = self._ask("DELETE", f"{name}/manifests/{digest}")
        if status not in {http.client.ACCEPTED, http.client.NOT_FOUND}:
            raise BuildError(
                f"{self.host} refused to delete {name}@{digest} (status {status}): {body[:300]!r}"
            )

    def manifest(self, name: str, digest: str) -> bytes:
        """Return the manifest of an image.

        Raises
        ------
        BuildError
            If it is not there.
        """
        status, _, body = self._ask("GET", f"{name}/manifests/{digest}")
        if status != http.client.OK:
            raise BuildError(f"{self.host} does not give the manifest of {name}@{digest} (status {status})")
        return body

    @contextmanager
    def blob(self, name: str, digest: str) -> Iterator[IO[bytes]]:
        """Yield a layer of an image as a file that is read once; what it reads is not verified.

        Raises
        ------
        BuildError
            If the registry does not give it.
        """
        with self._asked("GET", f"{name}/blobs/{digest}") as answer:
            elsewhere = answer.getheader("Location", "")
            if answer.status == http.client.OK:
                yield answer
            elif answer.status in _ELSEWHERE and elsewhere.startswith("https://"):
                with self._stored(elsewhere) as other:
                    yield other
            else:
                raise BuildError(
                    f"{self.host} does not give the layer {digest} of {name} (status {answer.status})"
                )

    def _stored(self, address: str) -> IO[bytes]:
        """Open what a store behind the registry has: its address gives the access, so no login goes there."""
        context = ssl.create_default_context()
        context.load_verify_locations(self.certificate)
        try:
            opened: IO[bytes] = urllib.request.urlopen(address, timeout=30, context=context)  # noqa: S310 -- https
        except OSError as error:
            host = urllib.parse.urlsplit(address).hostname or ""
            raise BuildError(
                f"the registry {self.host} leads to {host} for a layer, which does not answer: "
                f"{why_not(error, host)}"
            ) from error
        return opened

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
        with self._asked(method, path, body) as answer:
            try:
                told = answer.read()
            except (OSError, http.client.HTTPException) as error:
                raise self._silent(error) from error
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, told

    @contextmanager
    def _asked(self, method: str, path: str, body: bytes | None = None) -> Iterator[http.client.HTTPResponse]:
        """Yield the answer to a question, of which nothing but the head is read yet."""
        host, _, port = self.host.partition(":")
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection(host, int(port or 443), context=context, timeout=30)
        prefix = self.address.partition("/")[2]
        token = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Accept": _MANIFESTS, "Host": self.host}
        if body is not None:
            headers["Content-Type"] = _MANIFESTS.partition(",")[0]
        try:
            try:
                plain = socket.create_connection(
                    (loopback_of(f"https://{host}") or host, int(port or 443)), timeout=30
                )
                connection.sock = context.wrap_socket(plain, server_hostname=host)
                address = f"/v2/{prefix}/{path}" if prefix else f"/v2/{path}"
                connection.request(method, address, body=body, headers=headers)
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise self._silent(error) from error
            if answer.status in {http.client.UNAUTHORIZED, http.client.FORBIDDEN}:
                raise LoginRefusedError(f"the registry {self.host} refused the login of {self.username}")
            yield answer
        finally:
            connection.close()

    def _silent(self, error: Exception) -> BuildError:
        return BuildError(
            f"the registry {self.host} does not answer: {why_not(error, self.host.partition(':')[0])}"
        )
