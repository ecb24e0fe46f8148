"""The folder of a stack that keeps its data over a restart: its lock, its secrets and its ports."""

from __future__ import annotations

import fcntl
import json
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deploy.embedded.probes import HOST, free_ports


class FolderUnusable(Exception):
    """The folder cannot be written, is damaged, or another stack runs in it. The message says which, and what to do."""


@dataclass(frozen=True)
class Identity:
    """Secrets and ports that outlast a restart, so that links in mails and exported settings go on to work.

    `token` opens the internal API, `link_secret` signs people's links, and `ports` are by the names of the servers.
    """

    token: str
    link_secret: str
    ports: Mapping[str, int]

    @classmethod
    def new(cls, names: list[str]) -> Identity:
        """Return secrets and free ports, drawn at random."""
        return cls(secrets.token_urlsafe(), secrets.token_urlsafe(), _ports(names))


def identity_of(folder: Path, names: list[str]) -> Identity:
    """Return the identity of a folder; its first stack writes it. A port that is taken meanwhile is replaced.

    Raises:
        FolderUnusable: see there.
    """
    path = folder / "stack.json"
    try:
        found = Identity(**json.loads(path.read_text())) if path.exists() else Identity.new(names)
        taken = [name for name in names if not _is_free(found.ports.get(name))]
        identity = replace(found, ports={**found.ports, **_ports(taken)})
        write_private(path, json.dumps(asdict(identity), indent=1))
    except (TypeError, ValueError, AttributeError) as error:
        raise FolderUnusable(f"{path} is damaged: delete it, and the stack draws new ports and secrets") from error
    return identity


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder for this process.

    Raises:
        FolderUnusable: another process holds it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        opened = (folder / "lock").open("w")
    except OSError as error:
        raise FolderUnusable(f"{folder} cannot be written: {error.strerror}. Name another by --folder") from error
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderUnusable(
                f"a stack runs in {folder} already: stop it, or name another folder by --folder"
            ) from error
        yield


def write_private(path: Path, text: str) -> Path:
    """Write a file that only its owner can read, and return its path."""
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def _ports(names: list[str]) -> dict[str, int]:
    return dict(zip(names, free_ports(len(names)), strict=True))


def _is_free(port: int | None) -> bool:
    if port is None:
        return False
    with socket.socket() as candidate:
        return candidate.connect_ex((HOST, port)) != 0
