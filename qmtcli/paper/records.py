"""The value classes of the stand-in for `xtquant.xtpythonclient`: requests, answers and pushed records.

What belongs here is how a field takes, keeps and gives back a value, as measured on the real module (pybind11
over C++ structs; the table is `qmtcli.paper.native_tables`):

- A field is one place in a struct, reached by each of its names. Text is a char array: UTF-8, cut silently at
  the first NUL and at its size in bytes. Text cut inside a character raises UnicodeDecodeError when read.
- Integers have 32 or 64 bits. They take what has ``__index__`` or ``__int__`` (a Decimal loses its fraction)
  but no float; floats take what has ``__float__`` or ``__index__``; bools what has ``__bool__``, and None.
- ``None`` as text kills the real process. Here it is a TypeError, as is any other value that does not fit.
- A pushed record keeps its remark, code and trade id twice: ``m_strOrderRemark`` has 23 bytes,
  ``order_remark`` reads another 127, and the 23 while those are empty.
- Text of pushed records is read-only from Python. The exchange writes it with `fill`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from qmtcli.paper.native_tables import RECORDS

MODULE = "xtquant.xtpythonclient"

#: names of all classes, as `record` takes them
RECORD_NAMES = tuple(RECORDS)


class Record:
    """Base of all records. Has no ``__dict__`` and cannot be copied or pickled."""

    __slots__ = ("__weakref__", "_cells")

    #: one value a field; text that is no UTF-8 is kept as bytes
    _cells: list[Any]
    #: values of a new record
    _empty: ClassVar[list[object]]
    #: field name to what writes it, read-only ones included
    _write: ClassVar[dict[str, Callable[[Record, Any], None]]]
    #: field name to its cells; the first that is not empty is read
    _places: ClassVar[dict[str, tuple[int, ...]]]
    #: field name to the type of what it gives back, and to the bytes that a text has in each of its places
    _plain: ClassVar[dict[str, tuple[type, int]]]

    def __init__(self) -> None:
        self._cells = [*self._empty]

    def __dir__(self) -> Iterable[str]:
        return [name for name in object.__dir__(self) if name.startswith("__") or not name.startswith("_")]

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError(f"cannot pickle '{MODULE}.{type(self).__qualname__}' object")

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


R = TypeVar("R", bound=Record)
Write = Callable[[Record, Any], None]


def record(name: str) -> type[Record]:
    """The class of that name, built at the first call. Raises KeyError for a name not in `RECORD_NAMES`."""
    return _built.get(name) or _built.setdefault(name, _build(name))


def fill(target: R, /, **values: object) -> R:
    """Write fields by any of their names, read-only ones too, and return ``target``.

    Values are coerced and cut as from Python. A text kept twice is written to both places by its long name,
    and by its short one (``m_strOrderRemark``) only there. Raises TypeError for a value that does not fit,
    KeyError for an unknown field.
    """
    write = target._write
    for name, value in values.items():
        write[name](target, value)
    return target


def maker(name: str, *fields: str, **constant: object) -> Callable[..., Any]:
    """What makes records of one class: ``constant`` fields alike in all, the others from values in this order.

    It writes as `fill` does in a third of the time: the row of an order has 20 fields and is made for every push.
    Integers are taken to fit.
    """
    kind = record(name)
    empty = fill(kind(), **constant)._cells
    plan: list[tuple[Any, int, tuple[int, ...], Write]] = [
        (*kind._plain[field], kind._places[field], kind._write[field]) for field in fields
    ]
    new: Callable[[type[Record]], Record] = object.__new__

    def make(*values: Any) -> Any:
        target = new(kind)
        target._cells = cells = [*empty]
        for (plain, size, places, write), value in zip(plan, values, strict=True):
            # no character has more than four bytes
            if type(value) is plain and (
                plain is not str or ((len(value) if value.isascii() else 4 * len(value)) <= size and "\0" not in value)
            ):
                for cell in places:
                    cells[cell] = value
            else:
                write(target, value)
        return target

    return make


def raw(source: Record, name: str, /) -> bytes:
    """The bytes of a text field as native code sees them: perhaps cut inside a character, never an error."""
    text = _stored(source, source._places[name])
    return text.encode() if isinstance(text, str) else text


def whole(source: Record, name: str, /) -> str:
    """A text field as far as it is whole: the native line may have cut it inside a character."""
    text = _stored(source, source._places[name])
    return text if isinstance(text, str) else text.decode(errors="ignore")


_built: dict[str, type[Record]] = {}


def _build(name: str) -> type[Record]:
    empty: list[object] = []
    write: dict[str, Write] = {}
    places: dict[str, tuple[int, ...]] = {}
    plain: dict[str, tuple[type, int]] = {}
    fields: dict[str, property] = {}
    get: Callable[[Record], object]
    for cell, row in enumerate(filter(None, RECORDS[name].split(";"))):
        kind, *faces = row.split()
        kind, _, shorter = kind.partition(">")
        kind, _, default = kind.partition("=")
        if kind.endswith("s"):
            place = (cell, *places.get(shorter, ()))
            empty.append("")
            size = int(kind[:-1])
            like: tuple[type, int] = (str, min(size, plain[shorter][1]) if shorter else size)
            put = _text(cell, size)
            put = _both(put, write[shorter]) if shorter else put
            get = _text_of(place)
        else:
            place = (cell,)
            zero, make = _NUMBERS[kind]
            empty.append(int(default) if default else zero)
            like = (type(zero), 0)
            put = make(cell)
            get = _number_of(cell)
        for face in faces:
            field = face.lstrip("!")
            write[field], places[field], plain[field] = put, place, like
            fields[field] = property(get, None if face.startswith("!") else put)
    body = {
        "__slots__": (), "__module__": MODULE,
        "_empty": empty, "_write": write, "_places": places, "_plain": plain,
    }  # fmt: skip
    return type(name, (Record,), body | fields)


def _number_of(cell: int) -> Callable[[Record], object]:
    return lambda source: source._cells[cell]


def _text_of(place: tuple[int, ...]) -> Callable[[Record], str]:
    def get(source: Record) -> str:
        text = _stored(source, place)
        return text if isinstance(text, str) else text.decode()

    return get


def _stored(source: Record, place: tuple[int, ...]) -> str | bytes:
    for cell in place:
        text: str | bytes = source._cells[cell]
        if text:
            return text
    return ""


def _text(cell: int, size: int) -> Write:
    def cut(value: Any) -> str | bytes:
        if isinstance(value, str):
            value = value.encode()
        elif not isinstance(value, bytes | bytearray):
            raise TypeError
        kept = bytes(value).partition(b"\0")[0][:size]
        try:
            return kept.decode()
        except UnicodeDecodeError:
            return kept

    def put(target: Record, value: Any) -> None:
        plain = type(value) is str and len(value) <= size and value.isascii() and "\0" not in value
        target._cells[cell] = value if plain else _fit(target, value, cut, "arg0: {}, arg1: str")

    return put


def _both(put: Write, shorter: Write) -> Write:
    def put_both(target: Record, value: Any) -> None:
        put(target, value)
        shorter(target, value)

    return put_both


def _integer(cell: int, bits: int) -> Write:
    limit = 1 << (bits - 1)

    def whole(value: Any) -> int:
        if isinstance(value, float):
            raise TypeError
        try:
            number = index(value)
        except Exception:
            if not (hasattr(type(value), "__int__") or hasattr(type(value), "__float__")):
                raise
            number = int(value)
        if not -limit <= number < limit:
            raise OverflowError
        return number

    def put(target: Record, value: Any) -> None:
        plain = type(value) is int and -limit <= value < limit
        target._cells[cell] = value if plain else _fit(target, value, whole, "self: {}, arg0: int")

    return put


def _real(cell: int) -> Write:
    def real(value: Any) -> float:
        if not (hasattr(type(value), "__float__") or hasattr(type(value), "__index__")):
            raise TypeError
        return float(value)

    def put(target: Record, value: Any) -> None:
        plain = type(value) is float
        target._cells[cell] = value if plain else _fit(target, value, real, "self: {}, arg0: float")

    return put


def _truth(cell: int) -> Write:
    def truth(value: Any) -> bool:
        if not hasattr(type(value), "__bool__"):
            raise TypeError
        return bool(value)

    def put(target: Record, value: Any) -> None:
        target._cells[cell] = _fit(target, value, truth, "self: {}, arg0: bool")

    return put


def _fit(target: Record, value: Any, coerce: Callable[[Any], object], signature: str) -> object:
    """``coerce(value)``; whatever it raises becomes a refusal in pybind11's words, as in the real module."""
    try:
        return coerce(value)
    except Exception:
        fatal = " (None as text kills a process with the real module)" if value is None else ""
        raise TypeError(
            "(): incompatible function arguments. The following argument types are supported:\n"
            f"    1. ({signature.format(f'{MODULE}.{type(target).__qualname__}')}) -> None\n\n"
            f"Invoked with: {target!r}, {value!r}{fatal}"
        ) from None


#: kind in `RECORDS` to the default and what writes a cell
_NUMBERS: dict[str, tuple[object, Callable[[int], Write]]] = {
    "i": (0, lambda cell: _integer(cell, 32)),
    "q": (0, lambda cell: _integer(cell, 64)),
    "d": (0.0, _real),
    "?": (False, _truth),
}
