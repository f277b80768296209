"""The contents of an ONNX file, looked through before ONNX Runtime sees them, without the package ``onnx``.

An ONNX file is a protocol buffer (https://protobuf.dev/programming-guides/encoding): fields, each a number, a wire type
and a value; a message within a message is a field of bytes. Field numbers are those of onnx.proto. The parts that are
looked through are the model, its graph, nodes, attributes and tensors. What has no place in an acoustic model is
refused: tensors kept in other files, which could be any file of this machine; operators of other domains than ONNX' own
and those that ONNX Runtime's quantisation writes; and graphs within graphs, such as loops that need not end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

_DOMAINS = {"", "ai.onnx"}
_QUANTISED = "com.microsoft", {"DynamicQuantizeLSTM"}
_OPSETS = range(7, 27)
_ELEMENT_TYPES = {1: "float32", 7: "int64"}
_LENGTHS = {1: 8, 5: 4}
"""Wire types with values of a fixed number of bytes."""

_VARINT, _BYTES = 0, 2
_MOST_FIELDS = 1 << 18


@dataclass(frozen=True)
class Port:
    """An input or an output of a graph.

    Attributes:
        name: its name.
        dtype: ``float32``, ``int64``, or the number that ONNX has for another type.
        shape: its lengths, None where any is possible.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Ports:
    """The inputs (without constants) and the outputs of a graph."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def read_ports(content: bytes) -> Ports:
    """Look through the bytes of an ONNX file, and return its inputs and outputs.

    Raises:
        ValueError: the bytes are no ONNX file, or hold what an acoustic model must not have.
    """
    model = _Message(memoryview(content))
    for message in model.messages(8):
        _check_opset(message)
    if model.has(20, 25):
        raise ValueError("it has functions or training steps of its own")
    graphs = list(model.messages(7))
    if len(graphs) != 1:
        raise ValueError(f"it has {len(graphs)} graphs; one is needed")
    graph = graphs[0]
    if graph.has(15):
        raise ValueError("it has sparse tensors")
    constants = {_check_tensor(tensor) for tensor in graph.messages(5)}
    for node in graph.messages(1):
        _check_node(node)
    inputs = tuple(port for port in map(_port, graph.messages(11)) if port.name not in constants)
    return Ports(inputs, tuple(map(_port, graph.messages(12))))


def _check_opset(message: _Message) -> None:
    domain, version = message.text(1), message.number(2)
    if domain not in _DOMAINS | {_QUANTISED[0]}:
        raise ValueError(f"it has operators of {domain!r}; only ONNX' own are run")
    if domain in _DOMAINS and version not in _OPSETS:
        raise ValueError(f"it has opset {version}; {_OPSETS[0]} to {_OPSETS[-1]} are known")


def _check_node(node: _Message) -> None:
    domain, operator = node.text(7), node.text(4)
    if domain not in _DOMAINS and not (domain == _QUANTISED[0] and operator in _QUANTISED[1]):
        raise ValueError(f"it has the operator {operator!r} of {domain!r}; only ONNX' own are run")
    for attribute in node.messages(5):
        if attribute.has(6, 11):
            raise ValueError(f"its operator {operator!r} has a graph of its own")
        if attribute.has(22, 23):
            raise ValueError("it has sparse tensors")
        for tensor in (*attribute.messages(5), *attribute.messages(10)):
            _check_tensor(tensor)


def _check_tensor(tensor: _Message) -> str:
    """Refuse a tensor that is kept in another file; return its name."""
    name = tensor.text(8)
    if tensor.has(13) or tensor.number(14):
        raise ValueError(f"its tensor {name!r} is kept in another file; all must be within it")
    return name


def _port(message: _Message) -> Port:
    dtype, shape = 0, []
    for kind in message.messages(2):
        for tensor in kind.messages(1):
            dtype = tensor.number(1)
            for dimensions in tensor.messages(2):
                shape += [d.number(1) if d.has(1) else None for d in dimensions.messages(1)]
    return Port(message.text(1), _ELEMENT_TYPES.get(dtype, f"type {dtype}"), tuple(shape))


class _Message:
    """The fields of one message, in order. A field may occur several times; of a number or a text, the last counts."""

    def __init__(self, content: memoryview) -> None:
        self._fields = list(islice(_fields(content), _MOST_FIELDS + 1))
        if len(self._fields) > _MOST_FIELDS:
            raise ValueError(f"a message of more than {_MOST_FIELDS:,} fields")

    def has(self, *numbers: int) -> bool:
        return any(number in numbers for number, _, _ in self._fields)

    def messages(self, wanted: int) -> Iterator[_Message]:
        return (_Message(value) for value in self._values(wanted, _BYTES))

    def text(self, wanted: int) -> str:
        values = list(self._values(wanted, _BYTES))
        return bytes(values[-1]).decode("utf-8") if values else ""

    def number(self, wanted: int) -> int:
        values = list(self._values(wanted, _VARINT))
        return values[-1] if values else 0

    def _values(self, wanted: int, wire: int) -> Iterator:  # type: ignore[type-arg]
        for number, kind, value in self._fields:
            if number == wanted:
                if kind != wire:
                    raise ValueError(f"field {number} has the wire type {kind}")
                yield value


def _fields(content: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    """Yield the number, the wire type and the value of each field."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(content, at)
            yield number, wire, value
            continue
        if wire == _BYTES:
            length, at = _varint(content, at)
        elif wire in _LENGTHS:
            length = _LENGTHS[wire]
        else:
            raise ValueError(f"no ONNX file: wire type {wire}")
        if at + length > len(content):
            raise ValueError("no whole ONNX file: a field goes on beyond its end")
        yield number, wire, content[at : at + length]
        at += length


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """Return the number at ``at``, of up to ten bytes with seven bits each, and the place after it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("no whole ONNX file: a number does not end")
