"""Modules that a loss runs besides the one that was given: their buffers must not move.

Of a loss over a list of parameters nobody says which modules it runs; of one over a module, which
others (a teacher). They are seen as they run, by hooks of torch's for all modules that hold for the
length of a call: running statistics of batch norm, and any other buffer, are put back. A compiled
loss would be compiled anew for such hooks: there the modules are those that loss_fn can name.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.nn.parallel import DistributedDataParallel
from torch.nn.parameter import is_lazy
from torch.utils.hooks import RemovableHandle

from linmodel.errors import InvalidInput
from realnet.curvature.objective import LossFunction
from realnet.curvature.reachable import modules_named


def still(
    loss_fn: LossFunction, given: nn.Module | None, remedy: str, compiled: bool = False
) -> LossFunction:
    """`loss_fn`, raising InvalidInput at each call that moves a buffer outside of `given`.

    And for one that runs DistributedDataParallel's wrapper, before it runs. `compiled`: loss_fn
    may be, so that no hooks for all modules may be set.
    """
    known = [*modules_named(loss_fn), *([] if given is None else [given])]
    compiled = compiled or any(_compiled(part) for module in known for part in module.modules())

    def kept(*chunk: Any) -> Any:
        ran = Ran(given)
        with ran.named(modules_named(loss_fn)) if compiled else ran.watched():
            found = loss_fn(*chunk)
        if ran.moved:
            moved = list(dict.fromkeys(ran.moved))
            names = ", ".join(moved[:5]) + (", ..." if len(moved) > 5 else "")
            raise InvalidInput(f"the loss moves the buffers {names}. They were put back. {remedy}")
        return found

    return kept


class Ran:
    """The modules that ran, and their buffers as they were; `moved`: the names of those that did.

    Of a compiled module only the whole is seen to run, so all that a module holds is kept with it.
    """

    def __init__(self, given: nn.Module | None) -> None:
        self.moved: list[str] = []
        self._given = set() if given is None else set(given.modules())
        self._seen: set[nn.Module] = set()
        self._roots: dict[nn.Module, list[tuple[nn.Module, str]]] = {}
        self._before: dict[tuple[nn.Module, str], tuple[Tensor, Tensor]] = {}
        self._hooks: list[RemovableHandle] = []
        self._thread = threading.get_ident()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts; the hooks are gone and the buffers back, whatever happens."""
        self._hooks = [register_module_forward_pre_hook(self._begins)]
        try:
            yield
        finally:
            self._put_back()

    @contextmanager
    def named(self, modules: Iterable[nn.Module]) -> Iterator[None]:
        """The same for these modules, which need not run."""
        roots = set(modules)
        parts = {part for root in roots | self._given for part in root.modules()}
        wrappers = [one for one in parts if isinstance(one, DistributedDataParallel)]
        self._hooks = [one.register_forward_pre_hook(self._begins) for one in wrappers]
        for part in parts:
            self._keep(part, part)
        try:
            yield
        finally:
            for part in parts:
                self._ends(part, None, None)
            self._put_back()

    def _begins(self, module: nn.Module, _inputs: Any) -> None:
        if torch.compiler.is_compiling() or module in self._seen:
            return
        if threading.get_ident() != self._thread:  # it only happens to run, too
            return
        new = set(module.modules()) - self._seen
        if any(isinstance(one, DistributedDataParallel) for one in new):
            raise InvalidInput(
                "loss_fn runs DistributedDataParallel's wrapper, whose collectives would mix with "
                "the evaluation's: let it run the model inside (wrapper.module), and pass that."
            )
        self._seen |= new
        for owner in new:
            self._keep(module, owner)
        if module in self._roots and not isinstance(module, torch.jit.ScriptModule):
            self._hooks.append(module.register_forward_hook(self._ends, always_call=True))

    def _keep(self, root: nn.Module, owner: nn.Module) -> None:
        if owner in self._given:
            return
        for name, buffer in owner._buffers.items():
            if buffer is not None and _plain(buffer):
                self._before[owner, name] = buffer, buffer.detach().clone()
                self._roots.setdefault(root, []).append((owner, name))

    def _ends(self, module: nn.Module, _inputs: Any, _found: Any) -> None:
        """Put back buffers in whose place the module has put others.

        Now, for functional_call lends a module other buffers until it has run.
        """
        for owner, name in self._roots.get(module, ()):
            buffer = self._before[owner, name][0]
            if owner._buffers.get(name) is not buffer:
                owner._buffers[name] = buffer
                self._note(owner, name)

    def _put_back(self) -> None:
        for hook in self._hooks:
            hook.remove()
        for (owner, name), (buffer, old) in self._before.items():
            if not same(buffer, old):
                with torch.no_grad():
                    buffer.copy_(old)
                self._note(owner, name)

    def _note(self, owner: nn.Module, name: str) -> None:
        self.moved.append(f"{type(owner).__name__}.{name}")


def same(one: Tensor, other: Tensor) -> bool:
    """Equal in all entries, NaN in the same."""
    unset = one.isnan()
    return torch.equal(one, other) or (
        torch.equal(unset, other.isnan())
        and torch.equal(one.masked_fill(unset, 0), other.masked_fill(unset, 0))
    )


def _compiled(module: nn.Module) -> bool:
    return type(module).__name__ == "OptimizedModule" or module._compiled_call_impl is not None


def _plain(buffer: Tensor) -> bool:
    """Whether it holds numbers that can be compared when the call is over."""
    if is_lazy(buffer) or buffer.is_meta or buffer.layout != torch.strided:
        return False
    return not torch._C._functorch.is_functorch_wrapped_tensor(buffer)
