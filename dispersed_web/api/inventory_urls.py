"""Addresses of the inventory."""

from django.urls import path

from dispersed_web.api.views import inventory

_ONE = "v1/inventory/<int:row_id>"
urlpatterns = [
    path("v1/inventory", inventory.Inventory.as_view(), name="inventory"),
    path(f"{_ONE}/adopt", inventory.Adopt.as_view(), name="inventory-adopt"),
    path(f"{_ONE}/stop", inventory.Stop.as_view(), name="inventory-stop"),
    path(f"{_ONE}/watch", inventory.Watch.as_view(), name="inventory-watch"),
    path(f"{_ONE}/unwatch", inventory.Unwatch.as_view(), name="inventory-unwatch"),
    path(f"{_ONE}/ignore", inventory.Ignore.as_view(), name="inventory-ignore"),
    path(f"{_ONE}/unignore", inventory.Unignore.as_view(), name="inventory-unignore"),
]
