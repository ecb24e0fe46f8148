from __future__ import annotations

from tests.support.matching_editions import edition
from tests.support.matching_scene import now, scene

__all__ = ["edition", "now", "scene"]
