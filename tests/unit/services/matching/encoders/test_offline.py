"""Encoders work on a machine without network."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

READ = """
import socket, sys

def refuse(*_):
    raise OSError("no network here")

if sys.argv[1] == "refuse":
    socket.socket.connect = socket.getaddrinfo = refuse
from services.matching.domain.text.scorer import Role
from services.matching.encoders import default_scorer, quality_scorer
need, offer = ["Necesitamos soldadura de aluminio"], ["We weld aluminium", "Catering"]
for scorer in (default_scorer(), quality_scorer()):
    good, bad = scorer.fit(scorer.embed(need, Role.NEED) @ scorer.embed(offer, Role.OFFER).T)[0]
    assert good > 0.5 > 0.1 > bad, (scorer.version, good, bad)
"""


def read(*prefix: str, network: str) -> subprocess.CompletedProcess[str]:
    command = [*prefix, sys.executable, "-c", READ, network]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_texts_are_read_where_no_connection_can_be_made() -> None:
    done = read(network="refuse")
    assert done.returncode == 0, done.stderr


def test_texts_are_read_in_a_network_namespace_without_network() -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine allows no network namespaces")
    done = read(unshare, "-rn", network="none")
    assert done.returncode == 0, done.stderr
