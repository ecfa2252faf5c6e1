"""Requests over HTTP, by the session that fsspec holds; its configuration may bring headers and log-ins."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import aiohttp
import fsspec

from swath.io.address import shown
from swath.io.remote._transport import (
    DeniedError,
    FailedError,
    GoneError,
    Page,
    Reply,
    checked,
    range_header,
)

__all__ = ["Http"]

_WHOLE = 64 << 20
"""Largest file that is taken whole from a server which does not serve parts of files."""


class Http:
    """Asks servers of files; see :class:`swath.io.remote._transport.Transport`. Paths are URLs."""

    def __init__(self, protocol: str, timeout: float) -> None:
        # Proxies and ~/.netrc are heeded, as people expect of what works over HTTP.
        chosen = fsspec.config.conf.get(protocol, {}).get("client_kwargs", {})
        self._system: Any = fsspec.filesystem(protocol, client_kwargs={"trust_env": True, **chosen})
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=min(timeout, 10), sock_read=timeout)

    async def get(self, path: str, start: int, stop: int | None) -> Reply:
        """Return bytes of a file."""
        headers = range_header(start, stop)
        async with self._asking("get", path, headers) as answer:
            if answer.status == 416:
                told = answer.headers.get("Content-Range", "").rpartition("/")[2]
                return Reply(b"", max(start, 0), int(told) if told.isdecimal() else max(start, 0))
            length = answer.content_length
            if headers and answer.status == 200 and (length is None or length > _WHOLE):
                raise FailedError(
                    "the whole file, though a part was asked for", final=True,
                    remedy="It does not serve parts of files: get the product onto this machine first.",
                )  # fmt: skip
            data = await answer.read()
            return checked(data, answer.headers.get("Content-Range"), length, partial=answer.status == 206)

    async def size(self, path: str) -> int:
        """Return the bytes of a file."""
        async with self._asking("head", path, {}) as answer:
            if answer.content_length is not None:
                return int(answer.content_length)
        return (await self.get(path, 0, 1)).total

    async def list(self, path: str, more: str) -> Page:
        """Return the names that the server's index pages link to; their sizes are not known, and -1."""
        del more  # one page has all
        try:
            found = await self._system._find(path.rstrip("/") + "/")  # noqa: SLF001 -- needs no thread
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise _broken(error) from None
        root = path.rstrip("/") + "/"
        names = sorted(unquote(url[len(root) :]) for url in found if url.startswith(root))
        return Page(dict.fromkeys(filter(None, names), -1))

    def below(self, path: str, name: str) -> str:
        """Return the URL of a file below a folder; a query goes on with it, as it may be a signature."""
        parts = urlsplit(path)
        place = f"{parts.path.rstrip('/')}/{quote(name)}"
        return urlunsplit((parts.scheme, parts.netloc, place, parts.query, ""))

    def shown(self, path: str) -> str:
        """Return a URL without what may be secret."""
        return shown(path)

    def _asking(self, method: str, path: str, headers: dict[str, str]) -> _Asking:
        return _Asking(self._system, method, path, headers, self._timeout)


class _Asking:
    """One request, its failures told in the words of a transport."""

    def __init__(self, system: Any, method: str, path: str, headers: dict[str, str], timeout: Any) -> None:
        self._system, self._method, self._path = system, method, path
        self._headers = {**system.kwargs.get("headers", {}), "Accept-Encoding": "identity", **headers}
        self._timeout = timeout

    async def __aenter__(self) -> aiohttp.ClientResponse:
        try:
            session = await self._system.set_session()
            more = {key: value for key, value in self._system.kwargs.items() if key != "headers"}
            ask = session.get if self._method == "get" else session.head
            answer: aiohttp.ClientResponse = await ask(
                self._system.encode_url(self._path), headers=self._headers, timeout=self._timeout,
                **{"allow_redirects": True, **more},
            )  # fmt: skip
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise _broken(error) from None
        self._answer = answer
        status = answer.status
        if status in (200, 206, 416):
            return answer
        self._answer.release()
        if status in (404, 410):
            raise GoneError(str(status))
        if status >= 500 or status in (408, 425, 429):
            raise FailedError(f"status {status} {self._answer.reason}", wait=_wait(self._answer))
        raise DeniedError(f"status {status} {self._answer.reason}")

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._answer.release()
        if isinstance(error, aiohttp.ClientError | asyncio.TimeoutError | OSError):
            raise _broken(error) from None


def _broken(error: BaseException) -> DeniedError | FailedError:
    if isinstance(error, aiohttp.InvalidURL | ValueError):
        return DeniedError("no address of the web")
    if isinstance(error, FileNotFoundError):
        return DeniedError(
            "no list of files; give a zip, a tar, one file, or a Zarr with consolidated metadata"
        )
    return FailedError(f"no answer, or one that broke off ({type(error).__name__})")


def _wait(answer: aiohttp.ClientResponse) -> float | None:
    """Return the seconds that the server asks to wait: a number or a date (RFC 9110, section 10.2.3)."""
    told = answer.headers.get("Retry-After", "").strip()
    if told.isdecimal():
        return float(told)
    try:
        until, now = parsedate_to_datetime(told), parsedate_to_datetime(answer.headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return max((until - now).total_seconds(), 0.0)
