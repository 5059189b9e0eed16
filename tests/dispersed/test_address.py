import pytest

from dispersed_web.dispersed import Client, KeyPair, MixedKeys

REAL = KeyPair("pk_live_1", "sk_live_1")
SIMULATED = KeyPair("pk_sim_1", "sk_sim_1")
HALF = KeyPair("pk_sim_1", "sk_live_1")


@pytest.mark.parametrize(
    ("keys", "url", "simulated"),
    [
        (REAL, "https://api.dispersed.com", False),
        (REAL, "https://api.compute.x.io/", False),
        (REAL, "https://gateway.example.com:8443", False),
        (REAL, "http://127.0.0.1:8000", False),
        (REAL, "http://localhost:8000", False),
        (REAL, "http://[::1]:8000", False),
        (SIMULATED, "http://127.0.0.1:8000", True),
        (SIMULATED, "http://sandbox:8000", True),
        (SIMULATED, "https://sandbox.example.com", True),
    ],
)
def test_keys_and_addresses_that_belong_together(keys, url, simulated):
    Client(keys, url, simulated=simulated).close()


@pytest.mark.parametrize(
    ("keys", "url", "simulated"),
    [
        (SIMULATED, "https://api.dispersed.com", False),
        (SIMULATED, "http://127.0.0.1:8000", False),
        (REAL, "http://127.0.0.1:8000", True),
        (REAL, "https://api.dispersed.com", True),
        (SIMULATED, "https://api.dispersed.com", True),
        (SIMULATED, "https://API.Dispersed.com", True),
        (SIMULATED, "https://api.dispersed.com.:443", True),
        (SIMULATED, "https://api.compute.x.io", True),
        (HALF, "http://127.0.0.1:8000", True),
        (HALF, "https://api.dispersed.com", False),
    ],
)
def test_real_and_simulated_are_never_mixed(keys, url, simulated):
    with pytest.raises(MixedKeys) as caught:
        Client(keys, url, simulated=simulated)
    assert caught.value.sentence == str(caught.value)
    assert "sk_live_1" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.dispersed.com",
        "ftp://api.dispersed.com",
        "http://api.dispersed.com",
        "http://192.0.2.1",
        "http://localhost.example.com",
        "https://",
        "https://user:pass@api.dispersed.com",
        "https://api.dispersed.com/v1",
        "https://api.dispersed.com?x=1",
        "https://api.dispersed.com?",
        "https://api.dispersed.com#x",
        "https://api.dispersed.com:port",
    ],
)
def test_what_is_no_safe_address_is_refused(url):
    with pytest.raises(ValueError):
        Client(REAL, url)
