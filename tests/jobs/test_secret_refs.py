"""Launches that name secrets of the team: by whose right, with which value, and that nobody reads one back."""

from __future__ import annotations

import base64
import json
import urllib.parse
import uuid
from dataclasses import replace
from typing import Any

import pytest

from dispersed_web.credentials import team_secrets
from dispersed_web.credentials.models import TeamSecret
from dispersed_web.dispersed import Volume
from dispersed_web.events.models import Event
from dispersed_web.events.record import Actor
from dispersed_web.jobs import copies, log_keeping, log_store, secret_refs, specs
from dispersed_web.jobs.errors import FormAlreadyUsed, LaunchRefused
from dispersed_web.jobs.launch import Order
from dispersed_web.jobs.log_lines import Lines
from dispersed_web.jobs.models import Job
from dispersed_web.recipes import keeping
from dispersed_web.recipes.models import Recipe
from dispersed_web.teams.models import Membership
from tests import factories
from tests.jobs.world import World
from tests.recipes.launching import ask_for

pytestmark = pytest.mark.django_db
VALUE = "hf_canaryTeamSecret7e1b+/="
TOKEN = "env.HF_TOKEN"


def add(world: World, name: str = "hf-token", value: str = VALUE, **fields: Any) -> TeamSecret:
    owner = factories.owner_of(world.team)
    return team_secrets.add(
        world.team, name, value, user=owner, actor=Actor.person(owner), now=world.clock.now, **fields
    )


def naming(world: World, refs: dict[str, Any], **fields: Any) -> Order:
    return replace(world.order(**fields), secret_refs={target: str(ref) for target, ref in refs.items()})


def refused(world: World, refs: dict[str, Any], **fields: Any) -> LaunchRefused:
    with pytest.raises(LaunchRefused) as found:
        world.request(naming(world, refs, **fields))
    assert not Job.objects.exists()
    return found.value


# The value ---------------------------------------------------------------------------------------------------------------


def test_the_value_is_sealed_into_the_job_and_stands_nowhere_else(world: World) -> None:
    secret = add(world)
    job = world.request(naming(world, {TOKEN: secret.pk}))
    job = Job.objects.get(pk=job.pk)
    assert specs.restore(job).env["HF_TOKEN"] == VALUE
    assert job.secret_refs == {TOKEN: str(secret.pk)}
    row = {"name": "HF_TOKEN", "value": None, "secret": True, "team_secret": "hf-token"}
    assert job.spec["env"] == [row]
    told = json.dumps(
        [job.spec, job.secret_refs, job.answers, *Event.objects.values_list("sentence", "data")]
    )
    assert VALUE not in told
    assert Event.objects.get(kind="job.requested").data["secrets"] == {TOKEN: "hf-token"}


def test_the_cloud_gets_the_value_and_never_a_placeholder(world: World) -> None:
    add(world)
    add(world, "ghcr", "ghp_registryCanary5d3a")
    volume = Volume("org/data", "/data", registry="ghcr.io", user="me")
    refs = {TOKEN: "hf-token", "registry_secret": "GHCR", "volume./data": "ghcr"}
    job = world.request(naming(world, refs, registry_host="ghcr.io", registry_user="me", volumes=(volume,)))
    body = specs.body_to_send(Job.objects.get(pk=job.pk))
    docker = body["parameters"]["parameters"]
    assert docker["env"]["HF_TOKEN"] == VALUE
    assert docker["secret"] == docker["volumes"][0]["secret"] == "ghp_registryCanary5d3a"
    assert secret_refs.PLACEHOLDER not in json.dumps(body)
    assert world.send(job).remote_uuid
    assert job.spec["registry_team_secret"] == job.spec["volumes"][0]["team_secret"] == "ghcr"


def test_what_a_door_put_in_the_place_of_a_reference_counts_for_nothing(world: World) -> None:
    add(world)
    job = world.request(naming(world, {TOKEN: "hf-token"}, env={"HF_TOKEN": "typed instead"}))
    assert specs.restore(Job.objects.get(pk=job.pk)).env == {"HF_TOKEN": VALUE}
    assert job.spec["env"][0]["value"] is None


def test_who_used_it_last_is_known(world: World) -> None:
    secret = add(world)
    world.request(naming(world, {TOKEN: secret.pk}))
    secret.refresh_from_db()
    assert (secret.last_used_by, secret.last_used_at) == (world.user, world.clock.now)


def test_a_new_value_counts_from_the_next_launch_on(world: World) -> None:
    secret = add(world)
    first = world.request(naming(world, {TOKEN: secret.pk}))
    actor = Actor.person(world.user)
    team_secrets.change_value(secret, "hf_theNextValue8f8f", actor=actor, now=world.clock.now)
    second = world.request(naming(world, {TOKEN: secret.pk}), same_again=True)
    values = [specs.restore(Job.objects.get(pk=job.pk)).env["HF_TOKEN"] for job in (first, second)]
    assert values == [VALUE, "hf_theNextValue8f8f"]


def test_removing_it_harms_no_job_that_was_launched(world: World) -> None:
    secret = add(world)
    job = world.request(naming(world, {TOKEN: secret.pk}))
    team_secrets.remove(secret, actor=Actor.person(world.user), now=world.clock.now)
    assert world.send(job).remote_uuid
    assert specs.restore(job).env["HF_TOKEN"] == VALUE
    with pytest.raises(LaunchRefused) as found:
        world.request(naming(world, job.secret_refs), same_again=True)
    assert (found.value.code, found.value.field) == ("secret_gone", TOKEN)


def test_copies_all_get_it(world: World) -> None:
    add(world)
    jobs = copies.request_all(
        naming(world, {TOKEN: "hf-token"}),
        3,
        world.ask(form_token="form:copies"),
    )
    assert [specs.restore(Job.objects.get(pk=job.pk)).env["HF_TOKEN"] for job in jobs] == [VALUE] * 3


# The right ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "usable_by", "is_chosen", "allowed"),
    [
        ("member", "members", False, True),
        ("member", "admins", False, False),
        ("admin", "admins", False, True),
        ("member", "chosen", True, True),
        ("admin", "chosen", False, False),
    ],
)
def test_the_launchers_right_decides(
    world: World, role: str, usable_by: str, is_chosen: bool, allowed: bool
) -> None:
    other = factories.make_member(world.team)
    chosen = [world.user.pk if is_chosen else other.pk] if usable_by == "chosen" else []
    secret = add(world, usable_by=usable_by, chosen=chosen)
    Membership.objects.filter(user=world.user).update(role=role)
    if allowed:
        assert world.request(naming(world, {TOKEN: secret.pk})).secret_refs
    else:
        found = refused(world, {TOKEN: secret.pk})
        assert (found.code, found.field) == ("secret_not_for_you", TOKEN)
        assert "hf-token" in found.sentence


def test_another_teams_secret_answers_like_one_that_never_was(world: World) -> None:
    other = World(world.sandbox)
    foreign = add(other, "theirs")
    told = [refused(world, {TOKEN: ref}) for ref in (foreign.pk, uuid.uuid4())]
    assert len({(one.code, one.sentence, one.field) for one in told}) == 1
    assert refused(world, {TOKEN: "theirs"}).code == "secret_gone"


def test_a_secret_bound_to_registries_goes_to_them_alone(world: World) -> None:
    add(world, "ghcr", hosts=["ghcr.io"])
    for target, fields in (
        (TOKEN, {"registry_host": "ghcr.io"}),
        ("registry_secret", {"registry_host": "evil.example.com"}),
        ("registry_secret", {}),
        ("volume./data", {"volumes": (Volume("org/data", "/data", registry="evil.example.com"),)}),
    ):
        found = refused(world, {target: "ghcr"}, **fields)
        assert (found.code, found.field) == ("secret_bound", target)
    job = world.request(
        naming(world, {"registry_secret": "ghcr"}, registry_host="GHCR.io", registry_user="me")
    )
    assert specs.restore(Job.objects.get(pk=job.pk)).registry_secret.reveal() == VALUE


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        ("registry_secret", {"image": "evil.example.com/org/app"}),
        ("registry_secret", {"image": "localhost/app"}),
        ("registry_secret", {"image": "evil:5000/app", "registry_host": "docker.io"}),
        ("registry_secret", {"image_source": "https://evil.example.com"}),
        ("volume./data", {"volumes": (Volume("evil.example.com/data", "/data"),)}),
    ],
)
def test_an_image_that_names_a_registry_itself_is_of_that_registry(
    world: World, target: str, fields: dict[str, Any]
) -> None:
    add(world, "hub", hosts=["docker.io"])
    assert refused(world, {target: "hub"}, **fields).code == "secret_bound"
    assert world.request(naming(world, {"registry_secret": "hub"}, image="org/app"))


def test_a_value_that_does_not_fit_its_place_is_refused_without_telling_it(world: World) -> None:
    add(world, value="two words of canary")
    found = refused(world, {"registry_secret": "hf-token"})
    assert found.field == "registry_secret"
    assert "canary" not in found.sentence


def test_a_secret_that_cannot_be_opened_launches_nothing(world: World) -> None:
    secret = add(world)
    TeamSecret.objects.filter(pk=secret.pk).update(value_sealed="v1|gone|AA==|AA==")
    assert refused(world, {TOKEN: secret.pk}).code == "secret_unreadable"


# The same form again ------------------------------------------------------------------------------------------------------


def test_the_same_form_again_is_the_same_job_whatever_became_of_the_secret(world: World) -> None:
    secret = add(world)
    order = naming(world, {TOKEN: secret.pk})
    job = world.request(order, form_token="form:1")
    team_secrets.change_value(secret, "hf_theNextValue8f8f", actor=world.actor, now=world.clock.now)
    assert world.request(order, form_token="form:1") == job
    assert world.request(naming(world, {TOKEN: "HF-token"}), form_token="form:1") == job
    team_secrets.remove(secret, actor=world.actor, now=world.clock.now)
    assert world.request(order, form_token="form:1") == job


def test_another_secret_in_the_same_form_is_another_launch(world: World) -> None:
    one, two = add(world), add(world, "other")
    world.request(naming(world, {TOKEN: one.pk}), form_token="form:1")
    with pytest.raises(FormAlreadyUsed):
        world.request(naming(world, {TOKEN: two.pk}), form_token="form:1")


def test_the_fingerprint_says_nothing_of_the_value(world: World) -> None:
    secret = add(world)
    first = world.request(naming(world, {TOKEN: secret.pk}))
    team_secrets.change_value(secret, "hf_theNextValue8f8f", actor=world.actor, now=world.clock.now)
    second = world.request(naming(world, {TOKEN: secret.pk}), same_again=True)
    assert first.spec_fingerprint == second.spec_fingerprint
    assert specs.fingerprint(specs.restore(first)) != first.spec_fingerprint


# Recipes ------------------------------------------------------------------------------------------------------------------


def recipe_of(world: World, **parts: Any) -> Recipe:
    document = {
        "spec": {"task": "PERSISTENT", "title": "Box", "image": "org/box", "ports": [22]},
        "inputs": [{"key": "ssh_key", "type": "ssh_key", "to": "ssh_key", "required": True}],
        "autostop": {"lifetime_s": 3600},
    }
    inputs = document["inputs"] + parts.pop("inputs", [])
    owner = factories.owner_of(world.team)
    return keeping.create(
        world.team,
        name="Box",
        document=document | parts | {"inputs": inputs},
        visibility="team",
        owner=owner,
        actor=Actor.person(owner),
        now=world.clock.now,
    )


def test_a_recipe_takes_the_launchers_right_not_its_authors(world: World) -> None:
    owner = factories.owner_of(world.team)
    add(world, usable_by="chosen", chosen=[owner.pk])
    recipe = recipe_of(world, secrets={TOKEN: "hf-token"})
    with pytest.raises(LaunchRefused) as found:
        world.request(ask_for(recipe))
    assert (found.value.code, found.value.field) == ("secret_not_for_you", TOKEN)
    job = world.request(ask_for(recipe), user=owner, actor=Actor.person(owner))
    assert specs.restore(Job.objects.get(pk=job.pk)).env["HF_TOKEN"] == VALUE


def test_a_recipe_whose_secret_is_gone_says_which(world: World) -> None:
    with pytest.raises(LaunchRefused) as found:
        world.request(ask_for(recipe_of(world, secrets={TOKEN: "hf-token"})))
    assert "“hf-token”" in found.value.sentence


def test_what_the_author_locked_to_a_secret_stays_that_secret(world: World) -> None:
    add(world)
    other = add(world, "other")
    recipe = recipe_of(world, secrets={TOKEN: "hf-token"}, locked=[TOKEN])
    order = ask_for(recipe)
    typed = replace(
        order, secret_refs={}, spec=replace(order.spec, env={"HF_TOKEN": "typed"}), secret_env={"HF_TOKEN"}
    )
    for changed in (replace(order, secret_refs={TOKEN: str(other.pk)}), typed):
        with pytest.raises(LaunchRefused) as found:
            world.request(changed)
        assert (found.value.code, found.value.field) == ("locked", TOKEN)
    assert world.request(order).secret_refs.keys() == {TOKEN}


def test_an_answer_that_names_a_secret_is_kept_by_its_name(world: World) -> None:
    add(world)
    asks = {"key": "token", "type": "secret", "to": TOKEN, "required": True, "pattern": "nothing"}
    recipe = recipe_of(world, inputs=[asks])
    job = world.request(ask_for(recipe, token={"team_secret": "HF-TOKEN"}))
    assert Job.objects.get(pk=job.pk).answers["token"] == {"team_secret": "hf-token"}
    assert specs.restore(Job.objects.get(pk=job.pk)).env["HF_TOKEN"] == VALUE


# Output -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [VALUE, base64.b64encode(f"me:{VALUE}".encode()).decode(), urllib.parse.quote(VALUE, safe="")],
    ids=["plain", "base64", "url"],
)
def test_what_a_container_prints_of_it_is_masked_live_and_kept(world: World, form: str) -> None:
    add(world)
    env = {"SANDBOX_BEHAVIOUR": form}
    order = naming(world, {TOKEN: "hf-token"}, image="acme/worker", env=env, ssh_key="", ports=())
    job = world.send(world.request(order))
    for _ in range(6):
        world.pass_time(30)
    run = job.runs.get()
    shown = log_keeping.show(job, run, world.clock.now).text
    world.control.finish_job(job.remote_uuid)
    world.pass_time(35)
    run.refresh_from_db()
    log_keeping.begin(world.clock.now)
    world.clock.advance(6)
    assert [log_keeping.keep(run_id, world.clock) for run_id in log_keeping.due(world.clock.now)] == [True]
    kept = log_store.load(run)
    assert kept is not None
    for text in (shown, Lines.unpack(kept.packed, kept.first).text()):
        assert "is unknown; it knows" in text
        assert "••••" in text
        assert form not in text
        assert base64.b64encode(f"me:{VALUE}".encode()).decode()[6:30] not in text


def test_nothing_but_the_vault_and_the_order_of_a_launch_reads_a_value(world: World) -> None:
    secret = add(world)
    assert VALUE not in str(secret.__dict__)
    order = naming(world, {TOKEN: secret.pk})
    known = secret_refs.Known.of(world.team, world.user.pk)
    settled = secret_refs.settled(order, known)
    assert VALUE not in repr(settled)
    assert VALUE not in repr(secret_refs.resolved(settled, world.team, known))
