from pathlib import Path

import pytest

from bench.b2b.instance import B2bInstance, B2bMeeting
from bench.peers import minizinc_b2b
from bench.peers.minizinc_b2b import MiniZincAnswer, MiniZincUnavailable, check, data, parse, solve
from tests.support.outside import outside

ANY = (0, 1, 2)
#: Everybody meets everybody in three slots, one pair in the middle: so the third has a break.
THREE = B2bInstance(3, 3, 1, (B2bMeeting(0, 1, ANY), B2bMeeting(1, 2, (1,)), B2bMeeting(0, 2, ANY)), ((2, 0),))
#: One may meet two at once after the other, or with a break.
FREE = B2bInstance(3, 3, 1, (B2bMeeting(0, 1, ANY), B2bMeeting(0, 2, ANY)))
#: The last meeting is to come before the first and cannot; two meetings want one table.
OUT_OF_ORDER = B2bInstance(3, 3, 1, (B2bMeeting(0, 1, ANY), B2bMeeting(1, 2, (1,)), B2bMeeting(0, 2, (2,))), ((2, 0),))
SHORT_OF_TABLES = B2bInstance(4, 1, 1, (B2bMeeting(0, 1, (0,)), B2bMeeting(2, 3, (0,))))

SAID = """\
{"type": "warning", "message": "included file \\"count.mzn\\" overrides a global constraint"}

{"type": "solution", "output": {"default": "[1, 2, 3]"}, "sections": ["default"]}
{"type": "solution", "output": {"default": "[3, 2, 1]"}, "sections": ["default"]}
"""


SLOW = """\
#!/bin/sh
trap 'echo to end >> "$0.asked"; exit' TERM
echo '{"type": "solution", "output": {"default": "[2, 1]"}}'
while true; do sleep 0.05; done
"""


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (SAID + '{"type": "status", "status": "OPTIMAL_SOLUTION"}\n', MiniZincAnswer((2, 1, 0), proven=True)),
        (SAID, MiniZincAnswer((2, 1, 0), proven=False)),
        (SAID + '{"type": "status", "status": "ERROR"}\n', MiniZincAnswer((2, 1, 0), proven=False)),
        (SAID + '{"type": "solution", "output": {"defau', MiniZincAnswer((2, 1, 0), proven=False)),
        ('{"type": "status", "status": "UNSATISFIABLE"}', MiniZincAnswer(None, proven=True)),
        ('{"type": "status", "status": "UNKNOWN"}', MiniZincAnswer(None, proven=False)),
        ("", MiniZincAnswer(None, proven=False)),
    ],
)
def test_the_answer_is_the_last_whole_solution_and_its_status(said: str, answer: MiniZincAnswer) -> None:
    assert parse(said.splitlines()) == answer


def test_an_error_in_the_model_is_no_answer() -> None:
    with pytest.raises(MiniZincUnavailable, match="no such thing"):
        parse(['{"type": "error", "what": "type error", "message": "no such thing"}'])


def test_data_is_numbered_from_one() -> None:
    assert list(data(THREE, fairness=2)) == [
        "participants = 3; slots = 3; tables = 1;",
        "meetings = 3; fairness = 2;",
        "one = [1, 2, 1];",
        "other = [2, 3, 3];",
        "allowed = [{1, 2, 3}, {2}, {1, 2, 3}];",
        "earlier = [3];",
        "later = [1];",
    ]


def test_a_missing_minizinc_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.peers.minizinc_b2b.shutil.which", lambda _: None)
    with pytest.raises(MiniZincUnavailable, match="not on the PATH"):
        check("gecode")


def test_a_run_out_of_time_is_terminated_and_its_solution_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "minizinc"
    slow.write_text(SLOW)
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(minizinc_b2b, "_MOST_WALL_PER_CPU", 1)
    row = solve(FREE, 2, 2, "gecode")
    assert (row["minizinc_breaks"], row["minizinc_proven"]) == (0, False)
    assert (tmp_path / "minizinc.asked").read_text() == "to end\n" * 2  # once a search


def test_the_model_proves_the_optimum_and_infeasibility() -> None:
    outside("minizinc")
    check("gecode")
    with pytest.raises(MiniZincUnavailable, match="has no solver"):
        check("no-such-solver")
    asked = [(FREE, 2), (THREE, 2), (THREE, 0), (OUT_OF_ORDER, 2), (SHORT_OF_TABLES, 2)]
    rows = [solve(instance, fairness, 10, "gecode") for instance, fairness in asked]
    assert [(row["minizinc_breaks"], row["minizinc_proven"]) for row in rows] == [
        (0, True),
        (1, True),
        (None, True),
        (None, True),
        (None, True),
    ]
