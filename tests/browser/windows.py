"""The sizes that pages are looked at in, and how a test opens one (the fixture is in ``conftest.py``)."""

from collections.abc import Callable

from playwright.sync_api import Page

# Width and height in CSS pixels.
DESKTOP = (1440, 900)
PHONE = (390, 844)
NARROW = (320, 640)
OpenWindow = Callable[..., Page]
