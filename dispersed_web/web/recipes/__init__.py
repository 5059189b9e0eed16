"""Recipes in words: gallery, page, editor, versions, files."""
