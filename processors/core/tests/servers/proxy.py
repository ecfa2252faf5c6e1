"""A proxy before a store (or a server of files) with the ways of a network: latency, bandwidth, faults."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from yarl import URL

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"}
PIECE = 1 << 16


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    method: str
    path: str
    """With its query."""
    range: str
    """Header of that name; empty where there was none."""


@dataclass
class Fault:
    """What goes wrong with some requests."""

    kind: str
    """``500`` and the like, ``cut`` (breaks off), ``short`` (less, and says so), ``flip``, ``zeros``,
    ``hang``."""
    times: int
    """How many requests it still hits."""
    match: str = ""
    """Text in the path of those that it hits."""
    headers: dict[str, str] = field(default_factory=dict)


class Proxy:
    """Runs in a thread of its own; ``address`` is where clients go."""

    def __init__(self, upstream: str = "", folder: Path | None = None) -> None:
        self.upstream, self.folder = upstream, folder
        self.latency = 0.0
        """Seconds before an answer begins."""
        self.bandwidth = 0.0
        """Bytes a second of all answers together; 0 is no bound."""
        self.ranges = True
        """Whether parts of files are served."""
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.most_at_once = 0
        self._under_way = self._epoch = 0
        self._free_at = 0.0
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._started.wait(30)

    def reset(self) -> None:
        self.latency = self.bandwidth = 0.0
        self.ranges = True
        self.asked.clear()
        self.faults.clear()
        self.most_at_once = 0
        self._epoch += 1

    def fail(self, kind: str, times: int = 1, match: str = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(kind, times, match, named))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(auto_decompress=False, connector=connector) as self._session:
            runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._started.set()
            await self._stop.wait()
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=1 << 30)
        application.router.add_route("*", "/{tail:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(Asked(request.method, request.raw_path, request.headers.get("Range", "")))
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            fault = self._fault(request)
            await asyncio.sleep(self.latency)
            if fault and fault.kind.isdecimal():
                return web.Response(status=int(fault.kind), headers=fault.headers)
            if fault and fault.kind == "hang":
                epoch = self._epoch
                while epoch == self._epoch:  # until the next test, whose counts it shall not be in
                    await asyncio.sleep(0.02)
            status, headers, body = await (self._forward(request) if self.upstream else self._file(request))
            if fault and fault.kind == "flip" and body:
                middle = len(body) // 2
                body = body[:middle] + bytes([body[middle] ^ 0xFF]) + body[middle + 1 :]
            if fault and fault.kind == "zeros":
                body = bytes(len(body))
            if fault and fault.kind == "short":
                body = body[: len(body) // 2]
            return await self._answer(request, status, headers, body, cut=bool(fault and fault.kind == "cut"))
        finally:
            self._under_way -= 1

    def _fault(self, request: web.Request) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.match in request.raw_path:
                fault.times -= 1
                return fault
        return None

    async def _forward(self, request: web.Request) -> tuple[int, dict[str, str], bytes]:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        body = await request.read()
        url = URL(self.upstream + request.raw_path, encoded=True)
        async with self._session.request(
            request.method, url, headers=headers, data=body or None, skip_auto_headers=["Content-Type"]
        ) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
            if request.method == "HEAD":
                kept["Content-Length"] = answer.headers.get("Content-Length", "0")
            return answer.status, kept, await answer.read()

    async def _file(self, request: web.Request) -> tuple[int, dict[str, str], bytes]:
        assert self.folder is not None
        path = self.folder / request.path.lstrip("/")
        if path.is_dir():
            if not request.path.endswith("/"):
                return 301, {"Location": request.path + "/"}, b""
            names = sorted(entry.name + "/" * entry.is_dir() for entry in path.iterdir())
            page = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
            return 200, {"Content-Type": "text/html"}, page.encode()
        if not path.is_file():
            return 404, {}, b""
        data = path.read_bytes()
        if request.method == "HEAD":
            return 200, {"Content-Length": str(len(data))}, b""
        told = request.headers.get("Range", "")
        if not told or not self.ranges:
            return 200, {}, data
        first, _, last = told.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(len(data) - int(last), 0)
        stop = min(int(last) + 1 if first and last else len(data), len(data))
        if start >= len(data):
            return 416, {"Content-Range": f"bytes */{len(data)}"}, b""
        return 206, {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"}, data[start:stop]

    async def _answer(
        self, request: web.Request, status: int, headers: dict[str, str], body: bytes, *, cut: bool
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=status, headers=headers)
        if request.method != "HEAD":
            response.content_length = len(body)
        await response.prepare(request)
        if cut:
            await response.write(body[: len(body) // 2])
            assert request.transport is not None
            request.transport.close()
            return response
        for start in range(0, len(body), PIECE):
            piece = body[start : start + PIECE]
            await self._pass(len(piece))
            await response.write(piece)
        await response.write_eof()
        return response

    async def _pass(self, number: int) -> None:
        """Wait until the line is free for some bytes."""
        if self.bandwidth:
            now = self._loop.time()
            self._free_at = max(self._free_at, now) + number / self.bandwidth
            await asyncio.sleep(self._free_at - now)


Started = Callable[..., Proxy]
