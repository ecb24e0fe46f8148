"""`make prove-alerts`: plant faults beside a real Prometheus, and print the times of their alerts.

Afterwards every query of the dashboards is asked, and panels without a series are listed.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from deploy.monitoring.panels import boards
from services import SERVICES
from tests.alerts.drill import FAULTS, find
from tests.alerts.watched import Load, Prometheus, WatchedStack


async def empty_panels(prometheus: Prometheus) -> list[str]:
    """Return the dashboards and titles of panels with a query that has no series."""
    empty = []
    for board in boards():
        for panel in board.panels():
            for query, _ in panel.queries:
                asked = [query.replace("$service", name) for name in SERVICES] if "$service" in query else [query]
                if not all([await prometheus.series(one) for one in asked]):
                    empty.append(f"{board.title}: {panel.title}: {query}")
    return empty


async def prove(program: str, root: Path) -> bool:
    """Plant all faults; return whether every alert fired and fell silent in time."""
    is_proven = True
    async with WatchedStack(root, program) as stack, stack.alerting:
        load = Load(stack)
        await load.begin()
        print("| fault | alert | signal | fires after | silent after |\n|---|---|---|---|---|", flush=True)
        for fault in FAULTS:
            try:
                found = await find(stack, load, fault)
            except TimeoutError:
                is_proven = False
                print(f"| {fault.title} | {fault.alert} | `{fault.signal}` | NOT IN TIME | |", flush=True)
                if fault.mend:
                    await fault.mend(stack, load)
            else:
                returned = "with its window" if found.returned is None else f"{found.returned:.0f} s"
                row = f"| {fault.title} | {fault.alert} | `{fault.signal}` | {found.detected:.0f} s | {returned} |"
                print(row, flush=True)
        await load.ask()
        await asyncio.sleep(20)
        for line in await empty_panels(stack.alerting):
            print(f"empty: {line}")
            is_proven = False
        await load.end()
    return is_proven


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if asyncio.run(prove("prometheus", Path(folder))) else 1)
