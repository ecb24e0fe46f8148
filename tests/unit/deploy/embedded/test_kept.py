"""The folder of a stack that keeps its data."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from deploy.embedded.kept import FolderUnusable, identity_of, locked
from deploy.embedded.probes import HOST

NAMES = ["mongo", "registration"]


def test_secrets_and_ports_stay_the_same_over_restarts_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    first = identity_of(tmp_path, NAMES)
    assert identity_of(tmp_path, NAMES) == first
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600


def test_a_port_that_is_taken_is_replaced_and_a_new_server_gets_one(tmp_path: Path) -> None:
    first = identity_of(tmp_path, NAMES)
    with socket.create_server((HOST, first.ports["mongo"])):
        second = identity_of(tmp_path, [*NAMES, "portal"])
    assert second.ports["mongo"] != first.ports["mongo"]
    assert second.ports["registration"] == first.ports["registration"]
    assert set(second.ports) == {*NAMES, "portal"}
    assert second.token == first.token


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"token": 1}', "null"])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, damage: str) -> None:
    (tmp_path / "stack.json").write_text(damage)
    with pytest.raises(FolderUnusable, match=r"stack\.json is damaged: delete it"):
        identity_of(tmp_path, NAMES)


def test_a_folder_has_one_stack_at_a_time(tmp_path: Path) -> None:
    new = tmp_path / "new"
    refused = pytest.raises(FolderUnusable, match=r"a stack runs in .*new already: stop it")
    with locked(new), refused, locked(new):
        pass
    with locked(new):
        pass


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(FolderUnusable, match="taken cannot be written"), locked(tmp_path / "taken"):
        pass
