"""A statement as the ledger prints it, hypotheses -> conclusion, proved from its cases' lemmas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from flint import fmpq

from proofs_check.certificates.cases import cases, divisors, positive, sign_of
from proofs_check.certificates.formula import Poly, Relation
from proofs_check.certificates.recheck import Certificate
from proofs_check.rocq.cores import core
from proofs_check.rocq.syntax import Atom, Group, Tree, name, polynomial, tree, whole

HELPERS = """
Lemma of_gt a b W P : a > b -> 0 < W -> P = W * (a - b) -> 0 < P.
Proof. intros H W0 ->. apply Rmult_lt_0_compat; [exact W0 | exact (Rlt_Rminus b a H)]. Qed.
Lemma of_ge a b W P : a >= b -> 0 < W -> P = W * (a - b) -> 0 <= P.
Proof. intros H W0 ->. apply Rmult_le_pos; [exact (Rlt_le 0 W W0) | lra]. Qed.
Lemma of_lt a b W P : a < b -> 0 < W -> P = W * (b - a) -> 0 < P.
Proof. exact (of_gt b a W P). Qed.
Lemma of_le a b W P : a <= b -> 0 < W -> P = W * (b - a) -> 0 <= P.
Proof. intros H. apply of_ge. exact (Rle_ge a b H). Qed.
Lemma of_eq a b W P : a = b -> 0 < W -> P = W * (a - b) -> P = 0.
Proof. intros -> _ ->. ring. Qed.
Lemma of_ne a b W P : a <> b -> 0 < W -> P = W * (a - b) ^ 2 -> 0 < P.
Proof. intros H W0 ->. apply Rmult_lt_0_compat; [exact W0 |].
assert (D : a - b <> 0) by lra. pose proof (Rsqr_pos_lt _ D) as S. unfold Rsqr in S.
replace ((a - b) ^ 2) with ((a - b) * (a - b)) by ring. exact S. Qed.
Lemma square_pos f : f <> 0 -> 0 < f * f.
Proof. exact (Rsqr_pos_lt f). Qed.
Ltac nonzero := match goal with
  | H : ?f <> 0 |- _ <> 0 => exact H
  | H : ?f <> 0 |- _ <> 0 => let Z := fresh in intro Z; apply H; lra
  | H : ?f <> 0 |- _ <> 0 => let Z := fresh in intro Z; apply H; field_simplify_eq in Z; lra
  end.
Ltac same := first [solve [ring] | solve [field; repeat split; first [lra | nonzero]]].
Ltac above := first [solve [lra] | apply square_pos; assumption | apply Rmult_lt_0_compat; above].
"""
BY_SIGN = {">": "of_gt", ">=": "of_ge", "<": "of_lt", "<=": "of_le", "==": "of_eq", "!=": "of_ne"}


@dataclass(frozen=True)
class Proved:
    """A statement's lemmas: `label`_case_i for each case of its certificate, then `label`."""

    label: str
    certificate: Certificate

    @property
    def names(self) -> tuple[str, ...]:
        """The variables."""
        return self.certificate.statement.names

    @cached_property
    def given(self) -> list[Tree]:
        """The hypotheses."""
        statement = self.certificate.statement
        return [tree(text, statement.ring) for text in statement.given]

    @cached_property
    def then(self) -> Tree:
        """The conclusion."""
        return tree(self.certificate.statement.then, self.certificate.statement.ring)

    @cached_property
    def known(self) -> list[Poly]:
        """Polynomials that a hypothesis says to be > 0 as it stands."""
        return positive(self.certificate.statement.parsed[0])

    @cached_property
    def factors(self) -> list[Poly]:
        """Factors of divisors, each with cases of its own."""
        given, then = self.certificate.statement.parsed
        return divisors([*given, then], self.known)

    def text(self) -> str:
        """All its cases' lemmas, then the statement."""
        statement = self.certificate.statement
        pairs = zip(cases(statement), self.certificate.proofs, strict=True)
        cores = [core(f"{self.label}_case_{i}", case, proof, statement.ring)
                 for i, (case, proof) in enumerate(pairs, 1)]  # fmt: skip
        quantified = f"forall {' '.join(map(name, self.names))} : R, " if self.names else ""
        lines = [f"Lemma {self.label} : {quantified}"]
        lines += [f"  {part.text()} ->" for part in self.given]
        lines += [f"  {self.then.text()}.", "Proof."]
        lines.append(f"intros {' '.join([*map(name, self.names), *self._names()])}.")
        for i, part in enumerate(self.given):
            if isinstance(part, Group):
                lines.append(f"destruct H{i} as {_pattern(part, f'H{i}')}.")
        ways = _product([_ways(part, f"H{i}") for i, part in enumerate(self.given)])
        last = _negated_ways(self.then)
        # One bullet for each way to satisfy the hypotheses; cases come in the same order.
        for i, way in enumerate(ways):
            lines += [
                "{",
                *self._divisors_differ(ways, i),
                *self._conclude(way, i * len(last)),
                "}",
            ]
        return "\n".join([*cores, *lines, "Qed."])

    def _names(self) -> list[str]:
        return [f"H{i}" for i in range(len(self.given))]

    def _divisors_differ(self, ways: list[list[Fact]], at: int) -> list[str]:
        """f <> 0 for every divisor's factor, each by its own case's lemma."""
        plain = [(i, p) for i, p in enumerate(self.given) if not _divides(p)]
        options = _product([_ways(part, f"H{i}") for i, part in plain])
        here = {h for h, _ in ways[at]}
        chosen = next(k for k, way in enumerate(options) if {h for h, _ in way} <= here)
        first = len(ways) * len(_negated_ways(self.then))
        lines = []
        for j, factor in enumerate(self.factors):
            number = first + j * len(options) + chosen + 1
            poly = polynomial(whole(factor)[0], self.names)
            facts = [(f"G{h}", h, atom) for h, atom in options[chosen]]
            lines += [f"assert (N{j} : {poly} <> 0). {{", "intro Z."]
            lines += [self._assert(*fact) for fact in facts]
            lines += [self._use(number, [f for f, _, _ in facts] + ["Z"]), "}"]
        return lines

    def _conclude(self, way: list[Fact], first: int) -> list[str]:
        lines = [self._assert(f"F{h}", h, atom) for h, atom in way]
        counter = iter(range(first + 1, first + 1 + len(_negated_ways(self.then))))
        return lines + self._goal(self.then, [f"F{h}" for h, _ in way], counter)

    def _goal(self, part: Tree, facts: list[str], counter: Iterator[int]) -> list[str]:
        """The script for one part of the conclusion, cases taken in their order."""
        if isinstance(part, Atom):
            return self._either([part], facts, counter)
        if not part.every:
            return self._either(list(part.parts), facts, counter)
        *others, last = part.parts
        lines = []
        for one in others:
            lines += ["split.", "{", *self._goal(one, facts, counter), "}"]
        return lines + self._goal(last, facts, counter)

    def _either(self, parts: list[Tree], facts: list[str], counter: Iterator[int]) -> list[str]:
        """One of the parts: each is decided, and its negation is one more fact for the next."""
        if not parts:
            return ["exfalso.", self._use(next(counter), facts)]
        part, *rest = parts
        if not isinstance(part, Atom):
            raise NotImplementedError("an alternative inside an alternative")
        side = ("left; ", "right; ") if rest else ("", "")
        new = f"A{len(rest)}"
        a, b = part.left, part.right

        def otherwise(negation: Atom) -> list[str]:
            made = self._assert(f"F{new}", new, negation)
            go = ["right."] if rest else []
            return [made, *go, *self._either(rest, [*facts, f"F{new}"], counter)]

        if part.relation.sign == "==":
            above, below = (Atom(Relation(s, part.relation.left), a, b) for s in "><")
            return [f"destruct (Rtotal_order ({a}) ({b})) as [{new} | [{new} | {new}]]; "
                    f"[| {side[0]}exact {new} |].",
                    "2: {", *otherwise(above), "}", *otherwise(below)]  # fmt: skip
        decided = f"decide_{DECIDED[part.relation.sign]} ({a}) ({b})"
        return [f"destruct ({decided}) as [{new} | {new}]; [{side[0]}exact {new} |].",
                *otherwise(part.negated())]  # fmt: skip

    def _use(self, number: int, facts: list[str]) -> str:
        given = " ".join([*map(name, self.names), *facts])
        return f"exact ({self.label}_case_{number} {given})."

    def _assert(self, fact: str, hypothesis: str, atom: Atom) -> str:
        """The case's constraint from `atom`: W (left - right), or W (left - right)^2."""
        weight, poly = self._weight(atom)
        sign = atom.relation.sign
        shown = polynomial(poly, self.names)
        weak = "<=" if sign in (">=", "<=") else "<"
        prop = f"{shown} = 0" if sign == "==" else f"0 {weak} {shown}"
        by = f"{BY_SIGN[sign]} ({atom.left}) ({atom.right}) ({weight}) {shown}"
        return f"assert ({fact} : {prop}). {{ apply ({by}); [exact {hypothesis} | above | same]. }}"

    def _weight(self, atom: Atom) -> tuple[str, Poly]:
        """W > 0 as a product, and the constraint's polynomial with whole coefficients."""
        quotient, sign = atom.relation.left, atom.relation.sign
        size, factors = quotient.bottom.factor()
        poly = quotient.top if size > 0 else -quotient.top
        size = abs(size)
        parts: list[str] = []
        for factor, exponent in factors:
            plain, least = whole(factor)
            shown = polynomial(plain, self.names)
            known = sign_of(factor, self.known) if exponent % 2 else 0
            raised = exponent + (exponent % 2 if known == 0 else 0)
            size = size / fmpq(least) ** raised
            parts += [f"({shown} * {shown})"] * (raised // 2)
            if exponent % 2:
                poly = poly * factor if known == 0 else known * poly
            if raised % 2:
                parts.append(shown if known > 0 else f"(- {shown})")
        if sign in ("<", "<="):
            poly = -poly
        if sign == "!=":
            parts, size, poly = parts * 2, size**2, poly**2
        plain, least = whole(poly)
        size = size * least
        return " * ".join([f"({int(size.p)} / {int(size.q)})", *parts]), plain


Fact = tuple[str, Atom]


DECIDED = {">": "gt", ">=": "ge", "<": "lt", "<=": "le", "!=": "ne", "==": "eq"}
DECISIONS = """
Lemma decide_lt (a b : R) : {a < b} + {a >= b}.
Proof. destruct (Rlt_le_dec a b); [left | right]; lra. Qed.
Lemma decide_gt (a b : R) : {a > b} + {a <= b}.
Proof. destruct (Rlt_le_dec b a); [left | right]; lra. Qed.
Lemma decide_le (a b : R) : {a <= b} + {a > b}.
Proof. destruct (Rlt_le_dec b a); [right | left]; lra. Qed.
Lemma decide_ge (a b : R) : {a >= b} + {a < b}.
Proof. destruct (Rlt_le_dec a b); [right | left]; lra. Qed.
Lemma decide_eq (a b : R) : {a = b} + {a <> b}.
Proof. exact (Req_EM_T a b). Qed.
Lemma decide_ne (a b : R) : {a <> b} + {a = b}.
Proof. destruct (Req_EM_T a b); [right | left]; assumption. Qed.
"""


def _divides(part: Tree) -> bool:
    if isinstance(part, Atom):
        return bool(part.relation.left.divisors)
    return any(_divides(one) for one in part.parts)


def _pattern(part: Tree, at: str) -> str:
    if isinstance(part, Atom):
        return at
    inside = [_pattern(one, f"{at}_{i}") for i, one in enumerate(part.parts)]
    joint = " " if part.every else " | "
    text = inside.pop()
    for one in reversed(inside):
        text = f"[{one}{joint}{text}]"
    return text


def _ways(part: Tree, at: str) -> list[list[Fact]]:
    """As in `cases`: the ways to satisfy a hypothesis, with the name of each comparison."""
    if isinstance(part, Atom):
        return [[(at, part)]]
    inside = [_ways(one, f"{at}_{i}") for i, one in enumerate(part.parts)]
    return _product(inside) if part.every else [way for ways in inside for way in ways]


def _negated_ways(then: Tree) -> list[list[Fact]]:
    negated = then.negated()
    return _ways(_split(negated), "N")


def _split(part: Tree) -> Tree:
    if isinstance(part, Group):
        return Group(part.every, tuple(map(_split, part.parts)))
    if part.relation.sign != "!=":
        return part
    pair = tuple(Atom(Relation(s, part.relation.left), part.left, part.right) for s in "><")
    return Group(False, pair)


def _product(options: list[list[list[Fact]]]) -> list[list[Fact]]:
    return [[fact for way in choice for fact in way] for choice in product(*options)]
