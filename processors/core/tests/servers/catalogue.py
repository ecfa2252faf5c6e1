"""A catalogue with a STAC API, as much of it as a search asks: collections, and items by POST."""

import asyncio
import threading

from aiohttp import web


class Catalogue:
    """Runs in a thread of its own; ``address`` is where clients go."""

    def __init__(self, items: list[dict]) -> None:
        self.items = items
        self.asked: list[dict] = []
        self.status = 200
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        assert self._started.wait(30)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        application = web.Application()
        application.router.add_post("/search", self._search)
        application.router.add_get("/collections", self._collections)
        application.router.add_get("/collections/{name}/queryables", self._queryables)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._started.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _search(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.asked.append(asked)
        if self.status != 200:
            return web.Response(status=self.status)
        found = [item for item in self.items if item["collection"] in asked["collections"]]
        most = asked.get("query", {}).get("eo:cloud_cover", {}).get("lte", 100)
        found = [item for item in found if item["properties"]["eo:cloud_cover"] <= most]
        return web.json_response(
            {"type": "FeatureCollection", "features": found[: asked["limit"]], "links": []}
        )

    async def _collections(self, _request: web.Request) -> web.Response:
        names = sorted({item["collection"] for item in self.items})
        return web.json_response({"collections": [{"id": name} for name in names], "links": []})

    async def _queryables(self, _request: web.Request) -> web.Response:
        return web.json_response({"properties": {"eo:cloud_cover": {"type": "number"}}})
