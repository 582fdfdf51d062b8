"""Algebraically largest eigenpairs of a slowly changing symmetric operator, from few products.

1. A secant model of the operator (module `secant`) remembers what products have shown, in a few
   rows, from one evaluation to the next; what it has not been shown of late it doubts: it hopes
   for more there, the more so the longer ago it was and the more the top has changed of late.
2. Each product is spent on the top eigenvector of that hopeful model, outside of what has been
   measured in this evaluation; the first one on the last top vectors, gone straight on with.
3. An evaluation ends when even the hopeful model has nothing more than `tolerance` above the Ritz
   values of this evaluation's products, which are lower bounds.
4. Then a random probe, the same in every evaluation, is multiplied as well: what has changed of
   its image and is not explained by the model is weighed by what is lacking along it to pass the
   top, and followed with one product where that is enough or unusual (module `probe`): a known
   eigenvector that has overtaken shows there, and one that the model does not hold (one almost
   orthogonal to the probe is found late).
5. A cold start, and an evaluation in which the top has changed abruptly or the point has moved
   much farther than usual (module `jump`), is a Lanczos iteration from a random vector of at
   least COLD products. Top vectors that merely change places within
   what the model holds are told from that by up to LOOKS products.
6. Where it is asked for (`sure`), and wherever the change was abrupt, what has been found is set
   apart and a Lanczos iteration from a new random vector bounds the probability that something
   larger was missed (module `assurance`); what it finds is followed.
"""

from __future__ import annotations

import torch
from torch import Tensor

from realnet.curvature.evaluated import Eigenpairs
from realnet.curvature.probe import Habit
from realnet.curvature.search import Products, Search
from realnet.curvature.secant import SecantModel, noise
from realnet.curvature.trend import Trend

KEPT = 10  # pairs beyond the wanted that the model keeps, where it has room for twice as many

BESIDES = 7  # vectors: probe, its image before and now, a product and what was multiplied, gradient


def default_memory(n: int, k: int) -> int:
    """Vectors of n that a tracker holds: 4e6 / n, at least 16 and at most 64, for k = 1."""
    return max(min(4 * 10**6 // n, 64), 16) + 4 * (k - 1)


class TopSolver:
    """The k largest eigenpairs, again and again while the operator changes slowly.

    rows: vectors (n,) that the model may hold; two more are the probe and its image.
    sure: bound the probability of a miss in every evaluation, not only in abrupt ones.
    """

    def __init__(
        self,
        n: int,
        k: int,
        dtype: torch.dtype,
        device: torch.device,
        generator: torch.Generator,
        rows: int = 57,
        sure: bool = False,
    ) -> None:
        self.sure = sure
        self.n, self.k, self.kept = n, k, max(min(rows // 2 + 1, KEPT + k), 3 * k)
        self.model = SecantModel(n, rows, dtype, device)
        self.generator = generator
        self.like = torch.zeros(0, dtype=dtype, device=device)
        self.probe: tuple[Tensor, Tensor] | None = None  # z and what H z is expected to be
        self.trend = Trend()
        self.drift = 0.0  # by how much the top has moved of late, over the sharpness
        self.known, self.unknown = Habit(), Habit()  # how loud the probe's image changes

    def solve(
        self,
        products: Products,
        tolerance: float,
        floor: float,
        limit: int,
        abrupt: bool = False,
    ) -> Eigenpairs:
        """One evaluation; `products(V)` is H V by rows, `floor` the roundoff of an eigenvalue.

        abrupt  whether the change since the last one is known to be, whatever products show of it
        """
        return Search(self, products, tolerance, floor, limit, abrupt).run()

    def state(self) -> dict[str, Tensor]:
        """What the next evaluation depends on."""
        state = {f"model_{name}": value for name, value in self.model.state().items()}
        state |= {f"trend_{name}": value for name, value in self.trend.state().items()}
        state["generator"] = self.generator.get_state()
        habits = [
            self.drift,
            self.known.usual,
            self.known.age,
            self.unknown.usual,
            self.unknown.age,
        ]
        state["habits"] = torch.tensor(habits, dtype=torch.float64, device="cpu")
        if self.probe is not None:
            state["probe"], state["probe_image"] = (vector.cpu() for vector in self.probe)
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take up `state()` again. Raises InvalidInput, or what reading another thing raises."""
        drift, usual, age, unusual, since = state["habits"].tolist()
        known, unknown = Habit(usual, int(age)), Habit(unusual, int(since))
        self.model.restore(_part(state, "model_"))
        self.trend.restore(_part(state, "trend_"))
        self.generator.set_state(state["generator"].cpu())
        self.drift, self.known, self.unknown = drift, known, unknown
        self.probe = None
        if "probe" in state:
            self.probe = (state["probe"].to(self.like), state["probe_image"].to(self.like))

    def noise(self) -> Tensor:
        """A random unit vector (n,)."""
        return noise(self.n, self.like, self.generator)


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }
