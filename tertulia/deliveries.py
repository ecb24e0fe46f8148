"""`tertulia deliveries`: the delivery of a participant, and the mails that the mail server may have accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.console import Console

from shared.runtime.clock import utc_now
from shared.runtime.settings import read_settings
from shared.storage.mongo import Mongo
from tertulia.connections import Backend, NoAnswer, check, run_connected
from tertulia.output import show_line, show_table, stop, utc

if TYPE_CHECKING:
    from services.notify.deliveries import DeliveryReport
    from services.notify.domain.explain import NewestEvents
    from services.notify.store import MongoLedger
    from shared.runtime.settings import ServiceSettings

app = typer.Typer(
    no_args_is_help=True,
    help="Explain a participant's delivery; list unconfirmed mails, and resolve them by the mail server's log.",
)
console = Console()
_errors = Console(stderr=True)
Result = TypeVar("Result")


def _with_ledger(work: Callable[[MongoLedger], Awaitable[Result]]) -> Result:
    from services.notify.settings import Settings  # noqa: PLC0415
    from services.notify.store import MongoLedger  # noqa: PLC0415

    async def run() -> Result:
        settings = read_settings(Settings)
        mongo = Mongo(settings)
        try:
            return await work(MongoLedger(mongo.database(settings.database), utc_now))
        finally:
            await mongo.close()

    return run_connected(run(), Backend.DATABASE)


@app.command()
def show(
    edition: Annotated[str, typer.Argument(help="The edition's id.")],
    participant: Annotated[str, typer.Argument(help="The participant's id.")],
) -> None:
    """Show a participant's delivery, and why no mail was sent or is due. Names and addresses are never printed."""
    from services.notify.deliveries import UnknownEdition, UnknownParticipant  # noqa: PLC0415

    try:
        report, newest, note = run_connected(_report(edition, participant), Backend.DATABASE)
    except (UnknownEdition, UnknownParticipant) as error:
        stop(_errors, str(error))
    show_line(console, f"{edition}/{participant}: {report.explanation.answer}")
    show_line(console, report.explanation.text)
    if note:
        show_line(console, note, style="yellow")
    show_table(console, ("Delivery", "Value"), _rows(report, newest))
    steps = [(utc(step.at), step.entry, step.inputs, step.what) for step in report.steps]
    show_table(console, ("At", "Entry", "Inputs", "Journal of notify"), steps)


async def _report(edition_id: str, participant_id: str) -> tuple[DeliveryReport, NewestEvents, str]:
    from services.notify import deliveries  # noqa: PLC0415
    from services.notify.settings import Settings  # noqa: PLC0415
    from services.notify.store import MongoLedger  # noqa: PLC0415
    from shared.storage.journal_store import MongoJournalStore  # noqa: PLC0415

    settings = read_settings(Settings)
    newest, note = await _newest_events(settings, edition_id, participant_id)
    mongo = Mongo(settings)
    try:
        await mongo.ping()
        database = mongo.database(settings.database)
        journal, ledger = MongoJournalStore(database), MongoLedger(database, mongo.now)
        report = await deliveries.report(journal, ledger, edition_id, participant_id, newest, mongo.now())
        return report, newest, note
    finally:
        await mongo.close()


async def _newest_events(settings: ServiceSettings, edition_id: str, participant_id: str) -> tuple[NewestEvents, str]:
    """Return the participant's newest events, and a warning if the topics cannot be read."""
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    from services.notify.domain.explain import NewestEvents  # noqa: PLC0415
    from shared.contract.events import AgendaChanged, NotificationRecorded  # noqa: PLC0415
    from shared.contract.topics import AGENDA, NOTIFICATION  # noqa: PLC0415
    from shared.messaging import topic_log  # noqa: PLC0415

    try:
        await check(Backend.BROKER, settings)
        log = await topic_log.read(settings, [NOTIFICATION, AGENDA], edition_id)
    except (NoAnswer, KafkaError, topic_log.LogUnreadable) as error:
        note = (
            f"{NOTIFICATION.name} and {AGENDA.name} cannot be read, so the last mail and the reason for it, and newer "
            f"agendas of the scheduler, may be missing: {error}"
        )
        return NewestEvents(), note
    events = log.of(edition_id)
    return NewestEvents.of(participant_id, events.every(NotificationRecorded), events.every(AgendaChanged)), ""


def _rows(report: DeliveryReport, newest: NewestEvents) -> list[tuple[str, str]]:
    delivery, agenda, mail = report.delivery, newest.agenda, newest.mail
    rows = [
        ("newest agenda of the scheduler", _agenda(agenda.revision, agenda.occurred_at) if agenda else "-"),
        ("newest agenda of notify", _agenda(report.agenda_revision, report.agenda_issued_at)),
    ]
    if agenda and agenda.provisional:
        rows[0] = (rows[0][0], f"{rows[0][1]}, provisional: never mailed")
    if delivery is None:
        return rows
    version = delivery.version_of(mail.message_id) if mail and mail.message_id else None
    return [
        *rows,
        ("step", delivery.step.value),
        ("version wanted", f"{delivery.wanted}, with agenda revision {delivery.agenda_revision} or newer"),
        ("version settled", str(delivery.settled)),
        ("due at", utc(delivery.due_at)),
        ("attempts since", str(delivery.attempts)),
        ("lines in the last mail", str(len(delivery.sent_content.lines)) if delivery.sent_content else "no mail sent"),
        ("unconfirmed mail", delivery.unconfirmed.message_id if delivery.unconfirmed else "-"),
        ("last mail recorded", f"{mail.state} at {utc(mail.occurred_at)}" if mail else "-"),
        ("its Message-ID", (mail.message_id or "-") if mail else "-"),
        ("its version", f"{version or 'unknown'}, with agenda revision {mail.agenda_revision}" if mail else "-"),
    ]


def _agenda(revision: int, issued_at: datetime | None) -> str:
    return f"revision {revision} of {utc(issued_at)}" if revision else "none"


@app.command("list")
def list_unconfirmed(
    edition: Annotated[str | None, typer.Option(help="Restrict the list to this edition.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="List refused mails of the edition instead.")] = False,
) -> None:
    """List the mails that the mail server may have accepted: they are never sent again by themselves."""
    from services.notify import deliveries  # noqa: PLC0415

    if refused:
        _list_refused(edition)
        return
    found = _with_ledger(lambda ledger: deliveries.unconfirmed(ledger, edition))
    if not found:
        show_line(console, "No mail is unconfirmed.")
        return
    rows = [
        (delivery.edition_id, delivery.participant_id, str(mail.version), str(mail.agenda_revision), mail.message_id)
        for delivery in found
        if (mail := delivery.unconfirmed)
    ]
    show_table(console, ("Edition", "Participant", "Version", "Agenda revision", "Message-ID"), rows)


def _list_refused(edition: str | None) -> None:
    from services.notify import deliveries  # noqa: PLC0415

    if edition is None:
        stop(console, "--refused needs --edition")
    found = _with_ledger(lambda ledger: deliveries.refused(ledger, edition))
    if not found:
        show_line(console, f"No mail of edition {edition} was refused.")
        return
    rows = [(delivery.participant_id, str(delivery.settled), delivery.reason) for delivery in found]
    show_table(console, ("Participant", "Version", "Reason"), rows)


@app.command()
def resend(
    edition: Annotated[str, typer.Argument(help="The edition's id.")],
    participants: Annotated[list[str] | None, typer.Argument(help="Ids of participants.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="All participants whose mail was refused.")] = False,
) -> None:
    """Mail participants again whose mails were refused, as after a mail server was set right."""
    from services.notify import deliveries  # noqa: PLC0415

    if refused == bool(participants):
        stop(console, "name participants, or give --refused")

    async def work(ledger: MongoLedger) -> list[str]:
        failed = await deliveries.refused(ledger, edition) if refused else []
        ids = participants or [delivery.participant_id for delivery in failed]
        return await deliveries.resend(ledger, edition, ids, utc_now)

    resent = _with_ledger(work)
    show_line(console, f"{edition}: {len(resent)} mails are due again {' '.join(resent[:20])}".rstrip())


@app.command()
def resolve(
    edition: Annotated[str, typer.Argument(help="The edition's id.")],
    taken: Annotated[
        bool, typer.Option("--taken/--not-taken", help="The mail server's log has the mail as accepted, or has not.")
    ],
    participant: Annotated[str | None, typer.Argument(help="The participant's id.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All unconfirmed mails of the edition.")] = False,
) -> None:
    """Resolve an unconfirmed mail: a taken mail is recorded as sent, else a mail with the newest agenda is sent."""
    from services.notify import deliveries  # noqa: PLC0415

    if every == bool(participant):
        stop(console, "name a participant, or give --all")
    finding = deliveries.Finding.TAKEN if taken else deliveries.Finding.NOT_TAKEN

    async def work(ledger: MongoLedger) -> list[str]:
        found = [] if participant else await deliveries.unconfirmed(ledger, edition)
        ids = [participant] if participant else [delivery.participant_id for delivery in found]
        for participant_id in ids:
            await deliveries.resolve(ledger, edition, participant_id, finding, utc_now)
        return ids

    try:
        resolved = _with_ledger(work)
    except deliveries.NoUnconfirmedMail as error:
        stop(console, str(error))
    for participant_id in resolved:
        show_line(console, f"{edition}/{participant_id}: {finding}")
