"""The reverse proxy's file, read and run by nginx itself in front of registration as a process."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.embedded.probes import free_ports
from tests.support.certificates import make_certificate
from tests.support.outside import outside
from tests.support.service_process import ServiceProcess, service_process
from tests.support.waiting import wait_until

_FILE = Path(__file__).parents[3] / "deploy/proxy/nginx.conf"


@dataclass(frozen=True)
class Proxy:
    """nginx in front of registration: the HTTPS and the HTTP port."""

    https: int
    http: int
    trust: ssl.SSLContext
    registration: ServiceProcess

    async def get(self, path: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(verify=self.trust, trust_env=False) as client:
            return await client.get(f"https://localhost:{self.https}{path}", headers=headers)


def adapted(folder: Path, https: int, http: int, registration: int) -> str:
    """The file with the ports and files of a test; each replaced text must be there."""
    files = make_certificate(folder)
    text = _FILE.read_text()
    for there, here in {
        "/etc/tertulia/tls/fullchain.pem": str(files.certificate),
        "/etc/tertulia/tls/privkey.pem": str(files.key),
        "server registration:8000;": f"server 127.0.0.1:{registration};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{https} ssl http2;",
        "listen 80;": f"listen 127.0.0.1:{http};",
        "        listen [::]:443 ssl http2;\n": "",
        "        listen [::]:80;\n": "",
        "pid /run/nginx.pid;": f"pid {folder}/pid; daemon off;",
        "    access_log off;\n": "    access_log off;\n"
        + "".join(
            f"    {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ),
    }.items():
        assert there in text, there
        text = text.replace(there, here)
    return text


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    nginx, folder = outside("nginx"), tmp_path_factory.mktemp("nginx")
    https, http, metrics = free_ports(3)
    with service_process("registration", metrics_port=metrics, http_trusted_proxies="127.0.0.1") as registration:
        file = folder / "nginx.conf"
        file.write_text(adapted(folder, https, http, registration.port))
        command = [*nginx, "-p", str(folder), "-c", str(file), "-e", "stderr"]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=30, check=False)
        assert checked.returncode == 0, checked.stderr
        process = subprocess.Popen(command)
        try:
            trust = ssl.create_default_context(cafile=str(folder / "server.pem"))
            yield Proxy(https, http, trust, registration)
        finally:
            process.terminate()
            process.wait(timeout=30)


async def test_the_public_reaches_the_api_and_nothing_else(proxy: Proxy) -> None:
    async def is_up() -> bool:
        try:
            return (await proxy.get("/openapi.json")).status_code == 200
        except httpx.TransportError:
            return False

    await wait_until(is_up)
    assert (await proxy.get("/v1/editions")).json()["type"] == "urn:tertulia:problem:unauthorised"
    for path in ("/", "/docs", "/docs/swagger-ui-bundle.js"):
        assert (await proxy.get(path)).status_code == 200
    for path in ("/metrics", "/livez", "/readyz", "/internal/profile-help", "/docsx", "/openapi.jsonx"):
        assert (await proxy.get(path)).status_code == 404
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://localhost:{proxy.http}/v1/editions")).status_code == 308


async def test_a_client_cannot_name_another_source(proxy: Proxy) -> None:
    headers = {"Authorization": "Basic x", "X-Forwarded-For": "203.0.113.99"}

    async def is_logged() -> bool:
        try:
            await proxy.get("/v1/editions", **headers)
        except httpx.TransportError:
            return False
        return "key_refused" in proxy.registration.log.read_text()

    await wait_until(is_logged)
    assert "203.0.113.99" not in proxy.registration.log.read_text()


async def test_a_large_head_is_refused_at_the_proxy(proxy: Proxy) -> None:
    assert (await proxy.get("/v1/editions", **{"X-Large": "a" * 100_000})).status_code in (400, 431)
