"""Inviting and removing, as people do it in the browser."""

import re

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from dispersed_web.accounts import throttles
from dispersed_web.events.record import Actor
from dispersed_web.jobs.models import Job
from dispersed_web.teams import invitations
from dispersed_web.teams.models import Invitation, Membership
from tests import factories as make

pytestmark = pytest.mark.django_db
ADDRESS = "new@example.org"
BY_MAIL = {"email": ADDRESS, "role": "member", "way": "mail"}
BY_LINK = BY_MAIL | {"way": "link"}


@pytest.fixture
def team(client):
    team = make.make_team("Vision Lab", owner=make.make_user("ana@example.org", "Ana"))
    make.sign_in(client, make.owner_of(team))
    return team


def url(name, team, *more):
    return reverse(f"web:{name}", args=[team.slug, *more])


def html(answer):
    return " ".join(answer.content.decode().split())


def token_in(text):
    return re.search(r"/join/([\w-]{40,})/", text)[1]


def seat_of(team, user):
    return Membership.objects.get(team=team, user=user)


class TestInviting:
    def test_by_mail_the_link_goes_to_the_address_and_is_shown_to_nobody(self, client, team, settings):
        settings.PUBLIC_URL = "https://gpus.example.org"
        page = html(
            client.post(url("team-invite", team), BY_MAIL, follow=True, headers={"host": "testserver"})
        )
        assert f"on its way to {ADDRESS}" in page
        assert "/join/" not in page
        (sent,) = mail.outbox
        assert (sent.to, sent.subject) == ([ADDRESS], "Invitation to Vision Lab")
        for text in (sent.body, sent.alternatives[0][0]):
            assert "https://gpus.example.org/join/" in text
            assert "Ana invites you to the team Vision Lab" in text
            assert invitations.find(token_in(text), timezone.now())
        made = Invitation.objects.get()
        assert made.by_mail
        assert made.sent_at

    def test_without_a_mail_server_the_link_is_what_is_offered_first(self, client, team, settings):
        assert client.get(url("team-invite", team)).context["form"]["way"].value() == "mail"
        settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
        form = client.get(url("team-invite", team)).context["form"]
        assert form["way"].value() == "link"
        assert "only printed" in form["way"].help_text

    def test_by_link_it_is_shown_once_and_no_mail_goes_out(self, client, team):
        page = html(client.post(url("team-invite", team), BY_LINK))
        assert "it is not shown again" in page
        token = token_in(page)
        assert invitations.find(token, timezone.now()).by_mail is False
        assert mail.outbox == []
        for name in ("team", "team-events"):
            assert token not in html(client.get(url(name, team)))

    def test_a_mail_that_is_not_taken_is_said_and_the_list_shows_it(self, client, team, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
        page = html(client.post(url("team-invite", team), BY_MAIL, follow=True))
        assert "did not take the invitation" in page
        assert "not sent" in page

    def test_the_name_of_a_team_makes_no_header(self, client, team):
        type(team).objects.filter(pk=team.pk).update(name="A\nBcc: x@example.org")
        client.post(url("team-invite", team), BY_MAIL)
        assert mail.outbox[0].subject == "Invitation to A Bcc: x@example.org"

    def test_twenty_a_day(self, client, team):
        for _ in range(throttles.RULES["invite"].limit):
            throttles.take("invite", make.owner_of(team).pk, timezone.now())
        answer = client.post(url("team-invite", team), BY_MAIL)
        assert answer.status_code == 422
        assert "Send the next in" in html(answer)
        assert not Invitation.objects.exists()

    def test_what_is_at_fault_is_said_where_it_stands_and_what_was_typed_stays(self, client, team):
        answer = client.post(url("team-invite", team), BY_MAIL | {"email": "nonsense"})
        assert answer.status_code == 422
        assert 'value="nonsense"' in html(answer)

    def test_an_admin_is_not_offered_to_invite_an_owner(self, client, team):
        make.sign_in(client, make.make_member(team, "admin"))
        offered = re.findall(r'name="role"[^>]*value="(\w+)"', html(client.get(url("team-invite", team))))
        assert offered == ["viewer", "member", "admin"]
        assert client.post(url("team-invite", team), BY_MAIL | {"role": "owner"}).status_code == 422

    @pytest.mark.parametrize("way", ["mail", "link"])
    def test_sending_again_makes_the_old_link_dead(self, client, team, way):
        client.post(url("team-invite", team), BY_MAIL | {"way": way})
        old = Invitation.objects.get()
        answer = client.post(url("team-invitation-again", team, old.pk))
        token = token_in(mail.outbox[1].body if way == "mail" else html(answer))
        assert invitations.find(token, timezone.now()).pk != old.pk
        assert invitations.get(old.pk, timezone.now()) is None

    def test_withdrawing(self, client, team):
        client.post(url("team-invite", team), BY_MAIL)
        made = Invitation.objects.get()
        assert ADDRESS in html(client.get(url("team", team)))
        page = html(client.post(url("team-invitation-withdraw", team, made.pk), follow=True))
        assert "is withdrawn" in page
        assert invitations.get(made.pk, timezone.now()) is None

    def test_an_admin_leaves_an_owners_invitation_of_an_owner_alone(self, client, team):
        client.post(url("team-invite", team), BY_MAIL | {"role": "owner"})
        made = Invitation.objects.get()
        make.sign_in(client, make.make_member(team, "admin"))
        for name in ("team-invitation-again", "team-invitation-withdraw"):
            assert client.post(url(name, team, made.pk)).status_code == 403
        assert invitations.get(made.pk, timezone.now())

    def test_a_viewer_is_offered_no_invitations(self, client, team):
        client.post(url("team-invite", team), BY_MAIL, follow=True)
        make.sign_in(client, make.make_member(team, "viewer"))
        page = html(client.get(url("team", team)))
        assert "Open invitations" not in page
        assert "Invite somebody" not in page

    def test_after_a_while_the_password_is_asked_for(self, client, team):
        client.logout()
        client.force_login(make.owner_of(team))
        assert client.post(url("team-invite", team), BY_MAIL).status_code == 422
        assert not Invitation.objects.exists()
        assert client.post(url("team-invite", team), BY_MAIL | {"password": make.PASSWORD}).status_code == 302


class TestRemoving:
    @pytest.fixture
    def bob(self, team):
        return make.make_member(team, user=make.make_user("bob@example.org", "Bob"))

    def job(self, team, owner, **fields):
        return make.make_job(team, created_by=owner, owner=owner, **fields)

    def remove(self, client, team, user, **data):
        return client.post(url("team-member-remove", team, seat_of(team, user).pk), data)

    def test_the_page_shows_their_jobs_with_what_they_cost(self, client, team, bob):
        job = self.job(team, bob, title="Training")
        other = self.job(team, make.owner_of(team), title="Of another")
        self.job(team, bob, status="QUEUED")
        page = html(client.get(url("team-member-remove", team, seat_of(team, bob).pk)))
        for words in (
            "Training",
            "$0.69/h",
            f"job-{job.pk}",
            "Hand over to Ana",
            "1 launch that was not sent",
        ):
            assert words in page
        assert other.title not in page

    def test_without_a_choice_nothing_happens(self, client, team, bob):
        job = self.job(team, bob)
        assert self.remove(client, team, bob, **{f"job-{job.pk}": ""}).status_code == 422
        assert seat_of(team, bob)
        assert Job.objects.get().stop_requested_at is None

    def test_one_choice_for_all_and_another_for_one(self, client, team, bob):
        kept, stopped = self.job(team, bob), self.job(team, bob)
        ana = make.owner_of(team)
        data = {"all": ana.pk, f"job-{kept.pk}": "", f"job-{stopped.pk}": "stop"}
        answer = self.remove(client, team, bob, **data)
        assert answer.status_code == 302
        kept.refresh_from_db()
        stopped.refresh_from_db()
        assert (kept.owner, kept.stop_requested_at) == (ana, None)
        assert stopped.stop_requested_by == ana
        assert not Membership.objects.filter(user=bob).exists()

    def test_a_job_that_the_page_did_not_show_is_decided_on_by_nobody(self, client, team, bob):
        shown = self.job(team, bob)
        self.job(team, bob)
        answer = self.remove(client, team, bob, all="stop", **{f"job-{shown.pk}": ""})
        assert answer.status_code == 422
        assert "Look at them again" in html(answer)
        assert not Job.objects.exclude(stop_requested_at=None).exists()

    def test_nobody_of_another_team_is_handed_a_job(self, client, team, bob):
        job = self.job(team, bob)
        stranger = make.make_user()
        answer = self.remove(client, team, bob, all=stranger.pk, **{f"job-{job.pk}": ""})
        assert answer.status_code == 422
        assert seat_of(team, bob)

    def test_one_leaves_on_the_page_for_that(self, client, team):
        answer = client.get(url("team-member-remove", team, seat_of(team, make.owner_of(team)).pk))
        assert answer["Location"] == url("team-leave", team)

    def test_leaving_with_jobs(self, client, team, bob):
        make.sign_in(client, bob)
        job = self.job(team, bob)
        ana = make.owner_of(team)
        assert "Hand over to Ana" in html(client.get(url("team-leave", team)))
        page = html(client.post(url("team-leave", team), {"all": ana.pk, f"job-{job.pk}": ""}, follow=True))
        assert "You left Vision Lab. 1 job was handed over." in page
        job.refresh_from_db()
        assert job.owner == ana

    def test_a_program_is_no_member_to_look_at(self, client, team):
        program = make.make_member(team, user=make.make_user("token-1@service.invalid", is_service=True))
        seat = seat_of(team, program)
        assert "service.invalid" not in html(client.get(url("team", team)))
        for name in ("team-member", "team-member-remove"):
            assert client.get(url(name, team, seat.pk)).status_code == 404
            assert client.post(url(name, team, seat.pk), {"role": "viewer"}).status_code == 404
        seat.refresh_from_db()

    def test_the_page_takes_as_many_queries_for_many_people_as_for_few(
        self, client, team, django_assert_max_num_queries
    ):
        client.get(url("team", team))
        for number in range(12):
            make.make_member(team)
            actor = Actor.person(make.owner_of(team))
            address = f"p{number}@example.com"
            invitations.invite(team, address, "viewer", by_mail=True, actor=actor, now=timezone.now())
        with django_assert_max_num_queries(30):
            client.get(url("team", team))


class TestWithoutTheRight:
    def test_an_admin_does_not_reach_an_owner(self, client, team):
        owner = seat_of(team, make.owner_of(team))
        make.sign_in(client, make.make_member(team, "admin"))
        for name, method in (("team-member", "get"), ("team-member", "post"), ("team-member-remove", "post")):
            assert getattr(client, method)(url(name, team, owner.pk), {"role": "viewer"}).status_code == 403
        owner.refresh_from_db()
        assert owner.role == "owner"

    def test_who_was_removed_is_out_with_the_next_request(self, client, team):
        member = make.make_member(team, "member")
        make.sign_in(client, member)
        assert client.get(url("team-home", team)).status_code == 200
        seat_of(team, member).delete()
        assert client.get(url("team-home", team)).status_code == 404
        assert client.get(url("team-home", team), headers={"HX-Request": "true"}).status_code == 404
