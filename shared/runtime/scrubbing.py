"""Scrubbing of log fields: personal data, profile texts and secrets never reach a log line.

Texts of exceptions are trusted by their origin. Our own exceptions keep their text, without addresses, quoted
values and secrets. Every other exception is reduced to its type, its codes, and the places in our code that it passed.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings
from pymongo.errors import OperationFailure

#: Root packages of our code.
OUR_PACKAGES = frozenset({"services", "shared", "tertulia", "demo", "deploy", "bench"})
#: The text in the place of a scrubbed value.
HIDDEN = "…"
_SHORTEST_SECRET = 4
_LONGEST_TEXT = 500
#: A long text is cut before it is scrubbed, at so many times the length that is kept: its scrubbing costs time.
_READ_TIMES = 3
#: Most values of a line, at all levels.
_MOST_VALUES = 400
_MOST_PLACES = 15
_MOST_CAUSES = 4
_MOST_RULES = 5
_MOST_LEVELS = 5
#: Values of these patterns are hidden in every text: credentials in URLs, mail addresses, keys and tokens.
_SENSITIVE = (
    (re.compile(r"(?<=://)[^/\s]{0,300}@"), f"{HIDDEN}@"),
    (re.compile(r"[^\s@<>\"'(),;:=\[\]{}/…]{1,80}@[^\s@<>\"'(),;:=\[\]{}]{1,300}"), "<address>"),
    (re.compile(r"\b(Bearer|Basic)\s+[^\s\"',;]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)\b(\w{0,40}(?:token|password|secret|api_?key|authorization))(\"?'?\s*[:=]\s*\"?'?)[^\s\"',;&]+"),
     rf"\1\2{HIDDEN}"),
    (re.compile(r"\b[\w-]{1,64}\.[\w-]{32,}"), HIDDEN),
)  # fmt: skip
#: A text in quotation marks, but not an apostrophe within a word.
_QUOTED = re.compile(r"""(?<!\w)'(?:[^'\\\n]|\\.)*'(?!\w)|"(?:[^"\\\n]|\\.)*"|“[^”\n]*”|«[^»\n]*»""")
#: A quotation that the cut of a long text has left open.
_OPEN = re.compile(r"""(?:(?<!\w)'|["“«])[^'"”»]*\Z""")
#: Identifiers stay readable: `prt_0af3`, `edn_1`.
_IDENTIFIER = re.compile(r"[a-z]{2,12}(_[A-Za-z0-9]+)+")
_FIELD = re.compile(r"[a-z_][a-z0-9_]{0,40}")
_CODE_NAME = re.compile(r"[A-Za-z]{1,60}")
#: Reasons that drivers give in their texts. They name no data, so that they may be logged.
_REASONS = (
    "timed out", "Connection refused", "connection closed", "Connection reset", "Broken pipe", "No servers found",
    "not primary", "Name or service not known", "Temporary failure in name resolution", "certificate verify failed",
    "SSL handshake failed", "Authentication failed", "No such file or directory",
)  # fmt: skip


class Scrubber:
    """Turns every value of a log line into plain JSON data without personal data and without `secrets`."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True)

    def without_secrets(self, text: str) -> str:
        """Hide the secrets of the settings."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def text(self, text: str, longest: int = _LONGEST_TEXT) -> str:
        """Hide secrets, addresses, credentials, and quoted values but identifiers; cut after `longest`."""
        scrubbed = self.without_secrets(text[: _READ_TIMES * longest])
        scrubbed = _QUOTED.sub(_hide_quoted, scrubbed)
        if len(text) > _READ_TIMES * longest:
            scrubbed = _OPEN.sub(HIDDEN, scrubbed)
        for pattern, replacement in _SENSITIVE:
            scrubbed = pattern.sub(replacement, scrubbed)
        if len(scrubbed) <= longest and len(text) <= _READ_TIMES * longest:
            return scrubbed
        return f"{scrubbed[:longest]}{HIDDEN} of {len(text)} characters"

    def plain(self, value: object, longest: int) -> Any:  # noqa: ANN401 - JSON data
        """Return a value as JSON data: texts of at most `longest` characters, `longest` // 50 items at a level."""
        return self._plain(value, longest, 0, itertools.count())

    def _plain(self, value: object, longest: int, level: int, count: Iterator[int]) -> Any:  # noqa: ANN401 - JSON data
        if isinstance(value, Enum):
            value = value.value
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.text(value, longest)
        if isinstance(value, BaseException):
            value = self.exception(value)
        if not isinstance(value, Mapping | list | tuple | set | frozenset):
            return f"<{type(value).__name__}>"
        if level >= _MOST_LEVELS or next(count) >= _MOST_VALUES:
            return f"<{type(value).__name__}>"
        most = max(1, longest // 50) if level else _MOST_VALUES
        if isinstance(value, Mapping):
            plain: Any = {
                self.text(str(name), 60): self._plain(item, longest, level + 1, count)
                for name, item in itertools.islice(value.items(), most)
                if next(count) < _MOST_VALUES
            }
        else:
            plain = [
                self._plain(item, longest, level + 1, count)
                for item in itertools.islice(value, most)
                if next(count) < _MOST_VALUES
            ]
        left = len(value) - len(plain)
        if left and isinstance(plain, dict):
            plain[HIDDEN] = f"{left} more"
        elif left:
            plain.append(f"{HIDDEN} {left} more")
        return plain

    def exception(self, error: BaseException) -> dict[str, Any]:
        """Return type, text and places of an exception and of its causes, without locals and source lines."""
        described: dict[str, Any] = {"type": type(error).__qualname__}
        if text := self.exception_text(error):
            described["text"] = text
        if places := _places(error.__traceback__):
            described["at"] = places
        if isinstance(error, BaseExceptionGroup):
            described["group"] = [self.exception(part) for part in error.exceptions[:_MOST_CAUSES]]
        causes = list(_causes(error))[:_MOST_CAUSES]
        if causes:
            described["caused_by"] = [
                {
                    "type": type(cause).__qualname__,
                    "text": self.exception_text(cause),
                    "at": _places(cause.__traceback__),
                }
                for cause in causes
            ]
        return described

    def summary(self, error: BaseException) -> str:
        """Return type, text and place of an exception on a line: `KeyError (at services.notify.service:50 consume)`."""
        text = self.exception_text(error)
        places = _places(error.__traceback__)
        place = f" (at {places[-1]})" if places else ""
        return f"{type(error).__qualname__}{f': {text}' if text else ''}{place}"

    def exception_text(self, error: BaseException) -> str:
        """Return the text of an exception that may be logged: the empty text if there is none."""
        if isinstance(error, ValidationError):
            return _broken_rules(error)
        if not _is_ours(error):
            return ", ".join(_codes(error))
        # Our exceptions often repeat the text of their cause.
        text = str(error)
        for cause in _causes(error):
            foreign = "" if _is_ours(cause) else str(cause)
            if foreign:
                text = text.replace(foreign, self.exception_text(cause) or type(cause).__name__)
        return self.text(text)

    def without_text_of(self, error: BaseException | None, text: str) -> str:
        """Hide the texts of an exception and of its causes in a text that repeats them."""
        for part in (error, *_causes(error)) if error else ():
            for repeated in (repr(part), str(part)):
                text = text.replace(repeated, type(part).__name__) if repeated else text
        return text


def secrets_of(settings: BaseSettings) -> set[str]:
    """Return the secret values of settings, and the passwords in their URLs. A URL without a password is no secret."""
    found: set[str] = set()
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            secret = value.get_secret_value()
            if "://" not in secret:
                found.add(secret)
            elif "@" in secret:
                password = urlsplit(secret).password or ""
                found |= {secret, password, unquote(password)}
    return found


def _hide_quoted(match: re.Match[str]) -> str:
    quoted = match[0]
    return quoted if _IDENTIFIER.fullmatch(quoted[1:-1]) else f"{quoted[0]}{HIDDEN}{quoted[-1]}"


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in OUR_PACKAGES


def _causes(error: BaseException) -> Iterable[BaseException]:
    """Yield the exceptions that an exception was raised from, the nearest first."""
    seen = {id(error)}
    cause: BaseException | None = error
    while cause is not None:
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
        if cause is None or id(cause) in seen:
            return
        seen.add(id(cause))
        yield cause


def _places(traceback: TracebackType | None) -> list[str]:
    """Return the lines of our code that an exception passed, the innermost last; without any, the innermost line."""
    ours: list[str] = []
    innermost: list[str] = []
    while traceback is not None:
        module = str(traceback.tb_frame.f_globals.get("__name__", "?"))
        place = f"{module}:{traceback.tb_lineno} {traceback.tb_frame.f_code.co_name}"
        innermost = [place]
        if module.partition(".")[0] in OUR_PACKAGES:
            ours.append(place)
        traceback = traceback.tb_next
    return ours[-_MOST_PLACES:] or innermost


def _broken_rules(error: ValidationError) -> str:
    """Return place and kind of the first broken rules. Inputs, and messages that may quote inputs, are left out."""
    rules = error.errors(include_url=False, include_input=False, include_context=False)
    told = [f"{'.'.join(map(_safe_part, rule['loc'])) or 'whole'}: {rule['type']}" for rule in rules[:_MOST_RULES]]
    return f"{len(rules)} broken rules: {'; '.join(told)}"


def _safe_part(part: int | str) -> str:
    return str(part) if isinstance(part, int) or _FIELD.fullmatch(part) else HIDDEN


def _codes(error: BaseException) -> Iterable[str]:
    """Yield codes of a library's exception, and known reasons in its text: nothing else of its text."""
    if isinstance(error, OperationFailure):
        yield f"code {error.code}" if isinstance(error.code, int) else "no code"
        name = (error.details or {}).get("codeName")
        if isinstance(name, str) and _CODE_NAME.fullmatch(name):
            yield name
    elif isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        yield f"{errno.errorcode[error.errno]}: {os.strerror(error.errno)}"
    elif isinstance(code := getattr(error, "code", None), int):
        yield f"code {code}"
    text = str(error)
    yield from (reason for reason in _REASONS if reason in text)
