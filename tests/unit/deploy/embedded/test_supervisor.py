from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.embedded.process import ProcessFailed, Program
from deploy.embedded.supervisor import Supervisor, run

_SLEEP = "import time; time.sleep(60)"
_IGNORE_SIGTERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); {_SLEEP}"
_WITH_CHILD = (
    "import subprocess, sys; "
    f"child = subprocess.Popen([sys.executable, '-c', {_SLEEP!r}]); print(child.pid, flush=True); {_SLEEP}"
)


def program(name: str, code: str, *, ready: bool = True, ready_seconds: float = 20, grace: float = 5) -> Program:
    async def probe() -> bool:
        return ready

    return Program(name, (sys.executable, "-S", "-c", code), probe, ready_seconds=ready_seconds, grace_seconds=grace)


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(tmp_path)
    yield supervisor
    await supervisor.stop()


async def logged(supervisor: Supervisor, name: str) -> str:
    """The first line of a program's log."""
    log = supervisor.logs / f"{name}.log"
    while "\n" not in log.read_text():
        await asyncio.sleep(0.01)
    return log.read_text().splitlines()[0]


def alive(pid: int) -> bool:
    """Tell whether the process runs. A process that has ended and is not reaped yet does not run."""
    try:
        return state_of(pid) != "Z"
    except FileNotFoundError:
        return False


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def in_state(pid: int, letter: str) -> bool:
    """Wait until the process is in this state: `T` stopped, `S` asleep."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if state_of(pid) == letter:
            return True
        await asyncio.sleep(0.02)
    return False


async def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    return not alive(pid)


async def test_a_failure_names_the_program_its_exit_code_and_its_last_log_lines(
    supervisor: Supervisor,
) -> None:
    code = "import sys; print('no such option'); sys.exit(3)"

    with pytest.raises(ProcessFailed) as failed:
        await supervisor.launch(program("good", _SLEEP, ready=False), program("bad", code, ready=False))

    assert "bad ended with exit code 3" in str(failed.value)
    assert "no such option" in str(failed.value)
    assert str(supervisor.logs / "bad.log") in str(failed.value)


async def test_a_program_that_never_gets_ready_is_given_up(supervisor: Supervisor) -> None:
    with pytest.raises(ProcessFailed, match=r"slow was not ready within 0\.2 s"):
        await supervisor.launch(program("slow", _SLEEP, ready=False, ready_seconds=0.2))


async def test_an_ended_program_is_found_though_another_answers_on_its_port(supervisor: Supervisor) -> None:
    async def ready_once_it_ended() -> bool:
        await asyncio.sleep(0.5)
        return True

    command = (sys.executable, "-S", "-c", "raise SystemExit(1)")
    with pytest.raises(ProcessFailed, match="exit code 1"):
        await supervisor.launch(Program("bad", command, ready_once_it_ended))


async def test_a_missing_command_fails_like_a_failed_program(supervisor: Supervisor) -> None:
    with pytest.raises(ProcessFailed, match="absent cannot be started"):
        await supervisor.launch(Program("absent", ("/no/such/command",), program("x", "").ready))


async def test_only_latecomers_are_not_waited_for(supervisor: Supervisor) -> None:
    supervisor.begin(program("late", _SLEEP, ready=False), program("steady", _SLEEP))
    await supervisor.ready(but=("late",))
    supervisor.begin(program("server", "raise SystemExit(3)", ready=False))
    with pytest.raises(ProcessFailed, match="server ended with exit code 3"):
        await supervisor.ready(but=("late",))


async def test_a_crash_ends_the_wait_and_names_the_signal(supervisor: Supervisor) -> None:
    await supervisor.launch(program("steady", _SLEEP), program("crash", "import os, time; time.sleep(1); os.abort()"))

    with pytest.raises(ProcessFailed, match="crash ended with signal SIGABRT"):
        await supervisor.wait()


async def test_stop_kills_a_program_that_ignores_sigterm_and_its_children(supervisor: Supervisor) -> None:
    await supervisor.launch(program("deaf", _IGNORE_SIGTERM, grace=0.2), program("parent", _WITH_CHILD))
    await logged(supervisor, "deaf")
    child = int(await logged(supervisor, "parent"))

    await supervisor.stop()

    assert await gone(child)


async def test_stop_ends_the_stages_in_reverse(supervisor: Supervisor, tmp_path: Path) -> None:
    ends = tmp_path / "ends"
    for name in ("first", "second"):
        handler = f"lambda *_: (open({str(ends)!r}, 'a').write('{name} '), sys.exit())"
        code = f"import signal, sys; signal.signal(signal.SIGTERM, {handler}); print('up', flush=True); {_SLEEP}"
        await supervisor.launch(program(name, code))
        await logged(supervisor, name)

    await supervisor.stop()

    assert ends.read_text() == "second first "


async def test_a_program_killed_on_purpose_raises_nothing_and_can_restart(supervisor: Supervisor) -> None:
    await supervisor.launch(program("one", f"import os; print(os.getpid(), flush=True); {_SLEEP}"))
    pid = int(await logged(supervisor, "one"))

    await supervisor.kill("one")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(supervisor.wait(), 0.5)
    await supervisor.restart("one")

    assert not alive(pid)
    while len(pids := (supervisor.logs / "one.log").read_text().split()) < 2:
        await asyncio.sleep(0.01)
    assert alive(int(pids[1]))


async def test_a_suspended_program_waits_for_sigcont_and_can_be_killed(
    supervisor: Supervisor,
) -> None:
    code = f"import os; print(os.getpid(), flush=True); {_SLEEP}"
    await supervisor.launch(program("one", code), program("two", code))
    pids = [int(await logged(supervisor, name)) for name in ("one", "two")]

    for name in ("one", "two"):
        supervisor.signal(name, signal.SIGSTOP)
    assert await in_state(pids[0], "T")
    assert await in_state(pids[1], "T")
    supervisor.signal("one", signal.SIGCONT)
    assert await in_state(pids[0], "S")
    await supervisor.kill("two")
    assert await gone(pids[1])


class Pair(Supervisor):
    """A supervisor with one program, as `run` expects."""

    async def start(self) -> None:
        await self.launch(program("one", f"import os; print(os.getpid(), flush=True); {_SLEEP}"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_run_stops_everything_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    supervisor = Pair(tmp_path)
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        loop.call_later(0.3, os.kill, os.getpid(), number)

    await asyncio.create_task(run(supervisor, ask_to_stop))

    assert await gone(int(await logged(supervisor, "one")))


async def test_stop_deletes_the_data_and_keeps_the_logs(supervisor: Supervisor) -> None:
    await supervisor.launch(program("one", _SLEEP))
    (supervisor.data / "folder").mkdir(parents=True)

    await supervisor.stop()

    assert list(supervisor.folder.iterdir()) == [supervisor.logs]


async def test_no_process_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from deploy.embedded.process import Program
from deploy.embedded.supervisor import Supervisor

async def ready() -> bool:
    return True

async def main() -> None:
    supervisor = Supervisor(Path({str(tmp_path)!r}))
    await supervisor.launch(Program("parent", (sys.executable, "-S", "-c", {_WITH_CHILD!r}), ready))
    await supervisor.wait()

asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", code]) as killed:  # noqa: ASYNC220 - ours
        while not (logs := [log for log in tmp_path.rglob("parent.log") if "\n" in log.read_text()]):  # noqa: ASYNC240 - a test may block
            await asyncio.sleep(0.02)
        child = int(logs[0].read_text())
        assert alive(child)
        killed.kill()

    assert await gone(child)
