"""Principals for tests, and registration's API as they call it."""

from __future__ import annotations

import dataclasses

import httpx

from services.registration.api.access import ApiContext
from shared.access import Principal, PrincipalKind, Scope, StaffRole
from tests.support.registration_api import client_of


def key_principal(*scopes: Scope, editions: frozenset[str] | None = None) -> Principal:
    return Principal(PrincipalKind.KEY, "k1", "itecam", frozenset(scopes), editions=editions)


def staff_principal(role: StaffRole, editions: frozenset[str] | None = None) -> Principal:
    return Principal(PrincipalKind.STAFF, "s1", "itecam", role=role, editions=editions)


@dataclasses.dataclass
class AuthenticatedAs:
    """Finds the same principal behind any credential."""

    principal: Principal

    async def principal_of(self, presented: str, address: str = "") -> Principal:
        return self.principal

    def known_operator(self, presented: str) -> str | None:
        return None

    def early_refusal(self, address: str) -> Exception | None:
        return None

    async def read_again(self, operator_id: str) -> None:
        pass


def client_as(context: ApiContext, principal: Principal) -> httpx.AsyncClient:
    """Return a client whose requests are made by a principal."""
    return client_of(dataclasses.replace(context, authenticator=AuthenticatedAs(principal)), None)
