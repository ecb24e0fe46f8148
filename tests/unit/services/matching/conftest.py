from __future__ import annotations

from tests.component.matching.edition import edition
from tests.component.matching.scene import now, scene

__all__ = ["edition", "now", "scene"]
