"""The phrases about the reason of an encounter, in every language of participants: for mails, feeds and the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.contract.events import Language


@dataclass(frozen=True)
class ReasonPhrases:
    """The phrases about the reason of an encounter.

    Attributes:
        they_offer: an offer of the partner that the reader looks for; `they_need` the reverse, `both` the two.
        they_buy: the partner wants to buy and the reader to sell; `they_sell` the reverse.
        asked: by somebody of the two, if an older event does not name the participant.
        near: the activity of the partner, if it is close to that of the reader and not the same.
        terms: the phrase by code of a reason that two participants have in common.
        names: the name by code, of codes without a label.
        keeps_capitals: labels of codes keep their first letter inside a sentence, as the nouns of German do.
        separator: between two reasons; French writes a space before it.
    """

    they_offer: str
    they_need: str
    both: str
    also: str
    near: str
    they_buy: str
    they_sell: str
    asked: str
    you_asked: str
    they_asked: str
    both_asked: str
    terms: dict[str, str]
    names: dict[str, str]
    tell_more: str
    keeps_capitals: bool = False
    separator: str = "; "


_SPANISH: Final = ReasonPhrases(
    they_offer="Ofrecen lo que usted busca: «{offer}».",
    they_need="Buscan lo que usted ofrece: «{need}».",
    both="Ofrecen lo que usted busca («{offer}») y buscan lo que usted ofrece («{need}»).",
    also="En común: {reasons}.",
    near="Su actividad es cercana a la de usted: {names}.",
    they_buy="Buscan proveedores, y usted clientes.",
    they_sell="Buscan clientes, y usted proveedores.",
    asked="Encuentro pedido por una de las dos partes.",
    you_asked="Usted pidió este encuentro.",
    they_asked="Pidieron reunirse con usted.",
    both_asked="Ambas partes pidieron este encuentro.",
    terms={
        "sector": "la actividad ({names})",
        "kets": "tecnología: {names}",
        "s3": "prioridad regional: {names}",
        "shared_codes": "{names}",
        "cooperation": "la cooperación que buscan: {names}",
    },
    names={
        "coop:rd": "proyecto de I+D",
        "coop:commercial": "acuerdo comercial",
        "ket:biotechnology": "biotecnología",
        "coop:internationalisation": "internacionalización",
    },
    tell_more="Apenas sabemos qué busca y qué ofrece: complete su perfil y podremos proponerle mejores encuentros.",
)
_ENGLISH: Final = ReasonPhrases(
    they_offer="They offer what you look for: “{offer}”.",
    they_need="They look for what you offer: “{need}”.",
    both="They offer what you look for (“{offer}”), and look for what you offer (“{need}”).",
    also="In common: {reasons}.",
    near="Their activity is close to yours: {names}.",
    they_buy="They look for suppliers, and you for customers.",
    they_sell="They look for customers, and you for suppliers.",
    asked="One of you has asked for this encounter.",
    you_asked="You asked for this encounter.",
    they_asked="They asked to meet you.",
    both_asked="You both asked for this encounter.",
    terms={
        "sector": "your activity ({names})",
        "kets": "technology: {names}",
        "s3": "regional priority: {names}",
        "shared_codes": "{names}",
        "cooperation": "the cooperation you both seek: {names}",
    },
    names={
        "coop:rd": "R&D project",
        "coop:commercial": "commercial agreement",
        "ket:biotechnology": "biotechnology",
        "coop:internationalisation": "internationalisation",
    },
    tell_more="We know too little of what you need and offer: complete your profile, and we can propose better ones.",
)
_PORTUGUESE: Final = ReasonPhrases(
    they_offer="Oferecem o que a sua organização procura: «{offer}».",
    they_need="Procuram o que a sua organização oferece: «{need}».",
    both="Oferecem o que a sua organização procura («{offer}») e procuram o que a sua organização oferece («{need}»).",
    also="Em comum: {reasons}.",
    near="A atividade deles é próxima da sua: {names}.",
    they_buy="Procuram fornecedores, e a sua organização clientes.",
    they_sell="Procuram clientes, e a sua organização fornecedores.",
    asked="Encontro pedido por uma das duas partes.",
    you_asked="O encontro foi pedido por si.",
    they_asked="Pediram para se reunir consigo.",
    both_asked="Ambas as partes pediram este encontro.",
    terms={
        "sector": "a atividade ({names})",
        "kets": "tecnologia: {names}",
        "s3": "prioridade regional: {names}",
        "shared_codes": "{names}",
        "cooperation": "a cooperação que procuram: {names}",
    },
    names={
        "coop:rd": "projeto de I&D",
        "coop:commercial": "acordo comercial",
        "ket:biotechnology": "biotecnologia",
        "coop:internationalisation": "internacionalização",
    },
    tell_more="Sabemos pouco do que procura e oferece: complete o perfil e poderemos propor-lhe melhores encontros.",
)
_FRENCH: Final = ReasonPhrases(
    they_offer="Votre interlocuteur propose ce que vous recherchez : « {offer} ».",
    they_need="Votre interlocuteur recherche ce que vous proposez : « {need} ».",
    both="Votre interlocuteur propose ce que vous recherchez (« {offer} ») et recherche ce que vous proposez "
    "(« {need} »).",
    also="En commun : {reasons}.",
    near="Votre interlocuteur a une activité proche de la vôtre : {names}.",
    they_buy="Votre interlocuteur recherche des fournisseurs, et vous des clients.",
    they_sell="Votre interlocuteur recherche des clients, et vous des fournisseurs.",
    asked="Rendez-vous demandé par l'une des deux parties.",
    you_asked="Vous avez demandé ce rendez-vous.",
    they_asked="Votre interlocuteur a demandé à vous rencontrer.",
    both_asked="Les deux parties ont demandé ce rendez-vous.",
    terms={
        "sector": "l'activité ({names})",
        "kets": "technologie : {names}",
        "s3": "priorité régionale : {names}",
        "shared_codes": "{names}",
        "cooperation": "la coopération recherchée : {names}",
    },
    names={
        "coop:rd": "projet de R&D",
        "coop:commercial": "accord commercial",
        "ket:biotechnology": "biotechnologie",
        "coop:internationalisation": "internationalisation",
    },
    tell_more="Nous en savons trop peu sur ce que vous recherchez et proposez : complétez votre profil et nous "
    "pourrons vous proposer de meilleurs rendez-vous.",
    separator=" ; ",
)
_GERMAN: Final = ReasonPhrases(
    they_offer="Ihr Gegenüber bietet an, was Sie suchen: „{offer}“.",
    they_need="Ihr Gegenüber sucht, was Sie anbieten: „{need}“.",
    both="Ihr Gegenüber bietet an, was Sie suchen („{offer}“), und sucht, was Sie anbieten („{need}“).",
    also="Gemeinsamkeiten: {reasons}.",
    near="Ihr Gegenüber ist in einem ähnlichen Bereich tätig wie Sie: {names}.",
    they_buy="Ihr Gegenüber sucht Lieferanten, Sie suchen Kunden.",
    they_sell="Ihr Gegenüber sucht Kunden, Sie suchen Lieferanten.",
    asked="Eine der beiden Seiten hat um dieses Treffen gebeten.",
    you_asked="Sie haben um dieses Treffen gebeten.",
    they_asked="Ihr Gegenüber hat um ein Treffen mit Ihnen gebeten.",
    both_asked="Beide Seiten haben um dieses Treffen gebeten.",
    terms={
        "sector": "Tätigkeit ({names})",
        "kets": "Technologie: {names}",
        "s3": "regionaler Schwerpunkt: {names}",
        "shared_codes": "{names}",
        "cooperation": "gesuchte Zusammenarbeit: {names}",
    },
    names={
        "coop:rd": "F&E-Projekt",
        "coop:commercial": "Handelsvereinbarung",
        "ket:biotechnology": "Biotechnologie",
        "coop:internationalisation": "Internationalisierung",
    },
    tell_more="Wir wissen noch zu wenig darüber, was Sie suchen und anbieten: Ergänzen Sie bitte Ihr Profil, dann "
    "können wir Ihnen passendere Treffen vorschlagen.",
    keeps_capitals=True,
)
_ITALIAN: Final = ReasonPhrases(
    they_offer="Offrono ciò che Lei cerca: «{offer}».",
    they_need="Cercano ciò che Lei offre: «{need}».",
    both="Offrono ciò che Lei cerca («{offer}») e cercano ciò che Lei offre («{need}»).",
    also="In comune: {reasons}.",
    near="La loro attività è vicina alla Sua: {names}.",
    they_buy="Cercano fornitori, e Lei clienti.",
    they_sell="Cercano clienti, e Lei fornitori.",
    asked="Incontro richiesto da una delle due parti.",
    you_asked="Lei ha chiesto questo incontro.",
    they_asked="Hanno chiesto di incontrarLa.",
    both_asked="Entrambe le parti hanno chiesto questo incontro.",
    terms={
        "sector": "l'attività ({names})",
        "kets": "tecnologia: {names}",
        "s3": "priorità regionale: {names}",
        "shared_codes": "{names}",
        "cooperation": "la collaborazione cercata: {names}",
    },
    names={
        "coop:rd": "progetto di R&S",
        "coop:commercial": "accordo commerciale",
        "ket:biotechnology": "biotecnologia",
        "coop:internationalisation": "internazionalizzazione",
    },
    tell_more="Sappiamo troppo poco di ciò che cerca e offre: completi il Suo profilo e potremo proporLe incontri "
    "migliori.",
)
REASON_PHRASES: Final[dict[Language, ReasonPhrases]] = {
    Language.SPANISH: _SPANISH,
    Language.ENGLISH: _ENGLISH,
    Language.PORTUGUESE: _PORTUGUESE,
    Language.FRENCH: _FRENCH,
    Language.GERMAN: _GERMAN,
    Language.ITALIAN: _ITALIAN,
}
