"""Endpoints and deliveries of webhooks in MongoDB.

Registration's requests change the fields of an endpoint that its owner sets, at a revision. The process that holds the
lease of an endpoint writes all else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING

from services.events.webhooks.delivery import TEST_TYPE, WebhookDelivery
from services.events.webhooks.endpoint import Endpoint
from services.events.webhooks.line import OpenDelivery
from shared.internal_api.webhooks import Replay, WebhookDeliveryState
from shared.storage.mongo import EVER, MongoDatabase, insert_new

ENDPOINTS, DELIVERIES = "webhook_endpoints", "webhook_deliveries"
#: Fields that the owner of an endpoint sets, or its requests change.
_OWNED: Final = ("url", "label", "edition_id", "types", "secrets", "disabled_reason", "disabled_at")
_FAR: Final = datetime(9999, 1, 1, tzinfo=EVER.tzinfo)


class MongoEndpoints:
    """Reads and writes the endpoints of all operators."""

    def __init__(self, database: MongoDatabase) -> None:
        self._endpoints = database[ENDPOINTS]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._endpoints.create_index("operator_id")
        await self._endpoints.create_index("lease_owner")

    async def add(self, endpoint: Endpoint) -> None:
        """Write a new endpoint."""
        await self._endpoints.insert_one({"_id": endpoint.webhook_id, **endpoint.model_dump()})

    async def find(self, operator_id: str, webhook_id: str) -> Endpoint | None:
        """Return an endpoint of an operator; None if it has no such endpoint."""
        found = await self._endpoints.find_one({"_id": webhook_id, "operator_id": operator_id})
        return None if found is None else Endpoint.model_validate(found)

    async def of_operator(self, operator_id: str) -> list[Endpoint]:
        """Return the endpoints of an operator, oldest first."""
        found = self._endpoints.find({"operator_id": operator_id})
        endpoints = [Endpoint.model_validate(document) async for document in found]
        return sorted(endpoints, key=lambda endpoint: (endpoint.created_at, endpoint.webhook_id))

    async def replace(self, endpoint: Endpoint) -> bool:
        """Write the next revision of an endpoint. Return False if a newer revision is stored."""
        before = {"_id": endpoint.webhook_id, "revision": endpoint.revision - 1}
        written = endpoint.model_dump(include={*_OWNED, "revision"})
        if not endpoint.is_disabled and endpoint.failing_since is None:
            written["failing_since"] = None
        return bool((await self._endpoints.update_one(before, {"$set": written})).matched_count)

    async def reopen(self, webhook_id: str, token: str) -> None:
        """Tell the process that serves an endpoint to read its open deliveries anew."""
        await self._endpoints.update_one({"_id": webhook_id}, {"$set": {"reopened": token}})

    async def remove(self, webhook_id: str) -> None:
        """Delete an endpoint."""
        await self._endpoints.delete_many({"_id": webhook_id})

    async def take_leases(self, owner: str, now: datetime, until: datetime, most: int) -> None:
        """Lease endpoints whose lease has ended, so many at most: further processes take their share."""
        free = self._endpoints.find({"lease_until": {"$gte": EVER, "$lte": now}}, {"_id": 1}).limit(most)
        for webhook_id in [document["_id"] async for document in free]:
            still_free = {"_id": webhook_id, "lease_until": {"$gte": EVER, "$lte": now}}
            await self._endpoints.update_one(still_free, {"$set": {"lease_owner": owner, "lease_until": until}})

    async def renew_leases(self, owner: str, until: datetime) -> None:
        """Renew the leases that a process holds."""
        await self._endpoints.update_many({"lease_owner": owner}, {"$set": {"lease_until": until}})

    async def leased(self, owner: str) -> list[Endpoint]:
        """Return the endpoints that a process holds."""
        found = self._endpoints.find({"lease_owner": owner})
        return [Endpoint.model_validate(document) async for document in found]

    async def release(self, owner: str) -> None:
        """End the leases of a process."""
        await self._endpoints.update_many({"lease_owner": owner}, {"$set": {"lease_owner": "", "lease_until": EVER}})

    async def note(self, endpoint: Endpoint, owner: str) -> bool:
        """Write the work done on an endpoint. Return False if the process does not hold it any more."""
        done = endpoint.model_dump(include={"read_to", "generation", "failing_since", "last_delivered_at"})
        held = {"_id": endpoint.webhook_id, "lease_owner": owner}
        return bool((await self._endpoints.update_one(held, {"$set": done})).matched_count)


class MongoDeliveries:
    """Reads and writes deliveries."""

    def __init__(self, database: MongoDatabase) -> None:
        self._deliveries = database[DELIVERIES]

    async def prepare(self) -> None:
        """Create the indexes. The database deletes ended deliveries at `expires_at`."""
        await self._deliveries.create_index(
            [("webhook_id", ASCENDING), ("state", ASCENDING), ("generation", ASCENDING), ("place", ASCENDING)]
        )
        await self._deliveries.create_index([("webhook_id", ASCENDING), ("listed", ASCENDING)])
        await self._deliveries.create_index("expires_at", expireAfterSeconds=0)

    async def add(self, deliveries: Sequence[WebhookDelivery]) -> list[WebhookDelivery]:
        """Write new deliveries, and return them. Known deliveries are left as they are."""
        documents = [
            {"_id": delivery.message_id, "listed": delivery.listed, **delivery.model_dump()} for delivery in deliveries
        ]
        known = {document["_id"] for document in await insert_new(self._deliveries, documents)} if documents else set()
        return [delivery for delivery in deliveries if delivery.message_id not in known]

    async def open_of(self, webhook_id: str, most: int) -> list[OpenDelivery]:
        """Return the oldest open deliveries of an endpoint, in order."""
        wanted = {"webhook_id": webhook_id, "state": WebhookDeliveryState.OPEN.value}
        fields = {"edition_id": 1, "thing": 1, "due_at": 1, "generation": 1, "place": 1}
        order = [("generation", ASCENDING), ("place", ASCENDING)]
        found = self._deliveries.find(wanted, fields).sort(order).limit(most)
        return [
            OpenDelivery(document["_id"], document["edition_id"], document["thing"], document["due_at"])
            async for document in found
        ]

    async def find(self, webhook_id: str, message_id: str) -> WebhookDelivery | None:
        """Return a delivery of an endpoint; None if it has no such delivery."""
        found = await self._deliveries.find_one({"_id": message_id, "webhook_id": webhook_id})
        return None if found is None else WebhookDelivery.model_validate(found)

    async def save(self, delivery: WebhookDelivery) -> bool:
        """Write a delivery after a try. Return False if it is not open any more, or its endpoint was deleted."""
        still_open = {"_id": delivery.message_id, "state": WebhookDeliveryState.OPEN.value}
        return bool((await self._deliveries.update_one(still_open, {"$set": delivery.model_dump()})).matched_count)

    async def page(
        self, webhook_id: str, state: WebhookDeliveryState | None, after: str, limit: int
    ) -> list[WebhookDelivery]:
        """Return deliveries of an endpoint, newest first, behind the place `after` of a list."""
        wanted: dict[str, Any] = {"webhook_id": webhook_id}
        if state is not None:
            wanted["state"] = state.value
        if after:
            wanted["listed"] = {"$lt": after}
        found = self._deliveries.find(wanted).sort("listed", DESCENDING).limit(limit)
        return [WebhookDelivery.model_validate(document) async for document in found]

    async def open_again(self, webhook_id: str, asked: Replay, now: datetime) -> int:
        """Open ended deliveries again, with all their tries. Return their number."""
        failed, delivered = WebhookDeliveryState.FAILED.value, WebhookDeliveryState.DELIVERED.value
        wanted: dict[str, Any] = {
            "webhook_id": webhook_id,
            "state": {"$in": [failed] if asked.only_failed else [failed, delivered]},
            "type": {"$ne": TEST_TYPE},
            "created_at": {"$gte": asked.since or EVER, "$lt": asked.until or _FAR},
        }
        if asked.message_id is not None:
            wanted["_id"] = asked.message_id
        again = {"state": WebhookDeliveryState.OPEN.value, "tries": 0, "due_at": now, "expires_at": None}
        return int((await self._deliveries.update_many(wanted, {"$set": again})).matched_count)

    async def remove_of(self, webhook_id: str) -> None:
        """Delete the deliveries of an endpoint."""
        await self._deliveries.delete_many({"webhook_id": webhook_id})

    async def count_open(self) -> int:
        """Return the number of open deliveries of all endpoints."""
        return int(await self._deliveries.count_documents({"state": WebhookDeliveryState.OPEN.value}))
