"""The plan of an edit: all its effects, with the token that confirms them, and the errors of applying it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic_core import to_json

from services.scheduler.domain.snapshots import Arrangement
from services.scheduler.domain.timetable.verifier import Violation
from shared.internal_api.edits import Edit

#: Arrangements by pair id.
Arrangements = Mapping[str, Arrangement]


@dataclass(frozen=True)
class EditPlan:
    """Effects of an edit on the encounters that it changes, by pair id.

    If the edit would break rules, `after` has its targets alone and `violations` has the rules. `idle` is the number
    of slots that participants would wait between encounters more than now; negative if they would wait less.
    """

    edit: Edit
    before: Arrangements = field(default_factory=dict)
    after: Arrangements = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    idle: int = 0

    @property
    def token(self) -> str:
        """A name of this plan, 32 hexadecimal digits. A different edit or effect gives a different token."""
        content = to_json([self.edit, dict(self.before), dict(self.after), self.violations])
        return hashlib.sha256(content).hexdigest()[:32]


class StalePlan(Exception):
    """The agenda has changed, so that the edit would have new effects. `plan` has the present effects."""

    def __init__(self, plan: EditPlan) -> None:
        super().__init__("the agenda has changed: the edit would have other effects now, so try it again first")
        self.plan = plan


class RulesBroken(Exception):
    """The edit would break rules. `plan` has the violations."""

    def __init__(self, plan: EditPlan) -> None:
        super().__init__(", ".join(sorted({violation.rule for violation in plan.violations})))
        self.plan = plan
