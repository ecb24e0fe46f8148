"""`tertulia journal strip`: services without texts are refused, and so is a journal that is still written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from shared.runtime.clock import utc_now
from shared.storage.strip import CannotStrip
from tertulia import journal_strip
from tests.support.servers import Servers


def test_a_service_without_texts_is_refused() -> None:
    result = CliRunner().invoke(journal_strip.app, ["strip", "scheduler"])
    assert result.exit_code == 2
    assert "keeps no texts" in result.output


@pytest.mark.parametrize(("seconds", "is_refused"), [(1, True), (600, False)])
async def test_a_journal_that_was_written_just_now_is_refused(seconds: int, *, is_refused: bool) -> None:
    database = Servers().infrastructure(utc_now).mongo.database("tertulia_notify")
    await database["journal"].insert_one({"_id": "edn_1:1", "at": utc_now() - timedelta(seconds=seconds)})
    if not is_refused:
        await journal_strip.must_be_quiet("notify", database)
        return
    with pytest.raises(CannotStrip, match="stop all processes of notify"):
        await journal_strip.must_be_quiet("notify", database)
