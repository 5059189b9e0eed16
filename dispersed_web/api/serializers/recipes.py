"""Recipes, their versions and inputs, and a launch from one."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dispersed_web.api.serializers.base import StrictSerializer, UtcDateTimeField
from dispersed_web.api.serializers.jobs import PersonSerializer
from dispersed_web.api.serializers.launch import LaunchSerializer
from dispersed_web.jobs.keeping import LONGEST_TITLE
from dispersed_web.recipes import about
from dispersed_web.recipes.document import INPUT_TYPES
from dispersed_web.recipes.models import Recipe

MOST_ANSWERS = 200


class RecipeQuerySerializer(StrictSerializer):
    q = serializers.CharField(
        required=False, allow_blank=True, max_length=100, help_text="Words of the name or the description."
    )
    category = serializers.ChoiceField(Recipe.Category.choices, required=False)
    archived = serializers.BooleanField(
        required=False, default=False, help_text="The archived ones instead of the others."
    )


class RecipeBriefSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    category = serializers.ChoiceField(Recipe.Category.choices)
    visibility = serializers.ChoiceField(Recipe.Visibility.choices)
    owner = PersonSerializer(allow_null=True)
    version = serializers.IntegerField(allow_null=True, help_text="The current one.")
    launches = serializers.IntegerField()
    launched_at = UtcDateTimeField(allow_null=True)
    changed_at = UtcDateTimeField()
    archived_at = UtcDateTimeField(allow_null=True)
    page_url = serializers.URLField()


class RecipeListSerializer(serializers.Serializer):
    recipes = RecipeBriefSerializer(many=True)


class ChoiceSerializer(serializers.Serializer):
    value = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)


class InputSerializer(serializers.Serializer):
    """One question that a launch answers."""

    key = serializers.CharField(help_text="Its name in `answers`.")
    type = serializers.ChoiceField(INPUT_TYPES)
    to = serializers.CharField(help_text="What the answer sets: a field of the launch, or `env.NAME`.")
    name = serializers.CharField(help_text="What people read.")
    help = serializers.CharField(allow_blank=True)
    required = serializers.BooleanField()
    locked = serializers.BooleanField(help_text="Its default holds; no launch can change it.")
    default = serializers.JSONField(help_text="Null for none.")
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    unit = serializers.CharField(allow_blank=True)
    pattern = serializers.CharField(allow_blank=True)
    choices = ChoiceSerializer(many=True)


class VersionSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    note = serializers.CharField(allow_blank=True)
    made_by = PersonSerializer(allow_null=True)
    made_at = UtcDateTimeField()


class VersionListSerializer(serializers.Serializer):
    versions = VersionSerializer(many=True)


class FullVersionSerializer(VersionSerializer):
    inputs = InputSerializer(many=True, help_text="Those that a launch is asked; hidden ones are left out.")
    document = serializers.JSONField(
        help_text="The whole of it, as a recipe file has it. It holds no secrets."
    )


class RecipeSerializer(RecipeBriefSerializer):
    description_md = serializers.CharField(allow_blank=True)
    current = FullVersionSerializer(allow_null=True)


class OverridesSerializer(LaunchSerializer):
    """Fields of a launch, put in the place of the recipe's. What the recipe's author locked is refused."""

    remove_env = serializers.ListField(
        child=serializers.CharField(max_length=200),
        max_length=200,
        help_text="Variables of the recipe that the job does not get.",
    )

    def get_fields(self) -> dict[str, Any]:
        found = super().get_fields()
        for name in ("credential_id", "same_again", "supersedes"):
            found.pop(name)
        for one in found.values():
            one.required = False
            one.default = serializers.empty
        return found

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        return values


class RecipeLaunchSerializer(StrictSerializer):
    credential_id = serializers.UUIDField(help_text="From `GET /api/v1/credentials`.")
    version = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        help_text="The version that you looked at: when there is a newer one, nothing is launched (`recipe_moved`).",
    )
    title = serializers.CharField(
        required=False, max_length=LONGEST_TITLE, help_text="The recipe's if left out."
    )
    answers = serializers.DictField(
        child=serializers.JSONField(),
        required=False,
        default=dict,
        help_text="Input key → answer. An input without an answer has its default.",
    )
    overrides = OverridesSerializer(required=False)
    same_again = serializers.BooleanField(default=False, help_text="As for any launch.")
    supersedes = serializers.UUIDField(required=False, allow_null=True, help_text="As for any launch.")

    def validate_answers(self, answers: dict[str, Any]) -> dict[str, Any]:
        if len(answers) > MOST_ANSWERS:
            raise serializers.ValidationError(f"At most {MOST_ANSWERS} answers.")
        return answers


class AboutSerializer(StrictSerializer):
    name = serializers.CharField(required=False, max_length=about.LONGEST_NAME)
    description_md = serializers.CharField(
        required=False, allow_blank=True, max_length=about.LONGEST_DESCRIPTION, help_text="Markdown."
    )
    category = serializers.ChoiceField(Recipe.Category.choices, required=False)
    icon = serializers.CharField(required=False, max_length=20, help_text="A name of the icon sprite.")


class RecipeMakeSerializer(AboutSerializer):
    name = serializers.CharField(max_length=about.LONGEST_NAME)
    visibility = serializers.ChoiceField(Recipe.Visibility.choices, default="private")
    document = serializers.DictField(help_text="As `current.document` of a recipe has it.")
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class VersionMakeSerializer(StrictSerializer):
    seen_version = serializers.IntegerField(
        min_value=0, help_text="The number of the version that you changed; a newer one is not overwritten."
    )
    document = serializers.DictField(help_text="The whole new document.")
    note = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="What changed."
    )


class RollBackSerializer(StrictSerializer):
    seen_version = serializers.IntegerField(min_value=0)
    to = serializers.IntegerField(min_value=1, help_text="The number of the version to go back to.")


class NothingSerializer(StrictSerializer):
    """An empty body."""


class CopySerializer(StrictSerializer):
    name = serializers.CharField(required=False, default="", allow_blank=True, max_length=about.LONGEST_NAME)


class PresetSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    is_usual = serializers.BooleanField()
    recipe_id = serializers.UUIDField(allow_null=True, help_text="Null: of the form without a recipe.")
    answers = serializers.DictField(help_text="To the recipe's inputs, without secrets.")
    values = serializers.DictField(help_text="Fields of the launch form as typed, without secrets.")
    created_at = UtcDateTimeField()
    launch_url = serializers.URLField(help_text="The page that launches it.")


class PresetListSerializer(serializers.Serializer):
    presets = PresetSerializer(many=True)


class PresetMakeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=60)
    recipe_id = serializers.UUIDField()
    answers = serializers.DictField(child=serializers.JSONField(), required=False, default=dict)
    is_usual = serializers.BooleanField(default=False)
