"""Protocols of the parts that matching's use cases and routes need from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from services.matching.domain.changes import Change
from services.matching.domain.state import MatchingState
from services.matching.domain.text.scorer import Matrix
from shared.contract.events import Event
from shared.internal_api.observatory import ObservatoryView
from shared.internal_api.profile_help import ProfileQuestion, ProfileSuggestions
from shared.messaging.inputs import Input
from shared.storage.aggregate import Decision

Decide = Callable[[MatchingState, datetime], Decision[Change, Event]]


class EditionJournal(Protocol):
    """The journal of all editions: see `shared.storage.journal.Journal`."""

    async def decide(self, edition_id: str, inputs: Sequence[Input]) -> Decision[Change, Event]:
        """Decide on a batch of inputs, append the changes, and send the outbox."""
        ...

    async def transact(self, edition_id: str, decide: Decide) -> Decision[Change, Event]:
        """Run another decision, off the event loop. A decision without changes writes nothing."""
        ...

    async def read(self, edition_id: str) -> MatchingState:
        """Return the state. It may change at the next `await`."""
        ...

    async def current(self, edition_id: str) -> MatchingState:
        """Return the state after loading the entries of further processes."""
        ...


class ProfileHelper(Protocol):
    """Answers questions about profiles. An answer takes CPU time; threads may ask at once."""

    def answer(self, question: ProfileQuestion) -> ProfileSuggestions:
        """Suggest needs, offers and codes for a text."""
        ...


class Observatory(Protocol):
    """Shows an edition as a whole."""

    async def view(self, edition_id: str) -> ObservatoryView:
        """Return the publishable counts of an edition."""
        ...


class TextEncoder(Protocol):
    """A language model."""

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return raw vectors of shape (texts, width); rows have length 1."""
        ...
