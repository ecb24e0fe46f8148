"""Profile help: needs, offers and codes suggested from a free text, and remarks on vague items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from services.matching.domain.text.classification import Suggestion
from services.matching.domain.text.confidence import low_confidence_reasons
from services.matching.domain.text.items import Item, items_of
from services.matching.domain.text.scorer import Role, plain
from services.matching.domain.text.specificity import SpecificityIssue, specificity_issue
from services.matching.ports import TextEncoder
from services.matching.vocabulary import WRITTEN_IN, Vocabulary
from shared.internal_api.profile_help import ProfileQuestion, ProfileSuggestions, Remark, SuggestedCode

#: Most needs and most offers of a profile; the first of more are suggested.
MOST_ITEMS: Final = 10
_CLASSES: Final = 10
_KETS: Final = 3


class ProfileHelp:
    """Answers questions. Model and vocabulary are loaded at the first question: call it in a thread."""

    def __init__(self, encoder: Callable[[], TextEncoder], known: Callable[[], Vocabulary]) -> None:
        self._encoder = encoder
        self._vocabulary = known

    def answer(self, question: ProfileQuestion) -> ProfileSuggestions:
        """Return the suggestions. The work is bounded for any text up to the longest that is accepted."""
        items = list(dict.fromkeys(items_of(question.text)))[: 2 * MOST_ITEMS]
        remarks = [Remark(code=reason.value) for reason in low_confidence_reasons([question.text])]
        if not items:
            return ProfileSuggestions(remarks=remarks)
        known = self._vocabulary()
        raw = self._encoder().encode([plain(question.text), *(item.text for item in items)])
        vectors = known.means.centred(raw)
        guesses = known.means.roles(vectors[1:])
        roles = [item.role or guess for item, guess in zip(items, guesses, strict=True)]
        telling = [
            1 + row for row, item in enumerate(items) if specificity_issue(item.text) is not SpecificityIssue.GENERIC
        ]
        # Activities follow from offers alone; technologies also from needs.
        doing = [row for row in telling if roles[row - 1] is Role.OFFER]
        return ProfileSuggestions(
            needs=_of_role(Role.NEED, items, roles),
            offers=_of_role(Role.OFFER, items, roles),
            classes=_shown(known.nace.suggest(vectors[[0, *doing]], _CLASSES)) if telling else [],
            kets=_shown(known.kets.suggest(vectors[telling], _KETS)),
            remarks=[*remarks, *_remarks(items, roles)],
        )


def _of_role(role: Role, items: Sequence[Item], roles: Sequence[Role]) -> list[str]:
    texts = (item.text for item, has in zip(items, roles, strict=True) if has is role)
    return list(dict.fromkeys(texts))[:MOST_ITEMS]


def _remarks(items: Sequence[Item], roles: Sequence[Role]) -> Iterator[Remark]:
    for item in items:
        if vagueness := specificity_issue(item.text):
            yield Remark(code=vagueness.value, item=item.text)
        if item.role is None:
            yield Remark(code="role_guessed", item=item.text)
    for role, code in ((Role.NEED, "no_needs"), (Role.OFFER, "no_offers")):
        if role not in roles:
            yield Remark(code=code)


def _shown(suggestions: Sequence[Suggestion]) -> list[SuggestedCode]:
    return [
        SuggestedCode(
            code=suggestion.category.code,
            labels={language: suggestion.category.labels[language] for language in WRITTEN_IN},
            score=suggestion.score,
        )
        for suggestion in suggestions
    ]
