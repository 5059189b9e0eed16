"""Recipes and their versions. A version never changes; an edit makes the next one."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Recipe(models.Model):
    """A launch that a team keeps: what it is, and the versions of its document. It holds no secrets."""

    class Category(models.TextChoices):
        MACHINE = "machine", "Machine to work on"
        TRAINING = "training", "Training"
        IMAGES = "images", "Images and video"
        LANGUAGE = "language", "Language models"
        BATCH = "batch", "Batch work"
        OTHER = "other", "Other"

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Only me"
        TEAM = "team", "The team"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("teams.Team", on_delete=models.PROTECT, related_name="recipes")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Empty for a starter recipe, and after its owner's account is gone.",
    )
    name = models.CharField(max_length=80)
    description_md = models.TextField("description", blank=True)
    category = models.CharField(max_length=10, choices=Category.choices, default=Category.OTHER)
    icon = models.CharField(max_length=20, default="file", help_text="A name of the icon sprite.")
    visibility = models.CharField(max_length=8, choices=Visibility.choices, default=Visibility.PRIVATE)
    current = models.ForeignKey("RecipeVersion", null=True, on_delete=models.PROTECT, related_name="+")
    source = models.CharField(
        max_length=140, blank=True, help_text="“starter:name” or “cloud:uuid”; empty for one made here."
    )
    copied_from = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="copies")
    launches = models.PositiveIntegerField(default=0)
    launched_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(visibility__in=["private", "team"]), name="recipe_visibility_known"
            ),
            models.UniqueConstraint(
                fields=["team", "source"],
                condition=Q(source__startswith="starter:"),
                name="recipe_starter_once_per_team",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["team", "name"], name="recipe_of_team")]

    def __str__(self) -> str:
        return self.name


class RecipeVersion(models.Model):
    """One state of a recipe's document (see :mod:`dispersed_web.recipes.document`)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    note = models.CharField(max_length=200, blank=True, help_text="What changed, in its author's words.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recipe", "number"], name="recipe_version_once_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.recipe} v{self.number}"


class RecipePin(models.Model):
    """A recipe that a person keeps at the top of their gallery."""

    recipe = models.ForeignKey(Recipe, on_delete=models.CASCADE, related_name="pins")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "recipe"], name="recipe_pin_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.recipe}"
