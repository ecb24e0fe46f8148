"""HTTP to receivers: a connection goes to exactly the address that was judged.

The host is resolved anew for a request, all its addresses are judged, and the connection is opened by number. A name
that resolves to another address a moment later (rebinding) changes nothing: it is not resolved again.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpcore

from services.events.webhooks.addresses import Target, TargetRules, UnsafeTarget, judge_address, read_target
from services.events.webhooks.delivery import ReceiverAnswer

Resolve = Callable[[str, int], Awaitable[list[str]]]
#: Bytes of an answer that are read.
MOST_ANSWER_BYTES: Final = 64 * 1024
#: Names that are resolved at once. A name whose servers hang holds its thread for half a minute.
_RESOLVERS: Final = 64
_MOST_ADDRESSES: Final = 20
#: Time to end a connection after the answer.
_CLOSE_SECONDS: Final = 1.0


class SystemResolver:
    """Resolves names as the system does, in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVERS, "resolver")

    async def __call__(self, host: str, port: int) -> list[str]:
        """Return the addresses of a host. Raises `OSError`."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to judged addresses only. The name of the host stays in TLS and in the header `Host`."""

    def __init__(self, resolve: Resolve, rules: TargetRules, network: httpcore.AsyncNetworkBackend) -> None:
        self._resolve = resolve
        self._rules = rules
        self._network = network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection to the first address of the host that answers.

        Raises:
            UnsafeTarget: any address of the host is not permitted.
            ConnectError, ConnectTimeout: the host has no address, or none answers.
        """
        until = time.monotonic() + (timeout or 0.0)
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("its name is not resolved in time") from error
        except OSError as error:
            raise httpcore.ConnectError("its name has no address") from error
        judged = [judge_address(address, self._rules) for address in addresses]
        failure: Exception = httpcore.ConnectError("its name has no address")
        for address in judged[:_MOST_ADDRESSES]:
            left = None if timeout is None else max(0.01, until - time.monotonic())
            try:
                return await self._network.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


class WebhookClient:
    """Sends messages to receivers. Nothing of an answer is followed, and at most 64 KiB of it are read."""

    def __init__(
        self,
        rules: TargetRules,
        *,
        connect_seconds: float,
        answer_seconds: float,
        ca_file: str | None = None,
        resolve: Resolve | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self.rules = rules
        self._connect_seconds = connect_seconds
        self._answer_seconds = answer_seconds
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._backend = PinnedBackend(resolve or SystemResolver(), rules, network or httpcore.AnyIOBackend())

    async def post(self, url: str, headers: Mapping[str, str], body: str) -> ReceiverAnswer:
        """Send a message, and return the answer or the reason why there is none. Raises nothing of the network."""
        began = time.monotonic()
        try:
            target = read_target(url, self.rules)
            async with asyncio.timeout(self._answer_seconds + _CLOSE_SECONDS):
                status, answered, retry_after = await self._exchange(target, headers, body.encode())
        except UnsafeTarget as error:
            return ReceiverAnswer(time.monotonic() - began, error=str(error))
        except (TimeoutError, httpcore.TimeoutException):
            words = f"no answer within {self._answer_seconds:g} s"
            return ReceiverAnswer(time.monotonic() - began, error=words)
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            return ReceiverAnswer(time.monotonic() - began, error=_words(error))
        return ReceiverAnswer(time.monotonic() - began, status, answered, retry_after)

    async def _exchange(self, target: Target, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes, str]:
        # A pool for each request: a kept connection would be used after its address was judged long ago.
        pool = httpcore.AsyncConnectionPool(
            ssl_context=self._tls, max_connections=1, max_keepalive_connections=0, network_backend=self._backend
        )
        url = httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
        )
        sent = [
            ("Host", target.authority),
            ("Connection", "close"),
            ("Content-Length", str(len(body))),
            *headers.items(),
        ]
        limits = {
            "connect": self._connect_seconds,
            "read": self._answer_seconds,
            "write": self._answer_seconds,
            "pool": self._answer_seconds,
        }
        request = httpcore.Request("POST", url, headers=sent, content=body, extensions={"timeout": limits})
        until = time.monotonic() + self._answer_seconds
        async with pool:
            async with asyncio.timeout(self._answer_seconds):
                answer = await pool.handle_async_request(request)
            read = await _beginning_of(answer, until - time.monotonic())
            await answer.aclose()
        retry_after = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
        return answer.status, read, retry_after[:100].decode("latin-1")


async def _beginning_of(answer: httpcore.Response, seconds: float) -> bytes:
    """Return the beginning of a body. A receiver whose body does not end has answered all the same."""
    read = bytearray()
    with contextlib.suppress(TimeoutError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        async with asyncio.timeout(seconds):
            async for chunk in answer.aiter_stream():
                read += chunk[: MOST_ANSWER_BYTES - len(read)]
                if len(read) >= MOST_ANSWER_BYTES:
                    break
    return bytes(read)


def _words(error: Exception) -> str:
    """Return an error of the connection in words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate of the receiver is not accepted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "the receiver speaks no TLS that is accepted"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.ProtocolError):
        return "the receiver does not answer in HTTP"
    if isinstance(error, httpcore.ConnectError) and str(error).startswith("its name"):
        return f"the receiver cannot be reached: {error}"
    return "the receiver cannot be reached, or ends the connection"
