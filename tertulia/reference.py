"""The reference pages written from the code by `tertulia docs`; `make check` compares them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from services import SERVICES
from shared.contract import asyncapi
from shared.contract.topics import TOPICS
from shared.privacy import REGISTER
from shared.runtime.settings import ENV_PREFIX, PARTITIONS, ServiceSettings
from tertulia import access_page


def pages() -> dict[Path, str]:
    """Return the pages: path below the project's root to text."""
    docs = Path("docs")
    return {
        docs / "access.md": "\n".join(access_page.lines()) + "\n",
        docs / "asyncapi" / "tertulia.json": _json(asyncapi.document(public_only=False)),
        docs / "asyncapi" / "public.json": _json(asyncapi.document(public_only=True)),
        docs / "openapi.json": _json(_openapi()),
        docs / "settings.md": "\n".join(_settings()) + "\n",
        docs / "metrics.md": "\n".join(_metrics()) + "\n",
        docs / "topics.md": "\n".join(_topics()) + "\n",
        docs / "privacy.md": "\n".join(_privacy()) + "\n",
    }


def write(root: Path) -> list[Path]:
    """Write the pages; return the paths of the changed pages."""
    changed = drifted(root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(pages()[path], encoding="utf-8")
    return changed


def drifted(root: Path) -> list[Path]:
    """Return the paths of the pages that differ from the code."""
    return [path for path, text in pages().items() if not _is(root / path, text)]


def _is(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _openapi() -> dict[str, Any]:
    # Imported late: the API of registration loads in a second.
    from services.registration.app import document_of_api  # noqa: PLC0415

    return document_of_api()


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _settings() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "Made by `tertulia docs` from the code. Every setting is an environment variable, or a file of that name in"
    yield "`/run/secrets` (another folder: `TERTULIA_SECRETS_DIR`). The environment wins."
    shared = ServiceSettings.model_fields
    yield from _settings_table("Every service", ServiceSettings, skip=set())
    for name in SERVICES:
        settings: type[ServiceSettings] = importlib.import_module(f"services.{name}.settings").Settings
        yield from _settings_table(name, settings, skip=set(shared))


def _settings_table(title: str, settings: type[ServiceSettings], skip: set[str]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield "| Variable | Default | Meaning |"
    yield "|---|---|---|"
    for name, field in settings.model_fields.items():
        if name not in skip:
            value = field.default
            hidden = hasattr(value, "get_secret_value")
            text = "" if value in {None, "", PydanticUndefined} else str(value.get_secret_value() if hidden else value)
            yield f"| `{(ENV_PREFIX + name).upper()}` | {f'`{text}`' if text else ''} | {field.description} |"


def _metrics() -> Iterator[str]:
    # Imported late: declaring metrics registers them, once a process.
    from shared.runtime.metrics import METRICS  # noqa: PLC0415

    yield "# Metrics"
    yield ""
    yield "Made by `tertulia docs` from `shared/runtime/metrics.py`. Every service serves all of them at `/metrics`;"
    yield "those of other services stay at zero. No metric has an id as a label."
    yield ""
    yield "| Metric | Kind | Labels | Means | Do |"
    yield "|---|---|---|---|---|"
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.name}` | {metric.kind} | {labels} | {metric.means} | {metric.action} |"


def _topics() -> Iterator[str]:
    yield "# Topics"
    yield ""
    yield "Made by `tertulia docs` from `shared/contract/topics.py`. Schemas for integrations:"
    yield "[asyncapi/public.json](asyncapi/public.json); for all: [asyncapi/tertulia.json](asyncapi/tertulia.json)."
    yield "Each topic has a `.dlq` beside it."
    yield ""
    yield "| Topic | Public | Says | From | Events | Partitions | Keeps |"
    yield "|---|---|---|---|---|---|---|"
    for topic in TOPICS:
        events = ", ".join(f"`{event.__name__}`" for event in topic.events)
        keeps = f"{topic.retention.days} days" if topic.retention else "the newest of each key"
        yield (
            f"| `{topic.name}` | {'yes' if topic.public else 'no'} | {topic.summary} | {topic.source} | {events} "
            f"| {PARTITIONS} | {keeps} |"
        )


_PRIVACY = """# Personal data

Made by `tertulia docs` from `shared/privacy.py`. Fields with text about a person or an organisation carry the marker
`PERSONAL`; `tests/contract/test_privacy.py` fails where such a field has no place in the register.

## Where it is kept

| Service | Place | Holds | For | Kept | Seen by | Erasure |
|---|---|---|---|---|---|---|"""

_AFTER_REGISTER = """
Logs hold ids, never names or addresses. The dead letters of `registration.v1` keep no body. Backups, and the mails that
were sent, are outside of Tertulia: see below.

## Erasure

`POST /v1/editions/{edition}/participants/{id}/erasure`, `.../organisations/{id}/erasure`, or `tertulia erase`. With
`?dry_run=true` nothing goes, and the answer lists the places above.

1. Registration empties its documents, and publishes `ParticipantErased` or `OrganisationErased` under the key of the
   thing.
2. The other services empty their texts when they consume the event.
3. Compaction removes the earlier records of `registration.v1` within a day (`max.compaction.lag.ms`; on topics of
   earlier versions `tertulia topics apply` sets it).
4. After ten minutes the erasure is carried out once more: no event of before can follow it on the topic.

Ids stay. They name nobody any more, so that requests, agendas, counts and rebuilds hold.

## Consents

`PUT /v1/editions/{edition}/participants/{id}/consents/{subject}` records an answer of the person: `listed`, to be named
in lists to other participants, or `contact`, to share address and telephone number. Kept are the time, the author, and
version and hash of the text that was read. `DELETE` withdraws, in a closed edition too. Another person in the place has
answered nothing. The answers are on `registration.v1` (`consents`), for pages that list people.

Mails and pages of Tertulia show no address and no telephone number of other participants. They name the people with
whom encounters are agreed, whatever the answers are.

## Export of a person's data

`GET /v1/editions/{edition}/participants/{id}/data` has the fields, the last changes with their authors, the match
requests, the encounters, the state of the mails, and the register above. It needs the right `person.export`. The answer
is complete, or 503.

## Retention

`PUT /v1/editions/{edition}/retention` with `{"months": 24}` has all people and organisations of an edition erased 24
months after its end, as above. `GET` at the same address is the dry run: the time, and the numbers of people. 30 days
before, `warned_at` is set and the log has `retention_ends`; nothing is erased earlier than 30 days after that. One
process of registration does the work, in slices.

## Backups

A restored backup of registration holds people who were erased since. Before the service starts:

1. Run `tertulia erasures list > erasures.jsonl` at the last database, or keep its output, ids only, with each backup.
2. Restore the backup.
3. Run `tertulia erasures apply --file erasures.jsonl`. It carries out these erasures, those of the database, and those
   that `registration.v1` still tells."""


def _privacy() -> Iterator[str]:
    yield _PRIVACY
    for place in REGISTER:
        goes = "emptied" if place.goes else "stays"
        cells = (place.service, place.name, place.holds, place.purpose, place.duration, place.readers, goes)
        yield f"| {' | '.join(cells)} |"
    yield _AFTER_REGISTER
    yield ""
    yield "## Personal fields"
    yield ""
    yield from (
        f"- {place.service}, {place.name}: {', '.join(f'`{field}`' for field in place.fields)}"
        for place in REGISTER
        if place.fields
    )
