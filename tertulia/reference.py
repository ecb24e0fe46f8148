"""The reference pages written from the code by `tertulia docs`; `make check` compares them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

from pydantic_core import PydanticUndefined

from services import SERVICES
from shared.contract import asyncapi
from shared.contract.topics import TOPICS
from shared.runtime.settings import ENV_PREFIX, PARTITIONS, ServiceSettings


def pages() -> dict[Path, str]:
    """Return the pages: path below the project's root to text."""
    docs = Path("docs")
    return {
        docs / "asyncapi" / "tertulia.json": _json(asyncapi.document(public_only=False)),
        docs / "asyncapi" / "public.json": _json(asyncapi.document(public_only=True)),
        docs / "settings.md": "\n".join(_settings()) + "\n",
        docs / "metrics.md": "\n".join(_metrics()) + "\n",
        docs / "topics.md": "\n".join(_topics()) + "\n",
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
