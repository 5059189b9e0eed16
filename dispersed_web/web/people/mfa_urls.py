"""Addresses of second factors: django-allauth's names and paths, before its own. What signs in, and what confirms who one
is, stays django-allauth's."""

from django.urls import path

from dispersed_web.web.people import confirm_again, mfa_views

urlpatterns = [
    path("reauthenticate/", confirm_again.confirm, name="account_reauthenticate"),
    path("2fa/", mfa_views.index, name="mfa_index"),
    path("2fa/totp/activate/", mfa_views.set_up_app, name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", mfa_views.remove_app, name="mfa_deactivate_totp"),
    path("2fa/webauthn/", mfa_views.keys, name="mfa_list_webauthn"),
    path("2fa/webauthn/add/", mfa_views.add_key, name="mfa_add_webauthn"),
    path("2fa/webauthn/reauthenticate/", confirm_again.confirm_by_key, name="mfa_reauthenticate_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/edit/", mfa_views.rename_key, name="mfa_edit_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/remove/", mfa_views.remove_key, name="mfa_remove_webauthn"),
    path("2fa/recovery-codes/", mfa_views.codes, name="mfa_view_recovery_codes"),
    path("2fa/recovery-codes/generate/", mfa_views.make_codes, name="mfa_generate_recovery_codes"),
    path("2fa/recovery-codes/download/", mfa_views.nothing, name="mfa_download_recovery_codes"),
]
