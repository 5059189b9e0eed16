"""Which cloud an address leads to."""

import pytest

from dispersed_web.credentials.cloud import cloud_name


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://api.dispersed.com", "dispersed"),
        ("https://API.Dispersed.com/", "dispersed"),
        ("https://api.dispersed.com:443", "dispersed"),
        ("https://api.compute.x.io", "dispersed"),
        ("http://127.0.0.1:8091", "127.0.0.1:8091"),
        ("http://127.0.0.1:8092", "127.0.0.1:8092"),
        ("https://cloud.example.org", "cloud.example.org"),
    ],
)
def test_two_addresses_of_one_cloud_are_one(address, name):
    assert cloud_name(address) == name
