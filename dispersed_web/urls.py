"""Every address of the product."""

from django.urls import include, path

urlpatterns = [
    path("", include("dispersed_web.web.urls")),
    path("account/", include("allauth.account.urls")),
    path("api/", include("dispersed_web.api.urls")),
]

handler400 = "dispersed_web.web.errors.bad_request"
handler403 = "dispersed_web.web.errors.forbidden"
handler404 = "dispersed_web.web.errors.not_found"
handler500 = "dispersed_web.web.errors.broken"
