"""django-allauth's switchboard: who may sign up and in, how often it may be tried, and where the links in e-mails lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMultiAlternatives
from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_variables

from dispersed_web.accounts import throttles
from dispersed_web.accounts.models import User
from dispersed_web.notifications import letter
from dispersed_web.web.client_address import UNKNOWN, client_address
from dispersed_web.web.people import attempts, confirm_address, notices, signup

# The addresses in mails of accounts, and what their buttons say
BUTTONS = {
    "activate_url": "Confirm the address",
    "password_reset_url": "Choose a password",
    "signup_url": "Make an account",
}
WHY = {"account/email/email_changed": "it was the address of an account there"}
WRONG = "The address or the password is not right."


@dataclass(frozen=True)
class PublicSite:
    """This installation as e-mails name it."""

    domain: str
    name: str = "Dispersed Web"


def too_often(wait_s: int, what: str = "Too many attempts") -> ValidationError:
    """The sentence for somebody who has to wait."""
    return ValidationError(f"{what}. Try again in {throttles.in_words(wait_s)}.", code="throttled")


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": WRONG,
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your password.",
        "email_taken": "This address belongs to another account.",
        "duplicate_email": "This is your address already.",
        "invalid_password_reset": "This link works no more.",
        "same_as_current": "This is your address already.",
    }

    # Who may sign up and in ------------------------------------------------------------------------------------------

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return signup.may_sign_up(request)

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """What was proved besides by a link of ours: an invitation that was mailed to the address."""
        return signup.is_proved(request, email)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        user.name = form.cleaned_data.get("name", "")
        user.time_zone = form.cleaned_data.get("time_zone", user.time_zone)
        return super().save_user(request, user, form, commit)

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """A team's service account is nobody who signs in."""
        if user.is_service:
            return self.respond_user_inactive(request, user)
        return super().pre_login(request, user, **kwargs)

    def respond_email_verification_sent(self, request: HttpRequest, user: User | None) -> HttpResponse:
        """The password was right, or just chosen, and the mail is on its way."""
        confirm_address.remember(request, user)
        return super().respond_email_verification_sent(request, user)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """False, with a message, where another account has the address: it was made in between."""
        taken = User.objects.exclude(pk=email_address.user_id).filter(email__iexact=email_address.email)
        if taken.exists():
            text = f"{email_address.email} belongs to another account already."
            messages.error(request, text)
            return False
        return super().confirm_email(request, email_address)

    # How often -------------------------------------------------------------------------------------------------------

    @sensitive_variables()
    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Checks a password, and counts it when it was wrong. Raises ``ValidationError`` when there were too many."""
        attempt = attempts.begin(request, credentials.get("email", ""))
        if attempt.wait_s:
            raise too_often(attempt.wait_s, "Too many wrong passwords")
        user = super().authenticate(request, **credentials)
        if user:
            attempt.was_right()
            return user
        notices.note_failure(request, attempt.user_id)
        if attempt.was_last(timezone.now()):
            notices.tell_of_attempts(attempt.user_id)
        return None

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """Silently left out after too many: the links sent before still work."""
        if _may_mail(emailconfirmation.email_address.email):
            super().send_confirmation_mail(request, emailconfirmation, signup)

    def send_account_already_exists_mail(self, email: str) -> None:
        if _may_mail(email):
            super().send_account_already_exists_mail(email)

    def is_reauthentication_required(self, **kwargs: Any) -> bool:
        """Our own pages ask (``sudo.py``); django-allauth would keep a form that was sent in the session meanwhile."""
        return False

    # Addresses -------------------------------------------------------------------------------------------------------

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or UNKNOWN

    def is_safe_url(self, url: str | None) -> bool:
        """Whether ``next=`` may lead there: to an address of this installation only."""
        request = allauth_context.request
        hosts = {urlsplit(settings.PUBLIC_URL).netloc} | ({request.get_host()} if request else set())
        return url_has_allowed_host_and_scheme(url, hosts, require_https=settings.HTTPS)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/me/"

    # E-mails ---------------------------------------------------------------------------------------------------------

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """People are told of their account by ``notices``; only an address that they left needs a mail of its own."""
        if email:
            super().send_notification_mail(template_prefix, user, context, email)

    @sensitive_variables()
    def render_mail(
        self, template_prefix: str, email: str, context: dict[str, Any], headers: dict[str, str] | None = None
    ) -> EmailMultiAlternatives:
        """In the look of all other mails, from django-allauth's plain text alone."""
        subject = " ".join(render_to_string(f"{template_prefix}_subject.txt", context).split())
        text = render_to_string(f"{template_prefix}_message.txt", context).strip()
        buttons = {context[name]: label for name, label in BUTTONS.items() if context.get(name)}
        return letter.write(
            email,
            subject,
            text.splitlines(),
            "email/account.html",
            {"pieces": letter.pieces(text, buttons)},
            foot=letter.foot(email, WHY.get(template_prefix, "this address was given there")),
            headers=headers,
        )

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A stranger may ask for somebody's e-mail, so its links never follow the Host header of the request."""
        request = allauth_context.request
        host = request.get_host() if request else ""
        public = {name: _public(value, host) for name, value in context.items()}
        site = PublicSite(urlsplit(settings.PUBLIC_URL).netloc)
        public |= {"current_site": site, "public_url": settings.PUBLIC_URL, "signup": settings.SIGNUP}
        super().send_mail(template_prefix, email, public)


def _may_mail(email: str) -> bool:
    return not throttles.take("confirm_mail", email.lower(), timezone.now())


def _public(value: Any, host: str) -> Any:
    """An address of this installation with the host that it is known by; everything else as it is."""
    if not isinstance(value, str) or urlsplit(value).netloc != host or not host:
        return value
    parts = urlsplit(value)
    return settings.PUBLIC_URL + parts._replace(scheme="", netloc="").geturl()
