"""The reason of an encounter as a line in the reader's language, from the reader's side, with codes as words.

Everything that people read about a reason comes from here: mails, calendars and their feeds, pages and the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.contract.codes import label_of
from shared.contract.events import Language, NeedMet, Reason
from shared.contract.reason_phrases import REASON_PHRASES, ReasonPhrases

#: Least fit from which a need and an offer are shown, for affinity versions without a rule of their own.
#: Of needs and offers that do not fit, 0.5 % pass.
#: With two needs and two offers on both sides, 3 % of the pairs read nonsense; at half of this fit, 25 % would.
SHOWN_FROM: Final = 0.55
#: Most reasons of a line that has no need and no offer.
_MOST_REASONS: Final = 2
_ITEM_LENGTH: Final = 160
_SALE: Final = "coop:sale"
_PURCHASE: Final = "coop:purchase"


@dataclass(frozen=True)
class ReasonSide:
    """A participant of a pair, with the texts of the profile."""

    participant_id: str
    language: Language
    needs: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReasonGrounds:
    """The grounds of an encounter as `affinity.v1` has them.

    `participant_ids` and `requested_by` are empty for events from before these fields.
    """

    participant_ids: tuple[str, ...]
    reasons: tuple[Reason, ...]
    requested: bool
    requested_by: tuple[str, ...]


def reason_line(grounds: ReasonGrounds, reader: ReasonSide, partner: ReasonSide) -> str:
    """Return the reason of a match as a line in the reader's language; empty without a reason that is worth reading.

    A need and an offer come first, then the technologies, priorities and activity that both have in common, an activity
    close by, and the request. The kind of business comes last: a buyer and a seller may deal in different things.
    Reasons without words are left out, as are differences: two countries are nothing in common.
    """
    phrases = REASON_PHRASES[reader.language]
    told = _Told(grounds, reader, partner, phrases)
    return told.needs_met() or told.in_common() or told.near() or told.request() or told.business()


def reason_lines(grounds: ReasonGrounds, sides: Mapping[str, ReasonSide]) -> dict[str, str]:
    """Return the line of both participants by id, each in their language; none if a participant is unknown."""
    if not all(participant_id in sides for participant_id in grounds.participant_ids):
        return {}
    first, second = (sides[participant_id] for participant_id in grounds.participant_ids)
    return {
        first.participant_id: reason_line(grounds, first, second),
        second.participant_id: reason_line(grounds, second, first),
    }


@dataclass(frozen=True)
class _Told:
    """The lines about a pair, each empty if it has nothing to tell."""

    grounds: ReasonGrounds
    reader: ReasonSide
    partner: ReasonSide
    phrases: ReasonPhrases

    def needs_met(self) -> str:
        """Quote the partner's items only. An item that a changed profile no longer has is left out."""
        offer = need = ""
        for met in (met for reason in self.grounds.reasons for met in reason.met if _is_shown(met)):
            if met.participant_id == self.reader.participant_id:
                offer = _item(self.partner.offers, met.offer) if met.need < len(self.reader.needs) else ""
            else:
                need = _item(self.partner.needs, met.need) if met.offer < len(self.reader.offers) else ""
        if offer and need:
            return self.phrases.both.format(offer=offer, need=need)
        if offer:
            return self.phrases.they_offer.format(offer=offer)
        return self.phrases.they_need.format(need=need) if need else ""

    def in_common(self) -> str:
        """Name what both have: the heaviest reasons that have words."""
        words = [words for reason in self.grounds.reasons if (words := self._term(reason))][:_MOST_REASONS]
        return self.phrases.also.format(reasons=self.phrases.separator.join(words)) if words else ""

    def business(self) -> str:
        """Tell a seller that the partner buys, and a buyer that the partner sells."""
        kinds = self._detail("cooperation")
        buys, sells = _PURCHASE in kinds, _SALE in kinds
        if buys == sells or len(self.grounds.participant_ids) != 2:  # noqa: PLR2004 - a pair
            return ""
        # The detail names the kinds that the first participant seeks.
        is_first = self.grounds.participant_ids[0] == self.reader.participant_id
        return self.phrases.they_buy if sells == is_first else self.phrases.they_sell

    def near(self) -> str:
        """Name the partner's activity if both activities are of the same NACE division.

        A whole section, such as manufacturing, is too wide for activities to be called close. The detail names the
        activity of the first participant, then that of the second.
        """
        codes = self._detail("sector")
        if len(codes) != len(self.grounds.participant_ids) or len({_division(code) for code in codes}) != 1:
            return ""
        code = codes[self.grounds.participant_ids[0] == self.reader.participant_id]
        label = label_of(code, self.reader.language)
        return self.phrases.near.format(names=label) if label else ""

    def request(self) -> str:
        """Tell which of the two asked for the encounter."""
        asked = self.grounds.requested_by
        if not self.grounds.requested:
            return ""
        if not asked:
            return self.phrases.asked
        if len(asked) > 1:
            return self.phrases.both_asked
        return self.phrases.you_asked if self.reader.participant_id in asked else self.phrases.they_asked

    def _detail(self, code: str) -> list[str]:
        detail = next((reason.detail for reason in self.grounds.reasons if reason.code == code), "")
        return [*filter(None, detail.split(", "))]

    def _term(self, reason: Reason) -> str:
        codes = [*filter(None, reason.detail.split(", "))]
        names = [*dict.fromkeys(name for code in codes if (name := self._name(code)))]
        if reason.code not in self.phrases.terms or not names:
            return ""
        # Two activities are no common one, and a whole section, such as manufacturing, is too wide.
        if reason.code == "sector" and (len(codes) != 1 or not _division(codes[0]).isdecimal()):
            return ""
        return self.phrases.terms[reason.code].format(names=", ".join(names))

    def _name(self, code: str) -> str:
        """Return the words for a code; empty for a code without words. A regional priority has its own words."""
        scheme, _, value = code.partition(":")
        if scheme == "s3":
            return value.replace("-", " ")
        name = self.phrases.names.get(code) or label_of(code, self.reader.language)
        # A label begins a line in its table, and is inside a sentence here. "R&D" stays as it is.
        is_lowered = name[1:2].islower() and not self.phrases.keeps_capitals
        return name[:1].lower() + name[1:] if is_lowered else name


def _is_shown(met: NeedMet) -> bool:
    """Return the judgement of matching, or that of the fit for an affinity version without a rule."""
    return met.fit >= SHOWN_FROM if met.shown is None else met.shown


def _division(code: str) -> str:
    return code.removeprefix("nace:")[:2]


def _item(items: tuple[str, ...], number: int) -> str:
    return _short(items[number]) if number < len(items) else ""


def _short(text: str) -> str:
    """Return the text on one line of at most `_ITEM_LENGTH` characters, without the full stop."""
    line = " ".join(text.split()).rstrip(". ")
    return line if len(line) <= _ITEM_LENGTH else line[: _ITEM_LENGTH - 1].rsplit(" ", 1)[0] + "…"
