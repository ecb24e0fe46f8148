from pathlib import Path

import pytest

from bench.b2b.instance import B2bInstance, B2bMeeting
from bench.b2b.reader import BadInstanceFile, instance_of, read

TEXT = """
nBusiness = 3; nMeetings = 3; nTables = 2;
nTotalSlots = 4;
nMorningSlots = 2;
requested = [|1, 2,1,
|2, 3,2,
|1, 3,3,
|];
meetingsxBusiness = [{1,2,4},{1,2,3},{1,3,4}];
nMeetingsBusiness = [2,2,2];
forbidden = [{0},{0,1},{0}];
fixed = [0,4,0];
precedences = [{},{1},{}];
"""


def test_allowed_slots_obey_half_days_and_forbidden_and_fixed_slots() -> None:
    meetings = (B2bMeeting(0, 1, (1,)), B2bMeeting(1, 2, (3,)), B2bMeeting(0, 2, (0, 1, 2, 3)))
    assert instance_of(TEXT) == B2bInstance(3, 4, 2, meetings, ((0, 1),))


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("nTables = 2;", "nTables=2 ;  % two tables"),
        ("nTables = 2;", "/* two\n tables */ nTables\n=\n2;"),
        ("{0,1}", "0..1"),
        ("{0,1}", "{ 1 , 0, }"),
        ("{0,1}", "{1}"),
        ("precedences = [{},{1},{}];", "precedences = [{0}, 1 .. 1, {}, ]"),
        ("|1, 2,1,\n|2, 3,2,\n|1, 3,3,\n|]", "| 1,2,1|2,3,2|1,3,3 |]"),
        ("nMeetingsBusiness = [2,2,2];", ""),
        ("nMorningSlots = 2;", ""),
    ],
    ids=lambda text: text.strip()[:25],
)
def test_every_notation_of_the_same_data_is_read(was: str, becomes: str) -> None:
    rewritten = TEXT.replace(was, becomes)
    if "nMorningSlots" not in rewritten:
        rewritten += "nMorningSlots = 2"
    assert instance_of(rewritten) == instance_of(TEXT)


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ("nTables = 2;", "", "nTables is missing, or no count"),
        ("nTables = 2;", "nTables = -2;", "nTables is missing, or no count"),
        ("nTables = 2;", "nTables 2;", "'2' where '=' should be"),
        ("nTables = 2;", "nTables = two;", "'two' where a number should be"),
        ("nTables = 2;", "nTables = 2.5;", "line 2: cannot read"),
        ("nMeetings = 3;", "nMeetings = 4;", "has not 4"),
        ("|1, 2,1,", "|1, 1,1,", "meeting 1: 1, 1, 1"),
        ("|1, 2,1,", "|1, 4,1,", "meeting 1: 1, 4, 1"),
        ("|1, 2,1,", "|1, 2,0,", "meeting 1: 1, 2, 0"),
        ("|1, 2,1,", "|1, 2,", "not three numbers"),
        ("forbidden = [{0},", "forbidden = [0,", "forbidden holds something else than sets"),
        ("fixed = [0,", "fixed = [{0},", "fixed holds something else than numbers"),
        ("[{},{1},{}]", "[{},{9},{}]", "names a meeting that is not there"),
        ("[{},{1},{}];", "[{},{1},{}", "ends within a value"),
    ],
)
def test_unreadable_text_is_refused_with_the_reason(was: str, becomes: str, why: str) -> None:
    with pytest.raises(BadInstanceFile, match=why):
        instance_of(TEXT.replace(was, becomes))


def test_an_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(BadInstanceFile, match=r"away\.dzn"):
        read(tmp_path / "away.dzn")
