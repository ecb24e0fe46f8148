import json
from pathlib import Path

import pytest

from bench.b2b.command import run
from bench.peers import minizinc_b2b

#: One may meet two others in two slots, and is fixed to the first with the first of them.
TEXT = """
nBusiness = 3; nMeetings = 2; nTables = 1; nTotalSlots = 2; nMorningSlots = 2;
requested = [| 1,2,3 | 1,3,3 |]; forbidden = [{0},{0},{0}]; fixed = [1,0]; precedences = [{},{}];
"""


@pytest.mark.parametrize(
    ("slots", "found", "proven"), [([1, 2], 0, True), ([2, 1], "{'slot not allowed': [0]}", False)]
)
def test_what_minizinc_answers_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slots: list[int], found: object, proven: bool
) -> None:
    printed = [
        {"type": "solution", "output": {"default": json.dumps(slots)}},
        {"type": "status", "status": "OPTIMAL_SOLUTION"},
    ]
    monkeypatch.setattr(minizinc_b2b, "check", lambda _: None)
    monkeypatch.setattr(minizinc_b2b, "_run", lambda *_: "\n".join(map(json.dumps, printed)))
    (tmp_path / "two.dzn").write_text(TEXT)
    (row,) = run(tmp_path, peer="no", minizinc="gecode")
    assert (row["breaks"], row["minizinc_breaks"], row["minizinc_proven"]) == (0, found, proven)
