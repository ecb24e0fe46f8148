"""A chaos run: load and faults for some minutes, then quiet, then the audit."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from demo.client import RegistrationClient, RegistrationRefused, run_together
from deploy.embedded.process import ProcessFailed
from services.registration.operators import add_operator
from services.registration.settings import Settings as RegistrationSettings
from tests.chaos.audit import broken_promises
from tests.chaos.drill import BOUND_SECONDS, drill, until_at_work
from tests.chaos.evidence import Databases, RunEvidence, gather
from tests.chaos.faults import draw_faults
from tests.chaos.history import History
from tests.chaos.inflict import FaultInjector
from tests.chaos.load import EditionLoad
from tests.chaos.logs import LogSearch, search
from tests.chaos.poison import Poisoner
from tests.chaos.report import Report, logged, overtaken, repeats
from tests.chaos.settle import NotQuiet, Settling
from tests.chaos.stack import ChaosStack
from tests.chaos.watch import Watch

#: Time-out of a call, which is then repeated at the other instance.
_CALL_SECONDS = 4.0
#: A solver worker may have to compile first, and has a minute for each edition.
_QUIET_SECONDS = 300.0
#: Well below the budget of dead letters that halts a consumer (100 in ten minutes).
_MOST_POISON = 60
_POISON_EVERY_SECONDS = 2.5
_SHOWN = 40


@dataclass(frozen=True)
class ChaosOptions:
    """Options of a run. `scale` 1.0 is 350 participants an edition; `recovery` adds the recovery drill."""

    seconds: float = 600.0
    seed: int = 1
    editions: int = 3
    scale: float = 0.25
    calls_per_second: float = 3.0
    recovery: bool = True
    output: Path = Path(".tertulia/chaos")


async def run(options: ChaosOptions, console: Console | None = None) -> Report:
    """Start the stack, run chaos on it, and return the report.

    Raises:
        ProcessFailed: a process did not start, or ended without being told to.
        RegistrationRefused: registration failed, or did not answer.
        KafkaUnavailable: Apache Kafka cannot be had here.
    """
    console = console or Console()
    stack = ChaosStack(options.output)
    console.print(f"chaos: seed {options.seed}, {options.seconds:.0f} s; logs in {stack.logs}", soft_wrap=True)
    async with stack:
        return await stack.unless_crashed(Chaos(options, stack, console).run())


class Chaos:
    """A run on a stack that has started."""

    def __init__(self, options: ChaosOptions, stack: ChaosStack, console: Console) -> None:
        self._options = options
        self._stack = stack
        self._console = console
        self._began = time.monotonic()
        self._history = History()
        self._databases = Databases(stack.mongo)
        self._injector = FaultInjector(stack, draw_faults(options.seed), self._say)
        self._secrets: tuple[str, ...] = ()
        self._poisoner = Poisoner(stack.kafka, self._editions)

    async def run(self) -> Report:
        """Run load and faults, wait until all is quiet, then audit."""
        settings = RegistrationSettings(mongo_url=SecretStr(self._stack.mongo))
        key = await add_operator(settings, "chaos", "Chaos operator")
        first, *spares = self._stack.registrations
        self._secrets = (key, self._stack.token)
        client = RegistrationClient(
            first, key, f"chaos-{self._options.seed}", spares=spares, call_seconds=_CALL_SECONDS
        )
        try:
            async with client, Watch(self._stack.kafka) as watch:
                return await self._run(client, watch)
        finally:
            await self._databases.close()

    async def _run(self, client: RegistrationClient, watch: Watch) -> Report:
        seconds = self._options.seconds
        recovery: dict[str, float] = {}
        loads = [
            EditionLoad(client, self._history, 1_000 * self._options.seed + number, self._options.scale)
            for number in range(self._options.editions)
        ]
        rate = self._options.calls_per_second / len(loads)

        async def inject() -> None:
            if self._options.recovery:
                recovery.update(await self._drill(watch))
            await self._injector.run(self._began + seconds - time.monotonic())

        self._began = time.monotonic()
        self._say("load")
        await run_together(
            inject(),
            self._poisoner.run(seconds, max(_POISON_EVERY_SECONDS, seconds / _MOST_POISON), _MOST_POISON),
            *(load.run(seconds, rate) for load in loads),
        )
        self._say("quiet")
        calm = time.monotonic()
        await self._injector.clear()
        settling = Settling(self._stack, watch, self._databases, self._editions(), self._say)
        wrong: list[str] = []
        try:
            await settling.wait(_QUIET_SECONDS)
        except NotQuiet as restless:
            wrong.append(f"quiet: {restless}")
        self._say("audit")
        quiet = time.monotonic() - calm
        evidence = await gather(
            self._history, self._poisoner.planted, self._stack.kafka, self._databases, client, self._stack.mails
        )
        wrong += await asyncio.to_thread(broken_promises, evidence)
        wrong += [
            f"recovery: {service} stood still for {stood:.1f} s after a kill, more than {BOUND_SECONDS:.0f} s"
            for service, stood in recovery.items()
            if stood > BOUND_SECONDS
        ]
        logs = await asyncio.to_thread(search, self._stack.logs, self._history.personal.union(self._secrets))
        wrong += [f"logs: {finding}" for finding in logs.found]
        (self._stack.folder / "violations.txt").write_text(
            "".join(f"{violation}\n" for violation in wrong), encoding="utf-8"
        )
        return self._report(evidence, watch, settling, recovery, quiet, logs, wrong)

    async def _drill(self, watch: Watch) -> dict[str, float]:
        await until_at_work(watch)
        recovery: dict[str, float] = {}
        for service in ("matching", "scheduler", "notify"):
            recovery[service] = await drill(self._stack, watch, service)
            self._say(f"drill: {service} recovered within {recovery[service]:.1f} s")
        return recovery

    def _report(
        self,
        evidence: RunEvidence,
        watch: Watch,
        settling: Settling,
        recovery: dict[str, float],
        quiet: float,
        logs: LogSearch,
        wrong: list[str],
    ) -> Report:
        log = logged(self._stack.logs)
        looks = watch.standstills
        figures = {
            "faults passed over": str(self._injector.passed_over),
            "HTTP writes accepted": str(self._history.writes),
            "HTTP writes refused": str(self._history.refused),
            "records on topics": str(len(evidence.seen)),
            "repeats, dropped by revision": str(repeats(evidence)),
            "things whose last record is not the newest": str(overtaken(evidence)),
            "journal entries of the scheduler": str(sum(map(len, evidence.journals.values()))),
            "fence rejections": str(log["fenced"]),
            "handler retries": str(log["handler_failed"]),
            "mails": str(len(evidence.mails)),
            "mails in doubt, settled": str(settling.doubts_settled),
            "poison planted": str(len(evidence.planted)),
            "dead letters": str(len(evidence.letters)),
            "longest standstill of a partition": f"{looks.longest:.1f} s ({looks.where})",
            **{f"recovery of {service} after a kill": f"{stood:.1f} s" for service, stood in recovery.items()},
            "quiet after": f"{quiet:.0f} s",
            "lines of logs": f"{logs.lines}, the longest of {logs.longest} bytes",
            "texts and secrets searched for in the logs": str(len(self._history.personal) + len(self._secrets)),
        }
        return Report(self._options.seed, dict(self._injector.inflicted), figures, wrong)

    def _editions(self) -> list[str]:
        return [edition.thing_id for edition in self._history.of("editions")]

    def _say(self, what: str) -> None:
        self._console.print(f"{time.monotonic() - self._began:6.1f} s  {what}", highlight=False, soft_wrap=True)


async def main(options: ChaosOptions, console: Console) -> int:
    """Run, print the report, and return the exit code: 0 without violations."""
    try:
        report = await run(options, console)
    except (ProcessFailed, RegistrationRefused) as error:
        console.print(f"chaos failed, seed {options.seed}: {error}", style="red", highlight=False, soft_wrap=True)
        return 1
    console.print(report.table())
    for violation in report.violations[:_SHOWN]:
        console.print(f"violation: {violation}", style="red", highlight=False, soft_wrap=True)
    return 1 if report.violations else 0
