"""The reasons of an encounter as sentences for a mail: needs that meet offers, common technologies and the like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.notify.domain.snapshots import ContactSnapshot, MatchSnapshot
from shared.contract.events import Language, NeedMet, Reason

#: Least fit from which a need and an offer are shown, for affinity versions without a rule of their own.
#: Of needs and offers that do not fit, 0.5 % pass.
#: With two needs and two offers on both sides, 3 % of the pairs read nonsense; at half of this fit, 25 % would.
SHOWN_FROM: Final = 0.55
#: Most reasons besides needs and offers that a mail names.
_MOST_OTHER_REASONS: Final = 2
_ITEM_LENGTH: Final = 160


@dataclass(frozen=True)
class ReasonPhrases:
    """The phrases of a language. `terms` maps a reason's code to its phrase, `names` a taxonomy code to its name."""

    you_need: str
    they_need: str
    also: str
    asked: str
    terms: dict[str, str]
    names: dict[str, str]
    tell_more: str


_SPANISH: Final = ReasonPhrases(
    you_need="Usted busca: «{need}» - Ofrecen: «{offer}»",
    they_need="Buscan: «{need}» - Usted ofrece: «{offer}»",
    also="En común: {reasons}",
    asked="Encuentro pedido por una de las dos partes.",
    terms={
        "sector": "actividades cercanas ({names})",
        "kets": "tecnología: {names}",
        "s3": "prioridad regional (S3): {names}",
        "shared_codes": "{names}",
        "cooperation": "la cooperación que buscan: {names}",
        "helix_complement": "empresa y ciencia",
        "cross_border": "dos países ({names})",
        "delegation": "una delegación de visita ({names})",
        "met_before": "ya se reunieron en una edición anterior",
    },
    names={
        "ket:additive-manufacturing": "fabricación aditiva",
        "ket:advanced-manufacturing": "fabricación avanzada",
        "ket:advanced-materials": "materiales avanzados",
        "ket:artificial-intelligence": "inteligencia artificial",
        "ket:biotechnology": "biotecnología",
        "ket:circular-economy": "economía circular",
        "ket:energy-efficiency": "eficiencia energética",
        "ket:iiot": "internet industrial de las cosas",
        "ket:microelectronics": "microelectrónica",
        "ket:nanotechnology": "nanotecnología",
        "ket:photonics": "fotónica",
        "ket:robotics": "robótica",
        "coop:rd": "proyecto de I+D",
        "coop:commercial": "acuerdo comercial",
        "coop:sale": "compra y venta",
        "coop:purchase": "compra y venta",
        "coop:internationalisation": "internacionalización",
    },
    tell_more="Apenas sabemos qué busca y qué ofrece: complete su perfil y podremos proponerle mejores encuentros.",
)
_ENGLISH: Final = ReasonPhrases(
    you_need="You need: “{need}” - They offer: “{offer}”",
    they_need="They need: “{need}” - You offer: “{offer}”",
    also="In common: {reasons}",
    asked="One of you has asked for this encounter.",
    terms={
        "sector": "activities close to each other ({names})",
        "kets": "technology: {names}",
        "s3": "regional priority (S3): {names}",
        "shared_codes": "{names}",
        "cooperation": "the cooperation you both seek: {names}",
        "helix_complement": "industry and science",
        "cross_border": "two countries ({names})",
        "delegation": "a visiting delegation ({names})",
        "met_before": "you have met in an earlier edition",
    },
    names={
        "ket:additive-manufacturing": "additive manufacturing",
        "ket:advanced-manufacturing": "advanced manufacturing",
        "ket:advanced-materials": "advanced materials",
        "ket:artificial-intelligence": "artificial intelligence",
        "ket:biotechnology": "biotechnology",
        "ket:circular-economy": "circular economy",
        "ket:energy-efficiency": "energy efficiency",
        "ket:iiot": "industrial internet of things",
        "ket:microelectronics": "microelectronics",
        "ket:nanotechnology": "nanotechnology",
        "ket:photonics": "photonics",
        "ket:robotics": "robotics",
        "coop:rd": "R&D project",
        "coop:commercial": "commercial agreement",
        "coop:sale": "buying and selling",
        "coop:purchase": "buying and selling",
        "coop:internationalisation": "internationalisation",
    },
    tell_more="We know too little of what you need and offer: complete your profile, and we can propose better ones.",
)
_PORTUGUESE: Final = ReasonPhrases(
    you_need="Procura: «{need}» - Oferecem: «{offer}»",
    they_need="Procuram: «{need}» - Oferece: «{offer}»",
    also="Em comum: {reasons}",
    asked="Encontro pedido por uma das duas partes.",
    terms={
        "sector": "atividades próximas ({names})",
        "kets": "tecnologia: {names}",
        "s3": "prioridade regional (S3): {names}",
        "shared_codes": "{names}",
        "cooperation": "a cooperação que procuram: {names}",
        "helix_complement": "empresa e ciência",
        "cross_border": "dois países ({names})",
        "delegation": "uma delegação em visita ({names})",
        "met_before": "já se reuniram numa edição anterior",
    },
    names={
        "ket:additive-manufacturing": "fabrico aditivo",
        "ket:advanced-manufacturing": "fabrico avançado",
        "ket:advanced-materials": "materiais avançados",
        "ket:artificial-intelligence": "inteligência artificial",
        "ket:biotechnology": "biotecnologia",
        "ket:circular-economy": "economia circular",
        "ket:energy-efficiency": "eficiência energética",
        "ket:iiot": "internet industrial das coisas",
        "ket:microelectronics": "microeletrónica",
        "ket:nanotechnology": "nanotecnologia",
        "ket:photonics": "fotónica",
        "ket:robotics": "robótica",
        "coop:rd": "projeto de I&D",
        "coop:commercial": "acordo comercial",
        "coop:sale": "compra e venda",
        "coop:purchase": "compra e venda",
        "coop:internationalisation": "internacionalização",
    },
    tell_more="Sabemos pouco do que procura e oferece: complete o perfil e poderemos propor-lhe melhores encontros.",
)
REASON_PHRASES: Final[dict[Language, ReasonPhrases]] = {
    Language.SPANISH: _SPANISH,
    Language.ENGLISH: _ENGLISH,
    Language.PORTUGUESE: _PORTUGUESE,
}


def sentences_of(
    match: MatchSnapshot, reader_id: str, reader: ContactSnapshot, partner: ContactSnapshot
) -> tuple[str, ...]:
    """Return the reasons of a match as sentences in the reader's language. Reasons without a phrase are left out.

    If no reason is left and a participant requested the encounter, the only sentence says so.
    """
    phrases = REASON_PHRASES[reader.language]
    met = (pair for reason in match.reasons for pair in reason.met if _is_shown(pair))
    lines = [line for pair in met if (line := _need_met(phrases, pair, reader_id, reader, partner))]
    other_reasons = [words for reason in match.reasons if (words := _in_words(phrases, reason))][:_MOST_OTHER_REASONS]
    if other_reasons:
        lines.append(phrases.also.format(reasons="; ".join(other_reasons)))
    return tuple(lines) if lines or not match.requested else (phrases.asked,)


def _is_shown(met: NeedMet) -> bool:
    """Return the judgement of matching, or that of the fit for an affinity version without a rule."""
    return met.fit >= SHOWN_FROM if met.shown is None else met.shown


def _need_met(
    phrases: ReasonPhrases, met: NeedMet, reader_id: str, reader: ContactSnapshot, partner: ContactSnapshot
) -> str:
    """Quote the need and the offer from the profiles; empty if a changed profile no longer has the item."""
    is_reader = met.participant_id == reader_id
    seeker, provider = (reader, partner) if is_reader else (partner, reader)
    if met.need >= len(seeker.needs) or met.offer >= len(provider.offers):
        return ""
    phrase = phrases.you_need if is_reader else phrases.they_need
    return phrase.format(need=_short(seeker.needs[met.need]), offer=_short(provider.offers[met.offer]))


def _in_words(phrases: ReasonPhrases, reason: Reason) -> str:
    if reason.code == "sector" and not _of_one_division(reason.detail):
        return ""
    phrase = phrases.terms.get(reason.code, "")
    return phrase.format(names=", ".join(_names(phrases, reason.detail)))


def _names(phrases: ReasonPhrases, detail: str) -> Iterator[str]:
    """Return the names of codes. A code without a name stands for itself, without its scheme."""
    for code in filter(None, detail.split(", ")):
        scheme, _, value = code.partition(":")
        if code in phrases.names:
            yield phrases.names[code]
        elif scheme == "nace":
            yield f"NACE {value}"
        else:
            yield (value or scheme).replace("-", " ")


def _of_one_division(detail: str) -> bool:
    """Return whether all activities are of the same NACE division, its first two digits.

    A whole section, such as manufacturing, is too wide for activities to be called close.
    """
    return len({code.removeprefix("nace:")[:2] for code in detail.split(", ")}) == 1


def _short(text: str) -> str:
    """Return the text on one line of at most `_ITEM_LENGTH` characters, without the full stop."""
    line = " ".join(text.split()).rstrip(". ")
    return line if len(line) <= _ITEM_LENGTH else line[: _ITEM_LENGTH - 1].rsplit(" ", 1)[0] + "…"
