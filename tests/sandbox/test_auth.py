"""Authentication: what is accepted, what is refused, and in which order."""

import itertools
import json
import time

import pytest

from dispersed_web.sandbox import DEMO_KEYS, Sandbox
from dispersed_web.sandbox.auth import signature_fits

from .plain_client import PlainClient, persistent

NORTH, SOUTH = DEMO_KEYS[0], DEMO_KEYS[1]
JOB = "01a04047-3a57-4aac-aa54-3083e126f509"
BODY_V4 = (
    '{"gpu_count":1,"max_timeout_run_ms":null,"min_vram_gb":24,"parameters":{"parameters":{"allowed_ips":'
    '["203.0.113.7/32"],"env":{"A":"1","MODEL":"x"},"image":"dispersednetwork/base","ports":[22,8000],'
    '"tag":"latest"},"type":"docker"},"task":"PERSISTENT","title":"demo"}'
)
# method and path, wire query, wire body, signature made by independent implementations of the vendor's description
VECTORS = [
    ("GET|/v1/jobs", "", "", "d3c33e09f2ff2db3f30df003ea564726a0a4f450ec69bdecbc2d85bc38aa1ce0"),
    (
        "GET|/v1/jobs",
        "page=1&limit=10",
        "",
        "73c63522d4a2b1f14d5b188d3a528a9a8b0f647e3fd0543e7cebde1cde8e6909",
    ),
    (
        "GET|/v1/job-runs",
        f"filter[status]=PENDING,RUNNING&limit=10&filter%5Bjob_uuid%5D={JOB}",
        "",
        "44c0e471e5840950cc2fe0d747f1c3adf5e199dcbe6c7e5396622bcdabadfc27",
    ),
    ("POST|/v1/jobs", "", BODY_V4, "0c1bd4615ad0498b298fd166f6a053d0ad9070e6d7f772b09a35d3de80673515"),
    (
        f"PUT|/v1/jobs/{JOB}/cancel",
        "",
        '{ "reason": "Cancelled by user" }',
        "4d6a353a28ea599ac441690602eb8b4724b2a0af1a4eaeeb781ee3a5111f449e",
    ),
    (
        "POST|/v1/job-recipes/01a0114e-e7f8-4e76-a07a-f09fca41e2be/cook",
        "",
        "{}",
        "75d4f310f4e4ece9393e171f3c364329f05b7de5de5832b4ad50e9f6762e96f2",
    ),
    (
        "POST|/v1/jobs",
        "",
        '{"title":"café"}',
        "e4ae53b14f6d28b719af1c484bf3f0b875568ab3a2fb2e1727f706777d2947e2",
    ),
    (
        "POST|/v1/jobs",
        "",
        '{"title":"café"}',
        "b50889b65d74fc02dafc0fdb7b22363c4470af32c97c4c0d43597141ad410381",
    ),
    (
        "GET|/v1/compute/offers",
        "filter[gpu_name]=RTX+4090",
        "",
        "e6f13c00508489cc23dd705974eca0a99d0713f78858fc9cea4187901fc53279",
    ),
    (
        "GET|/v1/compute/offers",
        "filter[gpu_name]=RTX+4090",
        "",
        "197f069783ae839556980fd511475b9982216d58f59be9bfa4835e6df032f1a4",
    ),
]


def fits(target, query, body, signature, strict=None):
    prefix = f"pk_test_0123456789abcdef|1706918400000|a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6|{target}|".encode()
    return signature_fits("sk_test_fedcba9876543210", prefix, query, body.encode(), signature, strict)


@pytest.mark.parametrize(("target", "query", "body", "signature"), VECTORS)
def test_known_signatures_fit_and_altered_ones_do_not(target, query, body, signature):
    assert fits(target, query, body, signature)
    assert not fits(target, query + "&x=1", body, signature)
    assert not fits(target, query, '{"other":1}', signature)
    assert not fits(target + "s", query, body, signature)
    assert not fits(target, query, body, ("0" if signature[0] != "0" else "1") + signature[1:])


def test_strict_accepts_one_form_only():
    escaped, raw, plus, percent = (vector[3] for vector in VECTORS[6:])
    body, query = '{"title":"café"}', "filter[gpu_name]=RTX%204090"
    assert fits("POST|/v1/jobs", "", body, escaped, "escaped")
    assert not fits("POST|/v1/jobs", "", body, raw, "escaped")
    assert fits("POST|/v1/jobs", "", body, raw, "raw")
    assert not fits("POST|/v1/jobs", "", body, escaped, "raw")
    assert fits("GET|/v1/compute/offers", query, "", plus, "escaped")
    assert not fits("GET|/v1/compute/offers", query, "", percent, "escaped")


@pytest.mark.parametrize(
    ("space", "escape", "sort_wire"), list(itertools.product(("+", "%20"), (True, False), (True, False)))
)
def test_every_dialect_in_the_field_is_served(sandbox, space, escape, sort_wire):
    client = PlainClient(sandbox.url, NORTH, space=space, escape=escape, sort_wire=sort_wire)
    created = client.post("/v1/jobs", persistent(title="Café – 日本 🚀 ~*!'()"))
    assert created.status == 201
    assert created.json["title"] == "Café – 日本 🚀 ~*!'()"
    offers = client.get("/v1/compute/offers", **{"page": 1, "limit": 10, "filter[gpu_name]": "RTX 4090"})
    assert offers.status == 200
    assert {o["hardware_summary"]["gpu_models"][0]["name"] for o in offers.json["data"]} == {"RTX 4090"}
    client.close()


@pytest.mark.parametrize("text", ["1.0", "1"])
def test_floats_are_signed_as_python_or_as_javascript_writes_them(client, text):
    body = client.canonical_body({**persistent(), "gpu_count": 123}).replace(b"123", text.encode())
    for signed in (body, body.replace(b"1.0", b"1")):
        headers = client.sign("POST", "/v1/jobs", [], signed)
        answer = client.exchange("POST", "/v1/jobs", body, headers)
        assert (answer.status, answer.json["gpu_count"]) == (201, 1)


def test_the_server_sorts_what_it_receives_before_it_hashes(client):
    wire = json.dumps(persistent()).encode()
    canonical = client.canonical_body(persistent())
    assert wire != canonical
    assert (
        client.exchange("POST", "/v1/jobs", wire, client.sign("POST", "/v1/jobs", [], canonical)).status
        == 201
    )
    as_sent = client.exchange("POST", "/v1/jobs", wire, client.sign("POST", "/v1/jobs", [], wire))
    assert (as_sent.status, as_sent.code) == (401, "invalid_signature")


def test_refusals_name_their_reason_and_stand_in_the_ledger(client, control):
    now_ms = int(time.time() * 1000)
    nonce = "ab" * 16
    assert client.send("GET", "/v1/jobs", nonce=nonce).status == 200
    refused = {
        "nonce_reused": client.send("GET", "/v1/jobs", nonce=nonce),
        "timestamp_out_of_range": client.send("GET", "/v1/jobs", at_ms=now_ms - 301_000),
        "invalid_timestamp": client.send("GET", "/v1/jobs", at_ms="soon"),
        "invalid_signature": client.send("GET", "/v1/jobs", secret="sk_sim_wrong"),
        "missing_auth_header": client.exchange("GET", "/v1/jobs", b"", {}),
        "invalid_nonce": client.send("GET", "/v1/jobs", nonce="not-hex"),
    }
    for code, answer in refused.items():
        assert (answer.status, answer.code) == (401, code)
        assert answer.json["error"]["message"]
    verdicts = [row["verdict"] for row in control.requests()]
    assert verdicts == ["ok", *refused]


def test_checks_come_in_the_order_time_key_signature_nonce_then_the_rest(client, control):
    nonce, old = "cd" * 16, int(time.time() * 1000) - 400_000
    control.revoke_key(NORTH[0])
    assert (
        client.send("GET", "/v1/nowhere", at_ms=old, secret="x", nonce=nonce).code == "timestamp_out_of_range"
    )
    assert client.send("GET", "/v1/nowhere", secret="x", nonce=nonce).code == "api_key_revoked"
    control.restore_key(NORTH[0])
    assert client.send("GET", "/v1/nowhere", secret="x", nonce=nonce).code == "invalid_signature"
    assert client.send("GET", "/v1/nowhere", nonce=nonce).code == "not_found"
    assert client.send("GET", "/v1/nowhere", nonce=nonce).code == "nonce_reused"


def test_a_refused_request_has_no_effect(client, control):
    for fault in ({"secret": "wrong"}, {"at_ms": 1}, {"nonce": "zz"}):
        assert client.send("POST", "/v1/jobs", body=persistent(), **fault).status == 401
    assert control.jobs() == []


def test_nonces_are_remembered_across_a_restart_and_by_key(tmp_path):
    nonce = "ef" * 16
    with Sandbox(tmp_path) as sandbox:
        for key in (NORTH, SOUTH):
            with PlainClient(sandbox.url, key) as client:
                assert client.send("GET", "/v1/jobs", nonce=nonce).status == 200
    with Sandbox(tmp_path) as sandbox, PlainClient(sandbox.url, NORTH) as client:
        assert client.send("GET", "/v1/jobs", nonce=nonce).code == "nonce_reused"


def test_the_time_window_is_settable_and_can_be_none(client, control):
    old = int(time.time() * 1000) - 3_600_000
    assert client.send("GET", "/v1/jobs", at_ms=old).status == 401
    control.set_time_window(7_200)
    assert client.send("GET", "/v1/jobs", at_ms=old).status == 200
    control.set_time_window(None)
    assert client.send("GET", "/v1/jobs", at_ms=1).status == 200


def test_a_skewed_service_refuses_right_clocks_and_shows_it_in_date(client, control):
    control.set_clock_skew(3_600)
    answer = client.get("/v1/jobs")
    assert answer.code == "timestamp_out_of_range"
    control.set_clock_skew(0)
    assert answer.headers["Date"] != client.get("/v1/jobs").headers["Date"]


def test_advancing_the_service_locks_nobody_out(client, control):
    control.advance(86_400)
    assert client.get("/v1/jobs").status == 200


def test_keys_can_expire_lose_permissions_and_be_bound_to_addresses(client, control):
    control.expire_key(NORTH[0])
    assert client.get("/v1/jobs").code == "api_key_expired"
    control.restore_key(NORTH[0])
    control.set_allowed_ips(NORTH[0], ["203.0.113.0/24"])
    refused = client.get("/v1/jobs")
    assert (refused.status, refused.code) == (403, "ip_not_allowed")
    control.set_allowed_ips(NORTH[0], ["127.0.0.0/8"])
    assert client.get("/v1/jobs").status == 200
    control.set_permissions(NORTH[0], forbid=["jobs.cancel.own"])
    uuid = client.post("/v1/jobs", persistent()).json["uuid"]
    refused = client.cancel(uuid)
    assert (refused.status, refused.code) == (403, "forbidden")
    control.set_permissions(NORTH[0], read_only=True)
    assert client.post("/v1/jobs", persistent()).status == 403
    assert client.get(f"/v1/jobs/{uuid}").json["status"] == "PENDING"
