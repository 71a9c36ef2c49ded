"""The value classes of the stand-in for `xtquant.xtpythonclient`: requests, answers and pushed records.

What belongs here is how one field takes, keeps and gives back a value, as measured on the real module
(pybind11 over C++ structs; the table is `qmtcli.paper.native_tables`):

- A field is one place in a struct, reached by each of its names. Text is a char array: UTF-8, cut silently at
  the first NUL and at its size in bytes. Text cut inside a character raises UnicodeDecodeError when it is read.
- Integers have 32 or 64 bits. They take what has ``__index__`` or ``__int__`` (a Decimal loses its fraction), but
  no float; floats take what has ``__float__`` or ``__index__``; bools what has ``__bool__``, and None.
- ``None`` as text kills the real process. Here it is a TypeError like any other value that does not fit.
- A pushed record's remark, code and trade id are kept twice: ``m_strOrderRemark`` is the 23 bytes,
  ``order_remark`` the 127, or the 23 while those are empty.
- Text of pushed records is read-only from Python. The exchange writes it with `fill`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from qmtcli.paper.native_tables import RECORDS

MODULE = "xtquant.xtpythonclient"

#: names of all classes, as `record` takes them
RECORD_NAMES = tuple(RECORDS)


class Record:
    """Base of all records. Has no ``__dict__`` and cannot be copied or pickled."""

    __slots__ = ("__weakref__",)

    #: field name to what writes it, read-only ones included
    _put: ClassVar[dict[str, Callable[[Record, object], None]]]
    #: name of a text field to what reads it as stored: str, or bytes where they are no UTF-8
    _stored: ClassVar[dict[str, Callable[[Record], str | bytes]]]

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError(f"cannot pickle '{MODULE}.{type(self).__qualname__}' object")

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...


R = TypeVar("R", bound=Record)


def record(name: str) -> type[Record]:
    """The class of that name, the same one at every call. Raises KeyError for a name not in `RECORD_NAMES`."""
    return _built.get(name) or _built.setdefault(name, _build(name))


def fill(target: R, /, **values: object) -> R:
    """Write fields by any of their names, read-only ones too, and return ``target``.

    Values are coerced and cut as from Python. A text kept twice is written twice by its long name, and by its
    short one only there. Raises TypeError for a value that does not fit, KeyError for an unknown field.
    """
    put = target._put
    for name, value in values.items():
        put[name](target, value)
    return target


def raw(source: Record, name: str, /) -> bytes:
    """The bytes of a text field, as native code sees them: cut perhaps inside a character, never an error."""
    text = source._stored[name](source)
    return text.encode() if isinstance(text, str) else text


_built: dict[str, type[Record]] = {}


def _build(name: str) -> type[Record]:
    rows = [row.split() for row in RECORDS[name].split(";") if row]
    slots = [faces[0].lstrip("!") for _, *faces in rows]
    put: dict[str, Callable[[Record, object], None]] = {}
    stored: dict[str, Callable[[Record], str | bytes]] = {}
    empty: list[tuple[Callable[[Record, object], None], object]] = []

    def init(self: Record) -> None:
        for write, value in empty:
            write(self, value)

    init.__name__, init.__qualname__ = "__init__", f"{name}.__init__"
    namespace = {"__slots__": slots, "__module__": MODULE, "__init__": init, "_put": put, "_stored": stored}
    cls = cast("type[Record]", type(name, (Record,), namespace))
    for (kind, *faces), slot in zip(rows, slots, strict=True):
        place: Any = cls.__dict__[slot]
        kind, _, shorter = kind.partition(">")
        kind, _, default = kind.partition("=")
        get: Callable[[Record], Any] = place.__get__
        if kind.endswith("s"):
            type_, zero, coerce = "str", "", _text(int(kind[:-1]))
        else:
            type_, zero, coerce = _NUMBERS[kind]
        write = _writer(place.__set__, coerce, f"{MODULE}.{name}", type_)
        empty.append((place.__set__, int(default) if default else zero))
        if shorter:
            get, write = _first(get, stored[shorter]), _both(write, put[shorter])
        for face in faces:
            field = face.lstrip("!")
            put[field] = write
            if type_ == "str":
                stored[field] = get
            read = _decoded(get) if type_ == "str" else get
            setattr(cls, field, property(read, None if face.startswith("!") else write))
    return cls


def _writer(
    put: Callable[[Record, object], None], coerce: Callable[[Any], object], owner: str, type_: str
) -> Callable[[Record, object], None]:
    """What assigns to a field, refusing in pybind11's words."""
    self, argument = ("arg0", "arg1") if type_ == "str" else ("self", "arg0")

    def write(target: Record, value: object) -> None:
        try:
            fit = coerce(value)
        except Exception:
            fatal = " (None as text kills a process that uses the real client)" * (value is None)
            raise TypeError(
                "(): incompatible function arguments. The following argument types are supported:\n"
                f"    1. ({self}: {owner}, {argument}: {type_}) -> None\n\n"
                f"Invoked with: {target!r}, {value!r}{fatal}"
            ) from None
        put(target, fit)

    return write


def _decoded(get: Callable[[Record], str | bytes]) -> Callable[[Record], str]:
    def read(source: Record) -> str:
        text = get(source)
        return text if isinstance(text, str) else text.decode()

    return read


def _first(
    get: Callable[[Record], str | bytes], shorter: Callable[[Record], str | bytes]
) -> Callable[[Record], str | bytes]:
    return lambda source: get(source) or shorter(source)


def _both(
    put: Callable[[Record, object], None], shorter: Callable[[Record, object], None]
) -> Callable[[Record, object], None]:
    def write(target: Record, value: object) -> None:
        put(target, value)
        shorter(target, value)

    return write


def _text(size: int) -> Callable[[Any], str | bytes]:
    def coerce(value: Any) -> str | bytes:
        if type(value) is str and len(value) <= size and value.isascii() and "\0" not in value:
            return value
        if isinstance(value, str):
            value = value.encode()
        elif not isinstance(value, bytes | bytearray):
            raise TypeError
        kept = bytes(value).partition(b"\0")[0][:size]
        try:
            return kept.decode()
        except UnicodeDecodeError:
            return kept

    return coerce


def _integer(bits: int) -> Callable[[Any], int]:
    limit = 1 << (bits - 1)

    def coerce(value: Any) -> int:
        if type(value) is not int:
            if isinstance(value, float) or not _has(value, "__index__", "__int__"):
                raise TypeError
            value = int(value)
        if not -limit <= value < limit:
            raise OverflowError
        return cast("int", value)

    return coerce


def _real(value: Any) -> float:
    if not _has(value, "__float__", "__index__"):
        raise TypeError
    return float(value)


def _truth(value: Any) -> bool:
    if value is not None and not _has(value, "__bool__"):
        raise TypeError
    return bool(value)


def _has(value: object, *methods: str) -> bool:
    return any(hasattr(type(value), method) for method in methods)


#: kind in `RECORDS` to the type a refusal names, the default, and what coerces
_NUMBERS: dict[str, tuple[str, object, Callable[[Any], object]]] = {
    "i": ("int", 0, _integer(32)),
    "q": ("int", 0, _integer(64)),
    "d": ("float", 0.0, _real),
    "?": ("bool", False, _truth),
}
