"""A loss as a function of flat parameters: value, gradient, Hessian products; in chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from linmodel.errors import InvalidInput, refuse
from realnet.curvature.chunks import Chunk, Chunks, Data
from realnet.curvature.difference import difference
from realnet.curvature.parameters import Parameters, Trainable, add_flat, flatten, unflatten
from realnet.curvature.precision import derivatives_said, full_precision
from realnet.curvature.ranks import Ranks, fingerprint

__all__ = ["Chunks", "LossFunction", "NotFinite", "Objective", "flatten", "full_precision"]

LossFunction = Callable[..., Any]
Watch = Callable[[Tensor], None]


class NotFinite(InvalidInput):
    """The loss or its gradient is NaN or infinite at the point asked."""


class Objective:
    """sum_j w_j L(chunk_j): `loss_fn(*chunk)` is a chunk's mean loss, w_j its share of the data.

    Or loss_fn returns (sum, count): then the loss is all sums over all counts. Shares: `Data`.
    `begin()` computes loss and gradient over the parameters that train now; `products(V)` then
    gives H V at that point. With one chunk the gradient's graph is kept and shared by all
    products; with several each chunk's graph is built again, so that the memory is one chunk's.
    product="difference": products are differences of gradients (module `difference`), and no graph
    is kept; numbers are float32 at least.
    """

    def __init__(
        self,
        loss_fn: LossFunction,
        params: Parameters,
        chunks: Chunks | None = None,
        weights: Sequence[float] | None = None,
        product: str = "autograd",
        ranks: Ranks | None = None,
    ) -> None:
        self.loss_fn, self.ranks = loss_fn, ranks
        self._share = 1.0  # of all data that this process has
        self.twice = product == "autograd"  # whether the loss is differentiated twice
        self.trainable = Trainable(params, half=not self.twice)
        self.data = Data(chunks, weights)
        self.chunks = self.data.given
        self._kept: list[Tensor] | None = None
        self._count: float | None = None  # of all samples, where loss_fn counts them
        self.refresh()

    def refresh(self) -> None:
        """Read again which parameters train."""
        found = self.trainable.now()
        self.names, self.params = list(found), list(found.values())
        self.n = sum(p.numel() for p in self.params)
        self.device, self.stored = self.params[0].device, self.params[0].dtype
        self.dtype = torch.promote_types(self.stored, torch.float32)
        module = self.trainable.module
        self._recurrent = module is not None and any(
            isinstance(layer, nn.RNNBase) for layer in module.modules()
        )

    def named(self) -> dict[str, Tensor]:
        """The tracked tensors by name."""
        return dict(zip(self.names, self.params, strict=True))

    def gradient(self) -> tuple[float, Tensor]:
        """Loss and flat gradient (n,), for a training step: no graph kept, nothing checked."""
        total, gradient, counts = 0.0, self._zeros(), 0.0
        for chunk, weight in self.data:
            with full_precision(self.device, twice=self.twice), torch.enable_grad():
                loss, count = self.loss(chunk)
                with derivatives_said(self.twice):
                    parts = torch.autograd.grad(loss, self.params, materialize_grads=True)
            weight = weight if count is None else 1.0
            counts += count or 0.0
            total += weight * float(loss.detach())
            add_flat(gradient, parts, weight)
        found, gradient, _ = self._together(total, gradient, counts)
        return found, gradient

    def write(self, point: Tensor) -> None:
        """Put the flat parameters `point` (n,) into the model."""
        with torch.no_grad():
            for parameter, piece in zip(self.params, unflatten(point, self.params), strict=True):
                parameter.copy_(piece)

    def begin(self, watch: Watch | None = None) -> tuple[Tensor, Tensor]:
        """Loss (a scalar) and flat gradient (n,); `watch` sees every chunk's loss and its graph.

        Raises InvalidInput: NaN, not differentiable, a loss that some parameter has no part in.
        """
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        gradient, counts = self._zeros(), 0.0
        for chunk, weight in self.data:
            loss, parts, count = self._graph(chunk)
            if watch is not None:
                watch(loss)
            weight = weight if count is None else 1.0
            counts += count or 0.0
            total += weight * loss.detach().double()
            add_flat(gradient, parts, weight)
            self._kept = parts if self.data.count == 1 and self.twice else None
        self.own_loss = float(total) / (counts or 1.0)
        whole, gradient, self._count = self._together(float(total), gradient, counts)
        if self.ranks is not None:
            self.ranks.meet("rest", fingerprint(self.trainable.rest()))
        total = torch.tensor(whole, dtype=torch.float64, device=self.device)
        if not bool(torch.isfinite(total)) or not bool(torch.isfinite(gradient).all()):
            self.end()
            raise NotFinite(
                f"the loss is {float(total)} or its gradient is not finite: no curvature there. "
                "Lower the step size, or look at the data for NaN."
            )
        return total, gradient

    def end(self) -> None:
        """Let the kept graph go."""
        self._kept = None

    def products(self, vectors: Tensor) -> Tensor:
        """H V for the rows of V, shape (m, n), in the parameters' dtype.

        Raises NotFinite where a product is not, although loss and gradient are.
        """
        rows = vectors.to(self.dtype)
        if not self.twice:
            return torch.stack([difference(self, row).image for row in rows])
        out = torch.zeros_like(rows)
        for chunk, weight in self.data:
            parts = self._kept if self._kept is not None else self._graph(chunk)[1]
            weight = self._share * weight if self._count is None else 1.0 / self._count
            for i, row in enumerate(rows):
                add_flat(out[i], self._product(parts, row), weight)
        if self.ranks is not None:
            out = self.ranks.sum(out, "product", fingerprint([rows]))
        if not bool(torch.isfinite(torch.linalg.vector_norm(out))):
            raise NotFinite(
                "the norm of a Hessian-vector product is NaN or infinite although loss and "
                "gradient are finite: the second derivative overflows or does not exist there."
            )
        return out

    def loss(self, chunk: Chunk) -> tuple[Tensor, float | None]:
        """A chunk's loss, and the count that it is a sum over; None where it is a mean."""
        return loss_and_count("loss_fn", self.loss_fn(*chunk))

    def _graph(self, chunk: Chunk) -> tuple[Tensor, list[Tensor], float | None]:
        with full_precision(self.device, self._recurrent, self.twice), torch.enable_grad():
            loss, count = self.loss(chunk)
            if not loss.requires_grad:
                raise InvalidInput(
                    "loss_fn must return one differentiable number that depends on the parameters; "
                    f"it returned {_describe(loss)}. Do not detach it or compute it without grad."
                )
            with derivatives_said(self.twice):
                parts = torch.autograd.grad(
                    loss,
                    self.params,
                    create_graph=self.twice,
                    allow_unused=True,
                )
        self._refuse_unused(parts)
        return loss, list(parts), count

    def _together(
        self, total: float, gradient: Tensor, counts: float
    ) -> tuple[float, Tensor, float | None]:
        """Loss, gradient and count over all processes, from this one's sums or means."""
        if self.ranks is None:
            return total / (counts or 1.0), gradient.div_(counts or 1.0), counts or None
        key = fingerprint(self.params)
        mine = 0.0 if counts else self.data.total
        said = torch.tensor([mine, counts, bool(counts)], dtype=torch.float64, device=self.device)
        all_data, all_counts, counting = self.ranks.sum(said, "loss and gradient", key).tolist()
        if counting not in (0, self.ranks.size) or not (counting or all_data > 0):
            raise InvalidInput(
                "the processes' shares of the data are not known: pass chunks (their lengths are "
                "the shares) or weights, or let loss_fn return (sum, count), on all of them."
            )
        self._share = 1.0 if counting else self.data.total / all_data
        scale = 1.0 / all_counts if counting else self._share
        value = torch.tensor([total * scale], dtype=torch.float64, device=self.device)
        value = self.ranks.sum(value, "loss and gradient", key)
        gradient = self.ranks.sum(gradient * scale, "loss and gradient", key)
        return float(value), gradient, all_counts if counting else None

    def _zeros(self) -> Tensor:
        return torch.zeros(self.n, dtype=self.dtype, device=self.device)

    def _refuse_unused(self, parts: Sequence[Tensor | None]) -> None:
        """A zero put in for a missing derivative would be a wrong number, not a small one."""
        unused = [name for name, part in zip(self.names, parts, strict=True) if part is None]
        if unused:
            raise InvalidInput(
                f"the loss does not depend on {len(unused)} of the {len(self.names)} tensors: "
                f"{', '.join(unused[:5])}{', ...' if len(unused) > 5 else ''}. Pass the module "
                "that loss_fn uses, so that replaced layers are seen; freeze what the loss does "
                "not use (requires_grad_(False)); checkpoint with use_reentrant=False."
            )
        sparse = [name for name, part in zip(self.names, parts, strict=True) if part.is_sparse]  # type: ignore[union-attr]
        if sparse:
            refuse("gradient", f"sparse in {', '.join(sparse)}", "dense", "Set sparse=False.")

    def _product(self, parts: list[Tensor], row: Tensor) -> Sequence[Tensor]:
        pairs = zip(parts, unflatten(row, self.params), strict=True)
        live = [(part, piece) for part, piece in pairs if part.requires_grad]
        if not live:
            return ()
        with full_precision(self.device, self._recurrent), derivatives_said():
            return torch.autograd.grad(
                [part for part, _ in live],
                self.params,
                [piece for _, piece in live],
                retain_graph=True,
                materialize_grads=True,
            )


def loss_and_count(name: str, found: Any) -> tuple[Tensor, float | None]:
    """What `name` returned: a chunk's loss, and the count that it is a sum over, if one."""
    count = None
    if isinstance(found, tuple) and len(found) == 2:
        found, count = found[0], _count(name, found[1])
    if not isinstance(found, Tensor) or found.numel() != 1 or not found.is_floating_point():
        refuse(f"{name}'s result", _describe(found), "one differentiable number, or (sum, count)")
    return found.reshape(()), count


def _count(name: str, given: Any) -> float:
    try:
        count = float(given)
    except (RuntimeError, TypeError, ValueError):
        count = -1.0
    if not 0 < count < float("inf"):
        remedy = "A loss alone is a mean; of (loss, outputs) return the loss."
        refuse(f"the count that {name} returns", given, "a number > 0, of (sum, count)", remedy)
    return count


def _describe(loss: object) -> str:
    if isinstance(loss, Tensor):
        return f"a {loss.dtype} tensor of shape {tuple(loss.shape)}, grad: {loss.requires_grad}"
    return repr(type(loss).__name__)
