"""`tertulia deliveries`: the mails that the mail server may or may not have taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from shared.runtime.clock import utc_now
from shared.storage.mongo import Mongo
from tertulia.connections import Server, run_connected
from tertulia.output import show_line, show_table, stop

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

    return run_connected(run(), Server.DATABASE)


@app.command("list")
def list_in_doubt(edition: Annotated[str | None, typer.Option(help="Of this edition only.")] = None) -> None:
    """The mails in doubt: never sent again by themselves."""
    from services.notify import deliveries  # noqa: PLC0415

    found = _with_ledger(lambda ledger: deliveries.unconfirmed(ledger, edition))
    if not found:
        show_line(console, "No mail is in doubt.")
        return
    rows = [(delivery.edition_id, delivery.participant_id, str(delivery.unconfirmed)) for delivery in found]
    show_table(console, ("Edition", "Participant", "Mail"), rows)


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
    except deliveries.NoUnconfirmedMail as error:
        stop(console, str(error))
    show_line(console, f"{edition}/{participant}: {finding}")
