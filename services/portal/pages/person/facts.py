"""The facts that a participant keeps: profile, hours, sessions and choices."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.portal.domain.hours import hours_of, ticks_of
from services.portal.domain.sessions import shown_sessions
from services.portal.pages.context import NoSuchPage, Person
from services.portal.pages.forms import FormFields, checked_form
from services.portal.pages.person.common import ANY_EFFECTS, PersonView
from services.portal.registration import RegistrationAway, Reply
from shared.contract.codes import label_of
from shared.contract.events import Language

router = APIRouter()
_MOST_ITEMS, _MOST_CODES, _LONGEST_TEXT = 10, 30, 20_000


@router.get("/profile")
async def show_profile(request: Request, person: Person) -> Response:
    """Show the profile as a form."""
    view = await PersonView.of(request, person)
    profile = view.me.profile
    return _profile_page(view, profile.needs, profile.offers, profile.codes, view.me.job_title, view.me.phone)


@router.post("/profile")
async def save_profile(request: Request, person: Person) -> Response:
    """Keep the profile; or suggest needs, offers and codes for the text, without keeping anything."""
    form, view = await checked_form(request, person), await PersonView.of(request, person)
    needs, offers = form.lines("needs")[:_MOST_ITEMS], form.lines("offers")[:_MOST_ITEMS]
    codes = [line.split()[0] for line in form.lines("codes")][:_MOST_CODES]
    title, phone = form.get("job_title", "").strip(), form.get("phone", "").strip()
    if form.get("do") == "suggest":
        helped = await _help(view, form.get("text", ""))
        needs = [*dict.fromkeys((*needs, *helped.get("needs", ())))][:_MOST_ITEMS]
        offers = [*dict.fromkeys((*offers, *helped.get("offers", ())))][:_MOST_ITEMS]
        found = [code["code"] for key in ("classes", "kets") for code in helped.get(key, ())[:3]]
        codes = [*dict.fromkeys((*codes, *found))][:_MOST_CODES]
        return _profile_page(view, needs, offers, codes, title, phone, text=form.get("text", ""), helped=True)
    body: dict[str, Any] = {"profile": {"needs": needs, "offers": offers, "codes": codes}}
    body |= {"job_title": title or None, "phone": phone or None}
    reply = await view.ask("PATCH", "/own", body, revision=_revision_in(form))
    if reply.is_success:
        return RedirectResponse("/profile?said=done", 303)
    fault = "" if reply.is_overtaken else reply.fault
    return _profile_page(view, needs, offers, codes, title, phone, status=409, fault=fault, is_overtaken=not fault)


@router.get("/availability")
async def show_hours(request: Request, person: Person) -> Response:
    """Show the slots of the edition with ticks where the participant can meet."""
    view = await PersonView.of(request, person)
    return view.page("hours.html.j2", days=ticks_of(view.edition, view.me), is_empty=False)


@router.post("/availability")
async def save_hours(request: Request, person: Person) -> Response:
    """Keep the ticked slots as the participant's hours, once the effects on encounters are confirmed."""
    form, view = await checked_form(request, person), await PersonView.of(request, person)
    known = {str(slot.index): slot.index for slot in view.edition.slots}
    free = {known[text] for text in form.every.get("slot", ()) if text in known}
    if not free:
        return view.page("hours.html.j2", 409, days=ticks_of(view.edition, view.me), is_empty=True)
    body = {"available": hours_of(view.edition.slots, free)}
    return await _change(view, form, body, "/availability", [("slot", str(index)) for index in sorted(free)])


@router.get("/sessions")
async def show_sessions(request: Request, person: Person) -> Response:
    """Show the sessions with their seats, and the place of the participant."""
    view = await PersonView.of(request, person)
    return view.page("sessions.html.j2", sessions=shown_sessions(view.picture, view.me))


@router.post("/sessions")
async def choose_session(request: Request, person: Person) -> Response:
    """Take or leave a seat, or a place in the line of a full session."""
    form, view = await checked_form(request, person), await PersonView.of(request, person)
    session_id, me = form.get("session", ""), view.me
    if session_id not in {session.session_id for session in view.edition.sessions}:
        raise NoSuchPage(session_id)
    seated = [known for known in me.session_ids if known != session_id]
    lined = [known for known in me.waiting_since if known != session_id]
    wanted = [*seated, session_id] if form.get("do") == "join" else seated
    body: dict[str, Any] = {"session_ids": wanted, "waiting_session_ids": lined}
    fields = [("session", session_id), ("do", form.get("do", ""))]
    return await _change(view, form, body, "/sessions", fields)


@router.get("/choices")
async def show_choices(request: Request, person: Person) -> Response:
    """Show the choices: the language of mails, and the own data."""
    view = await PersonView.of(request, person)
    return view.page("choices.html.j2", languages=[*Language])


@router.post("/choices")
async def save_choices(request: Request, person: Person) -> Response:
    """Keep the first language."""
    form, view = await checked_form(request, person), await PersonView.of(request, person)
    wanted = form.get("language", "")
    if wanted not in set(Language):
        raise NoSuchPage("language")
    languages = [wanted, *(language for language in view.me.languages if language != wanted)][:3]
    return view.saved(await view.change({"languages": languages}, view.me.revision, ANY_EFFECTS), "/choices")


async def _change(
    view: PersonView, form: FormFields, body: dict[str, Any], path: str, fields: list[tuple[str, str]]
) -> Response:
    """Make a change once its effects are confirmed; at once if no encounter changes."""
    token = form.get("effects", "")
    if not token:
        effects = await view.try_change(body)
        if isinstance(effects, Reply):
            return view.saved(effects, path) if effects.is_overtaken else _not_done(view, effects, path)
        if not effects.are_none:
            return view.page("confirm.html.j2", effects=effects, fields=fields, action=path)
        token = effects.token
    reply = await view.change(body, view.me.revision, token)
    if not reply.is_success and not reply.is_overtaken:
        return _not_done(view, reply, path)
    return view.saved(reply, path)


def _not_done(view: PersonView, reply: Reply, path: str) -> Response:
    return view.page("not_done.html.j2", 409, fault=reply.fault, back=path)


def _revision_in(form: FormFields) -> int:
    text = form.get("revision", "")
    return int(text) if text.isdecimal() and len(text) <= 9 else 0  # noqa: PLR2004 - as registration reads them


async def _help(view: PersonView, text: str) -> dict[str, Any]:
    """Return matching's suggestions for a text; none while it is away."""
    try:
        reply = await view.ask("POST", "/profile-help", {"text": text[:_LONGEST_TEXT]})
    except RegistrationAway:
        return {}
    return reply.body if reply.is_success else {}


def _profile_page(
    view: PersonView,
    needs: Any,  # noqa: ANN401 - lines of texts, of any sequence
    offers: Any,  # noqa: ANN401
    codes: Any,  # noqa: ANN401
    job_title: str | None,
    phone: str | None,
    *,
    text: str = "",
    helped: bool = False,
    fault: str = "",
    is_overtaken: bool = False,
    status: int = 200,
) -> Response:
    worded = [f"{code} {label_of(code, view.language)}".strip() for code in codes]
    return view.page(
        "profile.html.j2",
        status,
        needs="\n".join(needs),
        offers="\n".join(offers),
        codes="\n".join(worded),
        job_title=job_title or "",
        phone=phone or "",
        text=text,
        helped=helped,
        fault=fault,
        is_overtaken=is_overtaken,
    )
