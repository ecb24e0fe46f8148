from __future__ import annotations

from tests.integration.shared.test_consumer import connection, edition, publisher, running

__all__ = ["connection", "edition", "publisher", "running"]
