"""The demo: the embedded stack, a whole edition by its HTTP API, ten late changes, and the verification."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console

from demo import audit
from demo.addresses import write_addresses
from demo.client import RegistrationClient, RegistrationRefused
from demo.edition import generate
from demo.observer import Observer, TooLate
from demo.phases import DemoRun
from demo.plan import DemoEdition
from demo.registered_edition import RegisteredEdition
from demo.unconfirmed import DeliveryResolver
from deploy.embedded.process import ProcessFailed
from deploy.embedded.stack import Stack
from services.notify.settings import Settings as NotifySettings
from services.notify.store import MongoLedger
from services.registration.operators import add_operator
from services.registration.settings import Settings as RegistrationSettings
from services.scheduler.settings import Settings as SchedulerSettings
from shared.runtime.clock import utc_now
from shared.storage.journal_store import MongoJournalStore
from shared.storage.mongo import Mongo

OPERATOR_ID = "demo"
#: Settings for a laptop: mails are gathered for a moment, and a killed service is detected sooner. The operator may
#: register a whole edition within seconds. Records are consumed ten times a second instead of fifty, since two cores
#: run everything, and a batch costs a database write.
SETTINGS = {
    "TERTULIA_WINDOW_SECONDS": "0.15",
    "TERTULIA_DELIVER_EVERY_SECONDS": "0.1",
    "TERTULIA_BATCH_EVERY_MS": "100",
    "TERTULIA_QUIET_SECONDS": "0.4",
    "TERTULIA_IMPROVE_EVERY_SECONDS": "0.1",
    "TERTULIA_IMPROVE_STEPS": "10000",
    "TERTULIA_SESSION_TIMEOUT_MS": "4000",
    "TERTULIA_SMTP_CONNECTIONS": "10",
    "TERTULIA_SMTP_TIMEOUT_SECONDS": "2",
    "TERTULIA_SMTP_DATA_SECONDS": "14",
    "TERTULIA_LEASE_SECONDS": "16",
    "TERTULIA_OPERATOR_REQUESTS_PER_SECOND": "10000",
    "TERTULIA_OPERATOR_REQUEST_BURST": "10000",
    "TERTULIA_OPERATOR_CALLS_AT_ONCE": "16",
}


@dataclass(frozen=True)
class DemoOptions:
    """Options of a run. `scale` 1.0 is ITECAM's size; `kill` names a service to kill once midway and start again."""

    seed: int = 2018
    scale: float = 1.0
    output: Path = Path("demo-output")
    keep: bool = False
    kill: str | None = None


async def run(options: DemoOptions, console: Console | None = None) -> int:
    """Run the demo. Return the exit code: 0 if every check holds."""
    console = console or Console()
    started = time.monotonic()
    options.output.mkdir(parents=True, exist_ok=True)
    root = options.output / "runs"
    shutil.rmtree(root, ignore_errors=True)
    # The latecomers start during the registrations: Kafka keeps their records.
    stack = Stack(root, settings=SETTINGS, latecomers=("matching", "scheduler", "notify"))
    try:
        console.print("Starting broker, database, mail sink and the six services ...", highlight=False)
        drawing = asyncio.create_task(asyncio.to_thread(generate, options.seed, options.scale))
        async with stack, open_demo_run(options, console, stack, await drawing) as demo_run:
            summary = await stack.unless_crashed(demo_run.run(started))
            await write_addresses(options.output, stack, demo_run.registered.edition_id, OPERATOR_ID)
            if options.keep:
                await _stay(console, stack)
    except (ProcessFailed, RegistrationRefused, TooLate) as error:
        console.print(
            f"[bold red]The demo failed.[/] {error}\nLogs are in {stack.logs}", highlight=False, soft_wrap=True
        )
        return 1
    return 1 if summary.faults else 0


async def _stay(console: Console, stack: Stack) -> None:
    console.print("\nIt stays up until Ctrl-C:", highlight=False)
    for name, address in stack.addresses.items():
        console.print(f"  {name:<13}{address}", highlight=False)
    with contextlib.suppress(asyncio.CancelledError):
        await stack.wait()


@contextlib.asynccontextmanager
async def open_demo_run(
    options: DemoOptions, console: Console, stack: Stack, demo: DemoEdition
) -> AsyncIterator[DemoRun]:
    mongo_url = SecretStr(stack.addresses["mongo"])
    api_key = await add_operator(RegistrationSettings(mongo_url=mongo_url), OPERATOR_ID, "Demo operator")
    mongo = Mongo(SchedulerSettings(mongo_url=mongo_url))
    client = RegistrationClient(stack.addresses["registration"], api_key, f"demo-{demo.seed}")
    try:
        async with client, Observer(stack.addresses["kafka"]) as observer:
            registered = await RegisteredEdition.create(client, observer.seen, demo)
            store = MongoJournalStore(mongo.database(SchedulerSettings(mongo_url=mongo_url).database))
            ledger = MongoLedger(mongo.database(NotifySettings(mongo_url=mongo_url).database), utc_now)
            yield DemoRun(
                console=console,
                stack=stack,
                observer=observer,
                registered=registered,
                journal=audit.SchedulerJournal(store, registered.edition_id),
                resolver=DeliveryResolver(ledger, stack.mails),
                output=options.output,
                kill=options.kill,
            )
    finally:
        await mongo.close()
