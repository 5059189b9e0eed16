import json
import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispersed_web.dispersed.keys import KeyPair, Secret
from dispersed_web.dispersed.signing import (
    canonical_body,
    canonical_query,
    canonical_request,
    sign,
    signature,
)

from . import signer

DATA = json.loads((Path(__file__).parent / "signing-vectors.json").read_text())
KEYS = KeyPair(DATA["public_key"], DATA["secret_key"])
# Of the contested forms, the vendor's own client sends these; the other two are shown for what they are below.
NOT_PRODUCED = {"V7b", "V8b"}
PRODUCED = [vector for vector in DATA["vectors"] if vector["id"] not in NOT_PRODUCED]
OTHERS = [vector for vector in DATA["vectors"] if vector["id"] in NOT_PRODUCED]
BIG = 2**53 - 1


def headers_for(vector, query: str, body: bytes) -> dict[str, str]:
    return sign(
        KEYS,
        method=vector["method"],
        path=vector["path"],
        query=query,
        body=body,
        time_ms=DATA["time_ms"],
        nonce=DATA["nonce"],
    )


@pytest.mark.parametrize("vector", PRODUCED, ids=lambda vector: vector["id"])
def test_vector(vector):
    query = canonical_query([tuple(pair) for pair in vector.get("query", [])])
    body = canonical_body(vector["body"]) if "body" in vector else b""
    assert query == vector["query_text"]
    assert body == vector.get("body_text", "").encode()
    assert headers_for(vector, query, body) == {
        "X-API-Key": DATA["public_key"],
        "X-Time": str(DATA["time_ms"]),
        "X-Nonce": DATA["nonce"],
        "X-Signature": vector["signature"],
    }


@pytest.mark.parametrize("vector", OTHERS, ids=lambda vector: vector["id"])
def test_the_other_form_of_a_contested_vector_signs_as_stated_but_is_not_what_we_send(vector):
    ours = (
        canonical_query([tuple(pair) for pair in vector.get("query", [])]),
        canonical_body(vector.get("body")),
    )
    theirs = vector["query_text"], vector.get("body_text", "").encode()
    assert ours[0] != theirs[0] or ours[1] != theirs[1]
    assert signature(DATA["secret_key"], vector["canonical"]) == vector["signature"]
    assert headers_for(vector, *theirs)["X-Signature"] == vector["signature"]


@pytest.mark.parametrize("vector", DATA["vectors"], ids=lambda vector: vector["id"])
def test_canonical_string(vector):
    text = canonical_request(
        DATA["public_key"],
        method=vector["method"].lower(),
        path=vector["path"],
        query=vector["query_text"],
        body=vector.get("body_text", "").encode(),
        time_ms=DATA["time_ms"],
        nonce=DATA["nonce"],
    )
    assert text == vector["canonical"]


def test_all_vectors_are_here():
    assert [vector["id"] for vector in DATA["vectors"]] == [
        "V1",
        "V2",
        "V3",
        "V4",
        "V5",
        "V6",
        "V7a",
        "V7b",
        "V8a",
        "V8b",
    ]


texts = st.text(max_size=30)
leaves = st.none() | st.booleans() | st.integers(-BIG, BIG) | texts
json_values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
times = st.integers(0, 2**45)
nonces = st.text("0123456789abcdef", min_size=32, max_size=32)
pair_lists = st.lists(st.tuples(texts, texts), max_size=6)


@settings(deadline=None)
@given(json_values)
def test_body_agrees_with_an_independent_writer(value):
    assert canonical_body(value) == signer.json_text(value).encode("ascii")


@settings(deadline=None)
@given(pair_lists)
def test_query_agrees_with_an_independent_writer(pairs):
    assert canonical_query(pairs) == signer.query_text(pairs)


@settings(deadline=None)
@given(json_values, pair_lists, times, nonces, st.sampled_from(["GET", "POST", "PUT"]))
def test_signature_agrees_with_an_independent_signer(value, pairs, time_ms, nonce, method):
    path, query, body = "/v1/jobs", canonical_query(pairs), canonical_body(value)
    headers = sign(KEYS, method=method, path=path, query=query, body=body, time_ms=time_ms, nonce=nonce)
    assert headers["X-Signature"] == signer.signature(
        KEYS.public_key,
        KEYS.secret_key,
        time_ms=time_ms,
        nonce=nonce,
        method=method,
        path=path,
        query=query,
        body=body,
    )


@settings(deadline=None)
@given(st.dictionaries(texts, leaves), st.randoms())
def test_order_of_keys_and_pairs_does_not_matter(value, random):
    items = list(value.items())
    random.shuffle(items)
    assert canonical_body(dict(items)) == canonical_body(value)
    pairs = [(name, str(inner)) for name, inner in items]
    assert canonical_query(pairs) == canonical_query(sorted(pairs, reverse=True))


def test_any_changed_part_changes_the_signature():
    parts = {
        "method": "GET",
        "path": "/v1/jobs",
        "query": "a=1",
        "body": b"{}",
        "time_ms": 1,
        "nonce": "0" * 32,
    }
    changes = {
        "method": "PUT",
        "path": "/v1/job",
        "query": "a=2",
        "body": b"{} ",
        "time_ms": 2,
        "nonce": "1" * 32,
    }
    seen = {sign(KEYS, **{**parts, name: value})["X-Signature"] for name, value in changes.items()}
    assert len(seen | {sign(KEYS, **parts)["X-Signature"]}) == len(changes) + 1


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (-0.0, "0"), (1.5, "1.5"), ([2.0, {"a": (3.0,)}], '[2,{"a":[3]}]')]
)
def test_whole_floats_are_written_as_whole_numbers(value, text):
    assert canonical_body(value) == text.encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, 2**53, -(2**53), 1e-7])
def test_numbers_without_one_text_are_refused(value):
    with pytest.raises(ValueError):
        canonical_body({"a": [value]})


@pytest.mark.parametrize(
    "value", [{1: 2}, {None: 1}, {"a": b"x"}, {"a": Secret("x")}, {"a": Decimal(1)}, {"a": {1}}]
)
def test_what_is_not_json_is_refused(value):
    with pytest.raises(TypeError):
        canonical_body(value)


@pytest.mark.parametrize("path", ["", "v1/jobs", "/v1/jobs?x=1", "/v1//jobs"])
def test_paths_that_cannot_be_signed(path):
    with pytest.raises(ValueError):
        sign(KEYS, method="GET", path=path, query="", body=b"", time_ms=1, nonce="n")
