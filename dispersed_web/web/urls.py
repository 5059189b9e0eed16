"""Addresses of the pages."""

from django.urls import path

from dispersed_web.web.views import home

app_name = "web"
urlpatterns = [
    path("", home.home, name="home"),
]
