"""`make release-check`: a release is refused while its base image is not pinned by digest."""

from __future__ import annotations

import pytest

from deploy.release import DOCKERFILE, main, objections

OURS = DOCKERFILE.read_text(encoding="utf-8")
DIGEST = "sha256:" + 64 * "a"


def test_a_pinned_release_passes() -> None:
    assert list(objections(OURS, DIGEST)) == []


@pytest.mark.parametrize(
    "digest", ["", "latest", "sha256:", "sha256:" + 63 * "a", 64 * "a", DIGEST + "\n", DIGEST + "@x"]
)
def test_a_release_without_a_whole_digest_is_refused(digest: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(digest) == 1
    assert "BASE_DIGEST" in capsys.readouterr().err


@pytest.mark.parametrize("stage", ["python:3.11.14", "python:3.11@sha256:" + 64 * "b", "${BASE_IMAGE}"])
def test_a_stage_from_an_image_of_its_own_is_refused(stage: str) -> None:
    [objection] = objections(f"{OURS}\nFROM {stage}\n", DIGEST)
    assert stage in objection


def test_a_stage_from_an_earlier_stage_is_no_image() -> None:
    assert list(objections(f"{OURS}\nFROM build\n", DIGEST)) == []
