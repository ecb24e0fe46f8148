"""The contract, read by foreign programs: the AsyncAPI parser and the CloudEvents SDK for Go."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.outside import checked

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


@pytest.mark.parametrize("name", ["public", "tertulia"])
def test_the_asyncapi_parser_finds_no_error(name: str) -> None:
    checked("asyncapi", str(ROOT / f"docs/asyncapi/{name}.json"))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_the_cloudevents_sdk_reads_each_event(file: Path) -> None:
    sample = json.loads(file.read_text(encoding="utf-8"))
    record = {"headers": sample["headers"], "value": json.dumps(sample["value"])}
    event = json.loads(checked("cloudevent", standard_input=json.dumps(record)))
    headers = sample["headers"]
    assert (event["id"], event["type"], event["source"]) == (headers["ce_id"], headers["ce_type"], headers["ce_source"])
    assert event["partitionkey"] == headers["ce_partitionkey"]
    assert event["data"] == sample["value"]


def test_the_openapi_document_is_clean_for_redocly() -> None:
    checked("redocly", "lint", "docs/openapi.json", "--config", "tests/tools/npm/redocly.yaml", "--format", "stylish")


def test_the_openapi_document_is_clean_for_spectral() -> None:
    checked(
        "spectral", "lint", "docs/openapi.json", "--ruleset", "tests/tools/npm/spectral.yaml", "--fail-severity", "hint"
    )
