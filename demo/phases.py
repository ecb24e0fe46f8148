"""The phases of the demo: registration and requests, publication, ten late changes, verification."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from demo import audit
from demo.agendas import agendas_by_address, write_agendas
from demo.board import lay_out, render_page
from demo.changes import Effect, LateChange, LateChanges, compare
from demo.client import run_together
from demo.mails import Mail, MailFolder, find_faults, newest_of
from demo.observer import Observer
from demo.picture import draw
from demo.progress import LiveProgress, counts
from demo.registered_edition import RegisteredEdition
from demo.summary import Summary, summarise
from demo.unconfirmed import DeliveryResolver
from deploy.embedded.stack import Stack
from services.notify.settings import Settings as NotifySettings
from shared.contract.events import AgendaChanged, Certificate, OrganisationChanged, ParticipantChanged

#: Seconds until a phase counts as failed: placement, publication, and the consequences of a late change.
PLACED_WITHIN, PUBLISHED_WITHIN, CHANGED_WITHIN = 180.0, 180.0, 90.0
_DOWN_SECONDS = 0.5
#: Domain of the calendars' UIDs: notify runs with its default.
MAIL_DOMAIN: str = NotifySettings.model_fields["mail_domain"].default
#: The figures that fit above the board.
_ON_BOARD = ("companies", "actors", "encounters placed", "tables in use", "idle slots a participant", "gap")


@dataclass
class DemoRun:
    """A run of the demo on a running stack. `kill` names a service that is killed once midway and started again."""

    console: Console
    stack: Stack
    observer: Observer
    registered: RegisteredEdition
    journal: audit.SchedulerJournal
    resolver: DeliveryResolver
    output: Path
    kill: str | None = None

    async def run(self, started: float) -> Summary:
        """Run all phases. `started` is the monotonic time from which the run is timed.

        Raises:
            TooLate: a phase did not end in time.
            RegistrationRefused: registration refused a call of the demo.
        """
        settling = asyncio.create_task(self.resolver.run())
        try:
            async with LiveProgress(self.console, self.observer.seen, self._totals()):
                await self._register_and_request()
                faults = [*audit.find_request_faults(self.registered.demo, self.registered.ids, self.observer.seen)]
                await self._publish()
            folder = MailFolder(self.stack.mails)
            effects = await self._change_late(folder)
            return await self._report(started, effects, faults, folder)
        finally:
            settling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await settling

    def _totals(self) -> dict[str, int]:
        demo = self.registered.demo
        with_encounter = {
            participant for request in demo.accepted for participant in (request.requester, request.target)
        }
        return {
            "registered": len(demo.participants),
            "requested": len(demo.requests),
            "scored": sum(request.target is not None for request in demo.requests),
            "placed": len(demo.accepted),
            "mailed": sum(
                participant in with_encounter or bool(participant.session_ids) for participant in demo.participants
            ),
        }

    async def _register_and_request(self) -> None:
        midway = len(self.registered.demo.requests) // 2
        await run_together(
            self._register_all_and_run_requests(),
            self._kill_once({"registration", "matching", "scheduler"}, lambda: self._count("requested") >= midway),
        )

        async def missing() -> str:
            return audit.unfinished_requests(self.registered.demo, self.registered.ids, self.observer.seen)

        await self.observer.until(missing, "every accepted request is placed or waits with a reason", PLACED_WITHIN)

        async def unimproved() -> str:
            # A slow machine would be announced before it has improved: other agendas, and other moves afterwards.
            return audit.pending_work(await self.journal.follow(), self.observer.seen)

        await self.observer.until(unimproved, "the agendas are improved", PLACED_WITHIN)

    async def _register_all_and_run_requests(self) -> None:
        await self.registered.register_all()
        await self.registered.run_requests()

    async def _publish(self) -> None:
        midway = self._totals()["mailed"] // 3
        await run_together(self._announce(), self._kill_once({"notify"}, lambda: self.observer.seen.mails >= midway))

    async def _announce(self) -> None:
        await self.registered.amend({"phase": "published"})

        async def missing() -> str:
            return await self._pending() if self.observer.seen.announced() else "no agenda is announced"

        await self.observer.until(missing, "every agenda is published and mailed", PUBLISHED_WITHIN)

    def _count(self, what: str) -> int:
        return counts(self.observer.seen)[what]

    async def _pending(self) -> str:
        """Describe the work left: pairs to place, agendas to publish or to mail. Empty if there is none."""
        seen = self.observer.seen
        if pairs := seen.unanswered_pairs():
            return f"{len(pairs)} granted pairs are neither placed nor waiting"
        if agendas := seen.unnotified():
            return f"{len(agendas)} participants were not mailed their newest agenda"
        return audit.pending_work(await self.journal.follow(), seen)

    async def _kill_once(self, names: set[str], is_midway: Callable[[], bool]) -> None:
        """Kill the service chosen by `kill`, if it is among `names`, once `is_midway`; then start it again."""
        name = self.kill
        if name is None or name not in names:
            return

        async def missing() -> str:
            return "" if is_midway() else "it is too early"

        await self.observer.until(missing, f"{name} can be killed midway", PLACED_WITHIN)
        await self.stack.kill(name)
        self.console.print(f"killed {name} (SIGKILL)", highlight=False)
        await asyncio.sleep(_DOWN_SECONDS)
        await self.stack.restart(name)
        self.console.print(f"{name} is back", highlight=False)

    async def _change_late(self, folder: MailFolder) -> list[Effect]:
        """Apply the late changes in sequence. The mails delivered meanwhile are read in a thread."""
        effects, reading = [], asyncio.create_task(asyncio.to_thread(folder.read_ahead))
        for change in LateChanges(self.registered).all:
            effects.append(await self.make_change(change))
            if reading.done():
                reading.result()
                reading = asyncio.create_task(asyncio.to_thread(folder.read_ahead))
        await reading
        return effects

    async def make_change(self, change: LateChange) -> Effect:
        seen = self.observer.seen
        before, mails, began = dict(seen.placed()), seen.mails, time.monotonic()
        is_observed = await change.apply(self.registered)

        async def missing() -> str:
            return await self._pending() if is_observed(seen) else "its consequences are not to be seen"

        await self.observer.until(missing, f"all is settled after: {change.title}", CHANGED_WITHIN)
        moved, cancelled, added = compare(before, seen.placed())
        effect = Effect(
            title=change.title,
            moved=moved,
            cancelled=cancelled,
            added=added,
            mails=seen.mails - mails,
            seconds=round(time.monotonic() - began, 2),
        )
        self.console.print(
            f"  {effect.title:<32}{moved:>3} moved {cancelled:>3} cancelled {added:>3} added {effect.mails:>4} mails"
            f" {effect.seconds:>6.1f} s",
            highlight=False,
            soft_wrap=True,
        )
        return effect

    async def _report(self, started: float, effects: list[Effect], faults: list[str], folder: MailFolder) -> Summary:
        seen, state = self.observer.seen, await self.journal.follow()
        mails = await asyncio.to_thread(folder.read)
        violations = audit.violations_of(state)
        faults += [f"{violation.rule}: {', '.join(violation.pair_ids)}" for violation in violations]
        faults += audit.find_replay_faults(state, seen)
        faults += audit.find_waiting_faults(seen)
        faults += find_faults(mails, seen.announced(), seen.all(ParticipantChanged))
        summary = summarise(
            seen,
            state.certificate or Certificate(placed=len(state.placements), bound=len(state.pairs)),
            effects=effects,
            mails=len(mails),
            seconds=time.monotonic() - started,
            violations=len(violations),
            faults=faults,
            seed=self.registered.demo.seed,
            scale=self.registered.demo.scale,
        )
        self._write_files(summary, mails)
        self.console.print(summary.table())
        for fault in faults[:20]:
            self.console.print(f"[bold red]wrong:[/] {fault}", highlight=False, soft_wrap=True)
        self.console.print(
            f"Look at {self.output}/: board.html, board.png, agenda.html, agendas.json, summary.json", soft_wrap=True
        )
        return summary

    def _write_files(self, summary: Summary, mails: list[Mail]) -> None:
        """Write the board, an agenda mail, the agendas and the summary to the output folder."""
        seen = self.observer.seen
        figures = tuple(pair for pair in summary.figures() if pair[0] in _ON_BOARD)
        people, organisations = seen.all(ParticipantChanged), seen.all(OrganisationChanged)
        board = lay_out(seen.edition, organisations, people, seen.placed(), figures)
        (self.output / "board.html").write_text(render_page(board), encoding="utf-8")
        draw(board, self.output / "board.png")
        if mail := fullest(mails, seen.announced()):
            (self.output / "agenda.eml").write_bytes(mail.path.read_bytes())
            (self.output / "agenda.html").write_text(mail.page, encoding="utf-8")
            (self.output / "agenda.ics").write_bytes(mail.calendar)
        write_agendas(
            self.output / "agendas.json",
            agendas_by_address(seen.announced(), people, {mail.recipient for mail in mails}, MAIL_DOMAIN),
        )
        summary.write(self.output / "summary.json")


def fullest(mails: list[Mail], agendas: dict[str, AgendaChanged]) -> Mail | None:
    """Return the newest mail of the participant with the most agenda entries."""
    mailed_ids = {mail.participant_id for mail in mails} & agendas.keys()
    if not mailed_ids:
        return None
    busiest = max(sorted(mailed_ids), key=lambda participant_id: len(agendas[participant_id].entries))
    return newest_of(mail for mail in mails if mail.participant_id == busiest)
