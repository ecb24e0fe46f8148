"""Words that tell whether a text is a need or an offer (es, en, pt, fr, some it and de)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from services.matching.domain.text.scorer import Role


def folded(text: str) -> str:
    """Return the text in lower case without accents, letter by letter: indices stay valid."""
    return "".join(unicodedata.normalize("NFD", letter)[0].lower()[:1] for letter in text)


def _any_of(phrases: str) -> str:
    """Return the phrases of a table as a pattern. `|` and line breaks separate them; a blank is any white space."""
    found = (phrase.strip() for phrase in phrases.replace("\n", "|").split("|"))
    return "|".join(re.sub(r"\s+", r"\\s+", phrase) for phrase in sorted(filter(None, found), key=len, reverse=True))


#: Cues of a need: verbs, and phrases in place of a verb.
_NEED: Final = _any_of(
    """
    busco | busca | buscan | buscamos | necesito | necesita | necesitan | necesitamos | requiere | requieren
    requerimos | demanda | demandan | demandamos | desea | deseamos | nos falta | nos faltan | nos interesa
    nos interesan | nos gustaria | quiere | quieren | queremos | querriamos | quisieramos
    debe | deben | debemos | tiene que | tenemos que | en busca de
    a la busqueda de | interesados en | interesadas en | interesado en | interesada en | estamos buscando
    precisamos | precisa | precisan | precisam | preciso | procura | procuram | procuramos | procuro | necessita
    necessitamos | gostariamos | pretendemos | interessados em | interessado em | interessada em | a procura de
    falta-nos | quer | querem | tem de | tem que | temos de | temos que
    looking for | look for | looks for | searching for | search for | in search of | seek | seeks | seeking | need
    needs | we require | requires | wanted | want | wants | would like to | interested in | we lack | in need of
    must | has to | have to
    cherche | cherchent | cherchons | recherche | recherchent | recherchons | besoin de | besoin d' | souhaitons
    veut | veulent | voulons | voudrions | doit | doivent | devons
    souhaite | souhaiterions | interesses par | interesse par | a la recherche de | il nous faut
    cerchiamo | cerca | cercano | abbiamo bisogno | suchen | sucht | benotigen | benotigt | brauchen
    """
)
#: Cues of an offer.
_OFFER: Final = _any_of(
    """
    ofrezco | ofrece | ofrecen | ofrecemos | fabrico | fabrica(?! de) | fabrican | fabricamos | desarrolla | desarrollan
    desarrollamos | proporciona | proporcionan | proporcionamos | proveemos | suministra | suministran | suministramos
    distribuimos | vendemos | disenamos | producimos | prestamos | realizamos | comercializamos | exportamos
    instalamos | asesoramos | investigamos | ayudamos | disponemos de | contamos con | transformamos | mecanizamos
    impartimos | elaboramos | aportamos | damos servicio | somos expertos | somos especialistas | ponemos a disposicion
    ofereco | oferece | oferecem | oferecemos | desenvolve | desenvolvem | desenvolvemos | fornece | fornecem
    fornecemos | produzimos | concebemos | projetamos | dispomos de | ajudamos | investigamos | transformamos
    somos especialistas | temos experiencia
    offer | offers | offering | we make | we manufacture | we develop | we provide | we supply | we produce | we design
    we build | we sell | we distribute | we install | we help | we deliver | we run | we have | manufactures | develops
    provides | supplies | produces | our company makes
    proposons | propose | proposent | offrons | offre | offrent | fabriquons | fabrique(?! de) | developpons | developpe
    fournissons | fournit | produisons | concevons | vendons | realisons | disposons de | aidons
    offriamo | offre | produciamo | sviluppiamo | forniamo | bieten | bietet | entwickeln | liefern | fertigen
    """
)
#: Names of a trade: weaker than a verb, since a maker of pumps may be looking for steel.
_TRADE: Final = _any_of(
    """
    fabricante de | fabricantes de | proveedor de | proveedores de | distribuidor de | distribuidores de
    especializada en | especializado en | especialistas en | especialista en | expertos en | servicios de
    somos | we are | i am | nous sommes | developing | manufacturing
    fornecedor de | fornecedores de | especializada em | especializado em | especialistas em | servicos de
    manufacturer of | maker of | supplier of | provider of | distributor of | speciali[sz]ed in | speciali[sz]es in
    speciali[sz]ing in | experts in | expert in | services in
    fabricant de | fournisseur de | specialise dans | specialisee dans | specialistes de | experts en
    """
)
#: Words before a phrase that is no cue: customers of an offer ("companies that need"), and nouns ("de recherche").
_NO_CUE: Final = re.compile(
    r"\b(?:que|quien|quienes|quem|who|that|which|qui|che|die|cuando|when|si|if|they|you|de|del|da|do|of|la|the|una|uma|une)\s+$"
)
_CUE: Final = re.compile(rf"\b(?:(?P<need>{_NEED})|(?P<offer>{_OFFER}))(?<!\w(?=\w))")
#: "Programamos", "we grow", "nous cultivons": a text that begins with an activity offers it.
_DOING: Final = r"\W*(?:(?:nos(?:otros)?|nous)\s+)?\w{3,}(?:[aei]mos|ons)\b|\W*(?:we|i)\s+\w+"
_WEAK: Final = re.compile(rf"\A(?:{_DOING})|\b(?:{_TRADE})\b")
_LONGEST_JOINT: Final = 40
_JOINT: Final = re.compile(
    r"(?P<joint>(?:\s*[,:–—-]\s*|\s+)(?:(?:y|e|and|but|pero|mas|et|mais|und|aber|ademas|tambien|also|tambem|aussi)\s+)*)"  # noqa: RUF001 -- as typed
    r"(?:(?:we|i|nous|nos)\s+)?$"
)
_TITLE: Final = re.compile(
    r"(?:(?:lo|o|what|ce)\s+(?:que\s+)?(?:we\s+|nous\s+)?)?(?:(?:mis|nuestras|nuestros|our|my|nossas|nossos|nos)\s+)?(?:"
    rf"(?P<need>necesidades|necesidad|demandas?|requisitos|needs?|requirements|necessidades|besoins|{_NEED})|"
    rf"(?P<offer>ofertas?|servicios|productos|capacidades|offers?|services|products|capabilities|servicos|produtos|offres?"
    rf"|produits|{_OFFER}))\s*[:.–—-]?\s*"  # noqa: RUF001 -- as typed
)


def role_in_words(text: str) -> Role | None:
    """Return the role of a sentence by its first cue, else by its trade; None without either."""
    plain = folded(text)
    for _, role in _cues(plain):
        return role
    return Role.OFFER if _WEAK.search(plain) else None


def clauses(text: str) -> list[str]:
    """Split a sentence at the places where it turns from offer to need or back."""
    plain = folded(text)
    found, start, role = [], 0, None
    for at, named in _cues(plain):
        joint = _JOINT.search(plain, max(start, at - _LONGEST_JOINT), at)
        if role is not None and named is not role and joint:
            found.append(text[start : joint.start()])
            start = joint.end("joint")
        elif role is not None:
            continue
        role = named
    return [*found, text[start:]]


def role_of_title(line: str) -> Role | None:
    """Return the role that a title gives the lines below it; None if the line is no title. "Buscamos:", "Needs"."""
    match = _TITLE.fullmatch(folded(line).strip())
    return None if match is None else Role.NEED if match["need"] else Role.OFFER


def _cues(plain: str) -> list[tuple[int, Role]]:
    """Return the places in a folded text where the writer needs or offers something, in order."""
    return [
        (match.start(), Role.NEED if match["need"] else Role.OFFER)
        for match in _CUE.finditer(plain)
        if not _NO_CUE.search(plain, max(0, match.start() - 12), match.start())
    ]
