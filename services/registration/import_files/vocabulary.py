"""The fields of the kinds of lists. Their names are in `aliases.toml`."""

from __future__ import annotations

from typing import Final

from services.registration.import_files.headings import ALIASES, FieldNames, FieldVocabulary


def _names(name: str, key: str = "", more: str = "", *, many: bool = False) -> FieldNames:
    """Return a field with the aliases of a key of the file, and then these."""
    text = f"{ALIASES[key] if key else ''},{more}"
    aliases = tuple(alias.strip() for alias in text.replace("\n", " ").split(",") if alias.strip())
    return FieldNames(name, aliases, many)


#: Fields of an organisation in a list of participants. Only a new organisation takes them.
ORGANISATION_PREFIX: Final = "organisation_"

ORGANISATIONS: Final = FieldVocabulary(
    (
        _names("name", "organisation", "nombre, nome, nom, name, nombre empresa entidad"),
        _names("kind", "kind"),
        _names("country", "country"),
        _names("region", "region"),
        _names("delegation", "delegation"),
        _names("interchangeable", "interchangeable"),
        _names("codes", "codes", many=True),
        _names("website", "website"),
        _names("description", "description"),
        _names("booth", "booth"),
        _names("phone", "phone"),
        _names("external_id", "external_id", ALIASES["external_id_of_organisation"]),
        _names("status", "status"),
    ),
    required=(("name",),),
)
PARTICIPANTS: Final = FieldVocabulary(
    (
        _names("organisation", "organisation"),
        _names("full_name", "full_name"),
        _names("name", more="name, nombre, nome, nom"),
        _names("first_name", "first_name"),
        _names("last_name", "last_name"),
        _names("second_surname", "second_surname"),
        _names("email", "email"),
        _names("languages", "languages", many=True),
        _names("job_title", "job_title"),
        _names("phone", "phone"),
        _names("external_id", "external_id", ALIASES["external_id_of_person"]),
        _names("offers", "offers", many=True),
        _names("needs", "needs", many=True),
        _names("codes", "codes", many=True),
        _names("sessions", "sessions", many=True),
        _names("status", "status"),
        _names("organisation_kind", "kind"),
        _names("organisation_country", "country"),
        _names("organisation_region", "region"),
        _names("organisation_delegation", "delegation"),
        _names("organisation_website", "website"),
        _names("organisation_description", "description"),
        _names("organisation_booth", "booth"),
    ),
    required=(("organisation",), ("name", "full_name", "first_name", "last_name"), ("email",)),
)
MATCH_REQUESTS: Final = FieldVocabulary(
    (
        _names("requester", "requester"),
        _names("target", "target"),
        _names("priority", "priority"),
        _names("partners_wanted", "partners"),
    ),
    required=(("requester",), ("target", "partners_wanted")),
)
AVAILABILITY: Final = FieldVocabulary(
    (
        _names(
            "participant",
            "email",
            "participant, participante, teilnehmer, partecipante, name, nombre, nome, nom, asistente, attendee, person",
        ),
        _names("day", "day"),
        _names("starts_at", "starts"),
        _names("ends_at", "ends"),
        _names("available", "available", many=True),
    ),
    required=(("participant",), ("starts_at", "available"), ("ends_at", "available")),
    marked="available",
)
SESSION_CHOICES: Final = FieldVocabulary(
    (
        _names(
            "participant",
            "email",
            "participant, participante, teilnehmer, partecipante, name, nombre, nome, nom, asistente, attendee, person",
        ),
        _names("session", "session", ALIASES["sessions"], many=True),
    ),
    required=(("participant",), ("session",)),
    marked="session",
)

VOCABULARIES: Final = {
    "organisations": ORGANISATIONS,
    "participants": PARTICIPANTS,
    "match-requests": MATCH_REQUESTS,
    "availability": AVAILABILITY,
    "session-choices": SESSION_CHOICES,
}
