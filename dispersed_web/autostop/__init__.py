"""When a job stops by itself, and why. ``policy.py`` decides and is pure, ``facts.py`` gathers, ``engine.py`` acts."""
