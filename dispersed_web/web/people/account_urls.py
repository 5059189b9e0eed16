"""Addresses of accounts that are ours instead of django-allauth's, under its names and paths and before its own."""

from django.urls import path, re_path

from dispersed_web.web.people import account_views, confirm_address, reset_key
from dispersed_web.web.views import my_sessions

urlpatterns = [
    re_path(
        r"^confirm-email/(?P<key>[-:\w]+)/$", confirm_address.confirm_address, name="account_confirm_email"
    ),
    path("email/", account_views.change_email, name="account_email"),
    path("password/set/", account_views.set_password, name="account_set_password"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        reset_key.set_password,
        name="account_reset_password_from_key",
    ),
    path("login/code/confirm/", account_views.absent, name="account_confirm_login_code"),
    path("sessions/", my_sessions.my_sessions, name="usersessions_list"),
    path("3rdparty/login/cancelled/", account_views.oidc_cancelled, name="socialaccount_login_cancelled"),
    path("3rdparty/login/error/", account_views.oidc_error, name="socialaccount_login_error"),
    path("3rdparty/signup/", account_views.absent, name="socialaccount_signup"),
    path("3rdparty/", account_views.absent, name="socialaccount_connections"),
    path("oidc/<slug:provider_id>/login/", account_views.oidc_login, name="openid_connect_login"),
    path(
        "oidc/<slug:provider_id>/login/callback/", account_views.oidc_callback, name="openid_connect_callback"
    ),
]
