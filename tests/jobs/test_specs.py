"""What is stored of a specification, and what comes out of it again."""

from __future__ import annotations

import pytest

from dispersed_web.dispersed import Secret, Volume
from dispersed_web.jobs import logs, specs
from dispersed_web.jobs.models import Job
from dispersed_web.recipes.document import Document
from dispersed_web.recipes.render import Rendered, violations
from dispersed_web.teams.models import Team
from tests import factories


@pytest.fixture
def team(db: None) -> Team:
    return factories.make_team()


def test_the_secret_of_a_volume_is_masked_and_kept_out_of_what_is_stored(team: Team) -> None:
    volume = Volume("team/data", "/data", user="robot", secret=Secret("canary-of-the-volume"))
    job = factories.make_job(team, spec=factories.make_spec(volumes=(volume,), image_source="registry"))
    assert "canary-of-the-volume" in logs.secrets_of(job)
    assert "canary" not in str(Job.objects.filter(pk=job.pk).values().get())
    assert job.spec["volumes"][0]["has_secret"] is True
    again = specs.restore(Job.objects.get(pk=job.pk))
    assert (again.volumes, again.image_source) == ((volume,), "registry")


def test_a_job_stored_before_volumes_were_known_is_read_and_compared_as_before(team: Team) -> None:
    spec = factories.make_spec()
    plain = specs.plain_part(spec, frozenset())
    assert not {"volumes", "image_source"} & set(plain)
    assert specs.restore(factories.make_job(team, spec=spec)).volumes == ()


def test_another_secret_of_a_volume_is_another_specification() -> None:
    one, two = (
        factories.make_spec(volumes=(Volume("data", "/data", secret=Secret(text)),)) for text in ("a", "b")
    )
    assert specs.fingerprint(one) != specs.fingerprint(two)


def test_a_recipe_that_locks_its_volumes_holds_to_them() -> None:
    document = Document(
        spec={"volumes": [{"image": "data", "mount": "/data"}]}, locked=frozenset({"volumes"})
    )
    asked = Rendered(values={"volumes": (Volume("data", "/data").to_plain(),)})
    assert violations(document, asked, {}) == {}
    for other in ((), (Volume("data", "/else").to_plain(),)):
        assert "volumes" in violations(document, Rendered(values={"volumes": other}), {})
