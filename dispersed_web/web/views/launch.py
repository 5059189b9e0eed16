"""Launching a job: the form, its live parts, and what becomes of a sent one."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from dispersed_web import durations, tasks
from dispersed_web.autostop import choices
from dispersed_web.clock import database_now
from dispersed_web.credentials.models import Credential, CredentialState
from dispersed_web.jobs import form_tokens, launch, market, specs
from dispersed_web.jobs.errors import FormAlreadyUsed, LaunchRefused
from dispersed_web.jobs.launch import Order
from dispersed_web.jobs.models import Job
from dispersed_web.jobs.states import Status
from dispersed_web.teams.models import Membership
from dispersed_web.teams.roles import Action
from dispersed_web.web import access
from dispersed_web.web.access import Seat
from dispersed_web.web.examples import EXAMPLES
from dispersed_web.web.forms import advice, prefill
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.page import page_of
from dispersed_web.web.forms.visitor import visitor

MARKET_LOOKS = 8


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
def form(request: HttpRequest, slug: str) -> HttpResponse:
    """The form; a valid one becomes a job, and the same form sent again leads to the same job."""
    seat = access.seat(request, slug, Action.LAUNCH)
    credentials = _credentials(seat)
    if not credentials:
        return render(request, "launch/no_credential.html", _who_may_add(seat))
    lost = _lost_job(request, seat)
    if request.method == "POST":
        return _receive(request, seat, credentials, lost)
    filling = _filling(request, seat, credentials, lost)
    blank = _form(request, seat, credentials, lost, initial=filling.values, env=filling.env)
    _look_at_the_market(blank)
    return _show(request, seat, blank, lost=lost, note=filling.note)


@require_GET
def gpus(request: HttpRequest, slug: str) -> HttpResponse:
    """The GPUs with their prices for what is chosen so far; asked for again until prices arrive."""
    seat = access.seat(request, slug, Action.LAUNCH)
    draft = _draft(request, seat)
    looks, credential = request.GET.get("looks", ""), draft.chosen_credential
    if credential and request.GET.get("looks_with") == str(credential.pk) and looks.isdecimal():
        looks_left = max(min(int(looks[:3]), MARKET_LOOKS) - 1, 0)
    else:
        looks_left = MARKET_LOOKS
        _look_at_the_market(draft)
    page = page_of(draft, database_now(), looks_left)
    return render(request, "launch/_gpus.html", {"page": page, "form": draft, "team": seat.team})


@require_GET
def estimate(request: HttpRequest, slug: str) -> HttpResponse:
    """The price and the warnings for what is chosen so far. Of the SSH key it hears only that there is one."""
    seat = access.seat(request, slug, Action.LAUNCH)
    draft = _draft(request, seat)
    page = page_of(draft, database_now(), ssh_key_given=request.GET.get("ssh_key_given") == "yes")
    return render(request, "launch/_estimate.html", {"page": page, "team": seat.team})


# Receiving -----------------------------------------------------------------------------------------------------------


@sensitive_variables()
def _receive(
    request: HttpRequest, seat: Seat, credentials: list[Credential], lost: Job | None
) -> HttpResponse:
    token = request.POST.get("form_token", "")
    identity = form_tokens.identity(token, request.user.pk, seat.team.pk)
    sent = _form(request, seat, credentials, lost, data=request.POST)
    if not sent.is_valid():
        before = Job.objects.filter(team=seat.team, form_token=identity).first() if identity else None
        return _used(request, seat, sent, lost, before) if before else _refused(request, seat, sent, lost)
    if "check" in request.POST:
        return _show(request, seat, sent, lost=lost, token=token if identity else "", checked=True)
    if identity is None:
        sent.add_error(None, "This form is more than a day old, or not yours. Look it over and launch again.")
        return _refused(request, seat, sent, lost)
    try:
        job = _launch(request, seat, sent, lost, identity)
    except FormAlreadyUsed as used:
        return _used(request, seat, sent, lost, Job.objects.get(pk=str(used.job_id), team=seat.team))
    except LaunchRefused as refusal:
        sent.add_refusal(refusal)
        return _refused(request, seat, sent, lost, ask_again=refusal.code == "same_again")
    tasks.nudge(tasks.send_launch, job.pk)
    for note in advice.notes(sent.cleaned_data):
        messages.info(request, note)
    return redirect("web:job", seat.team.slug, job.pk)


@sensitive_variables()
def _launch(request: HttpRequest, seat: Seat, sent: LaunchForm, lost: Job | None, identity: str) -> Job:
    now = database_now()
    order = sent.order(*page_of(sent, now).for_the_order())
    credential = sent.by_id[sent.cleaned_data["credential"]]
    job = launch.request(
        order,
        team=seat.team,
        credential=credential,
        user=request.user,
        actor=seat.actor,
        form_token=identity,
        now=now,
        same_again=sent.cleaned_data["same_again"],
        supersedes=lost.pk if lost else None,
    )
    if not _is_what_was_asked(job, order, credential):
        raise FormAlreadyUsed(job.pk)
    return job


def _is_what_was_asked(job: Job, order: Order, credential: Credential) -> bool:
    """A form that was sent before and then changed asks for something else, if only for another lifetime."""
    lifetime_s = launch.lifetime_of(order, job.team)[0]
    plain = specs.plain_part(order.spec, order.secret_env)
    same = job.credential_id == credential.pk and job.lifetime_s == lifetime_s and job.spec == plain
    cap_usd = order.choices.rate_cap_usd
    # Without a chosen cap one was made of the price at that time, which may have moved since.
    stored = choices.of(job) if cap_usd is not None else replace(choices.of(job), rate_cap_usd=None)
    return same and stored == order.choices


def _refused(
    request: HttpRequest, seat: Seat, sent: LaunchForm, lost: Job | None, *, ask_again: bool = False
) -> HttpResponse:
    token = request.POST.get("form_token", "")
    known = form_tokens.identity(token, request.user.pk, seat.team.pk)
    asked = ask_again or bool(request.POST.get("same_again"))
    return _show(request, seat, sent, lost=lost, token=token if known else "", ask_again=asked, status=422)


def _used(request: HttpRequest, seat: Seat, sent: LaunchForm, lost: Job | None, before: Job) -> HttpResponse:
    """The form launched something before: says what, and keeps what was typed in a fresh form."""
    return _show(request, seat, sent, lost=lost, before=before, status=409)


# Showing -------------------------------------------------------------------------------------------------------------


@sensitive_variables()
def _show(
    request: HttpRequest, seat: Seat, form: LaunchForm, *, token: str = "", status: int = 200, **context: Any
) -> HttpResponse:
    context |= {
        "form": form,
        "team": seat.team,
        "page": page_of(form, database_now(), MARKET_LOOKS),
        "form_token": token or form_tokens.issue(request.user.pk, seat.team.pk),
        "examples": EXAMPLES,
        "lifetime_most": durations.write(seat.team.max_lifetime_s),
    }
    return render(request, "launch/form.html", context, status=status)


def _credentials(seat: Seat) -> list[Credential]:
    """Those that may launch."""
    return list(Credential.objects.filter(team=seat.team, state=CredentialState.ACTIVE).order_by("name"))


def _who_may_add(seat: Seat) -> dict[str, Any]:
    keepers = Membership.objects.filter(team=seat.team, role__in=["owner", "admin"]).select_related("user")
    return {
        "team": seat.team,
        "may_add": seat.may(Action.MANAGE_CREDENTIALS),
        "unusable": Credential.objects.filter(team=seat.team).count(),
        "keepers": [str(membership.user) for membership in keepers.order_by("joined_at")[:5]],
    }


def _form(
    request: HttpRequest, seat: Seat, credentials: list[Credential], lost: Job | None, **values: Any
) -> LaunchForm:
    return LaunchForm(
        values.pop("data", None),
        team=seat.team,
        credentials=credentials,
        visitor=visitor(request),
        needs_sure=lost is not None and lost.state == Status.UNCONFIRMED,
        **values,
    )


def _draft(request: HttpRequest, seat: Seat) -> LaunchForm:
    """What the page says of the form while it is being filled."""
    draft = _form(request, seat, _credentials(seat), None, data=request.GET)
    draft.full_clean()
    return draft


def _filling(
    request: HttpRequest, seat: Seat, credentials: list[Credential], lost: Job | None
) -> prefill.Filling:
    filling = prefill.fresh(seat.team, request.user, visitor(request), credentials)
    example = EXAMPLES.get(request.GET.get("example", ""))
    if example:
        return prefill.from_example(filling, example)
    job = lost or _job_of(seat, request.GET, "again")
    return prefill.from_job(filling, job, visitor(request), credentials) if job else filling


def _lost_job(request: HttpRequest, seat: Seat) -> Job | None:
    """The job whose place the new one takes; the launch itself checks that this is still possible."""
    return _job_of(seat, request.POST if request.method == "POST" else request.GET, "supersedes")


def _job_of(seat: Seat, query: QueryDict, name: str) -> Job | None:
    """A job of the team that the address names. Raises ``Http404`` for any other."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        return Job.objects.select_related("team").get(pk=uuid.UUID(text), team=seat.team)
    except (ValueError, Job.DoesNotExist):
        raise Http404 from None


def _look_at_the_market(form: LaunchForm) -> None:
    """Asks a worker for newer prices; the page does not wait for them."""
    credential = form.chosen_credential
    if credential and market.is_stale(market.of(credential), database_now()):
        tasks.nudge(tasks.refresh_market, credential.pk)
