"""Tensors in the memory of the host: seen as NumPy arrays without a copy, and made again.

Other tensors (on a device, with gradients, or of a dtype that NumPy lacks) stay as they are, and
are computed with in their own library.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._compat import array_namespace, is_traced, root_of

AnyArray = NDArray[Any]
# The device type of the memory of the host, in the DLPack standard.
DLPACK_CPU = 1


def is_tensor(X: Any) -> bool:
    """Tell whether X is an array of another library than NumPy."""
    if isinstance(X, (np.ndarray, np.generic)) or not hasattr(X, "__dlpack__"):
        return False
    # Nested tensors of torch have no shape, and say so by an error of another kind.
    return root_of(X) == "torch" or (hasattr(X, "shape") and hasattr(X, "dtype"))


def host_view(X: Any, *, gradients: bool = True) -> AnyArray | None:
    """Return a tensor's memory as an array, where it is the host's and of a dtype of NumPy.

    With ``gradients``, there is none of a tensor whose gradient torch asks for.

    Raises
    ------
    TypeError
        If the tensor is sparse, nested or quantized, or has no values.
    """
    if is_traced(X):
        return None
    if root_of(X) == "torch":
        return _torch_view(X, gradients)
    if root_of(X) == "array_api_strict" and str(X.device) != _strict_cpu():
        return None  # a stand-in for another device, whose memory is the host's all the same
    try:
        if X.__dlpack_device__()[0] != DLPACK_CPU:
            return None
        return _known(np.from_dlpack(X))
    except (BufferError, RuntimeError, TypeError, ValueError):
        return None


def as_tensor(result: Any, like: Any) -> Any:
    """Return an array as a tensor of the library and device of another, which it may be."""
    if type(result) is not np.ndarray:
        return result
    root = root_of(like)
    if root == "torch":
        return sys.modules["torch"].from_numpy(result)
    if root in ("jax", "jaxlib"):
        jax = sys.modules["jax"]
        if not jax.config.jax_enable_x64 and result.dtype == np.float64:
            result = result.astype(np.float32)
        return jax.device_put(result, like.device)
    try:
        return array_namespace(like).asarray(result)
    except TypeError:  # it has memory, but no library that makes such arrays
        return result


def _torch_view(X: Any, gradients: bool) -> AnyArray | None:
    if str(X.layout) != "torch.strided":
        raise TypeError(
            f"X is a sparse torch tensor ({X.layout}). Pass X.to_dense(), or the scipy array of "
            "its parts."
        )
    if X.is_nested:
        raise TypeError(
            "X is a nested torch tensor, whose rows differ in length. Pass "
            "X.to_padded_tensor(float('nan')), in which what is missing is NaN."
        )
    if X.is_quantized:
        raise TypeError(f"X is a quantized torch tensor ({X.dtype}). Pass X.dequantize().")
    if X.device.type == "meta":
        raise TypeError("X is a torch tensor on the device 'meta', which has no values.")
    is_followed = X.requires_grad and gradients and sys.modules["torch"].is_grad_enabled()
    if X.device.type != "cpu" or is_followed:
        return None
    try:
        # A view that is only marked as negative or conjugate would lose its sign.
        return _known(X.detach().resolve_conj().resolve_neg().numpy())
    except (RuntimeError, TypeError):
        return None


def _known(view: AnyArray) -> AnyArray | None:
    """Return an array if its dtype is one of NumPy's own."""
    return view if view.dtype.kind in "biufc" else None


def _strict_cpu() -> str:
    return str(sys.modules["array_api_strict"].Device("CPU_DEVICE"))
