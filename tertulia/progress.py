"""The line on the terminal that tells the progress of an import."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from tertulia.registration_api import errors

if TYPE_CHECKING:
    import httpx

_EVERY_SECONDS = 0.5


@contextlib.contextmanager
def progress_of(client: httpx.Client, edition_id: str) -> Iterator[None]:
    """Show the progress of the import that the block sends, if errors go to a terminal."""
    if not errors.is_terminal:
        yield
        return
    ended = threading.Event()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=errors, transient=True) as shown:
        asking = threading.Thread(target=_ask, args=(client, edition_id, shown, ended), daemon=True)
        asking.start()
        try:
            yield
        finally:
            ended.set()
            asking.join()


def _ask(client: httpx.Client, edition_id: str, shown: Progress, ended: threading.Event) -> None:
    """Ask for the progress until the import has ended. A question without an answer is asked again."""
    import httpx  # noqa: PLC0415 - only with a command that calls

    task = shown.add_task("sending", total=100)
    while not ended.wait(_EVERY_SECONDS):
        with contextlib.suppress(httpx.HTTPError, ValueError, KeyError):
            told = client.get(f"/editions/{edition_id}/imports/progress", timeout=5.0).json()
            if told["running"]:
                shown.update(task, description=f"{told['step']} {told['list']}", completed=told["percent"])
