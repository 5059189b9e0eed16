"""Commands are named as whoever runs the server types them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.template import Context, Template

from dispersed_web import commands
from dispersed_web.supervisor.data_folder import DataFolder
from dispersed_web.supervisor.environment import product_environment

ROOT = Path(__file__).parent.parent


def test_texts_and_pages_name_them_as_the_product_was_started(settings: Any, tmp_path: Path) -> None:
    assert commands.named("secrets check") == "python manage.py secrets check"
    settings.MANAGE = product_environment({}, DataFolder(tmp_path), 8000, None)["DW_MANAGE"]
    page = Template('{% load commands %}{% command "audit verify" %}').render(Context())
    assert page == "bin/manage audit verify"


def test_no_page_and_no_sentence_names_one_way_alone() -> None:
    pages = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("templates/**/*.txt")]
    assert [str(path) for path in pages if "manage.py" in path.read_text()] == []
