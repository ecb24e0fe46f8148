"""The settings of every service, read from the environment (`TERTULIA_...`) or from files in a secrets folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import ClassVar, Literal, Self, TypeVar

from pydantic import Field, FilePath, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

ENV_PREFIX = "TERTULIA_"
#: Partitions of a topic, unless it is set otherwise. The same for every topic, so that all records of an edition meet
#: in one process (range assignment).
PARTITIONS = 12
#: The variable of the folder of files, each named as a variable: how Docker and Kubernetes hand over secrets.
_SECRETS_VARIABLE = ENV_PREFIX + "SECRETS_DIR"
SECRETS_DIR = Path(os.environ.get(_SECRETS_VARIABLE, "/run/secrets"))


class ConnectionSettings(BaseSettings):
    """Connections to Kafka and MongoDB, and logging: the settings of the command line's tools."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    kafka_bootstrap: str = Field(
        default="127.0.0.1:9092", description="Kafka bootstrap servers, `host:port`, separated by commas."
    )
    kafka_idempotence: bool = Field(
        default=True, description="Idempotent producer. Off only on a broker that refuses it (the embedded one)."
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="Protocol of the connections to Kafka."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="SASL mechanism, with a SASL_ security protocol."
    )
    kafka_sasl_username: str = Field(default="", description="SASL user name.")
    kafka_sasl_password: SecretStr = Field(default=SecretStr(""), description="SASL password.")
    kafka_ssl_ca_file: FilePath | None = Field(
        default=None, description="CA certificates to trust; the system's if unset."
    )
    kafka_ssl_certificate_file: FilePath | None = Field(default=None, description="Client certificate, for mutual TLS.")
    kafka_ssl_key_file: FilePath | None = Field(default=None, description="Key of the client certificate.")
    kafka_replication_factor: int = Field(
        default=0,
        ge=0,
        description="Replicas of the topics that `tertulia topics apply` creates; 0: three, or one a broker.",
    )
    kafka_partitions: int = Field(
        default=PARTITIONS,
        ge=1,
        le=1000,
        description="Partitions of each topic that `tertulia topics apply` creates: how many processes of a service "
        "can share the work. Not to be changed once they exist: an edition would move from one to another.",
    )
    mongo_url: SecretStr = Field(
        default=SecretStr("mongodb://127.0.0.1:27017"),
        description="MongoDB connection string, with credentials if any.",
    )
    mongo_driver: Literal["motor", "pymongo"] = Field(
        default="motor", description="The asynchronous driver: Motor, or PyMongo's own (ADR 0004)."
    )
    mongo_timeout_seconds: float = Field(default=10.0, gt=0, description="Longest time of one database operation.")
    mongo_tls_ca_file: FilePath | None = Field(
        default=None, description="Turns TLS on and trusts these CA certificates."
    )
    mongo_tls_certificate_key_file: FilePath | None = Field(
        default=None, description="Client certificate and key in one file, for mutual TLS."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    log_format: Literal["json", "console"] = Field(default="json", description="One JSON object a line, or for people.")

    @field_validator("kafka_bootstrap")
    @classmethod
    def _names_servers(cls, value: str) -> str:
        for server in value.split(","):
            host, _, port = server.strip().rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"{server.strip()!r} is not host:port")
        return value

    @field_validator("mongo_url")
    @classmethod
    def _is_a_connection_string(cls, url: SecretStr) -> SecretStr:
        scheme, _, rest = url.get_secret_value().partition("://")
        try:
            if scheme == "mongodb":
                parse_uri(url.get_secret_value(), validate=False, warn=True)
        except (PyMongoError, ValueError):
            rest = ""
        if scheme not in {"mongodb", "mongodb+srv"} or not rest:
            # The parser's own words may hold the password.
            raise ValueError(
                "is not a MongoDB connection string: mongodb://USER:PASSWORD@HOST:PORT/, with special characters of "
                "user and password percent-encoded"
            )
        return url

    @model_validator(mode="after")
    def _authentication_is_whole(self) -> Self:
        unset = [name for name in ("kafka_sasl_username", "kafka_sasl_password") if not _text(getattr(self, name))]
        if self.kafka_security_protocol.startswith("SASL_") and unset:
            raise ValueError(
                f"{variables(*unset)} must be set, because {variables('kafka_security_protocol')} asks for it"
            )
        if self.kafka_ssl_key_file and not self.kafka_ssl_certificate_file:
            raise ValueError(
                f"{variables('kafka_ssl_certificate_file')} must be set, because {variables('kafka_ssl_key_file')} is"
            )
        return self

    @property
    def kafka_servers(self) -> list[str]:
        """The bootstrap servers as a list, because the client does not split a comma-separated string."""
        return [server.strip() for server in self.kafka_bootstrap.split(",")]


class ServiceSettings(ConnectionSettings):
    """The settings that all services share."""

    service: ClassVar[str]
    #: Settings without which a part of the HTTP API answers 503, by name, with that part.
    needed: ClassVar[Mapping[str, str]] = {}

    mongo_database: str = Field(default="", description="The service's own database; `tertulia_<service>` if unset.")
    http_host: str = Field(default="127.0.0.1", description="Address to serve HTTP on.")
    http_port: int = Field(default=8000, ge=0, le=65535, description="Port to serve HTTP on.")
    http_connections: int = Field(
        default=1000,
        ge=10,
        description="Most connections of the HTTP port. At the limit the connection that has waited longest for its "
        "client makes room.",
    )
    http_requests: int = Field(
        default=200, ge=1, description="Most requests in progress on the HTTP port; one more is answered with 503."
    )
    http_head_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Time in which the head of a request must arrive, with the TLS handshake if it is the first.",
    )
    http_body_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Time in which a body must arrive, and a second more for each 16 KiB that have arrived; also the "
        "longest time for which a client may leave its answer unread.",
    )
    http_idle_seconds: float = Field(
        default=15.0,
        gt=0,
        description="Time after which a connection without a further request is closed. Longer than a proxy's.",
    )
    http_trusted_proxies: str = Field(
        default="",
        description="Addresses and networks of reverse proxies, separated by commas, whose `X-Forwarded-For` names the "
        "source of a request; unset: the source is the address of the connection.",
    )
    http_tls_certificate_file: Path | None = Field(
        default=None, description="Certificate chain (PEM) of the HTTP ports, for TLS; unset: plain HTTP."
    )
    http_tls_key_file: Path | None = Field(default=None, description="Key of that certificate (PEM, no passphrase).")
    metrics_host: str = Field(default="", description="Address of the metrics port; that of the HTTP port if unset.")
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="A port of its own for `/metrics`, `/livez` and `/readyz`; the HTTP port then does not serve them. "
        "0: they are on the HTTP port.",
    )
    internal_token: SecretStr = Field(
        default=SecretStr(""),
        description="Secret of registration's requests to matching and the scheduler, the same in all three. Unset: "
        "the endpoints that need it answer 503, and `/readyz` names it.",
    )
    batch_max_records: int = Field(
        default=200, ge=1, le=2000, description="Most records handled, and journalled, at once."
    )
    batch_every_ms: int = Field(
        default=20,
        ge=0,
        le=1000,
        description="Least time between two batches. Records that arrive meanwhile are one batch.",
    )
    open_records: int = Field(
        default=2000,
        ge=1,
        le=100_000,
        description="Records in memory, of all editions, at which a consumer stops fetching. Their size is 2 MB as a "
        "rule, and the largest records times this number at most.",
    )
    lanes_at_work: int = Field(
        default=16,
        ge=1,
        le=1000,
        description="Editions whose records are handled at once, by turns of their operators. An operator has half of "
        "the turns at most.",
    )
    session_timeout_ms: int = Field(default=10_000, ge=1000, description="Kafka drops a silent consumer after this.")
    dead_letter_attempts: int = Field(default=3, ge=1, description="Tries of a record that fails for no known reason.")
    dead_letter_budget: int = Field(
        default=100,
        ge=0,
        description="Dead letters of an operator within ten minutes, after which its faulty editions wait. Records "
        "that cannot be decoded have a budget of the same size together.",
    )
    stall_seconds: float = Field(default=120.0, gt=0, description="Liveness is lost after this long without progress.")
    sweep_seconds: float = Field(
        default=5.0, gt=0, description="Time between two sweeps, which send messages that were journalled but not sent."
    )
    snapshot_every: int = Field(
        default=200,
        ge=1,
        description="Most journal entries between two snapshots of an edition; fewer if they are larger than it.",
    )
    editions_in_memory: int = Field(
        default=500,
        ge=1,
        description="Editions kept in memory, 4 MB each in the scheduler at 350 people; the least used is dropped.",
    )
    leave_seconds: float = Field(
        default=0.0,
        ge=0,
        description="Time between SIGTERM, which takes readiness away, and the stop. A balancer sends requests until "
        "it has seen that: set several periods of its checks.",
    )
    shutdown_seconds: float = Field(
        default=20.0, gt=0, description="Longest time that a stop waits for work in progress."
    )

    @field_validator("internal_token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        if not all("!" <= character <= "~" for character in token.get_secret_value()):
            raise ValueError(
                "may hold printable ASCII characters only, without spaces: `openssl rand -hex 32` makes one"
            )
        return token

    @field_validator("http_trusted_proxies")
    @classmethod
    def _names_networks(cls, value: str) -> str:
        for network in _listed(value):
            try:
                ip_network(network)
            except ValueError as error:
                raise ValueError(f"{network!r} is no address or network like 10.1.2.3 or 10.1.0.0/16") from error
        return value

    @model_validator(mode="after")
    def _tls_has_both_files(self) -> Self:
        if (self.http_tls_certificate_file is None) != (self.http_tls_key_file is None):
            names = variables("http_tls_certificate_file", "http_tls_key_file")
            raise ValueError(f"{names}: one is set without the other; set both for TLS, or neither")
        return self

    @property
    def proxies(self) -> list[str]:
        """The addresses and networks of the trusted proxies as a list."""
        return _listed(self.http_trusted_proxies)

    @property
    def database(self) -> str:
        """The name of the service's own database."""
        return self.mongo_database or f"tertulia_{self.service}"

    @property
    def unset(self) -> dict[str, str]:
        """The variables of `needed` settings that are not set, with the part of the HTTP API that needs them."""
        return {variables(name): part for name, part in self.needed.items() if not _text(getattr(self, name))}


SomeSettings = TypeVar("SomeSettings", bound=ConnectionSettings)


def read_settings(kind: type[SomeSettings]) -> SomeSettings:
    """Read the settings of a process. The error names variables, never their values.

    Raises:
        SystemExit: a setting is not usable; the message names it and says what is wrong with it.
    """
    if _SECRETS_VARIABLE in os.environ and not SECRETS_DIR.is_dir():
        raise SystemExit(f"{_SECRETS_VARIABLE} must name a folder, or be unset")
    try:
        return kind()
    except ValidationError as error:
        raise SystemExit("\n".join(_complaints(error))) from None
    except SettingsError as error:
        raise SystemExit(f"{error}: {error.__cause__}") from None


def variables(*names: str) -> str:
    """Return the environment variables of settings, separated by commas."""
    return ", ".join(ENV_PREFIX + name.upper() for name in names)


def _complaints(error: ValidationError) -> Iterator[str]:
    for found in error.errors(include_url=False, include_input=False, include_context=False):
        words = found["msg"].removeprefix("Value error, ")
        yield f"{variables(str(found['loc'][0]))}: {words}" if found["loc"] else words


def _text(value: str | SecretStr) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _listed(value: str) -> list[str]:
    return [item for item in map(str.strip, value.split(",")) if item]
