"""The reason of an encounter as a line in the reader's language, from the reader's side, with codes as words."""

from __future__ import annotations

from typing import Final

from services.notify.domain.phrases import REASON_PHRASES
from services.notify.domain.phrases.forms import ReasonPhrases
from services.notify.domain.snapshots import ContactSnapshot, MatchSnapshot
from shared.contract.codes import label_of
from shared.contract.events import Language, NeedMet, Reason

#: Least fit from which a need and an offer are shown, for affinity versions without a rule of their own.
#: Of needs and offers that do not fit, 0.5 % pass.
#: With two needs and two offers on both sides, 3 % of the pairs read nonsense; at half of this fit, 25 % would.
SHOWN_FROM: Final = 0.55
#: Most reasons of a line that has no need and no offer.
_MOST_REASONS: Final = 2
_ITEM_LENGTH: Final = 160


def sentences_of(
    match: MatchSnapshot, reader_id: str, reader: ContactSnapshot, partner: ContactSnapshot
) -> tuple[str, ...]:
    """Return the reason of a match as a line in the reader's language; empty without a reason that is worth reading.

    A need and an offer come first, then what both have in common, then the request. Reasons without words are left out,
    as are differences: two countries are nothing in common.
    """
    line = _needs_met(match, reader_id, reader, partner) or _in_common(match, reader_id, reader.language)
    line = line or _request(match, reader_id, REASON_PHRASES[reader.language])
    return (line,) if line else ()


def _needs_met(match: MatchSnapshot, reader_id: str, reader: ContactSnapshot, partner: ContactSnapshot) -> str:
    """Quote the partner's items only. An item that a changed profile no longer has is left out."""
    phrases, offer, need = REASON_PHRASES[reader.language], "", ""
    for met in (met for reason in match.reasons for met in reason.met if _is_shown(met)):
        if met.participant_id == reader_id:
            offer = _item(partner.offers, met.offer) if met.need < len(reader.needs) else ""
        else:
            need = _item(partner.needs, met.need) if met.offer < len(reader.offers) else ""
    if offer and need:
        return phrases.both.format(offer=offer, need=need)
    return phrases.they_offer.format(offer=offer) if offer else phrases.they_need.format(need=need) if need else ""


def _is_shown(met: NeedMet) -> bool:
    """Return the judgement of matching, or that of the fit for an affinity version without a rule."""
    return met.fit >= SHOWN_FROM if met.shown is None else met.shown


def _in_common(match: MatchSnapshot, reader_id: str, language: Language) -> str:
    phrases = REASON_PHRASES[language]
    words = [said for reason in match.reasons if (said := _term(phrases, reason, language))][:_MOST_REASONS]
    if words:
        return phrases.also.format(reasons=phrases.separator.join(words))
    near = next((reason for reason in match.reasons if reason.code == "sector"), None)
    label = _partners_activity(near, match, reader_id, language) if near else ""
    return phrases.near.format(names=label) if label else ""


def _term(phrases: ReasonPhrases, reason: Reason, language: Language) -> str:
    codes = [*filter(None, reason.detail.split(", "))]
    names = [*dict.fromkeys(name for code in codes if (name := _name(phrases, code, language)))]
    if reason.code not in phrases.terms or (codes and not names) or (reason.code == "sector" and len(codes) != 1):
        return ""
    return phrases.terms[reason.code].format(names=", ".join(names))


def _name(phrases: ReasonPhrases, code: str, language: Language) -> str:
    """Return the words for a code; empty for a code without words. A regional priority is named by its own words."""
    scheme, _, value = code.partition(":")
    if scheme == "s3":
        return value.replace("-", " ")
    name = phrases.names.get(code) or label_of(code, language)
    # A label begins a line in its table, and is inside a sentence here.
    return name if phrases.keeps_capitals or name[1:2].isupper() else name[:1].lower() + name[1:]


def _partners_activity(reason: Reason, match: MatchSnapshot, reader_id: str, language: Language) -> str:
    """Return the words for the partner's activity if both activities are of the same NACE division.

    A whole section, such as manufacturing, is too wide for activities to be called close. The detail names the activity
    of the first participant, then that of the second.
    """
    codes = reason.detail.split(", ")
    is_close = len(codes) == len(match.participant_ids) and len({_division(code) for code in codes}) == 1
    return label_of(codes[match.participant_ids[0] == reader_id], language) if is_close else ""


def _division(code: str) -> str:
    return code.removeprefix("nace:")[:2]


def _request(match: MatchSnapshot, reader_id: str, phrases: ReasonPhrases) -> str:
    if not match.requested:
        return ""
    if not match.requested_by:
        return phrases.asked
    if len(match.requested_by) > 1:
        return phrases.both_asked
    return phrases.you_asked if reader_id in match.requested_by else phrases.they_asked


def _item(items: tuple[str, ...], number: int) -> str:
    return _short(items[number]) if number < len(items) else ""


def _short(text: str) -> str:
    """Return the text on one line of at most `_ITEM_LENGTH` characters, without the full stop."""
    line = " ".join(text.split()).rstrip(". ")
    return line if len(line) <= _ITEM_LENGTH else line[: _ITEM_LENGTH - 1].rsplit(" ", 1)[0] + "…"
