"""Confirmation of a change by the token of its preview. Nothing is stored between the preview and the change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

from services.registration.domain.errors import PreviewRequired, PreviewStale

#: The token that confirms a change whatever its effects.
ANY_EFFECTS = "*"
_DIGITS = 32


AnyPreview_co = TypeVar("AnyPreview_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True)
class Previewed(Generic[AnyPreview_co]):
    """The preview of a change, and the token that confirms exactly this preview."""

    token: str
    preview: AnyPreview_co


def token_of(*content: object) -> str:
    """Return the token of a preview, 32 hexadecimal digits.

    `content` is the body or the bytes of the file, the revisions that the change is based on, and its effects. Pydantic
    models, mappings and values of JSON are taken. A different body, revision or effect gives a different token.
    """
    digest = hashlib.sha256(to_json([_digest(part) if isinstance(part, bytes) else part for part in content]))
    return digest.hexdigest()[:_DIGITS]


def must_be_confirmed(presented: str, previewed: Previewed[BaseModel]) -> None:
    """Raise `PreviewStale` unless the presented token confirms the preview."""
    if presented not in (ANY_EFFECTS, previewed.token):
        raise PreviewStale(
            "the change would have other effects now than its preview showed: look at this preview, then send the same "
            f"request with ?token={previewed.token}",
            previewed.token,
            previewed.preview,
        )


def confirmation_needed(previewed: Previewed[BaseModel], reason: str) -> PreviewRequired:
    """Return the error of a change that is too large to be made without its token; `reason` says how large it is."""
    return PreviewRequired(
        f"{reason}: look at the preview, then send the same request with ?token={previewed.token}",
        previewed.token,
        previewed.preview,
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
