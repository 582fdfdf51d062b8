"""A loss as a function of flat parameters: value, gradient, Hessian products; in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from linmodel.errors import InvalidInput, refuse

LossFunction = Callable[..., Tensor]
Chunks = Sequence[tuple[Tensor, ...]]


def as_parameters(params: nn.Module | Iterable[Tensor]) -> list[Tensor]:
    """The trainable parameters. Raises InvalidInput: none, half precision, several devices."""
    given = params.parameters() if isinstance(params, nn.Module) else params
    found = [p for p in given if p.requires_grad]
    if not found:
        raise InvalidInput("there are no parameters with requires_grad=True: nothing to track.")
    kinds = {(p.dtype, p.device) for p in found}
    if len(kinds) > 1 or found[0].dtype not in (torch.float32, torch.float64):
        refuse(
            "parameters' dtype and device",
            sorted(f"{dtype} on {device}" for dtype, device in kinds),
            "all float32, or all float64, on one device",
            "Convert a copy: model.float().",
        )
    return found


def flatten(tensors: Iterable[Tensor]) -> Tensor:
    """One vector of all entries, shape (n,)."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def unflatten(vector: Tensor, like: Sequence[Tensor]) -> list[Tensor]:
    """Views of a flat vector in the parameters' shapes."""
    pieces = vector.split([p.numel() for p in like])
    return [piece.view_as(p) for piece, p in zip(pieces, like, strict=True)]


@contextmanager
def _memory_said() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
            raise InvalidInput(
                "the device's memory is too small for one chunk of the data: pass chunks with "
                f"fewer samples each (train: a smaller --chunk-size). It said: {error}"
            ) from error
        raise


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """No tf32, no autocast, and attention by the math backend, which has second derivatives.

    Raises InvalidInput where the device runs out of memory.
    """
    with ExitStack() as stack:
        stack.enter_context(_memory_said())
        stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(torch.autocast(device.type, enabled=False))
        if device.type == "cuda":
            before = torch.get_float32_matmul_precision()
            torch.set_float32_matmul_precision("highest")
            stack.callback(torch.set_float32_matmul_precision, before)
            stack.enter_context(torch.backends.cudnn.flags(allow_tf32=False))
        yield


class NotFinite(InvalidInput):
    """The loss or its gradient is NaN or infinite at the point asked."""


class Objective:
    """sum_j w_j L(chunk_j): `loss_fn(*chunk)` is a chunk's mean loss, w_j its share of the data.

    Without `chunks`, `loss_fn()` is the whole loss. Weights default to the chunks' lengths over
    their sum. `begin()` computes loss and gradient; `products(V)` then gives H V at that point.
    With one chunk the gradient's graph is kept and shared by all products; with several each
    chunk's graph is built again, so that the memory is one chunk's.
    """

    def __init__(
        self,
        loss_fn: LossFunction,
        params: nn.Module | Iterable[Tensor],
        chunks: Chunks | None = None,
        weights: Sequence[float] | None = None,
    ) -> None:
        self.loss_fn = loss_fn
        self.params = as_parameters(params)
        self.chunks: Chunks = [()] if chunks is None else chunks
        if not self.chunks:
            refuse("chunks", "none", "at least one")
        if weights is None:
            sizes = [len(chunk[0]) if chunk else 1 for chunk in self.chunks]
            weights = [size / sum(sizes) for size in sizes]
        if len(weights) != len(self.chunks):
            refuse("weights", len(weights), f"one for each of the {len(self.chunks)} chunks")
        self.weights = list(weights)
        self.n = sum(p.numel() for p in self.params)
        self.device, self.dtype = self.params[0].device, self.params[0].dtype
        self._kept: list[Tensor] | None = None

    def gradient(self) -> tuple[float, Tensor]:
        """Loss and flat gradient (n,), for a training step: no graph kept, nothing checked."""
        total, gradient = 0.0, torch.zeros(self.n, dtype=self.dtype, device=self.device)
        for chunk, weight in zip(self.chunks, self.weights, strict=True):
            with full_precision(self.device), torch.enable_grad():
                loss = self.loss_fn(*chunk)
                parts = torch.autograd.grad(loss, self.params, materialize_grads=True)
            total += weight * float(loss.detach())
            gradient += weight * flatten(parts)
        return total, gradient

    def write(self, point: Tensor) -> None:
        """Put the flat parameters `point` (n,) into the model."""
        with torch.no_grad():
            for parameter, piece in zip(self.params, unflatten(point, self.params), strict=True):
                parameter.copy_(piece)

    def begin(self) -> tuple[Tensor, Tensor]:
        """Loss (a scalar) and flat gradient (n,). Raises InvalidInput: NaN, not differentiable."""
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        gradient = torch.zeros(self.n, dtype=self.dtype, device=self.device)
        for chunk, weight in zip(self.chunks, self.weights, strict=True):
            loss, parts = self._graph(chunk)
            total += weight * loss.detach().double()
            gradient += weight * flatten(parts)
            self._kept = parts if len(self.chunks) == 1 else None
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
        out = torch.zeros(len(vectors), self.n, dtype=self.dtype, device=self.device)
        rows = vectors.to(self.dtype)
        for chunk, weight in zip(self.chunks, self.weights, strict=True):
            parts = self._kept if self._kept is not None else self._graph(chunk)[1]
            for i, row in enumerate(rows):
                out[i] += weight * self._product(parts, row)
        if not bool(torch.isfinite(torch.linalg.vector_norm(out))):
            raise NotFinite(
                "the norm of a Hessian-vector product is NaN or infinite although loss and "
                "gradient are finite: the second derivative overflows or does not exist there."
            )
        return out

    def _graph(self, chunk: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor]]:
        with full_precision(self.device), torch.enable_grad():
            loss = self.loss_fn(*chunk)
            if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
                raise InvalidInput(
                    "loss_fn must return one differentiable number that depends on the parameters; "
                    f"it returned {_describe(loss)}. Do not detach it or compute it without grad."
                )
            parts = torch.autograd.grad(
                loss.reshape(()), self.params, create_graph=True, materialize_grads=True
            )
        return loss, list(parts)

    def _product(self, parts: list[Tensor], row: Tensor) -> Tensor:
        pairs = zip(parts, unflatten(row, self.params), strict=True)
        live = [(part, piece) for part, piece in pairs if part.requires_grad]
        if not live:
            return torch.zeros_like(row)
        with full_precision(self.device):
            return flatten(
                torch.autograd.grad(
                    [part for part, _ in live],
                    self.params,
                    [piece for _, piece in live],
                    retain_graph=True,
                    materialize_grads=True,
                )
            )


def _describe(loss: object) -> str:
    if isinstance(loss, Tensor):
        return f"a tensor of shape {tuple(loss.shape)}, requires_grad={loss.requires_grad}"
    return repr(type(loss).__name__)
