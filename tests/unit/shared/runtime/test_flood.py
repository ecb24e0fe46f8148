from __future__ import annotations

from shared.runtime.flood import LINES_A_LOGGER, LINES_A_TEMPLATE, WINDOW_SECONDS, Dropped, FloodDamper


def test_a_template_writes_a_few_lines_a_minute_and_the_rest_is_counted() -> None:
    damper = FloodDamper()
    admitted = sum(damper.admits("lib", "node %s is away", 100.0 + second / 10) for second in range(500))
    assert admitted == LINES_A_TEMPLATE
    assert list(damper.dropped(100.0 + WINDOW_SECONDS - 1)) == []
    assert list(damper.dropped(100.0 + WINDOW_SECONDS)) == [Dropped("lib", "node %s is away", 500 - LINES_A_TEMPLATE)]
    assert damper.admits("lib", "node %s is away", 100.0 + WINDOW_SECONDS)


def test_messages_that_differ_in_numbers_and_quoted_texts_have_one_template() -> None:
    damper = FloodDamper()
    assert sum(damper.admits("lib", f"topic 'x{number}' of node {number} is away", 0.0) for number in range(9)) == 3


def test_a_logger_with_ever_new_messages_is_damped_and_needs_bounded_memory() -> None:
    damper = FloodDamper()
    words = ["".join(chr(97 + number // 26**place % 26) for place in range(4)) for number in range(5000)]
    assert sum(damper.admits("lib", word, 0.0) for word in words) == LINES_A_LOGGER
    assert damper.admits("other", "node is away", 0.0)
    assert sum(dropped.lines for dropped in damper.dropped(1e9)) == 5000 - LINES_A_LOGGER
    assert list(damper.dropped(1e9)) == []
