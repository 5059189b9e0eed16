"""The list of credentials, who may use and manage one, its caps, and taking it out of use."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from dispersed_web.credentials.models import Credential, CredentialCaps
from dispersed_web.jobs.models import Job, Preset
from dispersed_web.teams import api_tokens, keeping
from dispersed_web.web.forms.order import ANY_GPU
from tests import factories as make
from tests.web.launch_forms import Fields, with_market

pytestmark = pytest.mark.django_db
PAGES = ("credential-use", "credential-caps", "credential-replace", "credential-disable", "credential-delete")


@pytest.fixture
def team(client):
    team = make.make_team()
    make.sign_in(client, make.owner_of(team))
    return team


@pytest.fixture
def row(team):
    return make.make_credential(team, name="Lab account")


def url(name, team, *more):
    return reverse(f"web:{name}", args=[team.slug, *more])


def html(answer):
    return answer.content.decode()


def test_the_list_says_how_each_is_doing_and_whom_it_is_for(client, team, row):
    make.make_job(team, credential=row)
    make.make_credential(
        team, name="For admins", usable_by="admins", state="broken", failure="It was revoked."
    )
    make.make_credential(team, name="Old one", state="retired", successor=row)
    make.make_credential(team, name="Older one", state="gone", secret_sealed="x")
    CredentialCaps.objects.create(credential=row, max_active_jobs=3, task="BATCH")
    page = html(client.get(url("credentials", team)))
    for words in ("Lab account", "$0.69/h", "2 caps", "For admins", "It was revoked.", "Retired", "Gone"):
        assert words in page
    assert "not for you" not in page
    make.sign_in(client, make.make_member(team))
    assert "not for you" in html(client.get(url("credentials", team)))


def test_an_empty_list_says_what_to_do(client, team):
    assert url("credential-add", team) in html(client.get(url("credentials", team)))
    make.sign_in(client, make.make_member(team))
    page = html(client.get(url("credentials", team)))
    assert url("credential-add", team) not in page
    assert "An admin of the team adds a key" in page


def test_the_list_costs_no_query_for_each(client, team, row, django_assert_max_num_queries):
    for number in range(12):
        one = make.make_credential(team, name=f"More {number}", usable_by="chosen")
        CredentialCaps.objects.create(credential=one)
    client.get(url("credentials", team))
    with django_assert_max_num_queries(25):
        client.get(url("credentials", team))


def test_one_shows_what_hangs_on_it(client, team, row):
    job = make.make_job(team, credential=row, title="Long training")
    make.make_member(team, user=make.make_user(name="Mia"))
    page = html(client.get(url("credential", team, row.pk)))
    for words in (
        "Long training",
        "Only this key can stop 1 running job",
        "Mia",
        "not tried yet",
        "alone can stop",
    ):
        assert words in page
    assert url("credential-delete", team, row.pk) not in page
    Job.objects.filter(pk=job.pk).delete()
    assert url("credential-delete", team, row.pk) in html(client.get(url("credential", team, row.pk)))


@pytest.mark.parametrize("state", ["retired", "gone"])
def test_of_one_that_launches_nothing_nobody_is_said_to_launch_with_it(client, team, row, state):
    api_tokens.create_service(
        team,
        name="Pipeline",
        scope="operate",
        lifetime=dt.timedelta(days=9),
        actor=keeping.OPERATOR,
        now=timezone.now(),
    )
    make.make_member(team, user=make.make_user(name="Mia"))
    assert "Mia" in html(client.get(url("credential", team, row.pk)))
    assert "Pipeline" in html(client.get(url("credential", team, row.pk)))
    Credential.objects.update(state=state)
    page = html(client.get(url("credential", team, row.pk)))
    assert "nobody, it launches nothing any more" in page
    assert "Mia" not in page
    assert "Pipeline" not in page


@pytest.mark.parametrize("state", ["active", "broken", "disabled", "retired", "gone"])
def test_its_page_and_those_of_managing_stand_in_every_state(client, team, row, state):
    now = timezone.now()
    Credential.objects.update(
        state=state, failure="Revoked.", failures=2, expires_at=now + dt.timedelta(days=2)
    )
    make.make_job(team, credential=row)
    for name in ("credential", *PAGES):
        assert client.get(url(name, team, row.pk)).status_code in (200, 302)


def test_who_may_not_manage_it_is_offered_and_given_nothing(client, team, row):
    make.make_job(team, credential=row)
    Credential.objects.update(managed_by="owners")
    for role, status in (("member", 403), ("viewer", 403), ("admin", 403)):
        make.sign_in(client, make.make_member(team, role))
        page = html(client.get(url("credential", team, row.pk)))
        for name in PAGES:
            assert url(name, team, row.pk) not in page
            assert client.get(url(name, team, row.pk)).status_code == status
            assert client.post(url(name, team, row.pk), {}).status_code == status
        assert client.post(url("credential-history", team, row.pk)).status_code == status
    row.refresh_from_db()
    assert row.state == "active"


def test_another_teams_is_not_found(client, team):
    other = make.make_credential(make.make_team())
    for name in ("credential", *PAGES):
        assert client.get(url(name, team, other.pk)).status_code == 404


def test_choosing_who_may_use_it(client, team, row):
    mia = make.make_member(team, user=make.make_user(name="Mia"))
    page = client.get(url("credential-use", team, row.pk))
    assert "Mia" in html(page)
    fields = {"name": "Lab", "usable_by": "chosen", "managed_by": "admins"}
    answer = client.post(url("credential-use", team, row.pk), fields)
    assert answer.status_code == 422
    assert "Choose at least one member" in html(answer)
    answer = client.post(url("credential-use", team, row.pk), fields | {"chosen": [mia.pk]}, follow=True)
    assert "Chosen members: Mia" in html(answer)
    row.refresh_from_db()
    assert (row.name, row.usable_by, [one.user for one in row.chosen.all()]) == ("Lab", "chosen", [mia])


def test_setting_caps(client, team, row):
    fields = {
        "max_active_jobs": "3",
        "max_hourly_usd": "2.5",
        "task": "BATCH",
        "gpu_models": "RTX 5090, H100\nH100",
        "regions": ["us-west-2"],
        "images": "dispersednetwork/*",
        "max_lifetime_s": "12h",
    }
    page = html(client.post(url("credential-caps", team, row.pk), fields, follow=True))
    for words in ("$2.50", "Batch only", "RTX 5090, H100", "us-west-2", "dispersednetwork/*", "12\xa0h"):
        assert words in page
    caps = CredentialCaps.objects.get()
    assert (caps.gpu_models, caps.max_lifetime_s, caps.max_day_usd) == (["RTX 5090", "H100"], 43200, None)
    again = client.get(url("credential-caps", team, row.pk))
    assert "RTX 5090\nH100" in html(again)
    answer = client.post(url("credential-caps", team, row.pk), fields | {"max_lifetime_s": "soon"})
    assert answer.status_code == 422
    assert 'value="2.5"' in html(answer)


def test_a_gpu_that_no_list_knows_is_asked_about_before_it_locks_everything_out(client, team, row):
    def send(names, **more):
        return client.post(url("credential-caps", team, row.pk), {"gpu_models": names, **more})

    assert send("RTX 590").status_code == 302, "without a list of the cloud any name is taken"
    with_market(team)
    assert send("RTX 590").status_code == 302, "what stands there already is not asked about again"
    answer = send("RTX 5900\nH100 80GB\nnvidia rtx 5090")
    assert answer.status_code == 422
    page = html(answer)
    assert "No GPU of Dispersed is called “RTX 5900”. Did you mean “RTX 5090”?" in page
    assert "is called “H100 80GB”" not in page
    assert 'name="keep_unknown_gpus"' in page
    assert CredentialCaps.objects.get().gpu_models == ["RTX 590"]
    assert send("Zork 9").status_code == 422
    assert send("Zork 9", keep_unknown_gpus="on").status_code == 302
    assert CredentialCaps.objects.get().gpu_models == ["Zork 9"]
    assert 'name="keep_unknown_gpus"' not in html(client.get(url("credential-caps", team, row.pk)))


def test_deleting_destroys_the_secret_and_asks_who_one_is(client, team, row):
    client.logout()
    client.force_login(make.owner_of(team))
    assert client.post(url("credential-delete", team, row.pk), {"password": "wrong"}).status_code == 422
    row.refresh_from_db()
    assert row.state == "active"
    answer = client.post(url("credential-delete", team, row.pk), {"password": make.PASSWORD}, follow=True)
    assert "is deleted" in html(answer)
    row.refresh_from_db()
    assert (row.state, row.secret_sealed) == ("gone", "")


def test_what_alone_can_stop_jobs_is_not_deleted(client, team, row):
    make.make_job(team, credential=row)
    answer = client.post(url("credential-delete", team, row.pk))
    assert answer.status_code == 422
    assert "alone can stop" in html(answer)
    row.refresh_from_db()
    assert row.state == "active"


# Launching ------------------------------------------------------------------------------------------------------------


def test_only_usable_credentials_are_offered(client, team, row):
    make.make_credential(team, name="For admins", usable_by="admins")
    assert "For admins" in html(client.get(url("launch", team)))
    make.sign_in(client, make.make_member(team))
    page = html(client.get(url("launch", team)))
    assert "Lab account" in page
    assert "For admins" not in page


def test_the_form_says_what_is_left_and_what_a_cap_forbids(client, team, row):
    make.make_job(team, credential=row)
    CredentialCaps.objects.create(
        credential=row,
        max_active_jobs=3,
        max_hourly_usd="2.00",
        max_day_usd="5.00",
        images=["lab/*"],
        gpu_models=["H100"],
    )
    answer = client.get(url("launch", team))
    left = {one.name: f"{one.left} of {one.limit}" for one in answer.context["page"].budgets}
    assert left["Jobs at once with Lab account"] == "2 of 3"
    assert left["Per hour with Lab account"] == "$1.31 of $2.00/h"
    assert left["Today with Lab account"] == "$5.00 of $5.00"
    assert "Only H100; images lab/*." in html(answer)
    fields = Fields(html(answer)).values | {
        "title": "x",
        "image": "other/x",
        "gpu": ANY_GPU,
        "task": "PERSISTENT",
        "lifetime": "1h",
    }
    answer = client.post(url("launch", team), fields)
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert "H100" in str(errors["gpu"])
    assert "lab/*" in str(errors["image"])


def test_who_may_use_none_hears_whom_to_ask(client, team, row):
    owner = make.owner_of(team)
    owner.name = "Olga"
    owner.save()
    Credential.objects.update(usable_by="admins")
    make.sign_in(client, make.make_member(team))
    page = html(client.get(url("launch", team)))
    assert "No credential is for you" in page
    assert "ask Olga" in page


def test_recipes_of_the_cloud_are_not_seen_with_a_key_that_is_for_others(client, team, row):
    Credential.objects.update(usable_by="admins")
    make.sign_in(client, make.make_member(team))
    assert "Lab account" not in html(client.get(url("cloud-recipes", team)))
    named = f"{url('cloud-recipes', team)}?credential={row.pk}"
    assert client.get(named).status_code == 404


def test_a_preset_that_names_a_key_for_others_says_that_it_is_left_out(client, team, row):
    other = make.make_credential(team, name="For admins", usable_by="admins")
    mia = make.make_member(team)
    make.sign_in(client, mia)
    values = {"credential": str(other.pk), "title": "Mine"}
    preset = Preset.objects.create(user=mia, team=team, name="P", values=values, created_at=timezone.now())
    answer = client.get(f"{url('launch', team)}?preset={preset.pk}")
    assert str(answer.context["form"]["credential"].value()) == str(row.pk)
    assert "credential" in answer.context["ignored"]
