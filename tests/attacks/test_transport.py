"""TLS and ports of a real process: handshakes, half handshakes, and settings with faults."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from deploy.embedded.probes import free_ports
from shared.runtime.http.server import tls_context
from tests.support.certificates import CertificateFiles, make_certificate
from tests.support.service_process import ServiceEnded, ServiceProcess, service_process

_CONNECTIONS = 50


@dataclass(frozen=True)
class Secured:
    """Notify with TLS, and with a metrics port of its own."""

    process: ServiceProcess
    metrics_port: int
    trust: ssl.SSLContext

    async def status(self, path: str, port: int | None = None) -> int:
        async with httpx.AsyncClient(verify=self.trust, trust_env=False) as client:
            return (await client.get(f"https://127.0.0.1:{port or self.process.port}{path}")).status_code


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secured(files: CertificateFiles) -> Iterator[Secured]:
    [metrics_port] = free_ports(1)
    with service_process(
        "notify",
        http_tls_certificate_file=files.certificate,
        http_tls_key_file=files.key,
        http_head_seconds=1,
        http_connections=_CONNECTIONS,
        metrics_port=metrics_port,
    ) as process:
        yield Secured(process, metrics_port, ssl.create_default_context(cafile=str(files.certificate)))


async def test_a_client_that_trusts_the_certificate_is_answered(secured: Secured) -> None:
    assert await secured.status("/livez", secured.metrics_port) == 200
    assert await secured.status("/v1/editions") == 404


async def test_the_metrics_port_has_the_operational_paths_to_itself(secured: Secured) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        assert await secured.status(path) == 404
        assert await secured.status(path, secured.metrics_port) in (200, 503)


@pytest.mark.parametrize("beginning", [b"", b"\x16\x03\x01\x02\x00\x01", b"GET /livez HTTP/1.1\r\n\r\n"])
async def test_a_connection_without_a_handshake_is_closed(secured: Secured, beginning: bytes) -> None:
    assert b"HTTP" not in await secured.process.answer_to(beginning)


async def test_half_handshakes_keep_no_client_out(secured: Secured) -> None:
    half = [await asyncio.open_connection("127.0.0.1", secured.process.port) for _ in range(3 * _CONNECTIONS)]
    try:
        for _, writer in half:
            writer.write(b"\x16\x03\x01\x02\x00\x01")
        assert await secured.status("/v1/editions") == 404
        assert await secured.status("/livez", secured.metrics_port) == 200
    finally:
        for _, writer in half:
            writer.transport.abort()


async def test_old_versions_of_tls_are_refused(secured: Secured) -> None:
    old = ssl.create_default_context()
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", secured.process.port, ssl=old)


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("missing.pem", "server.key", ("TERTULIA_HTTP_TLS_CERTIFICATE_FILE: ", "missing.pem: No such file")),
        ("server.pem", "folder", ("TERTULIA_HTTP_TLS_KEY_FILE: ", "folder: Is a directory")),
        ("server.pem", "other.key", ("TERTULIA_HTTP_TLS_KEY_FILE: ", "other.key do not hold a certificate chain")),
        ("empty.pem", "server.key", ("TERTULIA_HTTP_TLS_CERTIFICATE_FILE, ", "empty.pem and ")),
    ],
)
def test_files_that_cannot_be_used_are_named(
    files: CertificateFiles, certificate: str, key: str, words: tuple[str, str]
) -> None:
    folder = files.certificate.parent
    other = folder / "other"
    for place in (other, folder / "folder"):
        place.mkdir(exist_ok=True)
    make_certificate(other).key.replace(folder / "other.key")
    (folder / "empty.pem").touch()
    with pytest.raises(SystemExit) as refused:
        tls_context(folder / certificate, folder / key)
    for word in words:
        assert word in str(refused.value)


def test_a_process_does_not_start_with_half_of_its_tls_settings(files: CertificateFiles) -> None:
    with (
        pytest.raises(ServiceEnded, match="TERTULIA_HTTP_TLS_KEY_FILE"),
        service_process("notify", http_tls_certificate_file=files.certificate),
    ):
        pass


def test_a_process_names_the_setting_of_a_port_that_is_in_use() -> None:
    with (
        service_process("notify") as first,
        pytest.raises(ServiceEnded, match="TERTULIA_METRICS_PORT"),
        service_process("notify", metrics_port=first.port),
    ):
        pass
