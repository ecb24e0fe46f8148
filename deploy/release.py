"""`make release-check`: refuse a release whose images could change without a change of the project.

A tag of a base image names another build tomorrow; a digest does not. Development builds may leave the digest out.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

DOCKERFILE = Path(__file__).parent / "Dockerfile"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_BASE = "${BASE_IMAGE}${BASE_DIGEST:+@${BASE_DIGEST}}"


def objections(dockerfile: str, base_digest: str) -> Iterator[str]:
    """Yield the reasons against a release with their mends; none for a Dockerfile and a digest that are pinned."""
    lines = [line.split() for line in dockerfile.splitlines()]
    stages = {words[3] for words in lines if words[:1] == ["FROM"] and words[2:3] == ["AS"]}
    yield from (
        f"deploy/Dockerfile: the stage FROM {words[1]} is not pinned: begin it with FROM {_BASE}"
        for words in lines
        if words[:1] == ["FROM"] and words[1] not in {_BASE, *stages}
    )
    if not base_digest:
        yield (
            "BASE_DIGEST is empty: pass the digest of BASE_IMAGE, which `docker buildx imagetools inspect` prints, "
            "as in: make release-check BASE_DIGEST=sha256:..."
        )
    elif not _DIGEST.fullmatch(base_digest):
        yield f"BASE_DIGEST is {base_digest!r}: a digest is sha256: and 64 hexadecimal digits"


def main(base_digest: str) -> int:
    """Print the objections. Returns the exit status: 1 if there are any."""
    found = list(objections(DOCKERFILE.read_text(encoding="utf-8"), base_digest))
    for objection in found:
        sys.stderr.write(objection + "\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
