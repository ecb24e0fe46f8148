"""Lists of participants made by a seed: any file, any headings, any spelling of the same people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.support.workbooks import sheets_saved

#: Headings by field, a language a row.
HEADINGS: Final = (
    ("Empresa", "Nombre", "Apellidos", "Correo electrónico", "País", "Idiomas", "Cargo", "ID externo"),
    ("Company (*)", "First name", "Last name", "E-mail:", "Country", "Languages", "Job title", "External ID"),
    ("Société", "Prénom", "Nom de famille", "Adresse e-mail", "Pays", "Langues", "Fonction", "Identifiant"),
    ("Firma", "Vorname", "Nachname", "E-Mail-Adresse", "Land", "Sprachen", "Funktion", "Kennung"),
    ("Azienda", "Nome", "Cognome", "Indirizzo email", "Nazione", "Lingue", "Ruolo", "Identificativo"),
    ("Entidade", "Nome", "Apelido", "Endereço de email", "País", "Línguas", "Função", "Identificador"),
)
_COUNTRIES: Final = {
    "ES": ("España", "Spain", "ESP", "Spanien", "E", "ES - España"),
    "DE": ("Alemania", "Germany", "DEU", "Deutschland (DE)", "D", "Allemagne"),
    "GB": ("UK", "Reino Unido", "Great Britain", "Großbritannien", "England"),
    "NO": ("Norge", "Norway", "NOR", "Noruega"),
}
_LANGUAGES: Final = {
    ("es",): ("Español", "ES", "Castellano", "spanish", "es-MX"),
    ("de", "en"): ("Deutsch, Englisch", "de/en", "alemán e inglés", "German; English"),
    ("fr",): ("Français", "Französisch", "fra", "francese"),
}
_NOTHING: Final = ("", "-", "n/a", "NULL", "\u2014", "#N/A", "#\u00a1REF!", "#NV", "0")
_PEOPLE: Final = (("Ana", "Peña"), ("Jörg", "Weiß"), ("Zoë", "O'Neill"), ("Rui", "Sá Costa"), ("José María", "Gil"))


@dataclass(frozen=True)
class OddList:
    """A list and the people in it: company, name, address, country, languages and own id by line."""

    raw: bytes
    people: dict[int, tuple[str, str, str, str, list[str], str]]
    hidden: tuple[int, ...]


def odd_list(seed: int) -> OddList:
    """Return the list of a seed."""
    random = Random(seed)  # noqa: S311 - made-up people
    rows: list[list[str]] = [
        [title] for title in random.choice(([], ["Inscritos 2027", ""], ["Anmeldungen", "Stand: 1.3."]))
    ]
    heading = list(random.choice(HEADINGS))
    extra = random.randrange(3)
    rows.append([*heading, *[""] * extra])
    people: dict[int, tuple[str, str, str, str, list[str], str]] = {}
    for number in range(8):
        if random.random() < 0.2:
            rows.append(random.choice(([""], heading)))
        cells, person = _person(random, number)
        rows.append([*cells, *[""] * extra])
        people[len(rows)] = person
    rows += random.choice(([], [["Total: 8"]], [["Total", "8"]], [["Fuente: formulario"]], [["* provisional"]]))
    raw, hidden = random.choice((_text, _workbook))(random, rows, list(people))
    return OddList(raw, {line: person for line, person in people.items() if line not in hidden}, hidden)


def _person(random: Random, number: int) -> tuple[list[str], tuple[str, str, str, str, list[str], str]]:
    given, family = random.choice(_PEOPLE)
    email = f"p{number}@c{number}.example"
    country, languages = random.choice(list(_COUNTRIES)), random.choice(list(_LANGUAGES))
    shown = random.choice(
        (email, f"{given} <{email}>", f"mailto:{email}", f"{email}.", f'"{family}, {given}" <{email}>')
    )
    pad: Callable[[str], str] = random.choice((str, "\u200b{}".format, "{}\u00a0".format))
    cells = [pad(f"Cía {number} S.L."), pad(given), family, shown, random.choice(_COUNTRIES[country])]
    cells += [
        random.choice(_LANGUAGES[languages]),
        random.choice(_NOTHING),
        random.choice((f"{700 + number}", f"{700 + number}.0")),
    ]
    return cells, (f"Cía {number} S.L.", f"{given} {family}", email, country, list(languages), f"{700 + number}")


def _text(random: Random, rows: list[list[str]], _: list[int]) -> tuple[bytes, tuple[int, ...]]:
    mark = random.choice(";,\t|")
    lines = [mark.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' if cell else "" for cell in row) for row in rows]
    encoding = random.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-le"))
    return random.choice(("\n", "\r\n")).join(lines).encode(encoding), ()


def _workbook(random: Random, rows: list[list[str]], lines: list[int]) -> tuple[bytes, tuple[int, ...]]:
    hidden = tuple(random.sample(lines, random.randrange(3)))
    cells: list[list[object]] = [[cell or None for cell in row] for row in rows]
    sheets: dict[str, list[list[object]]] = {"Leeme": [["Rellene la otra hoja"]], "Datos": cells}
    return sheets_saved(sheets, hidden_rows=hidden), tuple(sorted(hidden))
