"""Tells the roles of buyer and seller in a need and an offer, by words in es, en, pt, fr, de and it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from services.matching.domain.text.role_cues import clauses, role_in_words
from services.matching.domain.text.scorer import Role
from services.matching.domain.text.trades import folded, words_of

#: Offers to buy: they answer nobody but a seller.
_BUYS: Final = re.compile(
    r"\W*(?:compramos|compro|compra(?:-se)?(?: e venda)? de|we buy|buyers? of|buying|nous achetons|achetons|achat de"
    r"|rachat de|rachetons|wir kaufen|kaufen|ankauf|compriamo|acquistiamo|adquirimos|adquisicion de)\b"
)
#: Needs of a seller.
_SELLS: Final = re.compile(
    r"comprador|\bbuyer|acheteur|kaufer|abnehmer|salida (?:para|a)|\bvender|to sell\b|vendre|acquirent"
)
#: Offers of somebody who takes goods: buys, distributes or processes them.
_TAKES: Final = re.compile(
    r"compr|\bbuy|achet|achat|kauf|abnehm|acqui|interesad|interested|procesa|process|import|distrib|grossist|mayorista"
    r"|wholesal|recupera|\btak(?:e|ing)"
)
_REQUEST: Final = r"(?:busca\w*|procura\w*|look\w* for|seek\w*|cherch\w+|recherch\w+|such\w+|cerchiamo|captar|want\w*)"
_CLIENTS: Final = re.compile(
    rf"\b{_REQUEST}\s+(?:(?!para\b|for\b|pour\b|fur\b)\w+\s+){{0,2}}(?:client\w*|customers?|kunden|kundschaft)\b"
)


class AskedFor(NamedTuple):
    """The role of a need. `sells`: goods are for sale; `is_vague`: for clients, or a single word."""

    sells: bool
    is_vague: bool


class PutForward(NamedTuple):
    """The role of an offer. `buys`: an offer to buy; `text`: the offer without the requests in it."""

    buys: bool
    text: str


def role_of_need(text: str) -> AskedFor:
    """Read a need. No rule can tell an answer to a consultant's "we look for clients", or to "CNC"."""
    plain = folded(text)
    is_word = sum(len(word) > 1 for word in words_of(text).words) <= 1
    return AskedFor(bool(_SELLS.search(plain)), is_word or bool(_CLIENTS.search(plain)))


def role_of_offer(text: str) -> PutForward:
    """Read an offer: of "we make pumps and look for distributors" it offers the pumps."""
    offered = " ".join(clause for clause in clauses(text) if role_in_words(clause) is not Role.NEED)
    buys = bool(_BUYS.match(folded(text)))
    return PutForward(buys, text if buys else offered)


def may_trade(need: AskedFor, offer: PutForward, offer_text: str) -> bool:
    """Tell whether a need and an offer are of a buyer and a seller."""
    if need.is_vague or not offer.text:
        return False
    return bool(_TAKES.search(folded(offer_text))) if need.sells else not offer.buys
