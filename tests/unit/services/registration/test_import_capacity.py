"""Imports in progress: one of an operator, whatever becomes of it."""

from __future__ import annotations

import contextlib

import pytest

from services.registration.import_capacity import ImportCapacity, ImportRunning


def test_an_operator_has_one_import_at_a_time() -> None:
    imports = ImportCapacity()
    with imports.admitted("a"), imports.admitted("b"):
        with pytest.raises(ImportRunning, match="an import of yours is running"), imports.admitted("a"):
            pass
        with pytest.raises(ImportRunning), imports.admitted("a"):
            pass
    with imports.admitted("a"):
        pass


def test_a_failed_import_gives_its_place_back() -> None:
    imports = ImportCapacity()
    with contextlib.suppress(ZeroDivisionError), imports.admitted("a"):
        raise ZeroDivisionError
    with imports.admitted("a"):
        pass


async def test_files_beyond_the_capacity_wait_and_are_then_refused() -> None:
    imports = ImportCapacity(at_once=1, wait_seconds=0.01)
    async with imports.turn("a"):
        with pytest.raises(ImportRunning, match="imports of other operators are running"):
            async with imports.turn("b"):
                pass
    async with imports.turn("b"):
        pass
