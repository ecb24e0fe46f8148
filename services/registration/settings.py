"""Settings of registration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, FilePath, SecretStr

from services.registration.domain.limits import OperatorLimits
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
        default=True,
        description="Serve `GET /openapi.json`, the description of the API, and its page `GET /docs` to strangers.",
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
        default=5.0,
        ge=0,
        le=60,
        description="Time for which API keys are cached: a revoked key may work this much longer.",
    )
    operator_requests_per_second: float = Field(
        default=40.0,
        gt=0,
        description="Tokens a second of one operator, in each process; a read takes one, a change takes more. Further "
        "calls are refused with 429.",
    )
    operator_request_burst: int = Field(
        default=60, ge=1, description="Tokens that an operator may spend at once after a pause."
    )
    refusals_per_second: float = Field(
        default=20.0,
        gt=0,
        description="Refusals a second of one operator, or of one source without a key; further answers wait five "
        "seconds at most.",
    )
    operator_dear_per_minute: float = Field(
        default=30.0,
        gt=0,
        description="Dear calls a minute of one operator, in each process: imports, exports, proposals, what-if, "
        "observatory.",
    )
    operator_dear_burst: int = Field(
        default=20, ge=1, description="Dear calls that an operator may make at once after a pause."
    )
    operator_calls_at_once: int = Field(
        default=3, ge=1, description="Calls of one operator that a process handles at once; further calls wait."
    )
    operator_calls_waiting: int = Field(
        default=32, ge=0, description="Calls of one operator that wait, ten seconds at most; more are refused with 429."
    )
    operator_dear_calls_at_once: int = Field(
        default=2, ge=1, description="Dear calls of one operator that a process handles at once; as many wait."
    )
    calls_at_once: int = Field(
        default=64,
        ge=1,
        description="Calls of all operators that a process handles at once, in turns of the operators.",
    )
    operator_editions: int = Field(
        default=1_000, ge=0, description="Most editions of an operator, closed ones included."
    )
    operator_organisations: int = Field(
        default=100_000, ge=0, description="Most organisations of an operator, in all editions."
    )
    operator_participants: int = Field(
        default=100_000, ge=0, description="Most participants of an operator, in all editions."
    )
    operator_match_requests: int = Field(
        default=1_000_000, ge=0, description="Most match requests of an operator, in all editions."
    )
    operators_in_metrics: int = Field(
        default=0,
        ge=0,
        description="Operators with metrics of their own, the busiest; the rest are `other`. 0: no operator is named.",
    )
    expiry_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Interval at which unanswered match requests are expired, editions become live or closed, and "
        "seats freed by a process that died go down the lines of their sessions.",
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
    notify_url: str = Field(
        default="",
        pattern=_BASE_URL,
        description="Base URL of notify's internal API. Unset: the export of participants who were not reached answers "
        "503.",
    )
    events_url: str = Field(
        default="",
        pattern=_BASE_URL,
        description="Base URL of the events service's internal API. Unset: change feeds and webhooks answer 503.",
    )
    sign_in_url: str = Field(
        default="",
        pattern=_BASE_URL,
        description="Address at which staff reach `GET /sign-in` of registration, such as `https://api.example.org`: "
        "mailed sign-in links, and links that confirm a new address, lead there. Unset: no such links.",
    )
    oidc_issuer: str = Field(
        default="",
        pattern=_BASE_URL,
        description="Issuer of an OpenID Connect provider by which staff may sign in, at `/sign-in/oidc`. Unset: only "
        "by mailed links. `TERTULIA_SIGN_IN_URL` has to be set.",
    )
    oidc_client_id: str = Field(default="", description="The client id that the provider knows registration by.")
    oidc_client_secret: SecretStr = Field(default=SecretStr(""), description="The secret of that client.")
    link_secret: SecretStr = Field(
        default=SecretStr(""),
        description="The secret with which notify signs the links of participants. Unset: no link opens the API.",
    )
    link_days: float = Field(
        default=90,
        ge=0,
        description="Days after the last slot of an edition for which the links of its participants open the API.",
    )
    peer_ca_file: FilePath | None = Field(
        default=None,
        description="CA certificates to trust in the other services, if their addresses are `https`; the "
        "system's if unset.",
    )
    peer_seconds: float = Field(default=10.0, gt=0, description="Time in which another service has to answer.")

    preview_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Time in which the scheduler has to preview a change. A large change of an edition is refused with "
        "503 then, unless it is sent with `?token=*`.",
    )

    @property
    def operator_limits(self) -> OperatorLimits:
        """The limits of an operator that has none of its own."""
        return OperatorLimits(
            requests_per_second=self.operator_requests_per_second,
            request_burst=self.operator_request_burst,
            dear_per_minute=self.operator_dear_per_minute,
            dear_burst=self.operator_dear_burst,
            editions=self.operator_editions,
            organisations=self.operator_organisations,
            participants=self.operator_participants,
            match_requests=self.operator_match_requests,
        )
