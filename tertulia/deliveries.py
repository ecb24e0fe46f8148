"""`tertulia deliveries`: the mails that the mail server may or may not have taken."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from shared.runtime.clock import utc_now
from shared.storage.mongo import Mongo

if TYPE_CHECKING:
    from services.notify.store import MongoLedger

app = typer.Typer(
    no_args_is_help=True, help="The mails in doubt: list them, and settle them from the mail server's log."
)
console = Console()
Result = TypeVar("Result")


def _with_ledger(work: Callable[[MongoLedger], Awaitable[Result]]) -> Result:
    from services.notify.settings import Settings  # noqa: PLC0415
    from services.notify.store import MongoLedger  # noqa: PLC0415

    async def run() -> Result:
        settings = Settings()
        mongo = Mongo(settings)
        try:
            return await work(MongoLedger(mongo.database(settings.database), utc_now))
        finally:
            await mongo.close()

    return asyncio.run(run())


@app.command("list")
def list_in_doubt(edition: Annotated[str | None, typer.Option(help="Of this edition only.")] = None) -> None:
    """The mails in doubt: never sent again by themselves."""
    from services.notify import deliveries  # noqa: PLC0415

    found = _with_ledger(lambda ledger: deliveries.in_doubt(ledger, edition))
    table = Table("Edition", "Participant", "Mail")
    for delivery in found:
        table.add_row(delivery.edition_id, delivery.participant_id, str(delivery.doubt))
    console.print(table if found else "No mail is in doubt.")


@app.command()
def resolve(
    edition: str,
    participant: str,
    taken: Annotated[bool, typer.Option("--taken/--not-taken", help="What the mail server's log says of it.")],
) -> None:
    """Settle one: taken is recorded as sent; not taken is sent again, as the agenda stands."""
    from services.notify import deliveries  # noqa: PLC0415

    finding = deliveries.Finding.TAKEN if taken else deliveries.Finding.NOT_TAKEN
    try:
        _with_ledger(lambda ledger: deliveries.resolve(ledger, edition, participant, finding, utc_now))
    except deliveries.NoDoubt as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    console.print(f"{edition}/{participant}: {finding}")
