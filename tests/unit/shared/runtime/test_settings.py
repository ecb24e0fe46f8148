from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from pydantic import ValidationError

from services import SERVICES
from shared.runtime.settings import ConnectionSettings, ServiceSettings
from shared.storage.mongo import _client_options


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
    settings: type[ServiceSettings] = import_module(f"services.{service}.settings").Settings
    assert [name for name, field in settings.model_fields.items() if not field.description] == []


def test_mongo_tls_is_a_setting() -> None:
    settings = ConnectionSettings(mongo_tls_ca_file=Path("/ca.pem"), mongo_tls_certificate_key_file=Path("/me.pem"))
    options = _client_options(settings)
    assert (options["tls"], options["tlsCAFile"], options["tlsCertificateKeyFile"]) == (True, "/ca.pem", "/me.pem")
