"""Accounts and the people of a team, as the pages and django-allauth need them."""
