"""Several jobs of one form, as the domain keeps them one form's."""

from __future__ import annotations

import pytest

from dispersed_web.jobs import copies
from dispersed_web.jobs.errors import FormAlreadyUsed
from dispersed_web.jobs.models import Job
from tests.jobs.world import World


def test_a_form_that_is_sent_for_several_and_for_one_at_once_launches_one_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The post for one looked for what the form had launched before the other post had its turn."""
    ask = world.ask(form_token="form:1")
    assert len(copies.request_all(world.order(), 2, ask)) == 2
    answers = iter([[], copies.launched_by(world.team, "form:1")])
    monkeypatch.setattr(copies, "launched_by", lambda *_: next(answers))
    with pytest.raises(FormAlreadyUsed) as used:
        copies.request_all(world.order(), 1, ask)
    assert used.value.job_id in set(Job.objects.values_list("pk", flat=True))
    assert sorted(Job.objects.values_list("title", flat=True)) == ["Dev #1", "Dev #2"]
