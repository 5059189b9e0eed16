"""The pages: the only place that makes HTML. Addresses in ``urls.py``, views in ``views/``, words beside their part."""
