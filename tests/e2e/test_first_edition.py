"""The commands of docs/first-edition.md, run as they stand, with two lists that the page has not seen."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import Workbook

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_PAGE = Path(__file__).parents[2] / "docs/first-edition.md"
#: A list as an organiser has it: a title above the headings, in Spanish, with columns that nobody asked for.
_PEOPLE = [
    ("Asistentes confirmados",),
    (),
    ("Nº", "Empresa", "Nombre y apellidos", "Correo electrónico", "Ofrece", "Busca", "Comida"),
    (1, "Queserías Montalbo", "Ana Peña", "ana@montalbo.example", "Queso curado", "Envases de cartón", "sí"),
    (2, "Cartonajes Júcar", "Luis Gil", "LUIS@jucar.example ", "Envases de cartón", "Papel reciclado", "no"),
    (3, "Papelera del Sur", "Iván Ruiz", "ivan@papelera.example", "Papel reciclado", "Madera", "sí"),
    (4, "Sin correo S.L.", "Eva Sanz", "eva en sincorreo", "Madera", "", ""),
]
_REQUESTS = (
    "Solicitante;Destinatario\nana@montalbo.example;Luis Gil\nluis@jucar.example;ana@montalbo.example\n"
    "luis@jucar.example;ivan@papelera.example\nivan@papelera.example;luis@jucar.example\n"
)
_UNTIL_MAILED = "for second in $(seq 60); do [ $(ls first-edition/mails | wc -l) -ge 3 ] && break; sleep 1; done"

#: After the page: all exports, through all services.
_EXPORTS = (
    "for kind in participants organisations match-requests encounters agendas attendance waiting unreached; do "
    'tertulia export "$EDITION" $kind --lang es --format csv --output $kind.csv > /dev/null; done'
)


def commands() -> tuple[str, str]:
    """The command of the first terminal, and the commands of the second, without the setup of the machine."""
    blocks = re.findall(r"^```sh( up)?\n(.*?)^```", _PAGE.read_text(), re.MULTILINE | re.DOTALL)
    [up] = [block for marker, block in blocks if marker]
    second = [block for marker, block in blocks if not marker and "make setup" not in block]
    return up.strip(), "".join(second)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with both lists, and with the first terminal running."""
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    book = Workbook()
    sheet = book.create_sheet("Asistentes", 0)
    for row in _PEOPLE:
        sheet.append(row)
    book.save(tmp_path / "people.xlsx")
    (tmp_path / "requests.csv").write_text(_REQUESTS, encoding="cp1252")
    up, _ = commands()
    first = subprocess.Popen(
        [*up.split(), "--broker", "tansu"], cwd=tmp_path, env=_environment(), stdout=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 120
        while not (tmp_path / "first-edition/environment").exists():
            assert first.poll() is None, first.communicate()
            assert time.monotonic() < deadline, "tertulia up is not ready"
            time.sleep(0.2)
        yield tmp_path
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def test_the_page_leads_from_nothing_to_mailed_agendas(folder: Path) -> None:
    _, second = commands()
    assert "sleep 30" in second  # a reader waits; the test looks until the third mailbox is there
    script = f"set -eu -o pipefail\n{second.replace('sleep 30', _UNTIL_MAILED)}\n{_EXPORTS}"
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "eva en sincorreo" in done.stdout
    assert "Columns that are not read: Nº, Comida" in done.stdout
    mailed = sorted(path.name for path in (folder / "first-edition/mails").iterdir())
    assert mailed == ["ana@montalbo.example", "ivan@papelera.example", "luis@jucar.example"]
    assert "\n".join(mailed) in done.stdout
    exported = {path.stem: path.read_text("utf-8-sig").splitlines() for path in folder.glob("*.csv")}
    assert {line.split(";")[2].lower() for line in exported["agendas"][1:]} == set(mailed)
    assert len(exported["encounters"]) > 1
    assert not [line for line in exported["unreached"] if any(address in line for address in mailed)]
