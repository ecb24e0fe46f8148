"""Seeds of the simulation: after whatever faults, nothing is lost, nothing is done twice, and all say the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from services.notify.rendering.mail import MailWriter
from services.notify.settings import Settings
from tests.simulation.world import START, Outcome, run_in_peace, run_seed

#: Seeds that once failed, with what was wrong: they stay.
ONCE_FAILED: dict[int, str] = {}
CHUNKS = 20
SEEDS_A_CHUNK = 10


def holds(seed: int, outcome: Outcome) -> None:
    if outcome.violations:
        told = "\n  ".join(outcome.violations)
        pytest.fail(f"seed {seed}: python -m tests.simulation --seed {seed}\n  {told}", pytrace=False)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_whatever_goes_wrong_nothing_is_lost_and_nothing_done_twice(chunk: int) -> None:
    for seed in range(chunk * SEEDS_A_CHUNK, (chunk + 1) * SEEDS_A_CHUNK):
        holds(seed, run_seed(seed))


@pytest.mark.parametrize("seed", ONCE_FAILED)
def test_what_once_failed_stays_mended(seed: int) -> None:
    holds(seed, run_seed(seed))


def test_in_peace_the_real_mails_are_written_and_all_is_as_it_should_be() -> None:
    for seed in range(3):
        outcome = run_in_peace(seed, MailWriter(Settings(), lambda: START))
        holds(seed, outcome)
        assert outcome.mails


def test_a_seed_takes_the_same_steps_in_every_process() -> None:
    """Whatever the hashes of strings are: a failing seed can be run again."""
    program = "from tests.simulation.world import run_seed; print(run_seed(7).digest, run_seed(7).digest)"
    digests = set()
    for hash_seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests |= set(ran.stdout.split())
    assert len(digests) == 1


def test_the_command_runs_seeds_in_several_processes_and_sums_them_up() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seeds", "20", "--processes", "2"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert "20 of 20 seeds" in ran.stdout
