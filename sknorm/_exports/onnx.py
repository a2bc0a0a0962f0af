"""What scalers are in ONNX: plain arithmetic, whatever the opset from 13 on.

skl2onnx asks each step of a pipeline for a converter, and for one of shapes; nothing has to be
registered. What it hands over, a scope, an operator and a container of nodes, is all that is used
here, so that only the converted model needs it installed.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sknorm._statistics.affine import Affine
from sknorm._statistics.moments import EPSILON, MOST_SAMPLES_IN_BOUND

Array = NDArray[np.floating[Any]]
AXES_ARE_INPUT_OF_MAX = 18
HAS_FUSED = 17  # the opset that LayerNormalization came with
# Powers of two beyond these are no numbers any more.
LIMIT = 1000.0
# Beyond so many deviations from zero, float32 would lose digits in a difference.
FAR = 2.0


class Graph:
    """The nodes of one operator, whose values are double or float."""

    def __init__(self, scope: Any, operator: Any, container: Any) -> None:
        self._scope, self._operator, self._container = scope, operator, container
        proto = importlib.import_module("onnx").TensorProto
        self._float, self._double, self._int64 = proto.FLOAT, proto.DOUBLE, proto.INT64
        self._inputs: list[str] = [variable.full_name for variable in operator.inputs]
        self.is_double_out = _has_double(operator)
        self.kind = self._double

    def start(self, *, wide: bool) -> str:
        """Return X as the numbers that are computed with: double if they have to be wide."""
        self.kind = self._double if wide or self.is_double_out else self._float
        parts = [self.node("Cast", name, version=13, to=self.kind) for name in self._inputs]
        # skl2onnx's own node for this has float32 in between.
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)

    def finish(self, result: str) -> None:
        """Hand a result on as the output."""
        kind = self._double if self.is_double_out else self._float
        out = self._operator.outputs[0].full_name
        name = self._scope.get_unique_operator_name("Cast")
        self._container.add_node("Cast", [result], [out], name=name, op_version=13, to=kind)

    def node(self, kind: str, *inputs: str, version: int = 13, **attributes: Any) -> str:
        """Add a node; return the name of its result."""
        out: str = self._scope.get_unique_variable_name(kind.lower())
        name = self._scope.get_unique_operator_name(kind)
        self._container.add_node(
            kind, list(inputs), [out], name=name, op_version=version, **attributes
        )
        return out

    def constant(self, value: Any) -> str:
        """Add a number or an array of the kind that is computed with; return its name."""
        array = np.asarray(value, dtype=np.float64)
        return self._initializer(self.kind, array.shape, array.ravel().tolist())

    def integers(self, values: list[int]) -> str:
        """Add a list of integers, such as axes; return its name."""
        return self._initializer(self._int64, [len(values)], values)

    def _initializer(self, kind: int, shape: Any, values: list[Any]) -> str:
        name: str = self._scope.get_unique_variable_name("constant")
        self._container.add_initializer(name, kind, list(shape), values)
        return name

    @property
    def opset(self) -> int:
        """The version of ONNX's operators that is converted to."""
        return int(self._container.target_opset_any_domain(""))

    def sum(self, value: str, axis: int) -> str:
        """Return the sum along an axis, which is kept."""
        return self.node("ReduceSum", value, self.integers([axis]), keepdims=1)

    def maximum(self, value: str, axis: int) -> str:
        """Return the largest value along an axis, which is kept."""
        if self.opset >= AXES_ARE_INPUT_OF_MAX:
            axes = self.integers([axis])
            return self.node("ReduceMax", value, axes, version=AXES_ARE_INPUT_OF_MAX, keepdims=1)
        return self.node("ReduceMax", value, axes=[axis], keepdims=1)

    def where(self, condition: str, value: str, other: str) -> str:
        """Return one value or the other."""
        return self.node("Where", condition, value, other, version=9)

    def present(self, x: str) -> tuple[str, str, str]:
        """Return where values are missing, X with 0 there, and 1 where they are not."""
        missing = self.node("IsNaN", x)
        filled = self.where(missing, self.constant(0.0), x)
        present = self.where(missing, self.constant(0.0), self.constant(1.0))
        return missing, filled, present

    def unit(self, x: str, axis: int) -> str:
        """Return a power of two, per vector along an axis, that brings it to about 1."""
        largest = self.maximum(self.node("Abs", x), axis)
        is_zero = self.node("Equal", largest, self.constant(0.0))
        largest = self.where(is_zero, self.constant(1.0), largest)
        log = self.node("Div", self.node("Log", largest), self.constant(math.log(2.0)))
        exponent = self.node("Neg", self.node("Floor", log))
        limits = self.constant(-LIMIT), self.constant(LIMIT)
        return self.node("Pow", self.constant(2.0), self.node("Clip", exponent, *limits))


def type_out(operator: Any) -> Any:
    """Return the type of the output: double where any of the inputs is."""
    types = importlib.import_module("skl2onnx.common.data_types")
    return types.DoubleTensorType if _has_double(operator) else types.FloatTensorType


def _has_double(operator: Any) -> bool:
    types = importlib.import_module("skl2onnx.common.data_types")
    kinds = (types.guess_tensor_type(variable.type) for variable in operator.inputs)
    return any(isinstance(kind, types.DoubleTensorType) for kind in kinds)


def affine(graph: Graph, affine_map: Affine, n_positions: int, squash: Any = None) -> None:
    """Add the map of each channel, and a squash between its scale and its gamma, if any."""
    shape = (-1, *(1 for _ in range(n_positions)))

    def constant(values: Any) -> str:
        return graph.constant(np.asarray(values).reshape(shape))

    x = graph.start(wide=_needs_double(affine_map))
    missing = graph.node("IsNaN", x) if squash is not None else ""
    z = x
    power = affine_map.power(inverse=False)
    if power is not None:
        z = graph.node("Mul", z, constant(power))
    if affine_map.shift.any():
        z = graph.node("Sub", z, constant(affine_map.shift))
    finite = np.isfinite(affine_map.scale)
    if not finite.all():  # constant channels of a squash, all of whose values become 0
        z = graph.node("Mul", z, constant(finite.astype(float)))
    scale = np.where(finite, affine_map.scale, 1.0)
    if (scale != 1.0).any():
        z = graph.node("Div", z, constant(scale))
    if squash is not None:
        z = graph.where(missing, x, _squashed(graph, z, *squash))
    if affine_map.gamma is not None:
        z = graph.node("Mul", z, constant(affine_map.gamma))
    if affine_map.beta is not None and affine_map.beta.any():
        z = graph.node("Add", z, constant(affine_map.beta))
    graph.finish(z)


def _needs_double(affine_map: Affine) -> bool:
    """Tell whether float32 would lose digits, or the numbers are beyond its range."""
    if affine_map.exponent is not None:
        return True
    scale = affine_map.scale[np.isfinite(affine_map.scale)]
    shift = affine_map.shift[np.isfinite(affine_map.scale)]
    in_range = ((scale > 1e-30) & (scale < 1e30)).all()
    return not in_range or bool((np.abs(shift) > FAR * scale).any())


def _squashed(graph: Graph, z: str, name: str, bound: float) -> str:
    limit = graph.constant(bound)
    if name == "clip":
        return graph.node("Clip", z, graph.constant(-bound), limit)
    if name == "tanh":
        return graph.node("Mul", graph.node("Tanh", graph.node("Div", z, limit)), limit)
    far = 1e15 * bound
    z = graph.node("Clip", z, graph.constant(-far), graph.constant(far))
    ratio = graph.node("Div", z, limit)
    square = graph.node("Add", graph.node("Mul", ratio, ratio), graph.constant(1.0))
    return graph.node("Div", z, graph.node("Sqrt", square))


def layer(graph: Graph, layer: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Add the normalization of groups of channels of each sample, of this shape."""
    n_groups, center, scale = layer["n_groups"], layer["center"], layer["scale"]
    x = graph.start(wide=True)
    size = math.prod(shape) // n_groups
    rows = graph.node("Reshape", x, graph.integers([-1, n_groups, size]))
    missing, filled, present = graph.present(rows)
    z = filled
    if center or scale:
        z = _layer_scores(graph, filled, present, center, scale, layer["eps"])
    z = _with_gamma_and_beta(graph, z, layer, size)
    z = graph.where(missing, graph.constant(math.nan), z)
    graph.finish(graph.node("Reshape", z, graph.integers([-1, *shape])))


def fused_layer(graph: Graph, layer: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Add the same as ONNX's own node, which knows no missing values and no safe range."""
    if not (layer["center"] and layer["scale"]):
        raise NotImplementedError(
            "ONNX's LayerNormalization centers and scales. Leave the custom conversion out for a "
            "LayerScaler that does only one of both."
        )
    if graph.opset < HAS_FUSED:
        raise NotImplementedError(
            f"ONNX's LayerNormalization needs opset {HAS_FUSED}, and target_opset is "
            f"{graph.opset}. Raise it, or leave the custom conversion out."
        )
    n_groups = layer["n_groups"]
    x = graph.start(wide=False)
    size = math.prod(shape) // n_groups
    rows = graph.node("Reshape", x, graph.integers([-1, n_groups, size]))
    ones, zeros = graph.constant(np.ones(size)), graph.constant(np.zeros(size))
    z = graph.node(
        "LayerNormalization", rows, ones, zeros, version=HAS_FUSED, axis=-1, epsilon=layer["eps"]
    )
    z = _with_gamma_and_beta(graph, z, layer, size)
    graph.finish(graph.node("Reshape", z, graph.integers([-1, *shape])))


def _with_gamma_and_beta(graph: Graph, z: str, layer: dict[str, Any], size: int) -> str:
    for kind, name in (("Mul", "gamma"), ("Add", "beta")):
        if layer[name] is not None:
            z = graph.node(kind, z, graph.constant(layer[name].reshape(1, -1, size)))
    return z


def _layer_scores(graph: Graph, x: str, present: str, center: bool, scale: bool, eps: float) -> str:
    unit = graph.unit(x, 2)
    x = graph.node("Mul", x, unit)
    count = graph.node("Max", graph.sum(present, 2), graph.constant(1.0))

    def mean_of(values: str) -> str:
        return graph.node("Div", graph.sum(graph.node("Mul", values, present), 2), count)

    deviation, mean, rest = x, graph.constant(0.0), graph.constant(0.0)
    if center:
        mean = mean_of(x)
        deviation = graph.node("Sub", x, mean)
        rest = mean_of(deviation)
    square = graph.node("Mul", deviation, deviation)
    var = graph.node("Sub", mean_of(square), graph.node("Mul", rest, rest))
    var = graph.node("Max", var, graph.constant(0.0))
    z = graph.node("Sub", deviation, rest)
    divide = unit
    if scale:
        more = graph.node("Mul", graph.constant(math.sqrt(eps)), unit)
        divide = graph.node("Sqrt", graph.node("Add", var, graph.node("Mul", more, more)))
    is_zero = graph.node("Equal", divide, graph.constant(0.0))
    z = graph.node("Div", z, graph.where(is_zero, graph.constant(1.0), divide))
    bound = graph.constant(0.0)
    if center:
        most = graph.node("Min", count, graph.constant(MOST_SAMPLES_IN_BOUND))
        bound = graph.node("Mul", graph.node("Mul", most, graph.constant(EPSILON)), mean)
        bound = graph.node("Mul", bound, bound)
    constant = graph.node("LessOrEqual", var, bound, version=12)
    return graph.where(constant, graph.constant(0.0), z)


def norm(graph: Graph, kind: str, keep: bool) -> None:
    """Add the division of vectors along axis 1 by their norms, which may be kept as a column."""
    x = graph.start(wide=True)
    unit = graph.unit(x, 1)
    x = graph.node("Mul", x, unit)
    magnitude = graph.node("Abs", x)
    if kind == "max":
        norms = graph.maximum(magnitude, 1)
    elif kind == "l1":
        norms = graph.sum(magnitude, 1)
    else:
        norms = graph.node("Sqrt", graph.sum(graph.node("Mul", x, x), 1))
    is_zero = graph.node("Equal", norms, graph.constant(0.0))
    z = graph.node("Div", x, graph.where(is_zero, graph.constant(1.0), norms))
    if keep:
        z = graph.node("Concat", z, graph.node("Div", norms, unit), axis=1)
    graph.finish(z)
