from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from pydantic import ValidationError

from services import SERVICES
from shared.runtime.settings import ConnectionSettings, ServiceSettings, read_settings
from shared.storage.mongo import _client_options


def settings_of(service: str) -> type[ServiceSettings]:
    settings: type[ServiceSettings] = import_module(f"services.{service}.settings").Settings
    return settings


def in_folder(kind: type[ServiceSettings], folder: Path) -> type[ServiceSettings]:
    """The settings with this folder of secrets; the folder of a process is read once, at import."""
    return type("Settings", (kind,), {"model_config": {"secrets_dir": folder}})


def test_secrets_do_not_show() -> None:
    settings = ConnectionSettings(kafka_sasl_password="hunter2", mongo_url="mongodb://u:hunter2@db/")
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in settings.model_dump_json()


@pytest.mark.parametrize("servers", ["", "kafka", "kafka:", "a:9092,b", ":9092"])
def test_malformed_bootstrap_servers_are_refused(servers: str) -> None:
    with pytest.raises(ValidationError, match="not host:port"):
        ConnectionSettings(kafka_bootstrap=servers)


def test_bootstrap_servers_become_a_list() -> None:
    assert ConnectionSettings(kafka_bootstrap="a:1, b:2").kafka_servers == ["a:1", "b:2"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_is_described(service: str) -> None:
    assert [name for name, field in settings_of(service).model_fields.items() if not field.description] == []


def test_mongo_tls_is_a_setting(tmp_path: Path) -> None:
    authority, own = tmp_path / "ca.pem", tmp_path / "me.pem"
    authority.touch()
    own.touch()
    options = _client_options(ConnectionSettings(mongo_tls_ca_file=authority, mongo_tls_certificate_key_file=own))
    assert (options["tls"], options["tlsCAFile"], options["tlsCertificateKeyFile"]) == (True, str(authority), str(own))


#: A setting that cannot work, by variable and value, with other settings beside it.
UNUSABLE = [
    ("registration", "TERTULIA_MATCHING_URL", "matching:8000", {}),
    ("registration", "TERTULIA_SCHEDULER_URL", "http://key:hunter2@scheduler", {}),
    ("registration", "TERTULIA_INTERNAL_TOKEN", "hunter2 hunter2", {}),
    ("scheduler", "TERTULIA_INTERNAL_TOKEN", "hunter2-ñ", {}),
    ("scheduler", "TERTULIA_HTTP_PORT", "hunter2", {}),
    ("matching", "TERTULIA_CONFIGURATIONS", "/hunter2/none", {}),
    ("matching", "TERTULIA_MONGO_URL", "hunter2@db:27017", {}),
    ("matching", "TERTULIA_MONGO_URL", "mongodb://", {}),
    ("matching", "TERTULIA_MONGO_URL", "mongodb://user:hunter2@word@db/", {}),
    ("matching", "TERTULIA_MONGO_URL", "mongodb://user:hunter2@db:port/", {}),
    ("notify", "TERTULIA_KAFKA_SSL_CA_FILE", "/hunter2/ca.pem", {}),
    ("notify", "TERTULIA_KAFKA_SSL_CERTIFICATE_FILE", "", {"TERTULIA_KAFKA_SSL_KEY_FILE": __file__}),
    ("notify", "TERTULIA_KAFKA_SASL_USERNAME", "", {"TERTULIA_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}),
    ("notify", "TERTULIA_SMTP_USERNAME", "", {"TERTULIA_SMTP_PASSWORD": "hunter2"}),
    ("notify", "TERTULIA_SMTP_PASSWORD", "", {"TERTULIA_SMTP_USERNAME": "hunter2"}),
    ("notify", "TERTULIA_SECRETS_DIR", "/hunter2", {}),
]


@pytest.mark.parametrize(("service", "variable", "value", "others"), UNUSABLE, ids=lambda value: str(value)[:40])
def test_a_start_error_names_the_variable_and_never_its_value(
    service: str, variable: str, value: str, others: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, given in {**others, variable: value}.items():
        monkeypatch.setenv(name, given)
    if variable == "TERTULIA_SECRETS_DIR":
        monkeypatch.setattr("shared.runtime.settings.SECRETS_DIR", Path(value))
    with pytest.raises(SystemExit) as stopped:
        read_settings(settings_of(service))
    assert variable in str(stopped.value)
    assert "hunter2" not in str(stopped.value)


def test_a_secret_file_that_is_no_text_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "TERTULIA_INTERNAL_TOKEN").write_bytes(b"\xff\xfe")
    with pytest.raises(SystemExit, match="internal_token"):
        read_settings(in_folder(ServiceSettings, tmp_path))


def test_secrets_are_read_from_files_without_the_line_break_at_their_end(tmp_path: Path) -> None:
    (tmp_path / "TERTULIA_INTERNAL_TOKEN").write_text("hunter2\n")
    assert read_settings(in_folder(ServiceSettings, tmp_path)).internal_token.get_secret_value() == "hunter2"


@pytest.mark.parametrize(
    ("service", "variables"),
    [
        ("registration", {"TERTULIA_INTERNAL_TOKEN", "TERTULIA_MATCHING_URL", "TERTULIA_SCHEDULER_URL"}),
        ("matching", {"TERTULIA_INTERNAL_TOKEN"}),
        ("scheduler", {"TERTULIA_INTERNAL_TOKEN"}),
        ("notify", set()),
    ],
)
def test_settings_that_a_part_of_the_api_needs_are_known_to_be_unset(service: str, variables: set[str]) -> None:
    assert set(settings_of(service)().unset) == variables
