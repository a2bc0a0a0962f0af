"""The methods by which skl2onnx converts scalers, which need nothing registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.exceptions import NotFittedError

from sknorm._exports import onnx


class OnnxMixin:
    """Give scalers the methods that skl2onnx looks for.

    Subclasses say what they are in ONNX (``_to_onnx``), and why they are nothing in it, where that
    is so (``_not_onnx``).
    """

    def onnx_shape_calculator(self) -> Callable[[Any], None]:
        """Return what skl2onnx calls to know the type and shape of the output.

        Returns
        -------
        calculator : callable
            A function of skl2onnx's operator.
        """

        def calculate(operator: Any) -> None:
            shape = self._shape_in_onnx(_shape_of(operator))
            operator.outputs[0].type = onnx.type_out(operator)(shape=shape)

        return calculate

    def onnx_converter(self) -> Callable[[Any, Any, Any], None]:
        """Return what skl2onnx calls to convert the fitted scaler.

        Returns
        -------
        converter : callable
            A function of skl2onnx's scope, operator and container, which adds nodes of plain
            arithmetic. Differences are computed in double where float32 would lose digits.

        Raises
        ------
        NotFittedError
            In the function: if the scaler is not fitted.
        NotImplementedError
            In the function: if the scaler does what ONNX cannot express, with the reason.
        """

        def convert(scope: Any, operator: Any, container: Any) -> None:
            shape = self._convertible(operator)
            self._to_onnx(onnx.Graph(scope, operator, container), shape)

        return convert

    def _convertible(self, operator: Any) -> list[Any]:
        """Return the shape of the input of a scaler that ONNX can express."""
        name = type(self).__name__
        if not hasattr(self, "n_features_in_"):
            raise NotFittedError(f"This {name} is not fitted yet. Fit it before converting it.")
        if (reason := self._not_onnx()) is not None:
            raise NotImplementedError(f"{name} cannot be converted to ONNX: {reason}")
        shape = _shape_of(operator)
        if shape[1] not in (None, self.n_features_in_):
            raise ValueError(
                f"The input has {shape[1]} features, but {name} is expecting "
                f"{self.n_features_in_} features as input."
            )
        return shape

    def _shape_in_onnx(self, shape: list[Any]) -> list[Any]:
        """Return the shape of the output for input of this shape."""
        return [shape[0], len(self.get_feature_names_out()), *shape[2:]]  # type: ignore[attr-defined]

    def _not_onnx(self) -> str | None:
        """Return why the scaler cannot be expressed in ONNX, or None if it can."""
        return None

    def _to_onnx(self, graph: onnx.Graph, shape: list[Any]) -> None:
        """Add the nodes of the scaler, for input of this shape."""
        raise NotImplementedError


def _shape_of(operator: Any) -> list[Any]:
    """Return the shape of X, of which columns may come one by one."""
    shape = list(operator.inputs[0].type.shape)
    if len(operator.inputs) > 1:
        widths = [variable.type.shape[1] for variable in operator.inputs]
        shape[1] = None if None in widths else sum(widths)
    return shape
