"""Organisations of every kind and their participants, drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from demo.catalogue import INSTITUTIONAL, LocalInterval, industries, people, programme
from demo.plan import PlannedOrganisation, PlannedParticipant, slug

#: At full scale: all companies, foreign companies by country (the rest is Spanish), and large companies.
COMPANIES = 210
FROM_ABROAD = {"PT": 12, "MX": 6, "PE": 5, "CL": 6, "UY": 4}
LARGE_COMPANIES = 25
PARTICIPANTS = 350
#: Industries of the delegations, which mostly buy.
_ABROAD = ("mining", "agricultural_machinery", "logistics", "food_equipment", "engineering", "renewables")
#: Codes of the cooperation sought, by kind of organisation. Delegations seek purchases and partners.
_SEEKS = {
    "sme": ("coop:sale",),
    "large_company": ("coop:purchase", "coop:rd"),
    "research_group": ("coop:rd",),
    "technology_centre": ("coop:rd",),
    "public_body": ("coop:internationalisation",),
    "consultant": ("coop:commercial",),
}
_TRAVELLERS_SEEK = ("coop:purchase", "coop:internationalisation")
_SHARE_ENGLISH = {"sme": 0.08, "large_company": 0.3, "research_group": 0.45, "technology_centre": 0.3}


def scaled(amount: int, scale: float) -> int:
    """Return `amount` at a scale, at least 1."""
    return max(1, round(amount * scale))


def draw_organisations(random: Random, scale: float) -> tuple[PlannedOrganisation, ...]:
    """Draw the companies, then the institutions, in the shares of their kinds."""
    roots = [head + tail for head in people()["roots"]["heads"] for tail in people()["roots"]["tails"]]
    random.shuffle(roots)
    countries = [country for country, amount in FROM_ABROAD.items() for _ in range(scaled(amount, scale))]
    countries += ["ES"] * (scaled(COMPANIES, scale) - len(countries))
    random.shuffle(countries)
    large = set(random.sample(range(len(countries)), scaled(LARGE_COMPANIES, scale)))
    companies = [
        _company(random, f"org-{number:03}", roots.pop(), country, is_large=number in large)
        for number, country in enumerate(countries)
    ]
    return (*companies, *_institutions(random, len(companies), scale))


def _company(random: Random, key: str, root: str, country: str, *, is_large: bool) -> PlannedOrganisation:
    fields = _ABROAD if country in people()["delegations"] else tuple(sorted(set(industries()) - INSTITUTIONAL))
    industry = industries()[random.choice(fields)]
    word = random.choice(industry["words_pt"] if country == "PT" else industry["words"])
    kind, delegation = "large_company" if is_large else "sme", people()["delegations"].get(country)
    trade_name = f"Grupo {root}" if is_large else random.choice((f"{word} {root}", f"{root} {word}"))
    return PlannedOrganisation(
        key=key,
        name=f"{trade_name} {random.choice(people()['legal_forms'][country])}",
        kind=kind,
        country=country,
        region=random.choice(people()["regions"][country]),
        delegation=delegation,
        codes=(*industry["codes"], *(_TRAVELLERS_SEEK if delegation else _SEEKS[kind])),
        domain=f"{slug(trade_name)}.example",
        industry=industry["key"],
        buys=tuple(random.sample(industry["buys"], 3)),
    )


def _institutions(random: Random, first: int, scale: float) -> Iterator[PlannedOrganisation]:
    chosen = [
        (kind, name, field)
        for kind, named in people()["institutions"].items()
        for name, field in named[: scaled(len(named), scale)]
    ]
    for number, (kind, name, field) in enumerate(chosen, start=first):
        industry = industries()[field]
        yield PlannedOrganisation(
            key=f"org-{number:03}",
            name=name,
            kind=kind,
            country="ES",
            region=random.choice(people()["regions"]["ES"]),
            delegation=None,
            codes=(*industry["codes"], *_SEEKS.get(kind, ())),
            domain=f"{slug(name)}.example",
            industry=field,
            buys=tuple(random.sample(industry["buys"], 3)),
        )


def draw_participants(
    random: Random, organisations: tuple[PlannedOrganisation, ...], scale: float
) -> tuple[PlannedParticipant, ...]:
    """Draw a participant per organisation, then more of large companies and research groups."""
    extra = max(0, scaled(PARTICIPANTS, scale) - len(organisations))
    large_first = [
        (organisation.kind in {"large_company", "research_group"}, random.random(), organisation)
        for organisation in organisations
    ]
    large_first.sort(key=lambda row: (not row[0], row[1]))
    represented = [*organisations, *(large_first[number % len(large_first)][2] for number in range(extra))]
    names: set[str] = set()
    return tuple(
        draw_participant(random, f"prt-{number:03}", organisation, names)
        for number, organisation in enumerate(represented)
    )


def draw_participant(
    random: Random, key: str, organisation: PlannedOrganisation, names: set[str]
) -> PlannedParticipant:
    """Draw a participant of the organisation. The name is new in `names`, and is added to it."""
    language = _language(random, organisation)
    name = draw_name(random, organisation.country, names)
    available = _availability(random, organisation)
    session_ids = _sessions(random)
    given, family = name.split(" ")[0], name.split(" ")[-2]
    return PlannedParticipant(
        key=key,
        organisation=organisation,
        name=name,
        email=f"{slug(given)}.{slug(family)}@{organisation.domain}",
        languages=(language,) if language == "es" else (language, "es"),
        offers=_offers(random, organisation, language),
        needs=_needs(random, organisation, language),
        available=tuple((hours.starts_at.isoformat(), hours.ends_at.isoformat()) for hours in available),
        session_ids=session_ids,
        free_slots=_free_slots(available, session_ids),
    )


def draw_name(random: Random, country: str, taken: set[str]) -> str:
    """Draw a first name and two family names until the name is not taken, and add it to `taken`."""
    pool = people()["people"]["pt" if country == "PT" else "es"]
    while True:
        name = " ".join((random.choice(pool["first"]), *random.sample(pool["last"], 2)))
        if name not in taken:
            taken.add(name)
            return name


def _language(random: Random, organisation: PlannedOrganisation) -> str:
    if random.random() < _SHARE_ENGLISH.get(organisation.kind, 0.05):
        return "en"
    return "pt" if organisation.country == "PT" else "es"


def _availability(random: Random, organisation: PlannedOrganisation) -> tuple[LocalInterval, ...]:
    chance = random.random()
    if chance < (0.25 if organisation.kind == "government" else 0.05):
        return (programme().interval(programme().starts, "13:30"),)
    if chance > (0.8 if organisation.delegation else 0.95):
        return (programme().interval("10:00", programme().ends),)
    return ()


def _sessions(random: Random) -> tuple[str, ...]:
    chosen = [
        session["session_id"]
        for session in programme().sessions
        if random.random() < (0.15 if session["kind"] == "keynote" else 0.08)
    ]
    return tuple(chosen[:3])


def _free_slots(available: tuple[LocalInterval, ...], session_ids: tuple[str, ...]) -> int:
    busy = [
        programme().interval(s["starts"], s["ends"]) for s in programme().sessions if s["session_id"] in session_ids
    ]
    return sum(
        not any(slot.overlaps(session) for session in busy)
        and (
            not available
            or any(hours.starts_at <= slot.starts_at and slot.ends_at <= hours.ends_at for hours in available)
        )
        for slot in programme().slots()
    )


def _offers(random: Random, organisation: PlannedOrganisation, language: str) -> tuple[str, ...]:
    phrases = industries()[organisation.industry][language]["offers"]
    return tuple(_fill(random, phrase, language) for phrase in random.sample(phrases, min(2, len(phrases))))


def _needs(random: Random, organisation: PlannedOrganisation, language: str) -> tuple[str, ...]:
    wanted = random.sample(organisation.buys, 2)
    if organisation.is_company:
        phrases = [random.choice(industries()[field][language]["wanted"]) for field in wanted]
    else:
        quests = people()["quests"][organisation.kind][language]
        phrases = [
            quests[number % len(quests)].replace("{label}", industries()[field][language]["label"])
            for number, field in enumerate(wanted)
        ]
    return tuple(_fill(random, phrase, language) for phrase in phrases)


def _fill(random: Random, phrase: str, language: str) -> str:
    return phrase.format(
        material=random.choice(people()["materials"][language]),
        size=random.choice((600, 800, 1200, 1500, 2000, 3000, 6000)),
        batch=random.choice((50, 100, 250, 500, 1000, 5000)),
        tonnes=random.choice((2, 5, 8, 12, 20, 40)),
        days=random.choice((5, 10, 15, 20, 30)),
        years=random.choice((8, 12, 15, 20, 25)),
    )
