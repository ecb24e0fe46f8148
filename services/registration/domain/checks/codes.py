"""Rule for the codes of profiles and organisations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.registration.domain.checks.doubtful_fact import DoubtfulFact


def doubtful_codes(where: str, codes: Sequence[str]) -> Iterator[DoubtfulFact]:
    """Yield the codes without a scheme, or without a value: they are compared with nothing."""
    for index, code in enumerate(codes):
        scheme, colon, value = code.partition(":")
        if not (scheme and colon and value):
            yield DoubtfulFact(
                f"{where}/{index}",
                f"{code!r} is not scheme:value, such as nace:25.62, and is compared with nothing: add its scheme, or "
                "the part that a decimal comma has cut off",
                "code-without-scheme",
                code,
            )
