"""What is wrong with a recipe in the editor, shown beside the fields and rows that it was typed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from dispersed_web.recipes.document import ENV, GPU, Problem
from dispersed_web.recipes.errors import RecipeRefused
from dispersed_web.recipes.references import VOLUME
from dispersed_web.web.forms.recipe_input_rows import VARIABLE
from dispersed_web.web.forms.recipe_rows import VOLUMES, Rows


class RecipeFaults(forms.Form):
    """Of :class:`~dispersed_web.web.forms.recipe.RecipeForm`, which has the rows."""

    @property
    def fault_count(self) -> int:
        rows = sum(rows.total_error_count() for rows in self.all_rows)
        return sum(len(errors) for errors in self.errors.values()) + rows

    def blame(self, problems: Sequence[Problem]) -> None:
        """Shows what is wrong with the document beside the fields that it was typed in."""
        for problem in problems:
            form, field = self._place(problem.path)
            if isinstance(form, Rows):
                form.blame(problem.sentence)
                continue
            if field is not None and field in form.errors:
                continue
            form.add_error(field if field in form.fields else None, problem.sentence)

    def refuse(self, refused: RecipeRefused) -> None:
        """Shows why the domain refused, beside the field at fault or above the form."""
        if refused.problems:
            self.blame(refused.problems)
        else:
            self.add_error(refused.field if refused.field in self.fields else None, refused.sentence)

    def _blame_twins(self) -> None:
        seen: set[str] = set()
        for row in self.env.filled():
            name = row.cleaned_data.get("name") or ""
            if name in seen:
                row.add_error("name", f"{name} is in the list twice.")
            seen.add(name)

    def _place(self, path: tuple[str | int, ...]) -> tuple[Any, str | None]:
        part, *inner = path or ("",)
        name = str(inner[0]) if inner else ""
        if part == "inputs" and inner and isinstance(inner[0], int):
            return self._place_in(self.inputs.filled(), inner)
        if part == "spec" and name == ENV and len(inner) > 1:
            rows = [row for row in self.env.filled() if (row.cleaned_data.get("name") or "") == inner[1]]
            return (rows[-1], "name" if "name" in rows[-1].errors else "value") if rows else (self, None)
        if part == "spec" and name == VOLUMES:
            return (
                self._place_in(self.volumes.filled(), inner[1:]) if len(inner) > 1 else (self.volumes, None)
            )
        if part == "secrets" and name.startswith(VOLUME):
            rows = [row for row in self.volumes.filled() if row.target == name]
            return (rows[-1], "team_secret") if rows else (self.volumes, None)
        if part == "secrets":
            rows = [row for row in self.env.filled() if f"env.{row.cleaned_data.get('name') or ''}" == name]
            return (rows[-1], "team_secret") if rows else (self, "registry_team_secret")
        if part == "connection" and name == "links" and len(inner) > 1:
            return self._place_in(self.links.filled(), inner[1:])
        if part == "locked" and inner:
            return self, self._lock_field(inner[0])
        return self, {
            "connection": {"text": "connection_text", "ssh_user": "ssh_user"}.get(name),
            "tags": "tags",
        }.get(str(part), name or None)

    @staticmethod
    def _place_in(rows: Sequence[Any], inner: Sequence[str | int]) -> tuple[Any, str | None]:
        row = rows[int(inner[0])]
        field = str(inner[1]) if len(inner) > 1 else None
        if field == "to" and row.cleaned_data.get("to") == VARIABLE:
            field = "variable"
        return row, field

    def _lock_field(self, number: str | int) -> str | None:
        locked = sorted(self._locked(self.cleaned_data))
        target = locked[int(number)]
        name = "gpu_name" if target == GPU else target
        return name if name in self.fields else None
