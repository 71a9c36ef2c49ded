"""The records of the stand-in, field by field, against what was measured on the real module."""

from __future__ import annotations

import copy
import importlib.util
import json
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qmtcli.paper.native_tables import RECORDS
from qmtcli.paper.records import RECORD_NAMES, fill, maker, raw, record, whole

TESTS = Path(__file__).resolve().parents[1]


def load(name: str) -> Any:
    return json.loads((TESTS / name).read_text("utf-8"))


CLASSES: dict[str, Any] = {
    name: body["fields"]
    for name, body in load("native-contract.json")["xtpythonclient"]["classes"].items()
    if name != "XtQuantAsyncClient"
}
ALIASES: dict[str, dict[str, list[str]]] = load("native-aliases.json")["alias"]
READ_ONLY: dict[str, list[str]] = load("native-aliases.json")["readonly"]
LAYOUT: dict[str, dict[str, list[int]]] = load("native-layout.json")

each_class = pytest.mark.parametrize("name", CLASSES)

#: type in the contract to a value that is no default of it
OTHER = {"int": 7, "float": 2.5, "bool": True, "str": "x"}


def fields(name: str, type_: str) -> list[str]:
    return [field for field, facts in CLASSES[name].items() if facts["type"] == type_]


def readings(target: object, name: str) -> dict[str, Any]:
    return {field: getattr(target, field) for field in CLASSES[name]}


# -- every class, every field -----------------------------------------------------------------------------


def test_the_classes_are_those_of_the_contract() -> None:
    assert set(RECORD_NAMES) == set(CLASSES)
    assert len(CLASSES) == 98
    assert sum(map(len, CLASSES.values())) == 1215


@each_class
def test_fields_with_their_defaults_and_types(name: str) -> None:
    target = record(name)()
    shown = {field for field in dir(target) if not field.startswith("__")}
    assert shown == set(CLASSES[name])
    for field, facts in CLASSES[name].items():
        value = getattr(target, field)
        assert (field, type(value).__name__, value) == (field, facts["type"], facts["default"])


@each_class
def test_setting_one_face_changes_the_others_and_nothing_else(name: str) -> None:
    for field, facts in CLASSES[name].items():
        if field in READ_ONLY[name]:
            continue
        target = record(name)()
        before = readings(target, name)
        value = OTHER[facts["type"]]
        setattr(target, field, value)
        changed = {other for other, now in readings(target, name).items() if now != before[other]}
        assert changed == {field, *ALIASES[name][field]}
        assert {getattr(target, face) for face in changed} == {value}


@each_class
def test_read_only_fields_are_written_by_fill_alone(name: str) -> None:
    for field in READ_ONLY[name]:
        target = record(name)()
        with pytest.raises(AttributeError):
            setattr(target, field, "x")
        assert getattr(target, field) == ""
        fill(target, **{field: "x"})
        place = LAYOUT[name][field]
        seen = {other for other, now in readings(target, name).items() if now == "x"}
        written = [place[:2], place[2:]]
        assert seen == {f for f, other in LAYOUT[name].items() if other[:2] in written or other[2:] in written[:1]}


def test_pairs_of_read_only_names() -> None:
    order = fill(
        record("XtOrder")(),
        m_strAccountID="account",
        order_sysid="sys",
        m_strStatusMsg="status",
        strategy_name="strategy",
        secu_account="A1",
        instrument_name="浦发银行",
    )
    assert (order.account_id, order.m_strOrderSysID, order.status_msg) == ("account", "sys", "status")
    assert (order.m_strStrategyName, order.secu_account, order.instrument_name) == ("strategy", "A1", "浦发银行")
    trade = fill(record("XtTrade")(), m_strInstrumentName="name", secu_account="A1")
    assert (trade.instrument_name, trade.m_strSecuAccount) == ("name", "A1")
    error = fill(record("XtOrderError")(), error_msg="why")
    assert error.m_strErrorMsg == "why"


@pytest.mark.parametrize(
    ("name", "short", "long", "sizes"),
    [
        ("XtOrder", "m_strOrderRemark", "order_remark", (23, 127)),
        ("XtOrder", "m_strStockCode", "stock_code", (15, 63)),
        ("XtTrade", "m_strOrderRemark", "order_remark", (23, 127)),
        ("XtTrade", "m_strStockCode", "stock_code", (15, 63)),
        ("XtTrade", "m_strTradedID", "traded_id", (23, 79)),
        ("XtPosition", "m_strStockCode", "stock_code", (15, 63)),
        ("XtOrderError", "m_strOrderRemark", "order_remark", (23, 127)),
        ("OrderStockResp", "m_strOrderRemark", "order_remark", (23, 127)),
    ],
)
def test_texts_kept_twice(name: str, short: str, long: str, sizes: tuple[int, int]) -> None:
    target = fill(record(name)(), **{short: "y" * 200})
    assert (getattr(target, short), getattr(target, long)) == ("y" * sizes[0], "y" * sizes[0])
    fill(target, **{long: "x" * 200})
    assert (getattr(target, short), getattr(target, long)) == ("x" * sizes[0], "x" * sizes[1])
    fill(target, **{short: "z"})
    assert (getattr(target, short), getattr(target, long)) == ("z", "x" * sizes[1])


# -- numbers ----------------------------------------------------------------------------------------------


@each_class
def test_integers_have_the_width_of_the_struct(name: str) -> None:
    target = record(name)()
    for field in fields(name, "int"):
        limit = 1 << (8 * LAYOUT[name][field][1] - 1)
        for value in (limit - 1, -limit):
            setattr(target, field, value)
            assert (field, getattr(target, field)) == (field, value)
        for value in (limit, -limit - 1):
            with pytest.raises(TypeError, match="incompatible function arguments"):
                setattr(target, field, value)
        assert getattr(target, field) == -limit


class Index:
    def __index__(self) -> int:
        return 7


class Int:
    def __int__(self) -> int:
        return 9


class IndexAndInt(Index, Int):
    pass


class Float:
    def __float__(self) -> float:
        return 2.5


class Truth:
    def __bool__(self) -> bool:
        return True


class Broken:
    def __index__(self) -> int:
        raise ZeroDivisionError

    __float__ = __bool__ = __index__


REFUSED = "refused"
NAN = float("nan")


def _name(value: object) -> str:
    """What a parameter is called, the same in every process."""
    return ascii(value).partition(" at 0x")[0][:30]


#: value, and what an int, a float and a bool field of the real module made of it
MEASURED = [
    (1, 1, 1.0, True),
    (-1, -1, -1.0, True),
    (True, 1, 1.0, True),
    (2**53 + 1, REFUSED, 9007199254740992.0, True),
    (10**400, REFUSED, REFUSED, True),
    (1.0, REFUSED, 1.0, True),
    (1.5, REFUSED, 1.5, True),
    (NAN, REFUSED, NAN, True),
    ("11", REFUSED, REFUSED, REFUSED),
    ("", REFUSED, REFUSED, REFUSED),
    (b"1", REFUSED, REFUSED, REFUSED),
    (memoryview(b"12"), REFUSED, REFUSED, REFUSED),
    (None, REFUSED, REFUSED, False),
    (Decimal("5.9"), 5, 5.9, True),
    (Decimal("NaN"), REFUSED, NAN, True),
    (Fraction(7, 2), 3, 3.5, True),
    (1 + 2j, REFUSED, REFUSED, True),
    (Index(), 7, 7.0, REFUSED),
    (Int(), 9, REFUSED, REFUSED),
    (IndexAndInt(), 7, 7.0, REFUSED),
    (Float(), REFUSED, 2.5, REFUSED),
    (Truth(), REFUSED, REFUSED, True),
    (Broken(), REFUSED, REFUSED, REFUSED),
    ([], REFUSED, REFUSED, REFUSED),
    ([1], REFUSED, REFUSED, REFUSED),
    ({}, REFUSED, REFUSED, REFUSED),
]


@pytest.mark.parametrize(("value", "as_int", "as_float", "as_bool"), MEASURED, ids=_name)
def test_numbers_coerce_as_measured(value: object, as_int: object, as_float: object, as_bool: object) -> None:
    def outcome(name: str, field: str) -> tuple[type, str]:
        target = record(name)()
        try:
            setattr(target, field, value)
        except TypeError:
            assert getattr(target, field) == CLASSES[name][field]["default"]
            return str, REFUSED
        read = getattr(target, field)
        return type(read), repr(read)

    def expected(wanted: object) -> tuple[type, str]:
        return (str, REFUSED) if wanted is REFUSED else (type(wanted), repr(wanted))

    assert outcome("OrderStockReq", "m_nOrderVolume") == expected(as_int)
    assert outcome("OrderStockReq", "m_dPrice") == expected(as_float)
    assert outcome("QueryStockOrdersReq", "m_bCanCancel") == expected(as_bool)


def test_numpy_scalars_coerce_as_measured() -> None:
    numpy = pytest.importorskip("numpy")
    request = record("OrderStockReq")()
    for value, kept in ((numpy.int64(5), 5), (numpy.float32(2.5), 2), (numpy.array(3), 3)):
        request.order_volume = value
        assert (request.order_volume, type(request.order_volume)) == (kept, int)
    for value in (numpy.float64(2.0), numpy.int64(2**31), numpy.array([1, 2])):
        with pytest.raises(TypeError):
            request.order_volume = value
    request.price = numpy.float64(9.09)
    assert (request.price, type(request.price)) == (9.09, float)
    query = record("QueryStockOrdersReq")()
    query.can_cancel = numpy.bool_(True)
    assert query.can_cancel is True


# -- text -------------------------------------------------------------------------------------------------


@each_class
def test_texts_keep_the_bytes_of_the_struct(name: str) -> None:
    target = record(name)()
    for field in fields(name, "str"):
        size = LAYOUT[name][field][1] - 1
        for length in (size, size + 1):
            fill(target, **{field: "x" * length})
            assert (field, getattr(target, field)) == (field, "x" * size)


@pytest.mark.parametrize(
    ("field", "size"),
    [
        ("account_id", 23),
        ("strategy_name", 23),
        ("order_remark", 23),
        ("stock_code", 15),
        ("order_remark1", 127),
        ("stock_code1", 63),
        ("account_id1", 127),
    ],
)
def test_lengths_an_order_request_keeps(field: str, size: int) -> None:
    request = record("OrderStockReq")()
    setattr(request, field, "中" * (size // 3) + "a" * 20)
    assert getattr(request, field) == "中" * (size // 3) + "a" * (size % 3)


def test_text_cut_inside_a_character_cannot_be_read() -> None:
    request = record("OrderStockReq")()
    request.m_strOrderRemark = "中" * 8
    for face in ("m_strOrderRemark", "order_remark"):
        with pytest.raises(UnicodeDecodeError, match="in position 21-22: unexpected end of data"):
            getattr(request, face)
    assert raw(request, "order_remark") == ("中" * 8).encode()[:23]
    order = fill(record("XtOrder")(), m_strOrderRemark=raw(request, "order_remark"))
    with pytest.raises(UnicodeDecodeError, match="in position 21-22: unexpected end of data"):
        _ = order.order_remark
    request.m_strOrderRemark = "ok"
    assert request.order_remark == "ok"


class Text(str):
    pass


@pytest.mark.parametrize(
    ("value", "kept"),
    [("a\0b", "a"), (b"ab", "ab"), (b"a\0b", "a"), (bytearray(b"ab"), "ab"), (Text("ab"), "ab"), ("", "")],
)
def test_texts_accepted_as_measured(value: object, kept: str) -> None:
    request = record("OrderStockReq")()
    request.strategy_name = value
    assert (request.strategy_name, type(request.strategy_name)) == (kept, str)
    assert raw(request, "m_strStrategyName") == kept.encode()


def test_bytes_that_are_no_utf8_are_taken_and_cannot_be_read() -> None:
    request = record("OrderStockReq")()
    request.strategy_name = b"\xff\xfe"
    assert raw(request, "strategy_name") == b"\xff\xfe"
    with pytest.raises(UnicodeDecodeError):
        _ = request.strategy_name


@pytest.mark.parametrize("value", [1, 1.5, [], memoryview(b"a"), "\ud800"], ids=_name)
def test_texts_refused(value: object) -> None:
    request = fill(record("OrderStockReq")(), order_remark="before")
    with pytest.raises(TypeError, match=r"arg0: xtquant\.xtpythonclient\.OrderStockReq, arg1: str"):
        request.order_remark = value
    assert request.order_remark == "before"


def test_none_as_text_is_refused_with_what_it_would_do() -> None:
    with pytest.raises(TypeError, match="None as text kills a process"):
        record("OrderStockReq")().order_remark = None


@given(text=st.text(max_size=40), size=st.sampled_from([("stock_code", 15), ("order_remark", 23)]))
def test_any_text_is_kept_up_to_its_last_byte(text: str, size: tuple[str, int]) -> None:
    field, most = size
    kept = text.encode().split(b"\0")[0][:most]
    request = record("OrderStockReq")()
    setattr(request, field, text)
    assert raw(request, field) == kept
    try:
        whole = kept.decode()
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            getattr(request, field)
    else:
        assert getattr(request, field) == whole


# -- objects ----------------------------------------------------------------------------------------------


def test_one_class_a_name() -> None:
    order = record("XtOrder")
    assert record("XtOrder") is order
    assert (order.__name__, order.__module__) == ("XtOrder", "xtquant.xtpythonclient")
    assert repr(order()).startswith("<xtquant.xtpythonclient.XtOrder object at 0x")
    with pytest.raises(KeyError):
        record("XtQuantAsyncClient")


@each_class
def test_nothing_else_can_be_set_read_or_passed(name: str) -> None:
    cls: Any = record(name)
    target = cls()
    with pytest.raises(AttributeError):
        target.m_strNobody = "x"
    with pytest.raises(AttributeError):
        _ = target.m_strNobody
    with pytest.raises(AttributeError):
        _ = target.__dict__
    with pytest.raises(TypeError):
        cls("x")
    with pytest.raises(TypeError):
        cls(account_id="x")


def test_records_are_not_copied_or_pickled() -> None:
    order = record("XtOrder")()
    attempts: list[Callable[[], object]] = [lambda: copy.copy(order), lambda: copy.deepcopy(order)]
    attempts += [partial(pickle.dumps, order, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for attempt in attempts:
        with pytest.raises(TypeError, match=r"^cannot pickle 'xtquant\.xtpythonclient\.XtOrder' object$"):
            attempt()


def test_a_record_equals_itself_only_and_can_be_referred_to_weakly() -> None:
    order = record("XtOrder")()
    assert order == order
    assert order != record("XtOrder")()
    assert weakref.ref(order)() is order


def test_records_do_not_share_values() -> None:
    first, second = record("XtOrder")(), record("XtOrder")()
    first.order_id = 5
    assert (second.order_id, record("XtOrder")().order_id) == (0, 0)


def test_fields_cannot_be_deleted() -> None:
    order = record("XtOrder")()
    with pytest.raises(AttributeError):
        del order.order_id


#: an order's row: texts that fit, are cut or are kept twice, numbers that fit or must be coerced
ROW = st.fixed_dictionaries(
    {
        "stock_code": st.text(max_size=70),
        "instrument_name": st.text(max_size=12) | st.sampled_from(["浦发银行", "x" * 23, "中" * 7, "é" * 12]),
        "order_id": st.integers(-(2**31), 2**31 - 1),
        "order_sysid": st.from_regex(r"[0-9]{0,24}", fullmatch=True),
        "order_remark": st.text(max_size=130),
        "price": st.floats(allow_nan=False) | st.integers(-9, 9),
    }
)


@given(ROW, ROW)
def test_a_maker_makes_what_fill_writes(first: dict[str, Any], second: dict[str, Any]) -> None:
    make = maker("XtOrder", *first, account_id="1000000365", account_type=2)
    for row in (first, second):
        filled = fill(record("XtOrder")(), account_id="1000000365", account_type=2, **row)
        made = make(*(row[name] for name in first))
        assert made._cells == filled._cells
        assert {name: raw(made, name) for name in fields("XtOrder", "str")} == {
            name: raw(filled, name) for name in fields("XtOrder", "str")
        }


def test_a_maker_refuses_what_fill_refuses() -> None:
    make = maker("XtOrder", "stock_code", "order_id")
    for wrong in ((600000, 1), ("600000.SH", "1"), ("600000.SH", 1.0)):
        with pytest.raises(TypeError, match="incompatible function arguments"):
            make(*wrong)
    with pytest.raises(ValueError, match="zip"):
        make("600000.SH")
    with pytest.raises(KeyError):
        maker("XtOrder", "no_such_field")


@pytest.mark.parametrize(("remark", "kept"), [("", ""), ("plain", "plain"), ("中" * 8, "中" * 7), (b"\xff9", "9")])
def test_a_text_as_far_as_it_is_whole(remark: str | bytes, kept: str) -> None:
    assert whole(fill(record("OrderStockReq")(), m_strOrderRemark=remark), "order_remark") == kept


def test_fill_names_the_field_it_does_not_know() -> None:
    with pytest.raises(KeyError, match="nobody"):
        fill(record("XtOrder")(), nobody=1)


# -- the table --------------------------------------------------------------------------------------------


@pytest.fixture
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("native_tables", TESTS.parent / "scripts" / "native_tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generated_table_is_current(generator: ModuleType) -> None:
    assert generator.TARGET.read_text("utf-8") == generator.render()


def test_check_tells_a_stale_table(
    generator: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = tmp_path / "native_tables.py"
    monkeypatch.setattr(generator, "ROOT", tmp_path)
    monkeypatch.setattr(generator, "TARGET", stale)
    monkeypatch.setattr(generator, "render", lambda: "new")
    stale.write_text("old", "utf-8")
    monkeypatch.setattr(sys, "argv", ["native_tables.py", "--check"])
    assert generator.main() == 1
    assert capsys.readouterr().err == "native_tables.py is stale: run python scripts/native_tables.py\n"
    assert stale.read_text("utf-8") == "old"
    monkeypatch.setattr(sys, "argv", ["native_tables.py"])
    assert generator.main() == 0
    assert stale.read_text("utf-8") == "new"


def test_layout_and_probed_aliases_agree() -> None:
    for name, faces in ALIASES.items():
        for field, others in faces.items():
            same = {other for other, place in LAYOUT[name].items() if place == LAYOUT[name][field]}
            assert same == {field, *others}, (name, field)


def test_importing_builds_no_class() -> None:
    code = "from qmtcli.paper import records; print(records.Record.__subclasses__())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=TESTS.parent)
    assert done.stdout == "[]\n"
    assert set(RECORDS) == set(RECORD_NAMES)
