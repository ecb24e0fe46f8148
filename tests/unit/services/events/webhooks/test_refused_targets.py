"""Each target listed in the docs is refused for the reason that is written there; rebinding leads nowhere."""

# ruff: noqa: ASYNC109 - a network of httpcore gets its time-outs
from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from typing import Any

import httpcore
import pytest

from services.events.webhooks.addresses import TargetRules, UnsafeTarget, judge_address, read_target
from services.events.webhooks.client import PinnedBackend, WebhookClient
from tests.support.documents import ROOT

PAGE = (ROOT / "docs" / "integrations" / "refused-targets.md").read_text(encoding="utf-8")
RULES = TargetRules()
PUBLIC, SECOND, PRIVATE = "93.184.215.14", "2606:4700::1", "10.0.0.1"
HOST = "crm.example.org"


def rows(heading: str) -> list[tuple[str, str]]:
    section = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(.+)` \| (.+) \|$", section, re.MULTILINE)


URLS, ADDRESSES = rows("By the URL alone"), rows("By the address")


class Network(httpcore.AsyncNetworkBackend):
    """Keeps the addresses that connections are opened to; `refusing` answer no connection."""

    def __init__(self, refusing: frozenset[str] = frozenset()) -> None:
        self.opened: list[tuple[str, int]] = []
        self.refusing = refusing
        self.stream = Stream()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        self.opened.append((host, port))
        if host in self.refusing:
            raise httpcore.ConnectError("refused")
        return self.stream


class Stream(httpcore.AsyncNetworkStream):
    """A connection that answers in HTTP/1.1, and keeps what was sent and the name that TLS was begun with."""

    def __init__(self, answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> None:
        self.sent, self.server_name = b"", ""
        self._answer = [answer]

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._answer.pop() if self._answer else b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.sent += buffer

    async def aclose(self) -> None:
        pass

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        self.server_name = server_hostname or ""
        return self

    def get_extra_info(self, info: str) -> Any:
        return None


class NameServer:
    """Answers each question with the next of its answers; the last answer is repeated."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def client_of(names: NameServer, network: Network, rules: TargetRules = RULES) -> WebhookClient:
    return WebhookClient(rules, connect_seconds=1, answer_seconds=1, resolve=names, network=network)


def test_the_page_lists_at_least_sixty_targets_of_each_kind() -> None:
    assert len(URLS) >= 60
    assert len(ADDRESSES) >= 60


@pytest.mark.parametrize(("url", "reason"), URLS, ids=[url for url, _ in URLS])
def test_a_url_that_leads_inside_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(UnsafeTarget) as refused:
        read_target(url, RULES)
    assert reason in str(refused.value)


@pytest.mark.parametrize(("address", "reason"), ADDRESSES, ids=[address for address, _ in ADDRESSES])
async def test_an_address_inside_is_refused_in_a_url_and_as_an_answer(address: str, reason: str) -> None:
    with pytest.raises(UnsafeTarget) as refused:
        judge_address(address, RULES)
    assert reason in str(refused.value)
    with pytest.raises(UnsafeTarget):
        read_target(f"https://[{address}]/" if ":" in address else f"https://{address}/", RULES)
    for answer in ([address], [PUBLIC, address], [address, PUBLIC]):
        network = Network()
        backend = PinnedBackend(NameServer(answer), RULES, network)
        with pytest.raises(UnsafeTarget):
            await backend.connect_tcp(HOST, 443, timeout=1)
        assert network.opened == []


@pytest.mark.parametrize(
    ("url", "host", "authority", "path"),
    [
        ("https://crm.example.org/hook", HOST, HOST, "/hook"),
        ("HTTPS://CRM.Example.ORG", HOST, HOST, "/"),
        ("https://crm.example.org:443?a=b&c=%20", HOST, HOST, "/?a=b&c=%20"),
        ("https://xn--fa-hia.de/x", "xn--fa-hia.de", "xn--fa-hia.de", "/x"),
        ("https://8.8.8.8/x", "8.8.8.8", "8.8.8.8", "/x"),
        ("https://[2606:4700::0001]/x", "2606:4700::1", "[2606:4700::1]", "/x"),
        ("https://hooks.example.org/x?u=https://a@b", "hooks.example.org", "hooks.example.org", "/x?u=https://a@b"),
    ],
)
def test_a_public_target_is_permitted(url: str, host: str, authority: str, path: str) -> None:
    target = read_target(url, RULES)
    assert (target.host, target.authority, target.path) == (host, authority, path)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700::1", "2a00:1450:4001::8a"])
def test_a_public_address_is_permitted(address: str) -> None:
    assert judge_address(address, RULES) == address


def test_more_ports_are_permitted_by_the_setting() -> None:
    assert read_target(f"https://{HOST}:8443/", TargetRules(frozenset({443, 8443}))).authority == f"{HOST}:8443"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/x", "https://localhost:1/", "http://receiver:80/", "http://[::1]/"]
)
def test_trials_on_a_single_machine_reach_it_by_the_setting(url: str) -> None:
    assert read_target(url, TargetRules(private_networks=True))


async def test_the_connection_goes_to_the_judged_address_under_the_name_of_the_host() -> None:
    names, network = NameServer([PUBLIC]), Network()
    answer = await client_of(names, network).post(f"https://{HOST}/hook?x=1", {"webhook-id": "msg_1"}, "{}")
    assert (answer.status, answer.error) == (204, "")
    assert network.opened == [(PUBLIC, 443)]
    assert network.stream.server_name == HOST
    assert network.stream.sent.startswith(b"POST /hook?x=1 HTTP/1.1\r\nHost: crm.example.org\r\n")


async def test_a_name_that_turns_private_after_its_judgement_changes_nothing() -> None:
    names, network = NameServer([PUBLIC], [PRIVATE]), Network()
    answer = await client_of(names, network).post(f"https://{HOST}/", {}, "{}")
    assert answer.is_taken
    assert (names.asked, network.opened) == (1, [(PUBLIC, 443)])


async def test_each_try_judges_anew_so_that_a_name_that_turned_private_is_refused() -> None:
    names, network = NameServer([PUBLIC], [PRIVATE]), Network()
    client = client_of(names, network)
    assert (await client.post(f"https://{HOST}/", {}, "{}")).is_taken
    refused = await client.post(f"https://{HOST}/", {}, "{}")
    assert refused.reason == "the address 10.0.0.1 is private: webhooks are sent to public addresses only"
    assert network.opened == [(PUBLIC, 443)]


async def test_a_second_address_is_used_if_the_first_does_not_answer() -> None:
    network = Network(frozenset({PUBLIC}))
    assert (await client_of(NameServer([PUBLIC, SECOND]), network).post(f"https://{HOST}/", {}, "{}")).is_taken
    assert network.opened == [(PUBLIC, 443), (SECOND, 443)]


async def test_a_redirect_is_not_followed() -> None:
    network = Network()
    network.stream = Stream(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")
    answer = await client_of(NameServer([PUBLIC]), network).post(f"https://{HOST}/", {}, "{}")
    assert answer.reason == "the receiver answered 302: redirects are not followed"
    assert network.opened == [(PUBLIC, 443)]


async def test_at_most_64_kib_of_an_answer_are_read() -> None:
    network = Network()
    network.stream = Stream(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 200_000)
    answer = await client_of(NameServer([PUBLIC]), network).post(f"https://{HOST}/", {}, "{}")
    assert (answer.status, len(answer.body)) == (200, 64 * 1024)


async def test_a_name_without_an_address_and_a_strange_answer_are_told_in_words() -> None:
    network = Network()
    network.stream = Stream(b"SSH-2.0-OpenSSH_9.6\r\n")
    strange = await client_of(NameServer([PUBLIC]), network).post(f"https://{HOST}/", {}, "{}")
    nowhere = await client_of(NameServer([]), Network()).post(f"https://{HOST}/", {}, "{}")
    assert strange.reason == "the receiver does not answer in HTTP"
    assert nowhere.reason == "the receiver cannot be reached: its name has no address"
