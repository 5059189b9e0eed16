"""Dispersed Web. docs/development.md says where what is; ``tests/test_layers.py`` who may import whom."""
