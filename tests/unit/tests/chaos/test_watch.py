from __future__ import annotations

from aiokafka import TopicPartition

from tests.chaos.watch import GROUPS, Place, Standstills

PLACE: Place = ("tertulia-matching", "registration.v1", 0)
PARTITION = TopicPartition("registration.v1", 0)


def looked(*looks: tuple[float, int, int]) -> Standstills:
    """After looks of (moment, committed, end of the log)."""
    standstills = Standstills()
    for now, committed, end in looks:
        others = {(group, "registration.v1", 0): end for group in GROUPS}
        standstills.look(now, others | {PLACE: committed}, {PARTITION: end})
    return standstills


def test_a_committing_partition_does_not_stand_still() -> None:
    standstills = looked((0, 0, 100), (1, 1, 200), (2, 2, 300))
    assert standstills.longest == 1
    assert standstills.behind() == {"tertulia-matching": 298}


def test_a_standstill_counts_from_the_first_unread_record() -> None:
    standstills = looked((0, 5, 5), (10, 5, 6), (13, 5, 7), (14, 7, 7), (30, 7, 7))
    assert standstills.longest == 4  # to the look that saw it get on
    assert standstills.where == "tertulia-matching on registration.v1/0"
    assert standstills.behind() == {}


def test_every_group_is_watched_on_the_topics_it_reads() -> None:
    assert GROUPS == {
        "tertulia-matching": ["registration.v1", "match-request.v1", "encounter.v1"],
        "tertulia-scheduler": ["registration.v1", "affinity.v1"],
        "tertulia-notify": ["registration.v1", "affinity.v1", "agenda.v1"],
    }
