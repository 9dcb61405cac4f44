"""The small web server of a service: is it alive, is it ready, what does it count. It serves nothing about events."""

from collections.abc import Callable, Mapping

from aiohttp import web

from runtime.metrics import Metrics
from runtime.settings import Settings

Check = Callable[[], str | None]
"""A readiness or health check: None when all is well, else a sentence saying what is not."""


class HealthServer:
    """Serves ``/healthz``, ``/readyz`` and ``/metrics``. Port 0 in the settings: nothing is served."""

    def __init__(
        self, settings: Settings, metrics: Metrics, health: Mapping[str, Check], readiness: Mapping[str, Check]
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._health = health
        self._readiness = readiness
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            OSError: the port is taken.
        """
        if self._settings.http_port == 0:
            return
        application = web.Application()
        application.router.add_get("/healthz", self._healthy)
        application.router.add_get("/readyz", self._ready)
        application.router.add_get("/metrics", self._exposition)
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._settings.http_host, self._settings.http_port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthy(self, _: web.Request) -> web.Response:
        return _answer(self._health)

    async def _ready(self, _: web.Request) -> web.Response:
        return _answer(self._readiness)

    async def _exposition(self, _: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.exposition(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )


def _answer(checks: Mapping[str, Check]) -> web.Response:
    faults = {name: reason for name, check in checks.items() if (reason := check()) is not None}
    body = {"status": "unavailable" if faults else "ok", "checks": {name: faults.get(name, "ok") for name in checks}}
    return web.json_response(body, status=503 if faults else 200)
