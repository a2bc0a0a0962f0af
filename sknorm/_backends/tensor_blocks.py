"""Arrays of other libraries in blocks: what is computed of one takes many times its memory.

Autograd would keep all of that until the way back. Instead it keeps the tensor that came in, and
each block is computed again when its gradient is asked for (checkpointing, Chen et al. 2016,
arXiv 1604.06174).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from sknorm._compat import array_namespace, device, is_traced, root_of

# Blocks have so many values, and there are no more than so many of them: devices are slow at
# small ones.
BLOCK_VALUES = 1 << 16
MOST_BLOCKS = 128

Function = Callable[[Any], tuple[Any, ...]]


def slices(x: Any, axis: int = 0) -> list[slice]:
    """Cut an axis of an array so that the parts are blocks."""
    length, n_values = x.shape[axis], math.prod(x.shape)
    if is_traced(x) or not n_values:
        return [slice(0, length)]
    step = max(1, length * max(BLOCK_VALUES, n_values // MOST_BLOCKS) // n_values)
    return [slice(first, min(first + step, length)) for first in range(0, length, step)]


def by_rows(x: Any, function: Function) -> tuple[Any, ...]:
    """Return the function of x, which takes rows one by one and returns arrays of as many rows.

    Gradients pass through it.
    """
    if len(slices(x)) == 1:
        return function(x)
    if root_of(x) == "torch" and x.requires_grad and sys.modules["torch"].is_grad_enabled():
        results: tuple[Any, ...] = _checkpointed().apply(x, function)
        return results
    return _joined(x, function)


def without_gradient(x: Any) -> Any:
    """Return x, of which no more than values are asked."""
    return x.detach() if root_of(x) == "torch" else x


def _joined(x: Any, function: Function) -> tuple[Any, ...]:
    parts, xp = slices(x), array_namespace(x)
    if root_of(x) in ("jax", "jaxlib"):  # whose arrays cannot be written to
        found = [function(x[rows, ...]) for rows in parts]
        return tuple(xp.concat(results, axis=0) for results in zip(*found, strict=True))
    joined: tuple[Any, ...] = ()
    for rows in parts:
        results = function(x[rows, ...])
        joined = joined or tuple(
            xp.empty((x.shape[0], *part.shape[1:]), dtype=part.dtype, device=device(x))
            for part in results
        )
        for whole, part in zip(joined, results, strict=True):
            whole[rows, ...] = part
    return joined


@cache
def _checkpointed() -> Any:
    """Return the function of torch that computes blocks, and again on the way back."""
    torch = sys.modules["torch"]

    class Checkpointed(torch.autograd.Function):  # type: ignore[name-defined]
        @staticmethod
        def forward(x: Any, function: Function) -> tuple[Any, ...]:
            return _joined(x, function)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            x, ctx.function = inputs
            ctx.save_for_backward(x)

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> tuple[Any, None]:
            (x,) = ctx.saved_tensors
            is_differentiated = torch.is_grad_enabled()  # for second derivatives

            def of_block(rows: slice) -> Any:
                with torch.enable_grad():
                    part = x[rows, ...]
                    if not is_differentiated:
                        part = part.detach().requires_grad_()
                    own = [gradient[rows] for gradient in gradients]
                    (found,) = torch.autograd.grad(
                        ctx.function(part), part, own, create_graph=is_differentiated
                    )
                return found

            if is_differentiated:
                return torch.cat([of_block(rows) for rows in slices(x)]), None
            found = torch.empty_like(x)
            for rows in slices(x):
                found[rows, ...] = of_block(rows)
            return found, None

    return Checkpointed
