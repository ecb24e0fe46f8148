"""The benchmark of neighbours runs on the whole product; its figures are not judged here."""

from __future__ import annotations

from bench.neighbours.command import measure_all
from bench.neighbours.size import Load
from bench.neighbours.small_edition import MEASURES

#: All abuses would cost a minute more.
ABUSES_RUN = ["work-flood", "refused-keys"]
TINY = Load(people=8, seconds=1, many=8, some=8, import_rows=8)


def test_an_abuse_is_measured_beside_the_small_edition() -> None:
    rows = measure_all(TINY, 1, ["pymongo"], ABUSES_RUN)
    measured = [(row["beside"], row["measure"]) for row in rows if "measure" in row]
    assert measured == [(step, measure) for step in ("alone", *ABUSES_RUN) for measure in MEASURES]
    answers = {row["abuse"]: row["answers by status"] for row in rows if "abuse" in row}
    assert all(answers.values()), answers
