"""Settings of registration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, FilePath

from shared.runtime.settings import ServiceSettings

_BASE_URL = r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$"


class Settings(ServiceSettings):
    """Settings of registration, besides the settings that every service has."""

    service: ClassVar[str] = "registration"
    needed: ClassVar[Mapping[str, str]] = {
        "internal_token": "all that matching and the scheduler answer",
        "matching_url": "affinities, observatory, profile help",
        "scheduler_url": "encounters, below-minimum, goals, what-if, edits, attendance",
    }

    # An edition becomes one Kafka record, of 1 MiB at most by default: hence the upper bound.
    max_body_bytes: int = Field(
        default=512 * 1024, ge=1024, le=768 * 1024, description="Largest JSON body; a larger body is refused with 413."
    )
    openapi: bool = Field(
        default=True, description="Serve `GET /openapi.json`, the description of the API, to strangers."
    )
    max_import_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="Largest CSV or XLSX file; a larger file is refused with 413."
    )
    max_unpacked_bytes: int = Field(
        default=64 * 1024 * 1024, ge=1024, description="Most bytes an XLSX file may unpack to."
    )
    max_import_rows: int = Field(default=10_000, ge=1, description="Most rows in an imported file.")
    import_memory_bytes: int = Field(
        default=256 * 1024 * 1024, ge=64 * 1024 * 1024, description="Memory of the process that reads an imported file."
    )
    import_read_seconds: int = Field(
        default=20, ge=1, description="Time in which the process has to read an imported file; it is killed then."
    )
    imports_at_once: int = Field(
        default=4, ge=1, description="Most imports at once, each of another operator; further operators wait."
    )
    key_cache_seconds: float = Field(
        default=5.0, ge=0, description="Time for which API keys are cached: a revoked key may work this much longer."
    )
    expiry_seconds: float = Field(
        default=30.0, gt=0, description="Interval at which unanswered match requests are expired."
    )
    matching_url: str = Field(
        default="",
        pattern=_BASE_URL,
        description="Base URL of matching's internal API. Unset: the endpoints that need it answer 503, and `/readyz` "
        "names it.",
    )
    scheduler_url: str = Field(
        default="",
        pattern=_BASE_URL,
        description="Base URL of the scheduler's internal API. Unset: the endpoints that need it answer 503, and "
        "`/readyz` names it.",
    )
    peer_ca_file: FilePath | None = Field(
        default=None,
        description="CA certificates to trust in matching and the scheduler, if their addresses are `https`; the "
        "system's if unset.",
    )
    peer_seconds: float = Field(
        default=10.0, gt=0, description="Time in which matching and the scheduler have to answer."
    )
