"""How a loss is differentiated twice, and torch's refusals in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from linmodel.errors import InvalidInput

COMPILED = (
    "A compiled model has no second derivative: pass the module as it was before torch.compile, or "
    "product='difference'."
)
REMEDIES = {  # what torch says, and what to do; the first that is found is told
    "aot_autograd": COMPILED,
    "donated buffers": COMPILED,
    "backward through the graph a second time": "loss_fn must compute the loss afresh at every "
    "call, and must not call backward.",
    "modified by an inplace operation": "loss_fn must compute the loss afresh at every call, and "
    "must not change parameters or data in place.",
    "udnn": "Compute the loss under torch.backends.cudnn.flags(enabled=False), or pass the module "
    "as `params`, and it is done for you.",
    "use_reentrant": "Checkpoint with use_reentrant=False.",
    "not implemented": "An operation in the loss has no second derivative in torch: replace it by "
    "operations that have one, or pass product='difference'.",
    "once_differentiable": "An operation of your own has no second derivative: give its backward "
    "one, or pass product='difference'.",
}


@contextmanager
def memory_said() -> Iterator[None]:
    """Raises InvalidInput where memory runs out."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, (torch.OutOfMemoryError, MemoryError)) and not any(
            words in str(error) for words in ("allocate memory", "not enough memory")
        ):
            raise
        raise InvalidInput(
            "the device's memory is too small for the loss's graph, or for the search. If the loss "
            "is a mean over data, pass them as chunks with fewer samples each (train: a smaller "
            "--chunk-size); lower memory=, the vectors that are held; or the model is too large "
            f"for the device. It said: {_first_line(error)}"
        ) from error


@contextmanager
def derivatives_said(twice: bool = True) -> Iterator[None]:
    """Raises InvalidInput, in one sentence, where torch cannot differentiate."""
    try:
        with memory_said():
            yield
    except (RuntimeError, NotImplementedError) as error:
        message = str(error)
        remedy = next((advice for words, advice in REMEDIES.items() if words in message), "")
        raise InvalidInput(
            f"the loss cannot be differentiated{' twice' * twice}. {remedy} "
            f"It said: {_first_line(error)}"
        ) from error


@contextmanager
def full_precision(
    device: torch.device, recurrent: bool = False, twice: bool = True
) -> Iterator[None]:
    """No tf32, no autocast, and attention by the math backend, which has second derivatives.

    `recurrent`: without cuDNN, whose recurrent layers have no second derivative. `twice` False:
    only first derivatives are asked for, so that attention and cuDNN stay as they are.
    Raises InvalidInput where the device runs out of memory.
    """
    with ExitStack() as stack:
        stack.enter_context(memory_said())
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(False))
        if twice:
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
        stack.enter_context(torch.autocast(device.type, enabled=False))
        if device.type == "cuda":
            before = torch.get_float32_matmul_precision()
            torch.set_float32_matmul_precision("highest")
            stack.callback(torch.set_float32_matmul_precision, before)
            flags = torch.backends.cudnn.flags(enabled=not (recurrent and twice), allow_tf32=False)
            stack.enter_context(flags)
        yield


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
