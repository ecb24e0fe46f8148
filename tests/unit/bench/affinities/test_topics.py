from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.affinities.topics import BadTopics, languages_of, read_topics

TEXTS = {"need": {"es": "a", "en": "b"}, "offer": {"en": "c", "es": "d"}}
GOOD = {"id": "t1", "cluster": "metal", "nace": "25.62", **TEXTS}


def write(folder: Path, name: str, *lines: object) -> Path:
    folder.mkdir(exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / name).write_text("\n".join(texts), encoding="utf-8")
    return folder


def test_topics_come_from_all_files_once(tmp_path: Path) -> None:
    write(tmp_path, "need_offer_dev.jsonl", GOOD, "", GOOD | {"id": "t2", "need": {"es": "x", "pt": "y"}})
    topics = read_topics(write(tmp_path, "need_offer_more.jsonl", GOOD | {"nace": "other"}, GOOD | {"id": "t3"}))
    assert [(topic.name, topic.nace) for topic in topics] == [("t1", "25.62"), ("t2", "25.62"), ("t3", "25.62")]
    assert languages_of(topics) == ["es"]


def test_the_folder_above_will_do(tmp_path: Path) -> None:
    write(tmp_path / "matching", "need_offer.jsonl", GOOD, GOOD | {"id": "t2"})
    assert len(read_topics(tmp_path)) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "need_offer.jsonl:2: not JSON"),
        ("[]", "need_offer.jsonl:2: not an object"),
        ({"id": "t2", "need": {"es": "a"}}, "`offer` must hold a text by language"),
        ({"id": "t2", "need": {"es": 1}, "offer": {"es": "a"}}, "`need` must hold"),
        ("", "fewer than two topics"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, line: object, message: str) -> None:
    with pytest.raises(BadTopics, match=message):
        read_topics(write(tmp_path, "need_offer.jsonl", GOOD, line))


def test_no_file_and_no_common_language_are_said(tmp_path: Path) -> None:
    with pytest.raises(BadTopics, match="has no need_offer"):
        read_topics(tmp_path)
    write(tmp_path, "need_offer.jsonl", GOOD, GOOD | {"id": "t2", "need": {"fr": "x"}})
    with pytest.raises(BadTopics, match="no language in common"):
        languages_of(read_topics(tmp_path))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "need_offer.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadTopics, match="cannot be read"):
        read_topics(tmp_path)
