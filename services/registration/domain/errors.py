"""Errors of registration's rules. `api/problems.py` has their HTTP answers."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel


class Conflict(Exception):
    """The present state forbids the change; the message says why."""


class CeilingReached(Conflict):
    """The operator has as many entities of a kind as it may have; the message says how many."""


class ConfirmationRequired(Exception):
    """The change cannot be taken back and needs a confirmation; the message says which."""


class NotFound(Exception):
    """The operator has no such entity; the message names its kind."""


class AtRevision(Exception):
    """The change does not name the entity's present revision, which is `revision`."""

    def __init__(self, message: str, revision: int) -> None:
        super().__init__(message)
        self.revision = revision


class Stale(AtRevision):
    """The entity is not at a revision that the change was meant for."""


class IfMatchRequired(AtRevision):
    """The change names no revision: it could undo a change that its sender has not seen."""


class PreviewError(Exception):
    """The change has effects that its sender has not seen. `preview` shows them, and `token` confirms them."""

    def __init__(self, message: str, token: str, preview: BaseModel) -> None:
        super().__init__(message)
        self.token = token
        self.preview = preview


class PreviewRequired(PreviewError):
    """The change moves so much that it needs the token of its preview."""


class PreviewStale(PreviewError):
    """The token confirms different effects."""


class ChangedMeanwhile(Exception):
    """The entity has changed since the change was made from it: make it again."""


class KeyReused(Exception):
    """An idempotency key came again with another request."""


class NotUnique(Exception):
    """Another entity has this id, or a value that must be unique; the message is that value."""


@dataclass(frozen=True)
class FieldError:
    """A fault of a request: a JSON pointer into the body (empty for the whole of it), and the reason.

    A rule of `domain.checks` also gives its slug, and the value that it found.
    """

    pointer: str
    detail: str
    slug: str = ""
    value: str = ""


def changed_since(at: str, reason: str = "it has changed since") -> FieldError:
    """Return the fault of a place that an undoing leaves, because it has changed since; `at` is a JSON pointer."""
    return FieldError(at, reason, "changed-since")


class Malformed(Exception):
    """The body is not JSON; the message says at which character."""


class Invalid(Exception):
    """The body is JSON but not acceptable; `faults` holds at least one fault."""

    def __init__(self, *faults: FieldError) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in faults))
        self.faults = faults
