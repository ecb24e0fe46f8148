"""The words of `tertulia up` about mails."""

from __future__ import annotations

import pytest

from services.notify.settings import Settings
from tertulia.kept_stack import sender_told


def test_a_made_up_sender_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERTULIA_MAIL_FROM", raising=False)
    assert "made-up address: set TERTULIA_MAIL_FROM" in sender_told(Settings())
    monkeypatch.setenv("TERTULIA_MAIL_FROM", "Our fair <fair@example.org>")
    told = sender_told(Settings())
    assert "Their sender is Our fair <fair@example.org>." in told
    assert "made-up" not in told
