"""Addresses of the inventory and of past jobs."""

from django.urls import path

from dispersed_web.web.views import history, inventory

_ONE = "t/<slug:slug>/inventory/<int:row_id>/"
urlpatterns = [
    path("t/<slug:slug>/inventory/", inventory.page, name="inventory"),
    path(f"{_ONE}adopt/", inventory.adopt, name="inventory-adopt"),
    path(f"{_ONE}stop/", inventory.stop, name="inventory-stop"),
    path(f"{_ONE}watch/", inventory.watch, name="inventory-watch"),
    path(f"{_ONE}unwatch/", inventory.unwatch, name="inventory-unwatch"),
    path(f"{_ONE}ignore/", inventory.ignore, name="inventory-ignore"),
    path(f"{_ONE}unignore/", inventory.unignore, name="inventory-unignore"),
    path(
        "t/<slug:slug>/credentials/<uuid:credential_id>/history/",
        history.credential_history,
        name="credential-history",
    ),
]
