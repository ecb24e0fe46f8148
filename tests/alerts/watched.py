"""The embedded stack with a real Prometheus beside it, which runs the committed rules."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import yaml

from deploy.embedded.probes import HOST, free_ports, http_answers
from deploy.embedded.process import Program
from deploy.embedded.stack import Stack
from services import SERVICES
from services.registration.operators import add_operator
from services.registration.settings import Settings
from tests.support.registration_api import EditionHarness, coming_edition_body
from tests.support.waiting import wait_until

_MONITORING = Path(__file__).parents[2] / "deploy" / "monitoring"
#: Mails go at once, so that a dead relay is noticed by the next mail.
_SETTINGS = {
    "TERTULIA_WINDOW_SECONDS": "1",
    "TERTULIA_WINDOW_LONGEST_SECONDS": "2",
    "TERTULIA_ANNOUNCE_SECONDS": "2",
    "TERTULIA_QUIET_SECONDS": "0.5",
}


class WatchedStack(Stack):
    """The stack, and Prometheus with the committed configuration. Only the addresses are of this machine."""

    def __init__(self, root: Path, prometheus: str) -> None:
        super().__init__(root, settings=_SETTINGS)
        self._program = prometheus
        [self._port] = free_ports(1)
        self.alerting = Prometheus(f"http://{HOST}:{self._port}")

    async def start(self) -> None:
        await super().start()
        config = yaml.safe_load((_MONITORING / "prometheus.yml").read_text())
        config["rule_files"] = [str(_MONITORING / file) for file in config["rule_files"]]
        del config["alerting"]
        for target in config["scrape_configs"][0]["static_configs"]:
            target["targets"] = [f"{HOST}:{self._ports[target['labels']['service']]}"]
        file = self.folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(config))
        command = (
            self._program,
            f"--config.file={file}",
            f"--storage.tsdb.path={self.data / 'prometheus'}",
            f"--web.listen-address={HOST}:{self._port}",
        )
        await self.launch(
            Program("prometheus", command, ready=http_answers(self._port, "/-/ready"), is_disposable=True)
        )
        await wait_until(self._is_scraped, 30)

    async def _is_scraped(self) -> bool:
        return await self.alerting.value('sum(up{job="tertulia"})') == len(SERVICES)


class Prometheus:
    """The questions to Prometheus."""

    def __init__(self, address: str) -> None:
        self._client = httpx.AsyncClient(base_url=f"{address}/api/v1", timeout=10)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def series(self, query: str) -> list[dict[str, Any]]:
        """Return the present series of a query."""
        answer = await self._client.get("/query", params={"query": query})
        assert answer.is_success, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    async def value(self, query: str) -> float | None:
        """Return the value of the first series, or `None` without any."""
        found = await self.series(query)
        return float(found[0]["value"][1]) if found else None

    async def firing(self, severity: str = ".*") -> set[str]:
        """Return the names of the alerts that fire, without the watch of the alerts."""
        query = f'ALERTS{{alertstate="firing",alertname!="Watchdog",severity=~"{severity}"}}'
        return {found["metric"]["alertname"] for found in await self.series(query)}


class Load:
    """An edition whose people ask, accept and are mailed."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._editions: list[EditionHarness] = []
        self._api: httpx.AsyncClient | None = None

    async def begin(self) -> None:
        """Make an operator and an edition with an accepted request."""
        settings = Settings(mongo_url=self._stack.addresses["mongo"])
        key = await add_operator(settings, "alerts", "Alerts")
        headers = {"Authorization": f"Bearer {key}"}
        address = f"{self._stack.addresses['registration']}/v1"
        self._api = httpx.AsyncClient(base_url=address, headers=headers, timeout=20)
        await self.ask()

    async def ask(self) -> None:
        """Register another edition with an accepted request, and publish it: its people are mailed."""
        assert self._api is not None
        edition = await EditionHarness(self._api).set_up(coming_edition_body())
        asked = await edition.request(0, 2)
        await edition.post(f"{edition.path}/match-requests/{asked['request_id']}/acceptance")
        await edition.patch({"phase": "published"})
        await self._api.get(f"{self._stack.addresses['portal']}/sign-in")

    async def end(self) -> None:
        """Close the connections."""
        if self._api is not None:
            await self._api.aclose()
