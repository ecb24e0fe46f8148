"""Staff accounts, sign-in links and sessions in Mongo. Links and sessions are kept as hashes."""

from __future__ import annotations

from datetime import datetime

from services.registration.domain.errors import Conflict
from services.registration.staff.accounts import StaffMember, StaffSession, address_key
from shared.storage.mongo import DuplicateKeyError, MongoDatabase

_TAKEN = "the operator has a staff account of this address already: change it, or enable it again"


class MongoStaff:
    """The collections `staff`, `sign_in_links` and `sessions`."""

    def __init__(self, database: MongoDatabase) -> None:
        self._staff = database["staff"]
        self._links = database["sign_in_links"]
        self._sessions = database["sessions"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._staff.create_index("address_key", unique=True)
        await self._staff.create_index("operator_id")
        for ended in (self._links, self._sessions):
            await ended.create_index("staff_id")

    async def add(self, member: StaffMember) -> None:
        """Write a new account. Raises `Conflict` if the operator has an account of this address."""
        document = {"_id": member.staff_id, "address_key": member.address_key, **member.model_dump(mode="json")}
        try:
            await self._staff.insert_one(document)
        except DuplicateKeyError as error:
            raise Conflict(_TAKEN) from error

    async def of_operator(self, operator_id: str, most: int) -> list[StaffMember]:
        """List the accounts of an operator, oldest first."""
        found = self._staff.find({"operator_id": operator_id}).sort([("created_at", 1)]).limit(most)
        return [StaffMember.model_validate(document) async for document in found]

    async def find(self, operator_id: str, staff_id: str) -> StaffMember | None:
        """Return an account of an operator."""
        document = await self._staff.find_one({"_id": staff_id, "operator_id": operator_id})
        return StaffMember.model_validate(document) if document else None

    async def by_address(self, operator_id: str, email: str) -> StaffMember | None:
        """Return the account of an address."""
        document = await self._staff.find_one({"address_key": address_key(operator_id, email)})
        return StaffMember.model_validate(document) if document else None

    async def replace(self, member: StaffMember) -> bool:
        """Write the next revision of an account; False if it has changed meanwhile. Raises `Conflict`."""
        unchanged = {"_id": member.staff_id, "revision": member.revision - 1}
        fields = {"address_key": member.address_key, **member.model_dump(mode="json")}
        try:
            return bool((await self._staff.update_one(unchanged, {"$set": fields})).matched_count)
        except DuplicateKeyError as error:
            raise Conflict(_TAKEN) from error

    async def add_link(self, digest: str, member: StaffMember, expires_at: datetime) -> None:
        """Write a sign-in link; the links of the account before are void."""
        await self._links.delete_many({"staff_id": member.staff_id})
        fields = {
            "operator_id": member.operator_id,
            "staff_id": member.staff_id,
            "used": False,
            "expires_at": expires_at,
        }
        await self._links.insert_one({"_id": digest, **fields})

    async def use_link(self, digest: str, now: datetime) -> tuple[str, str] | None:
        """Use a link up, and return its operator and account; None if it is unknown, used or expired."""
        unused = {"_id": digest, "used": False, "expires_at": {"$gt": now}}
        if not (await self._links.update_one(unused, {"$set": {"used": True}})).matched_count:
            return None
        document = await self._links.find_one({"_id": digest})
        return (document["operator_id"], document["staff_id"]) if document else None

    async def add_session(self, session: StaffSession) -> None:
        """Write a session."""
        fields = {"operator_id": session.operator_id, "staff_id": session.staff_id, "expires_at": session.expires_at}
        await self._sessions.insert_one({"_id": session.digest, **fields})

    async def session(self, digest: str) -> StaffSession | None:
        """Return a session by the hash of its secret."""
        document = await self._sessions.find_one({"_id": digest})
        return StaffSession.model_validate({**document, "digest": digest}) if document else None

    async def end_session(self, digest: str) -> None:
        """Delete a session."""
        await self._sessions.delete_many({"_id": digest})

    async def forget_ended(self, now: datetime) -> None:
        """Delete links and sessions whose time has passed."""
        for ended in (self._links, self._sessions):
            await ended.delete_many({"expires_at": {"$lt": now}})

    async def end_sessions(self, staff_id: str) -> None:
        """Delete all sessions and links of an account."""
        await self._sessions.delete_many({"staff_id": staff_id})
        await self._links.delete_many({"staff_id": staff_id})
