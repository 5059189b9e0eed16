"""The web server: granian with its own options, after everything was loaded that its workers need. Where they are forks of
this process they share that memory, and are ready at once.

Only modules are loaded here. What has a connection or a thread belongs to each worker, as :mod:`dispersed_web.wsgi` does.
"""

from __future__ import annotations

import gc
import multiprocessing
import os


def load() -> None:
    """Loads the product once, before the workers are forked, so that they share its memory."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispersed_web.settings")
    import django
    from django.urls import get_resolver

    django.setup()
    _ = get_resolver().url_patterns
    # The collector would write into every object, and each worker would get a copy of it.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    from granian.cli import entrypoint

    if multiprocessing.get_start_method() == "fork":
        load()
    entrypoint()
