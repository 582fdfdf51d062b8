"""A ledger that passes whatever the model says would be worth nothing: break the model, run it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CODE = """
import json, sys
import proofs_check.claims.field as f
wrong = {wrong}
f.VELOCITY = tuple(wrong.get(i, x) for i, x in enumerate(f.VELOCITY))
from proofs_check import run
print(json.dumps({{r.claim.id: str(r.verdict) for r in run({ids})}}))
"""
CASES = {
    "o' without alpha": ("{3: -f.c**2 * f.o}", ["M5", "M6", "M7", "M10"]),
    "epsilon' with the wrong sign": ("{1: f.c * (f.c * f.epsilon - f.B)}", ["M5", "F2", "F3"]),
}


@pytest.mark.parametrize("case", CASES)
def test_claims_about_a_broken_model_do_not_pass(case):
    wrong, ids = CASES[case]
    code = CODE.format(wrong=wrong, ids=ids)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    verdicts = json.loads(done.stdout)
    assert set(verdicts) == set(ids)
    assert not {"proved", "certified", "tested"} & set(verdicts.values()), verdicts
