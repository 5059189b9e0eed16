"""Every address of the product."""

from django.urls import include, path

from dispersed_web.api.views import heartbeat

urlpatterns = [
    path("hb/<str:token>", heartbeat.heartbeat, name="heartbeat"),
    path("hb/<str:token>/keep", heartbeat.keep, name="heartbeat-keep"),
    path("heartbeat.sh", heartbeat.script, name="heartbeat-script"),
    path("", include("dispersed_web.web.urls")),
    path("account/", include("dispersed_web.web.people.mfa_urls")),
    path("account/", include("dispersed_web.web.people.account_urls")),
    path("account/", include("allauth.account.urls")),
    path("account/2fa/", include("allauth.mfa.urls")),
    path("api/", include("dispersed_web.api.urls")),
]

handler400 = "dispersed_web.web.errors.bad_request"
handler403 = "dispersed_web.web.errors.forbidden"
handler404 = "dispersed_web.web.errors.not_found"
handler500 = "dispersed_web.web.errors.broken"
