from __future__ import annotations

import pytest

from shared.runtime import trace

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_an_event_continues_the_trace_of_its_input_with_a_new_span() -> None:
    trace.follow(PARENT)
    child = trace.child()
    assert child.split("-")[1] == PARENT.split("-")[1]
    assert child != PARENT


@pytest.mark.parametrize("parent", [None, "", "garbage", "00-xyz-1-01", PARENT + "\r\nX: 1"])
def test_an_invalid_traceparent_starts_a_new_trace(parent: str | None) -> None:
    trace.follow(parent)
    assert trace.child().split("-")[1] != trace.child().split("-")[1]


def test_a_request_continues_trace_and_request_id_of_its_headers() -> None:
    headers = [(b"Traceparent", PARENT.encode()), (b"X-Request-ID", b"r-7")]
    assert trace.follow_request(headers) == trace.request_id() == "r-7"
    assert trace.trace_id() == PARENT.split("-")[1]
    assert trace.request_headers()["x-request-id"] == "r-7"


@pytest.mark.parametrize("invalid", [b"", b"a b", b"x" * 65, b'{"name": "Ana"}', b"a\nb"])
def test_a_request_with_an_invalid_id_gets_an_id_and_a_trace_of_its_own(invalid: bytes) -> None:
    request_id = trace.follow_request([(b"x-request-id", invalid)])
    assert len(request_id) == 16
    assert trace.child().split("-")[1] == trace.child().split("-")[1]
