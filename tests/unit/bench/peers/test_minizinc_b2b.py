import shutil

import pytest

from bench.peers import minizinc_b2b
from bench.peers.minizinc_b2b import Answer, MiniZincUnavailable, check, data, parse, solve
from services.scheduler.b2b.instance import Instance, Meeting

ANY = (0, 1, 2)
#: Everybody meets everybody on one table in three slots, 1 and 2 in the middle: so one has a break.
THREE = Instance(3, 3, 1, (Meeting(0, 1, ANY), Meeting(1, 2, (1,)), Meeting(0, 2, ANY)), ((2, 0),))
IMPOSSIBLE = Instance(3, 3, 1, (Meeting(0, 1, ANY), Meeting(1, 2, (1,)), Meeting(0, 2, (2,))), ((2, 0),))

SAID = """\
{"type": "warning", "message": "included file \\"count.mzn\\" overrides a global constraint"}

{"type": "solution", "output": {"default": "[1, 2, 3]"}, "sections": ["default"]}
{"type": "solution", "output": {"default": "[3, 2, 1]"}, "sections": ["default"]}
"""


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (SAID + '{"type": "status", "status": "OPTIMAL_SOLUTION"}\n', Answer((2, 1, 0), proven=True)),
        (SAID, Answer((2, 1, 0), proven=False)),
        (SAID + '{"type": "status", "status": "ERROR"}\n', Answer((2, 1, 0), proven=False)),
        (SAID + '{"type": "solution", "output": {"defau', Answer((2, 1, 0), proven=False)),
        ('{"type": "status", "status": "UNSATISFIABLE"}', Answer(None, proven=True)),
        ('{"type": "status", "status": "UNKNOWN"}', Answer(None, proven=False)),
        ("", Answer(None, proven=False)),
    ],
)
def test_the_last_whole_solution_counts_and_what_the_status_says_of_it(said: str, answer: Answer) -> None:
    assert parse(said.splitlines()) == answer


def test_what_is_wrong_with_a_model_is_no_answer() -> None:
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


def test_says_that_minizinc_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minizinc_b2b.shutil, "which", lambda _: None)
    with pytest.raises(MiniZincUnavailable, match="not on the PATH"):
        check("gecode")


@pytest.mark.skipif(shutil.which("minizinc") is None, reason="minizinc is not installed")
def test_the_model_finds_the_optimum_proves_it_and_proves_that_there_is_none() -> None:
    check("gecode")
    with pytest.raises(MiniZincUnavailable, match="knows no solver"):
        check("no-such-solver")
    row = solve(THREE, 2, 10, "gecode")
    assert (row["minizinc_breaks"], row["minizinc_proven"]) == (1, True)
    row = solve(IMPOSSIBLE, 2, 10, "gecode")
    assert (row["minizinc_breaks"], row["minizinc_proven"]) == (None, True)
    assert solve(THREE, 0, 10, "gecode")["minizinc_breaks"] is None  # one has a break and the others have none
