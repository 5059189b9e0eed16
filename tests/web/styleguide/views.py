"""Sample pages with invented jobs, one for each kind of page; nothing here touches the database."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone


class Person:
    name, email, is_authenticated, is_active, pk = "Alice Martin", "alice@example.com", True, True, None


def status(kind: str, label: str, detail: str = "") -> dict:
    return {"kind": kind, "label": label, "detail": detail}


ROWS = [
    (
        "warned",
        status("running", "Running", "ends in 13 min"),
        "Development Environment",
        "Bob Ito · custom",
        "RTX 5090",
        192,
        "2.21",
        "0.69",
        "in 13 min",
        "24 h lifetime",
        ["Extend", "Stop"],
    ),
    (
        "",
        status("running", "Running", "2 of 2 nodes"),
        "Process Dataset",
        "Alice Martin · custom",
        "2 × RTX 5090",
        65,
        "1.49",
        "1.38",
        "in 55 min",
        "2 h limit",
        ["Logs", "Stop"],
    ),
    (
        "",
        status("waiting", "Pulling image", "6 of 30 min"),
        "llama.cpp 70B endpoint with a title that somebody wrote without mercy for tables",
        "Mei Chen · custom",
        "RTX 5090",
        6,
        "0.07",
        "0.69",
        "tomorrow 14:02",
        "24 h lifetime",
        ["Stop"],
    ),
    (
        "alarmed",
        status("alarm", "Stop not confirmed", "asked 6 min ago"),
        "unsloth finetune run 18",
        "Bob Ito · custom",
        "RTX 5090",
        3460,
        "39.67",
        "0.69",
        "retrying",
        "$0.07 since asked",
        ["Details"],
    ),
    (
        "",
        status("unknown", "No clear answer", "known by 14:09"),
        "GPU benchmark FP16",
        "Mei Chen · custom",
        "any ≥ 13 GB",
        None,
        "",
        "",
        "–",
        "looking for it",
        ["Stop when found"],
    ),
    (
        "",
        status("stopping", "Stopping", "asked 8 s ago"),
        "stable-diffusion",
        "Mei Chen · custom",
        "RTX 4090",
        44,
        "0.26",
        "0.35",
        "now",
        "by Mei Chen",
        [],
    ),
    (
        "",
        status("stopped", "Stopped", "lifetime, 13:02"),
        "notebook scratch",
        "Mei Chen · custom",
        "RTX 4090",
        130,
        "0.76",
        "0.35",
        "–",
        "",
        ["Launch again"],
    ),
    (
        "",
        status("completed", "Completed", "exit after 22 min"),
        "render scene 12",
        "Alice Martin · custom",
        "RTX 4090",
        22,
        "0.13",
        "0.35",
        "–",
        "",
        ["Launch again"],
    ),
    (
        "",
        status("failed", "Failed", "image not found"),
        "typo in tag",
        "Alice Martin · custom",
        "RTX 4090",
        2,
        "0.00",
        "0.35",
        "–",
        "",
        ["Launch again"],
    ),
]
NAMES = ("state", "status", "title", "owner", "gpu", "minutes", "cost", "rate", "stops", "why", "actions")


def shell(active: str, **changes: object) -> dict:
    now = timezone.now()
    team = {"name": "Vision Lab", "slug": "vision-lab", "role": "owner"}
    return {
        "team": team, "role": "owner", "active": active, "active_jobs": 6, "simulated": True,
        "teams": [team, {"name": "Research on very long team names", "slug": "research", "role": "member"}],
        "synced_at": now - timedelta(seconds=4), "checked_at": now - timedelta(seconds=190), "banners": [],
    } | changes  # fmt: skip


def page(request: HttpRequest, template: str, active: str, **context: object) -> HttpResponse:
    request.user = Person()
    return render(
        request, f"styleguide/{template}.html", {"shell": shell(active), "now": timezone.now(), **context}
    )


def rows() -> list[dict]:
    now = timezone.now()
    made = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    return [row | {"since": now - timedelta(minutes=row["minutes"] or 0)} for row in made]


@login_not_required
def jobs(request: HttpRequest, slug: str = "") -> HttpResponse:
    alarm = {"level": "alarm", "text": "1 stop is not confirmed by the cloud: unsloth finetune run 18 costs $0.69/h.",
             "url": "/t/vision-lab/job/", "action": "See what is being done"}  # fmt: skip
    return page(request, "jobs", "jobs", jobs=rows(), shell=shell("jobs", banners=[alarm]))


@login_not_required
def home(request: HttpRequest, slug: str) -> HttpResponse:
    return page(
        request, "home", "home", shell=shell("home", teams=[], active_jobs=0, synced_at=None, checked_at=None)
    )


@login_not_required
def job(request: HttpRequest, slug: str) -> HttpResponse:
    return page(request, "job", "jobs", job=rows()[0])


@login_not_required
def parts(request: HttpRequest, slug: str) -> HttpResponse:
    request.user = Person()
    for add, text in ((messages.success, "Development Environment runs until 18:00."),
                      (messages.warning, "The key works, but the clock of this server is 41 s off."),
                      (messages.error, "The cloud refused the key: it is unknown or was deleted."),
                      (messages.info, "Bob Ito stopped this job at 13:02.")):  # fmt: skip
        add(request, text)
    banners = [{"level": "warning", "text": "Dispersed has not answered for 6 minutes.", "url": "/", "action": "Why?"},
               {"level": "info", "text": "A new version was installed."}]  # fmt: skip
    kinds = [row["status"] for row in rows()]
    return page(request, "parts", "team", kinds=kinds, shell=shell("team", banners=banners))


class LaunchForm(forms.Form):
    title = forms.CharField(help_text="What your team will call it.", initial="Development Environment")
    task = forms.ChoiceField(
        choices=[("BATCH", "Batch: ends by itself"), ("PERSISTENT", "Persistent: runs until it is stopped")],
        widget=forms.RadioSelect, initial="PERSISTENT",
    )  # fmt: skip
    gpu = forms.ChoiceField(
        label="GPU", choices=[("", "Any that fits"), ("5090", "RTX 5090 · 32 GB · $0.69/h")], required=False
    )
    lifetime = forms.CharField(
        label="Stop after", initial="24h", help_text="As you would say it: 90m, 2h 30m, 1d."
    )
    regions = forms.MultipleChoiceField(
        choices=[("us", "North America"), ("eu", "Europe")],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    ssh_key = forms.CharField(
        label="SSH public key", widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}), required=False
    )
    notify = forms.BooleanField(
        label="Write me an e-mail before it is stopped", required=False, help_text="15 minutes before."
    )

    def clean_lifetime(self) -> str:
        raise forms.ValidationError("“soon” is not a duration. Write for example 90m or 2h 30m.")


@login_not_required
def form(request: HttpRequest, slug: str = "") -> HttpResponse:
    filled = LaunchForm({"title": "", "task": "PERSISTENT", "lifetime": "soon"})
    filled.add_error(None, "The job was not launched. See the marked fields.")
    return page(request, "form", "launch", form=filled)


@login_not_required
def poll(request: HttpRequest) -> HttpResponse:
    """Leads to the sign-in page, as an ended session does, when the cookie ``ended`` is there."""
    if "ended" in request.COOKIES:
        return redirect("account_login")
    answer = HttpResponse(status=204)
    answer["HX-Trigger"] = '{"toast": {"text": "Polled", "level": "success"}}'
    return answer


@login_not_required
def dialog(request: HttpRequest) -> HttpResponse:
    return render(request, "styleguide/_stop.html", {})


@login_not_required
def alone(request: HttpRequest) -> HttpResponse:
    request.user = Person()
    return render(request, "styleguide/alone.html", {"shell": None})


@login_not_required
def error(request: HttpRequest, code: int) -> HttpResponse:
    return render(request, f"{code}.html", status=code)
