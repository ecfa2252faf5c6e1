"""Requests to S3, by the client that s3fs holds; s3fs knows the credentials, profiles and endpoints."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import fsspec
from botocore.exceptions import (  # type: ignore[import-untyped] # ships no types
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)

from swath.io.remote._transport import (
    DeniedError,
    FailedError,
    GoneError,
    Page,
    Reply,
    checked,
    range_header,
)

__all__ = ["S3"]

CONNECTIONS = 64
"""Connections that are kept open to a server."""

_PAGE = 1000
"""Names that are asked for at a time, the most that there are."""

_AGAIN = frozenset({"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling",
                    "ThrottlingException", "RequestTimeTooSkewed", "TooManyRequests"})  # fmt: skip
"""Codes that pass, whatever the status (Amazon S3 API reference, error responses)."""

_CREDENTIALS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound, CredentialRetrievalError,
                TokenRetrievalError)  # fmt: skip


class S3:
    """Asks S3; see :class:`swath.io.remote._transport.Transport`. Paths are ``bucket/key``."""

    def __init__(self, timeout: float) -> None:
        # Asking again is ours alone: a client that asks again by itself multiplies the attempts.
        own = {"retries": {"max_attempts": 0}, "max_pool_connections": CONNECTIONS, "read_timeout": timeout,
               "connect_timeout": min(timeout, 10)}  # fmt: skip
        chosen = fsspec.config.conf.get("s3", {}).get("config_kwargs", {})
        self._system: Any = fsspec.filesystem("s3", config_kwargs={**chosen, **own})

    async def get(self, path: str, start: int, stop: int | None) -> Reply:
        """Return bytes of an object."""
        asked = range_header(start, stop)
        try:
            client, names = await self._client(path)
            answer = await client.get_object(**names, **asked, **self._system.req_kw)
            async with answer["Body"] as body:
                data = await body.read()
        except ClientError as error:
            if _status(error) == 416:  # nothing there: the object ends before
                return Reply(b"", max(start, 0), await self.size(path))
            raise _told(error) from None
        except _ANY as error:
            raise _told(error) from None
        tag = str(answer.get("ETag", ""))
        told = answer.get("ContentRange")
        return checked(data, told, answer.get("ContentLength"), partial=told is not None, tag=tag)

    async def size(self, path: str) -> int:
        """Return the bytes of an object."""
        try:
            client, names = await self._client(path)
            answer = await client.head_object(**names, **self._system.req_kw)
        except _ANY as error:
            raise _told(error) from None
        return int(answer["ContentLength"])

    async def list(self, path: str, more: str) -> Page:
        """Return up to a thousand names below a prefix."""
        try:
            client, names = await self._client(path)
            prefix = f"{names['Key'].rstrip('/')}/" if names["Key"].strip("/") else ""
            token = {"ContinuationToken": more} if more else {}
            answer = await client.list_objects_v2(
                Bucket=names["Bucket"], Prefix=prefix, MaxKeys=_PAGE, **token, **self._system.req_kw
            )
        except _ANY as error:
            raise _told(error) from None
        found = answer.get("Contents", [])
        sizes = {
            item["Key"][len(prefix) :]: int(item["Size"]) for item in found if not item["Key"].endswith("/")
        }
        return Page(sizes, str(answer.get("NextContinuationToken", "")) if answer.get("IsTruncated") else "")

    def below(self, path: str, name: str) -> str:
        """Return the path of an object below a prefix."""
        return f"{path.rstrip('/')}/{name}"

    def shown(self, path: str) -> str:
        """Return the address of an object."""
        return f"s3://{path}"

    async def _client(self, path: str) -> tuple[Any, dict[str, str]]:
        bucket, key, version = self._system.split_path(path)
        client = await self._system.set_session()
        if self._system.cache_regions:
            client = await self._system.get_s3(bucket)
        return client, {"Bucket": bucket, "Key": key, **({"VersionId": version} if version else {})}


_ANY = (ClientError, BotoCoreError, aiohttp.ClientError, asyncio.TimeoutError, OSError)


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _told(error: Exception) -> GoneError | DeniedError | FailedError:
    """Return an error as one of the three, without anything secret: botocore's own texts may have URLs."""
    if isinstance(error, _CREDENTIALS):
        return DeniedError(
            f"{type(error).__name__}: {error}; set AWS_PROFILE or the AWS_… variables, or for a bucket that "
            """is open to all FSSPEC_S3='{"anon": true}'"""
        )
    if isinstance(error, ParamValidationError):
        return DeniedError(f"no address of S3 ({' '.join(str(error).split())})")
    if not isinstance(error, ClientError):
        return FailedError(f"no answer, or one that broke off ({type(error).__name__})")
    status, code = _status(error), str(error.response.get("Error", {}).get("Code", ""))
    if status == 404:
        return GoneError(code)
    told = f"status {status} {code}"
    if status >= 500 or status == 429 or code in _AGAIN:
        return FailedError(told)
    return DeniedError(told)
