"""The check boxes of regions, of which the caps of a credential may bar some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms

WHY_ID = "regions-barred"


class RegionWidget(forms.CheckboxSelectMultiple):
    """A barred region cannot be ticked; one that is ticked already can be taken back."""

    is_barred: Callable[[str], bool] | None = None

    def create_option(
        self, name: str, value: Any, label: Any, selected: bool, *args: Any, **more: Any
    ) -> Any:
        option = super().create_option(name, value, label, selected, *args, **more)
        if self.is_barred is not None and self.is_barred(str(value)):
            option["attrs"] |= {"data-barred": True, "aria-describedby": WHY_ID}
            option["attrs"] |= {} if selected else {"disabled": True}
        return option
