"""One lemma for each case of a certificate: its constraints contradict each other.

The proof is the certificate: each of its terms is >= 0 or > 0 by the rules for products, the
equations' multiples are 0, and the sum is 0 by `ring`. No decision procedure searches for anything.
"""

from __future__ import annotations

from math import lcm
from typing import Any

from flint import fmpq

from proofs_check.certificates.cases import EQUAL, STRICT, Case
from proofs_check.certificates.formula import polynomial as parsed
from proofs_check.certificates.recheck import Proof, Term
from proofs_check.rocq.syntax import name, polynomial, whole

HELPERS = """
Lemma sum_pos a b : 0 < a -> 0 <= b -> 0 < a + b.
Proof. exact (Rplus_lt_le_0_compat a b). Qed.
Lemma sum_nonneg a b : 0 <= a -> 0 <= b -> 0 <= a + b.
Proof. exact (Rplus_le_le_0_compat a b). Qed.
Lemma sum_zero a b : a = 0 -> b = 0 -> a + b = 0.
Proof. intros -> ->. exact (Rplus_0_l 0). Qed.
Lemma times_zero a b : b = 0 -> a * b = 0.
Proof. intros ->. exact (Rmult_0_r a). Qed.
Lemma contradiction a b : 0 < a -> b = 0 -> a + b = 0 -> False.
Proof. intros P -> S. rewrite Rplus_0_r in S. rewrite S in P. exact (Rlt_irrefl 0 P). Qed.
"""


def core(label: str, case: Case, proof: Proof, ring: Any) -> str:
    """`Lemma label : forall names, constraint -> ... -> False.` with its proof."""
    names = tuple(ring.names())
    scaled = [whole(part.poly) for part in case.constraints]
    props = [
        f"{polynomial(poly, names)} = 0" if part.kind == EQUAL
        else f"0 {'<' if part.kind == STRICT else '<='} {polynomial(poly, names)}"
        for part, (poly, _) in zip(case.constraints, scaled, strict=True)
    ]  # fmt: skip
    made = _terms(case, proof, ring, [poly for poly, _ in scaled], [size for _, size in scaled])
    strict, rest, equations = made
    facts = _sum([f"({name_})" for name_ in rest[1]], "sum_nonneg _ _", "(Rle_refl 0)")
    positive = f"(sum_pos _ _ ({strict[1]}) {facts})"
    zero = _sum([f"({fact})" for fact in equations[1]], "sum_zero _ _", "eq_refl")
    total = f"({strict[0]} + {_chain(rest[0])})"
    lines = [f"Lemma {label} : forall {' '.join(map(name, names))} : R,"]
    lines += [f"  {prop} ->" for prop in props]
    hypotheses = " ".join(f"K{i}" for i in range(len(props)))
    lines += [
        "  False.", f"Proof. intros {' '.join(map(name, names))} {hypotheses}.",
        f"apply (contradiction {total} {_chain(equations[0])}).",
        f"- exact {positive}.", f"- exact {zero}.", "- ring.", "Qed.",
    ]  # fmt: skip
    return "\n".join(lines)


def _sum(facts: list[str], joint: str, last: str) -> str:
    for fact in reversed(facts):
        last = f"({joint} {fact} {last})"
    return last


def _chain(parts: list[str]) -> str:
    return "".join(f"({part} + " for part in parts) + "0" + ")" * len(parts)


def _terms(case: Case, proof: Proof, ring: Any, polys: list[Any], sizes: list[int]):
    """The strict term, the other terms, the equations' multiples: texts, and proofs of sign."""
    names = tuple(ring.names())
    raw = []
    for item in proof.terms:
        square, size = whole(parsed(item.square, ring))
        top, _, bottom = item.coef.partition("/")
        value = fmpq(int(top), int(bottom or "1")) / size**2
        for i in item.product:
            value = value / sizes[i]
        raw.append((item, value, square))
    multiples = [
        (part.equation, parsed(part.poly, ring) / fmpq(sizes[part.equation]))
        for part in proof.multipliers
    ]
    least = lcm(*(int(value.q) for _, value, _ in raw), *(whole(poly)[1] for _, poly in multiples))
    at = next(i for i, (item, _, _) in enumerate(raw) if _strict(item, case, ring))
    item, value, square = raw.pop(at)
    one = fmpq(least) * value * square.leading_coefficient() ** 2
    strict = (_product(one, item, "", polys, names), _sign(one, item, "", case, True))
    rest: tuple[list[str], list[str]] = ([], [])
    for item, value, square in raw:
        shown = polynomial(square, names)
        rest[0].append(_product(fmpq(least) * value, item, shown, polys, names))
        rest[1].append(_sign(fmpq(least) * value, item, shown, case, False))
    equations: tuple[list[str], list[str]] = ([], [])
    for i, poly in multiples:
        shown = polynomial(fmpq(least) * poly, names)
        equations[0].append(f"{shown} * {polynomial(polys[i], names)}")
        equations[1].append(f"times_zero {shown} _ K{i}")
    return strict, rest, equations


def _strict(item: Term, case: Case, ring: Any) -> bool:
    square = parsed(item.square, ring)
    alone = square.is_constant() and not square.is_zero()
    return alone and all(case.constraints[i].kind == STRICT for i in item.product)


def _product(size: fmpq, item: Term, square: str, polys: list[Any], names: tuple) -> str:
    parts = [str(int(size.p)), *(polynomial(polys[i], names) for i in item.product)]
    parts += [f"{square} ^ 2"] if square else []
    text = parts.pop()
    for part in reversed(parts):
        text = f"{part} * ({text})"
    return text


def _sign(size: fmpq, item: Term, square: str, case: Case, strict: bool) -> str:
    """A proof that the product is > 0 (`strict`) or >= 0."""
    number = f"(IZR_lt 0 {int(size.p)} eq_refl)"
    joint = "Rmult_lt_0_compat _ _" if strict else "Rmult_le_pos _ _"
    weak = f"(Rlt_le _ _ {number})"
    proofs = [number if strict else weak]
    for i in item.product:
        lower = not strict and case.constraints[i].kind == STRICT
        proofs.append(f"(Rlt_le _ _ K{i})" if lower else f"K{i}")
    proofs += [f"(pow2_ge_0 {square})"] if square else []
    text = proofs.pop()
    for part in reversed(proofs):
        text = f"({joint} {part} {text})"
    return text
