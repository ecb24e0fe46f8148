"""The marker of personal fields, and the walk that finds them in the models of services."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, NamedTuple, get_args, get_origin

from pydantic import BaseModel


class _Personal:
    """The marker of a field that holds text about a person or an organisation: an erasure empties it."""


#: In the annotation of a field: `name: Annotated[Line, PERSONAL]`.
PERSONAL: Final = _Personal()


class TextField(NamedTuple):
    """A field of a model that holds text. `is_free`: the text follows no pattern, so that it may say anything."""

    model: str
    name: str
    is_personal: bool
    is_free: bool

    @property
    def path(self) -> str:
        """The field as `Model.field`."""
        return f"{self.model}.{self.name}"


def text_fields(model: Any) -> Iterator[TextField]:  # noqa: ANN401 - a model, or a union of models
    """Yield the text fields of a model and of the models within it, in any nesting of its types."""
    yield from _texts(model, (), ("", ""), frozenset())


def _texts(kind: Any, about: tuple[Any, ...], at: tuple[str, str], within: frozenset[Any]) -> Iterator[TextField]:  # noqa: ANN401 - a type
    if get_origin(kind) is Annotated:
        inner, *more = get_args(kind)
        yield from _texts(inner, (*about, *more), at, within)
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items() if kind not in within else ():
            yield from _texts(field.annotation, tuple(field.metadata), (kind.__name__, name), within | {kind})
    elif kind is str:
        has_pattern = any(getattr(rule, "pattern", None) for rule in about)
        yield TextField(*at, is_personal=any(rule is PERSONAL for rule in about), is_free=not has_pattern)
    else:
        for part in get_args(kind):
            yield from _texts(part, about, at, within)
