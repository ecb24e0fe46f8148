"""Refusals of the server itself: answers to requests that no service sees."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from pydantic_core import to_json

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Refusal:
    """A refusal: the HTTP status, the kind of problem (slug), and a detail with the limit and the next step."""

    status: HTTPStatus
    slug: str
    detail: str

    @property
    def body(self) -> bytes:
        """The problem details (RFC 9457)."""
        return to_json(
            {
                "type": f"urn:tertulia:problem:{self.slug}",
                "title": self.status.phrase,
                "status": int(self.status),
                "detail": self.detail,
            }
        )

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of the answer. The connection is closed after it."""
        again = [(b"retry-after", b"1")] if self.status is HTTPStatus.SERVICE_UNAVAILABLE else []
        return [
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(self.body)).encode()),
            (b"connection", b"close"),
            *again,
        ]

    @property
    def message(self) -> bytes:
        """The whole answer as bytes of HTTP/1.1."""
        lines = [f"HTTP/1.1 {int(self.status)} {self.status.phrase}".encode()]
        lines += [name + b": " + value for name, value in self.headers]
        return b"\r\n".join([*lines, b"", self.body])
