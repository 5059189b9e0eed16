"""Django application."""

from django.apps import AppConfig


class RecipesConfig(AppConfig):
    name = "dispersed_web.recipes"
