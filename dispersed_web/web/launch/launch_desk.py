"""What a launch page is made for: who asks, with which keys, for which recipe, in whose place; and the forms made of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import Http404, HttpRequest, QueryDict
from django.views.decorators.debug import sensitive_variables

from dispersed_web.credentials import usable
from dispersed_web.credentials.models import Credential
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.jobs.secret_refs import NONE, Known
from dispersed_web.jobs.states import Status
from dispersed_web.recipes import queries
from dispersed_web.recipes.cloud_questions import questions
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.models import RecipeVersion
from dispersed_web.web.access import Seat
from dispersed_web.web.forms import caps_beside, links, prefill
from dispersed_web.web.forms.cook import Cook, cook_of
from dispersed_web.web.forms.cook_filling import answers_again, from_cook
from dispersed_web.web.forms.cook_launch import CookLaunchForm
from dispersed_web.web.forms.filling import Filling, Typed
from dispersed_web.web.forms.launch import LaunchForm
from dispersed_web.web.forms.recipe_launch import RecipeLaunchForm
from dispersed_web.web.forms.ssh_choice import KnownKey, known_keys
from dispersed_web.web.forms.typed import reading
from dispersed_web.web.forms.visitor import Visitor, visitor
from dispersed_web.web.launch.examples import EXAMPLES


@dataclass
class Desk:
    """``lost`` is the job whose place the new one takes, ``again`` the one that is launched once more."""

    request: HttpRequest
    seat: Seat
    credentials: list[Credential]
    visitor: Visitor
    keys: list[KnownKey]
    known: Known = NONE
    version: RecipeVersion | None = None
    lost: Job | None = None
    again: Job | None = None
    preset: Preset | None = None
    cook: Cook | None = None
    ignored: list[str] = field(default_factory=list)

    @sensitive_variables()
    def form(self, data: QueryDict | None = None, filling: Filling | None = None) -> LaunchForm:
        """The form as sent, or as ``filling`` begins it."""
        options: dict[str, Any] = {
            "team": self.seat.team,
            "credentials": self.credentials,
            "visitor": self.visitor,
            "keys": self.keys,
            "known": self.known,
            "user_id": self.request.user.pk,
            "needs_sure": self.lost is not None and self.lost.state == Status.UNCONFIRMED,
        }
        cooked = self.cook if self.version is None and self.cook and self.cook.recipe else None
        if self.version is None and cooked is None:
            options |= {"initial": filling.values, "env": filling.env} if filling else {}
            form = LaunchForm(data, **options)
            form.cook = self.cook
            return form
        filling = filling or self.plain_filling()
        options |= {"initial": filling.values, "env": filling.env, "answers": filling.answers}
        if cooked:
            return CookLaunchForm(data, cook=cooked, **options)
        return RecipeLaunchForm(data, version=self.version, **options)

    def plain_filling(self) -> Filling:
        """What a form begins with that nothing else is said of."""
        filling = prefill.fresh(self.seat.team, self.request.user, self.visitor, self.credentials)
        if self.version:
            return prefill.from_recipe(filling, self.version, self.seat.team, self.known)
        if self.cook:
            return from_cook(filling, self.cook, self.seat.team)
        return replace(filling, values=caps_beside.within(filling.values, next(iter(self.credentials), None)))

    def filling(self) -> Filling:
        """What the address asks for: an example, a past job, a preset, the values of a link."""
        filling, query = self.plain_filling(), self.request.GET
        example = EXAMPLES.get(query.get("example", ""))
        job = self.lost or self.again
        if example and self.version is None:
            filling = prefill.from_example(filling, example)
        elif job:
            filling = self._from_job(filling, job)
        elif self.preset:
            typed = Typed(
                {name: value for name, value in self.preset.values.items() if name != "env"},
                self.preset.values.get("env") or [],
                self.preset.answers,
            )
            usual = filling.values["credential"]
            filling = filling.with_reading(reading(self.form(filling=filling), typed))
            if filling.values["credential"] not in {one.pk for one in self.credentials}:
                filling.values["credential"] = usual
                filling.ignored.append("credential")
        return self._with_link(filling, query)

    def _from_job(self, filling: Filling, job: Job) -> Filling:
        past = prefill.from_job(filling, job, self.visitor, self.credentials, self.known)
        if self.version is None:
            asked = questions(self.cook.recipe) if self.cook and self.cook.recipe else ()
            return replace(past, answers=answers_again(asked, past, self.known))
        document = Document.from_json(self.version.document)
        return prefill.from_job_of_recipe(filling, job, past, document)

    def _with_link(self, filling: Filling, query: QueryDict) -> Filling:
        if not set(query) - links.RESERVED:
            return filling
        form = self.form(filling=filling)
        typed, ignored = links.read(query, form)
        filling = filling.with_reading(reading(form, typed))
        # The address of a recipe of the cloud names the credential that sees it.
        filling.ignored += [name for name in ignored if not (self.cook and name == "credential")]
        return filling

    @property
    def moved_from(self) -> RecipeVersion | None:
        """The older version that the job or the sent form was made from, where the recipe moved on since."""
        old = self.again.recipe_version if self.again else None
        if old is None or self.version is None or old.recipe_id != self.version.recipe_id:
            return None
        return old if old.pk != self.version.pk else None


def desk_of(request: HttpRequest, seat: Seat, version: RecipeVersion | None = None) -> Desk:
    """Raises ``Http404`` for a job or preset in the address that is not the reader's to use."""
    query = request.POST if request.method == "POST" else request.GET
    desk = Desk(
        request,
        seat,
        credentials=usable.in_team(seat.team, request.user.pk, seat.role),
        visitor=visitor(request),
        keys=known_keys(request.user, seat.team),
        known=Known.of(seat.team, request.user.pk),
        version=version,
        lost=_job_of(seat, query, "supersedes"),
        again=_job_of(seat, request.GET, "again"),
        preset=_preset_of(request, seat, query),
    )
    if version is None:
        past, ask = desk.again or desk.lost, request.method == "GET" and "cook" in request.GET
        desk.cook = cook_of(query, past, desk.credentials, ask=ask)
    return desk


def current_version(request: HttpRequest, seat: Seat, recipe_id: uuid.UUID) -> RecipeVersion:
    """The version of a recipe that may be launched now. Raises ``Http404``."""
    usable = queries.usable_by(request.user.pk, seat.team).filter(pk=recipe_id)
    recipe = usable.select_related("current", "current__recipe").first()
    if recipe is None:
        raise Http404
    return recipe.current


def _job_of(seat: Seat, query: QueryDict, name: str) -> Job | None:
    """A job of the team that the address names. Raises ``Http404`` for any other."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        return Job.objects.select_related("team", "recipe_version__recipe").get(
            pk=uuid.UUID(text), team=seat.team
        )
    except (ValueError, Job.DoesNotExist):
        raise Http404 from None


def _preset_of(request: HttpRequest, seat: Seat, query: QueryDict) -> Preset | None:
    """The preset that the address names, or that a sent form began with: that one may be gone meanwhile."""
    text = query.get("preset", "")
    if not text:
        return None
    try:
        return Preset.objects.get(pk=uuid.UUID(text), user=request.user, team=seat.team)
    except (ValueError, Preset.DoesNotExist):
        if request.method == "POST":
            return None
        raise Http404 from None
