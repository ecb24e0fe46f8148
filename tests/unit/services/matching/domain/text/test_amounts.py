from __future__ import annotations

import pytest

from services.matching.domain.text.amounts import without_amounts


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Depósitos de hasta 8 toneladas", "Depósitos de hasta"),
        ("parts up to 1,500 mm within 10 days", "parts up to within"),
        ("peças até 2.5 m, 15% mais", "peças até , mais"),
        ("séries de 5000 unidades", "séries de"),
        ("Mecanizado de 5 ejes", "Mecanizado de 5 ejes"),
        ("ISO 9001, S355J2, Industria 4.0, H2 y 3D", "ISO 9001, S355J2, Industria 4.0, H2 y 3D"),
        ("M8 partition", "M8 partition"),
        ("8 partitions", "8 partitions"),
        ("", ""),
    ],
)
def test_amounts_are_removed_and_other_numbers_stay(text: str, left: str) -> None:
    assert " ".join(without_amounts(text).split()) == left
