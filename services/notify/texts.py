"""The texts of notify's journal: names, addresses and profiles, kept in `people`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.notify.domain.changes import Change, ContactRecorded, OrganisationRecorded
from services.notify.domain.snapshots import ContactSnapshot, OrganisationSnapshot, Person
from services.notify.domain.state import Audience
from shared.storage.people import EditionTexts, Texts, merged

_CONTACT, _ORGANISATION = "contact/", "organisation/"
_NO_TEXTS: Mapping[str, Any] = {"name": "", "email": "", "offers": [], "needs": []}


class AudienceTexts:
    """Implements `shared.storage.people.TextJoin`."""

    def texts_of(self, state: Audience, changes: Sequence[Change] | None = None) -> dict[str, Texts]:
        """Return the texts that changes bring, or all texts of the state, with those of persons who left."""
        if changes is not None:
            return merged(filter(None, map(_brought, changes)))
        names = {
            key: None if known.erased else {known.texts: {"name": known.name}}
            for key, known in state.organisations.items()
        }
        contacts = {key: _all_texts(state, key) for key in state.contacts}
        return {f"{_ORGANISATION}{key}": text for key, text in names.items()} | {
            f"{_CONTACT}{key}": text for key, text in contacts.items()
        }

    def join(self, state: Audience, texts: EditionTexts) -> None:
        """Fill names, addresses and profiles into a loaded state."""
        for key, text in texts.items():
            if key.startswith(_CONTACT):
                _join_contact(state, key.removeprefix(_CONTACT), text or {})
            elif known := state.organisations.get(organisation_id := key.removeprefix(_ORGANISATION)):
                name = (text or {}).get(known.texts, {"name": ""})["name"]
                state.organisations[organisation_id] = known.model_copy(update={"name": name})


def _brought(change: Change) -> tuple[str, Texts] | None:
    """Return the key and the new texts of a change, `None` if it brings none."""
    match change:
        case ContactRecorded(participant_id=participant_id, contact=contact):
            return _at_revision(f"{_CONTACT}{participant_id}", contact, _texts(contact))
        case OrganisationRecorded(organisation_id=organisation_id, organisation=organisation):
            return _at_revision(f"{_ORGANISATION}{organisation_id}", organisation, {"name": organisation.name})
        case _:
            return None


def _at_revision(
    key: str, known: ContactSnapshot | OrganisationSnapshot, text: dict[str, Any]
) -> tuple[str, Texts] | None:
    if known.erased:
        return key, None
    return (key, {known.texts: text}) if known.texts == known.revision else None


def _all_texts(state: Audience, participant_id: str) -> Texts:
    contact = state.contacts[participant_id]
    if contact.erased:
        return None
    texts: dict[int, dict[str, Any]] = {}
    for known in (contact, *state.former_contacts.get(participant_id, ())):
        if known.first_known:
            texts[known.first] = {**_NO_TEXTS, "name": known.first_known.name, "email": known.first_known.email}
        texts[known.texts] = _texts(known)
    return texts


def _texts(contact: ContactSnapshot) -> dict[str, Any]:
    return {
        "name": contact.name,
        "email": contact.email,
        "offers": list(contact.offers),
        "needs": list(contact.needs),
    }


def _join_contact(state: Audience, participant_id: str, texts: Mapping[int, dict[str, Any]]) -> None:
    if contact := state.contacts.get(participant_id):
        state.contacts[participant_id] = _joined(contact, texts)
    if former := state.former_contacts.get(participant_id):
        state.former_contacts[participant_id] = tuple(_joined(left, texts) for left in former)


def _joined(contact: ContactSnapshot, texts: Mapping[int, dict[str, Any]]) -> ContactSnapshot:
    now, first = texts.get(contact.texts, _NO_TEXTS), texts.get(contact.first)
    person = Person(name=first["name"], email=first["email"]) if first else None
    is_first = person is None or (person.name, person.email) == (now["name"], now["email"])
    return contact.model_copy(
        update={
            "name": now["name"],
            "email": now["email"],
            "offers": tuple(now["offers"]),
            "needs": tuple(now["needs"]),
            "first_known": None if is_first else person,
        }
    )
