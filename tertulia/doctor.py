"""`tertulia doctor`: the faults of an installation, with their runbooks."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from shared.runtime.settings import ConnectionSettings, read_settings
from tertulia.doctor_checks import Verdict, examine
from tertulia.output import show_line, show_table

app = typer.Typer()
console = Console()


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Ask servers, topics, groups, relay and settings; name faults with their runbooks; exit 1 after a fault.

    Run it where the services run, with their settings. It changes nothing.
    """
    findings = asyncio.run(examine(read_settings(ConnectionSettings)))
    ordered = sorted(findings, key=lambda finding: list(Verdict)[::-1].index(finding.verdict))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in ordered], indent=1))
    else:
        rows = [(f.verdict.value, f.part, f.detail, f.runbook) for f in ordered]
        show_table(console, ("Verdict", "Part", "Found", "Runbook"), rows)
    count = sum(finding.verdict is Verdict.WRONG for finding in findings)
    if count:
        if not as_json:
            show_line(console, f"{count} wrong.", style="red")
        raise typer.Exit(1)
