"""Runs `urlpool.wasm` inside this process and calls its interface `urlpool:client/blocking`. It knows nothing of urllib3.

    instance = Instance()
    manager = instance.call("pool-manager.open", Record())
    response = instance.call("pool-manager.request", manager, "GET", url, "empty", Record())
    head = instance.call("response.head", response)
    part = instance.call("response.read", response, 65536)

Functions have their names from `wit/blocking.wit`: `request`, or `resource.function`, in which the resource comes first unless the
function is static. Their values are plain Python:

    record            `Record`, or a dict; `-` in names of fields becomes `_`; options that are left out are None
    variant           `Variant(tag, payload)`, or any such pair, or the tag alone for a case without payload
    enum              str
    option            None, or the value
    list<u8>          bytes, also bytearray and memoryview
    list, tuple       list (or any sequence), tuple
    result            its `ok` value is returned, its `err` value raised as `Failure`
    own, borrow       `Resource`

A call may take any number of bytes, and hand over up to 16 MiB: more is a `Trap`, so large bodies are read in pieces. While a call waits,
other threads of Python run; Ctrl-C is raised once it returns, as late as its timeouts allow.

Needs the package `wasmtime` in version 47.0.1: later ones cannot be told to allow TCP. Its own conversion makes a Python object of each
byte of a `list<u8>`, so values are converted here, straight from and to the memory of the C interface (`wasmtime/component/val.h`):
a `wasmtime_component_val_t` has 32 bytes, its kind in the first and what it holds from the ninth on.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.metadata
import math
import os
import struct
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as wc

from . import words

_VAL = 32
_ENTRY = 48  # A field of a record: its name, as size and address, and its value.
_KINDS = {"bool": 0, "u8": 2, "u16": 4, "u32": 6, "u64": 8, "string": 12, "list": 13, "record": 14, "tuple": 15, "variant": 16, "enum": 17,
          "option": 18, "result": 19, "resource": 21}
_NUMBERS = {wc.U8: ("u8", "B"), wc.U16: ("u16", "H"), wc.U32: ("u32", "I"), wc.U64: ("u64", "Q")}
_PAIR = struct.Struct("<QQ")
_WORD = struct.Struct("<Q")
_SEQUENCE = struct.Struct("<B7xQQ")
_VARIANT = struct.Struct("<B7xQQQ")
_POINTER = struct.Struct("<B7xQ")
_LARGE = 1024  # Lists of more elements get a block of their own.

# Any stretch of memory, for slices of it: nothing of this size is ever made.
_Bytes, _Words = ctypes.c_char * (1 << 62), ctypes.c_uint64 * (1 << 58)

# Looking a function up by item makes one of our own, so its types can be set without a change for others.
_call = ffi.dll["wasmtime_component_func_call"]
_call.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t]
_call.restype = ctypes.POINTER(ffi.wasmtime_error_t)


class Record:
    """A record: its fields as attributes."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self.__dict__ == other.__dict__

    def __repr__(self) -> str:
        return f"Record({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"


class Variant(NamedTuple):
    """A case of a variant and what it holds."""

    tag: str
    payload: Any = None


class Failure(Exception):
    """A function of the component returned an error."""

    def __init__(self, error: Any) -> None:
        super().__init__(getattr(error, "message", error))
        self.error = error


class Trap(Exception):
    """The component failed in a way that it does not know of, or had before: this instance cannot be used any more."""


class Resource:
    """Something that lives in an instance until it is dropped here: by `drop`, or by the collector."""

    __slots__ = ("kind", "_instance", "_handle", "__weakref__")

    def __init__(self, kind: str, instance: Instance, handle: int) -> None:
        self.kind = kind
        self._instance = instance
        self._handle = handle

    def drop(self) -> None:
        """Drops it now, once a call that another thread has running is over. Dropping it again does nothing."""
        handle, self._handle = self._handle, 0
        if handle:
            self._instance._dropped.append(handle)
            with self._instance._lock:
                self._instance._sweep()

    def __del__(self) -> None:
        # The collector may come in the middle of a call, on any thread, so it must neither wait nor disturb.
        handle, self._handle = self._handle, 0
        if handle and not sys.is_finalizing():
            self._instance._dropped.append(handle)
            self._instance._sweep_if_idle()

    def __repr__(self) -> str:
        return f"<{self.kind}{'' if self._handle else ', dropped'}>"


class _Arguments:
    """The arguments of one call as the C interface has them, in one block that is moved nowhere once it is whole.

    Until then an address within the block is its distance from the start; `links` says where such are written.
    """

    __slots__ = ("memory", "links", "kept", "instance")

    def __init__(self, instance: Instance, count: int) -> None:
        self.memory = bytearray(count * _VAL or 8)
        self.links: list[int] = []
        self.kept: list[bytearray] = []
        self.instance = instance

    def add(self, data: bytes | bytearray) -> int:
        """Appends this, up to the next multiple of 8, and says where."""
        at = len(self.memory)
        self.memory += data
        if len(data) & 7:
            self.memory += bytes(-len(data) & 7)
        return at

    def numbers(self, at: int, kind: str, size: int) -> tuple[bytearray, int]:
        """Makes the value here a list of so many numbers, all 0, and says in which block and from where on they are."""
        element = bytearray([_KINDS[kind]]) + bytes(_VAL - 1)
        if size > _LARGE:
            block, place = element * size, 0
            self.kept.append(block)
            address = _address_of(block)
        else:
            address = place = self.add(element * size)
            block = self.memory
            self.links.append(at + 16)
        _SEQUENCE.pack_into(self.memory, at, _KINDS["list"], size, address)
        return block, place

    def address(self) -> int:
        """Puts addresses in the place of distances."""
        base = _address_of(self.memory)
        for at in self.links:
            _WORD.pack_into(self.memory, at, _WORD.unpack_from(self.memory, at)[0] + base)
        return base


def _address_of(block: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(block))


class _Plan(NamedTuple):
    """How values of one type are converted."""

    lower: Callable[[_Arguments, int, Any], None]  # Writes the value into the block, at this distance.
    lift: Callable[[Instance, bytes, int, int], Any]  # Reads it from a copy, at this place in it, of the memory at this address.
    is_option: bool = False


class _Function(NamedTuple):
    """How a function is called."""

    index: Any
    parameters: list[_Plan]
    result: _Plan | None


def _name(text: str) -> tuple[int, int, Any]:
    """A name for the C interface, which is never freed by it: its size, its address, and what keeps it."""
    data = text.encode()
    kept = ctypes.create_string_buffer(data)
    return len(data), ctypes.addressof(kept), kept


def _number(kind: str, code: str) -> _Plan:
    layout, value_of = struct.Struct(f"<B7x{code}"), struct.Struct(f"<{code}").unpack_from
    number = _KINDS[kind]

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        try:
            layout.pack_into(arguments.memory, at, number, value)
        except struct.error:
            raise (ValueError if isinstance(value, int) else TypeError)(f"{value!r} is no {kind}") from None

    def lift(_instance: Instance, data: bytes, at: int, _base: int) -> int:
        return value_of(data, at + 8)[0]

    return _Plan(lower, lift)


def _bool() -> _Plan:
    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        arguments.memory[at + 8] = bool(value)

    def lift(_instance: Instance, data: bytes, at: int, _base: int) -> bool:
        return data[at + 8] != 0

    return _Plan(lower, lift)


def _string() -> _Plan:
    kind = _KINDS["string"]

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is no str")
        data = value.encode()
        _SEQUENCE.pack_into(arguments.memory, at, kind, len(data), arguments.add(data))
        arguments.links.append(at + 16)

    def lift(_instance: Instance, data: bytes, at: int, _base: int) -> str:
        size, address = _PAIR.unpack_from(data, at + 8)
        return ctypes.string_at(address, size).decode() if size else ""

    return _Plan(lower, lift)


def _bytes() -> _Plan:
    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        value = _as_bytes(value)
        block, place = arguments.numbers(at, "u8", len(value))
        block[place + 8::_VAL] = value

    def lift(_instance: Instance, data: bytes, at: int, _base: int) -> bytes:
        size, address = _PAIR.unpack_from(data, at + 8)
        return _Bytes.from_address(address)[8:8 + size * _VAL:_VAL] if size else b""

    return _Plan(lower, lift)


def _words() -> _Plan:
    """Bytes as `words` has them: `tuple<list<u64>, u32>`."""
    kind, number = _KINDS["tuple"], struct.Struct("<B7xI").pack_into

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        value = _as_bytes(value)
        size = len(value)
        pair = arguments.add(bytes(2 * _VAL))
        _SEQUENCE.pack_into(arguments.memory, at, kind, 2, pair)
        arguments.links.append(at + 16)
        number(arguments.memory, pair + _VAL, _KINDS["u32"], size)
        block, place = arguments.numbers(pair, "u64", size + 7 >> 3)
        with memoryview(block) as whole, whole[place:].cast("Q") as target, memoryview(value + bytes(-size & 7)).cast("Q") as source:
            target[1::4] = source

    def lift(_instance: Instance, data: bytes, at: int, _base: int) -> bytes:
        pair = ctypes.string_at(_PAIR.unpack_from(data, at + 8)[1], 2 * _VAL)
        count, address = _PAIR.unpack_from(pair, 8)
        size = struct.unpack_from("<I", pair, _VAL + 8)[0]
        return memoryview(_Words.from_address(address))[1:count * 4:4].tobytes()[:size] if size else b""

    return _Plan(lower, lift)


def _as_bytes(value: Any) -> bytes | bytearray:
    return value if isinstance(value, (bytes, bytearray)) else memoryview(value).tobytes()


def _list(element: _Plan) -> _Plan:
    kind = _KINDS["list"]
    lower_element, lift_element = element.lower, element.lift

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        if isinstance(value, (str, bytes)):
            raise TypeError(f"{value!r} is no list")
        value = list(value)
        place = arguments.add(bytes(len(value) * _VAL))
        _SEQUENCE.pack_into(arguments.memory, at, kind, len(value), place)
        arguments.links.append(at + 16)
        for item in value:
            lower_element(arguments, place, item)
            place += _VAL

    def lift(instance: Instance, data: bytes, at: int, _base: int) -> list[Any]:
        size, address = _PAIR.unpack_from(data, at + 8)
        inner = ctypes.string_at(address, size * _VAL) if size else b""
        return [lift_element(instance, inner, place, address) for place in range(0, size * _VAL, _VAL)]

    return _Plan(lower, lift)


def _tuple(elements: list[_Plan]) -> _Plan:
    kind, count = _KINDS["tuple"], len(elements)
    lowers = [element.lower for element in elements]
    lifts = [(element.lift, place * _VAL) for place, element in enumerate(elements)]

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        if not isinstance(value, (tuple, list)) or len(value) != count:
            raise TypeError(f"{value!r} is no tuple of {count}")
        place = arguments.add(bytes(count * _VAL))
        _SEQUENCE.pack_into(arguments.memory, at, kind, count, place)
        arguments.links.append(at + 16)
        for lower_item, item in zip(lowers, value):
            lower_item(arguments, place, item)
            place += _VAL

    def lift(instance: Instance, data: bytes, at: int, _base: int) -> tuple[Any, ...]:
        _, address = _PAIR.unpack_from(data, at + 8)
        inner = ctypes.string_at(address, count * _VAL)
        return tuple([lift_item(instance, inner, place, address) for lift_item, place in lifts])

    return _Plan(lower, lift)


def _record(fields: list[tuple[str, _Plan]]) -> _Plan:
    kind, count = _KINDS["record"], len(fields)
    python_names = [name.replace("-", "_") for name, _ in fields]
    wit_names = [_name(name) for name, _ in fields]
    lifts = [(name, field.lift, place * _ENTRY + 16) for place, (name, (_, field)) in enumerate(zip(python_names, fields))]
    lowers = {name: (field.lower, place * _ENTRY + 16, field.is_option) for place, (name, (_, field)) in enumerate(zip(python_names, fields))}
    required = {name for name, (_, _, is_option) in lowers.items() if not is_option}
    # A record whose options are all none, so that only what is given costs something.
    template = b"".join(_PAIR.pack(size, address) + _POINTER.pack(_KINDS["option"] if field.is_option else _KINDS["bool"], 0) + bytes(16)
                        for (size, address, _), (_, field) in zip(wit_names, fields))

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        given = value if isinstance(value, dict) else value.__dict__ if isinstance(value, Record) else None
        if given is None:
            raise TypeError(f"{value!r} is no Record")
        if not required <= given.keys():
            raise TypeError(f"not given: {', '.join(sorted(required - given.keys()))}")
        place = arguments.add(template)
        _SEQUENCE.pack_into(arguments.memory, at, kind, count, place)
        arguments.links.append(at + 16)
        for name, item in given.items():
            if name not in lowers:
                raise TypeError(f"there is no field {name}")
            lower_field, offset, is_option = lowers[name]
            if item is not None or not is_option:
                lower_field(arguments, place + offset, item)

    def lift(instance: Instance, data: bytes, at: int, _base: int) -> Record:
        _, address = _PAIR.unpack_from(data, at + 8)
        inner = ctypes.string_at(address, count * _ENTRY)
        record = Record.__new__(Record)
        record.__dict__ = {name: lift_field(instance, inner, place, address) for name, lift_field, place in lifts}
        return record

    lower.names = wit_names  # type: ignore[attr-defined]  # The template has their addresses.
    return _Plan(lower, lift)


def _variant(cases: list[tuple[str, _Plan | None]]) -> _Plan:
    kind = _KINDS["variant"]
    names = {name: (_name(name), plan) for name, plan in cases}
    lifts = {name.encode(): (name, plan and plan.lift) for name, plan in cases}

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        tag, payload = (value, None) if isinstance(value, str) else value
        if tag not in names:
            raise ValueError(f"there is no case {tag}")
        (size, address, _), plan = names[tag]
        if plan is None:
            if payload is not None:
                raise TypeError(f"{tag} holds nothing")
            _VARIANT.pack_into(arguments.memory, at, kind, size, address, 0)
            return
        place = arguments.add(bytes(_VAL))
        _VARIANT.pack_into(arguments.memory, at, kind, size, address, place)
        arguments.links.append(at + 24)
        plan.lower(arguments, place, payload)

    def lift(instance: Instance, data: bytes, at: int, _base: int) -> Variant:
        size, address = _PAIR.unpack_from(data, at + 8)
        tag, lift_payload = lifts[ctypes.string_at(address, size)]
        if lift_payload is None:
            return Variant(tag)
        inner = _WORD.unpack_from(data, at + 24)[0]
        return Variant(tag, lift_payload(instance, ctypes.string_at(inner, _VAL), 0, inner))

    return _Plan(lower, lift)


def _enum(cases: list[str]) -> _Plan:
    kind = _KINDS["enum"]
    names = {name: _name(name) for name in cases}

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        if value not in names:
            raise ValueError(f"there is no case {value}")
        size, address, _ = names[value]
        _SEQUENCE.pack_into(arguments.memory, at, kind, size, address)

    def lift(_instance: Instance, data: bytes, at: int, _base: int) -> str:
        size, address = _PAIR.unpack_from(data, at + 8)
        return sys.intern(ctypes.string_at(address, size).decode())

    return _Plan(lower, lift)


def _option(payload: _Plan) -> _Plan:
    kind = _KINDS["option"]

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        if value is None:
            _POINTER.pack_into(arguments.memory, at, kind, 0)
            return
        place = arguments.add(bytes(_VAL))
        _POINTER.pack_into(arguments.memory, at, kind, place)
        arguments.links.append(at + 8)
        payload.lower(arguments, place, value)

    def lift(instance: Instance, data: bytes, at: int, _base: int) -> Any:
        inner = _WORD.unpack_from(data, at + 8)[0]
        return payload.lift(instance, ctypes.string_at(inner, _VAL), 0, inner) if inner else None

    return _Plan(lower, lift, is_option=True)


def _result(ok: _Plan | None, err: _Plan | None) -> _Plan:
    def lower(_arguments: _Arguments, _at: int, _value: Any) -> None:
        raise TypeError("no function of the interface takes a result")

    def lift(instance: Instance, data: bytes, at: int, _base: int) -> Any:
        plan = ok if data[at + 8] else err
        inner = _WORD.unpack_from(data, at + 16)[0]
        value = plan.lift(instance, ctypes.string_at(inner, _VAL), 0, inner) if plan and inner else None
        if not data[at + 8]:
            raise Failure(value)
        return value

    return _Plan(lower, lift)


def _resource(name: str) -> _Plan:
    kind = _KINDS["resource"]

    def lower(arguments: _Arguments, at: int, value: Any) -> None:
        if not isinstance(value, Resource) or value.kind != name:
            raise TypeError(f"{value!r} is no {name}")
        if value._instance is not arguments.instance:
            raise ValueError(f"{value!r} belongs to another instance")
        if not value._handle:
            raise ValueError(f"{value!r}")
        _POINTER.pack_into(arguments.memory, at, kind, value._handle)

    def lift(instance: Instance, data: bytes, at: int, base: int) -> Resource | None:
        if data[at] != kind:
            return None
        # It is ours from here on: what is freed with the result, or read from it once more, is a plain `false`.
        ctypes.memset(base + at, 0, _VAL)
        return Resource(name, instance, _WORD.unpack_from(data, at + 8)[0])

    return _Plan(lower, lift)


class _Clock:
    """Has an engine count time, in steps of `STEP` seconds, as long as calls with a limit run in it."""

    STEP = 0.01

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._calls = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        with self._changed:
            self._calls += 1
            # It is none of a child process that came by a fork.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="urlpool clock", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._calls -= 1

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._calls > 0)
            time.sleep(self.STEP)
            self._engine.increment_epoch()


class _Limit:
    """What the component does while this is entered may take so many seconds."""

    def __init__(self, seconds: float, store: wasmtime.Store, clock: _Clock) -> None:
        self.seconds = seconds
        self._store = store
        self._clock = clock
        # The step that is under way ends sooner than a whole one takes.
        self._steps = math.ceil(seconds / clock.STEP) + 1

    def __enter__(self) -> None:
        self._store.set_epoch_deadline(self._steps)
        self._clock.start()

    def __exit__(self, *_: object) -> None:
        self._clock.stop()


class _Program:
    """A component that is ready to run, shared by the instances of this process."""

    def __init__(self, path: str, cache: str, is_widened: bool, is_limited: bool) -> None:
        with open(path, "rb") as file:
            wasm = words.widen(file.read()) if is_widened else file.read()
        os.makedirs(cache, mode=0o700, exist_ok=True)
        config = wasmtime.Config()
        config.epoch_interruption = is_limited
        self.engine = wasmtime.Engine(config)
        self.clock = _Clock(self.engine) if is_limited else None
        self.component = _compile(self.engine, wasm, cache, "-limited" if is_limited else "")
        self.linker = wc.Linker(self.engine)
        self.linker.add_wasip2()
        exports = self.component.type.exports(self.engine)
        items = exports[words.BLOCKING].exports(self.engine)
        interface = self.component.get_export_index(words.BLOCKING)
        self._resources = [(name, item) for name, item in items.items() if isinstance(item, wc.ResourceType)]
        # `[method]pool-manager.request` is known as `pool-manager.request`; and where `words` has a function, that is the one.
        self._exported = {name.partition("]")[2] or name: (name, interface, item) for name, item in items.items() if isinstance(item, wc.FuncType)}
        self._exported |= {name: (wide, None, exports[wide]) for name in self._exported if (wide := name.replace(".", "-")) in exports}
        self._functions: dict[str, _Function] = {}
        self._lock = threading.Lock()

    def function(self, name: str) -> _Function:
        with self._lock:
            function = self._functions.get(name)
            if function is None:
                if name not in self._exported:
                    raise AttributeError(f"there is no function {name}")
                full_name, interface, of = self._exported[name]
                result = of.result
                function = self._functions[name] = _Function(self.component.get_export_index(full_name, interface),
                                                             [self._plan(item) for _, item in of.params],
                                                             self._plan(result) if result is not None else None)
            return function

    def _plan(self, of: Any) -> _Plan:
        if type(of) in _NUMBERS:
            return _number(*_NUMBERS[type(of)])
        if isinstance(of, wc.Bool):
            return _bool()
        if isinstance(of, wc.String):
            return _string()
        if isinstance(of, wc.ListType):
            return _bytes() if isinstance(of.element, wc.U8) else _list(self._plan(of.element))
        if isinstance(of, wc.TupleType):
            elements = of.elements
            is_words = len(elements) == 2 and isinstance(elements[0], wc.ListType) and isinstance(elements[0].element, wc.U64)
            return _words() if is_words else _tuple([self._plan(item) for item in elements])
        if isinstance(of, wc.RecordType):
            return _record([(name, self._plan(item)) for name, item in of.fields])
        if isinstance(of, wc.VariantType):
            return _variant([(name, self._plan(item) if item is not None else None) for name, item in of.cases])
        if isinstance(of, wc.EnumType):
            return _enum(of.names)
        if isinstance(of, wc.OptionType):
            return _option(self._plan(of.payload))
        if isinstance(of, wc.ResultType):
            return _result(*(self._plan(item) if item is not None else None for item in (of.ok, of.err)))
        if isinstance(of, (wc.OwnType, wc.BorrowType)):
            return _resource(next(name for name, item in self._resources if item == of.ty))
        raise TypeError(f"no function of the interface has a {of}")


def _compile(engine: wasmtime.Engine, wasm: bytes, cache: str, how: str) -> wc.Component:
    """Compiles the component, or takes what an earlier process compiled.

    The name of what is kept says of what, and by which version; `wasmtime` itself refuses what does not suit the processor.
    """
    kept = os.path.join(cache, f"{hashlib.sha256(wasm).hexdigest()}-{importlib.metadata.version('wasmtime')}{how}.cwasm")
    try:
        return wc.Component.deserialize_file(engine, kept)
    except wasmtime.WasmtimeError:
        component = wc.Component(engine, wasm)
    with tempfile.NamedTemporaryFile(dir=cache, delete=False) as file:
        file.write(component.serialize())
    os.replace(file.name, kept)
    return component


def _own_folder() -> str:
    """A folder that only we can write to: what is in it is run as it is."""
    path = os.path.join(tempfile.gettempdir(), f"urlpool-{os.getuid()}")
    os.makedirs(path, mode=0o700, exist_ok=True)
    found = os.lstat(path)
    if found.st_uid != os.getuid() or found.st_mode & 0o022 or os.path.islink(path):
        return tempfile.mkdtemp(prefix="urlpool-")
    return path


def default_component() -> str:
    """The file that the variable `URLPOOL_WASM` names, or what was built in this repository."""
    above = os.path.abspath(__file__)
    for _ in range(4):
        above = os.path.dirname(above)
    return os.environ.get("URLPOOL_WASM") or os.path.join(above, "dist", "urlpool.wasm")


_programs: dict[tuple[str, float, bool, bool], _Program] = {}
_programs_lock = threading.Lock()


def program(component_path: str | None = None, cache: str | None = None, is_widened: bool = True, is_limited: bool = False) -> _Program:
    """Loads a component, or finds it where this process has loaded it before."""
    path = os.path.realpath(component_path or default_component())
    key = (path, os.stat(path).st_mtime, is_widened, is_limited)
    with _programs_lock:
        if key not in _programs:
            _programs[key] = _Program(path, cache or _own_folder(), is_widened, is_limited)
        return _programs[key]


class Instance:
    """A component that runs: with memory, connections and resources of its own.

    Any thread may call it; one call runs at a time, the others wait.
    """

    def __init__(self, component_path: str | None = None, *, network: bool = True, memory: int = 256 << 20, call_limit: float | None = None,
                 cache: str | None = None, is_widened: bool = True) -> None:
        """Starts the component in this file (see `default_component`).

        `network` grants it TCP and name lookup, without which every request fails with `denied`. `memory` is how many bytes it may use: what
        needs more is a `Trap`. `call_limit` is the longest that a call may take in seconds, computing and waiting together; None sets no
        bound. A call over it is a `Trap` as soon as it computes: what it waits for, timeouts bound. `cache` is a folder for what was
        compiled, which nobody else may be able to write to; None means one of our own among the temporary files. Unless it
        `is_widened`, bytes of bodies pass one by one, as the component itself has it: see words.py.
        """
        self._program = program(component_path, cache, is_widened, call_limit is not None)
        self._store: wasmtime.Store | None = wasmtime.Store(self._program.engine)
        self._store.set_limits(memory_size=memory)
        wasi = wasmtime.WasiConfig()
        wasi.inherit_stderr()
        if network:
            ffi.wasi_config_inherit_network(wasi.ptr())
            ffi.wasi_config_allow_ip_name_lookup(wasi.ptr(), True)
        self._store.set_wasi(wasi)
        clock = self._program.clock
        self._limit = _Limit(call_limit, self._store, clock) if call_limit is not None and clock is not None else nullcontext()
        with self._limit:
            self._instance = self._program.linker.instantiate(self._store, self._program.component)
        self._functions: dict[str, tuple[_Function, Any, int]] = {}
        self._lock = threading.RLock()
        self._dropped: deque[int] = deque()
        self._trap: str | None = None

    def call(self, name: str, *arguments: Any) -> Any:
        """Calls a function of the interface and returns what it returns.

        # Raises
        `Failure` with the error that it returns; `TypeError` or `ValueError` where an argument is none of its type, and nothing was
        called; `Trap`.
        """
        with self._lock:
            self._sweep()
            try:
                return self._run(name, arguments)
            finally:
                self._sweep()

    def close(self) -> None:
        """Ends it: closes all connections and drops all resources."""
        with self._lock:
            store, self._store = self._store, None
            self._trap = "the instance was closed"
            self._sweep()
            if store is not None:
                store.close()

    @property
    def is_dead(self) -> bool:
        """Whether it trapped or was closed."""
        return self._trap is not None

    def _run(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if self._trap is not None:
            raise Trap(self._trap)
        function, _, address = self._functions.get(name) or self._find(name)
        if len(arguments) != len(function.parameters):
            raise TypeError(f"{name} takes {len(function.parameters)} arguments, and not {len(arguments)}")
        block = _Arguments(self, len(arguments))
        for place, (plan, value) in enumerate(zip(function.parameters, arguments)):
            plan.lower(block, place * _VAL, value)
        result = (ctypes.c_uint64 * 4)()
        results = ctypes.addressof(result)
        plan = function.result
        try:
            context = self._context()
            with self._limit:
                error = _call(address, context, block.address(), len(arguments), results, 1 if plan else 0)
            if error:
                self._trap = self._told(error)
                raise Trap(self._trap)
            return plan.lift(self, bytes(result), 0, results) if plan else None
        except Failure:
            raise
        except BaseException:
            # An interruption that came during the call is raised right behind it. What it returned is then taken and dropped.
            if plan and self._trap is None:
                try:
                    plan.lift(self, bytes(result), 0, results)
                except Failure:
                    pass
            raise
        finally:
            ffi.wasmtime_component_val_delete(ctypes.cast(results, _ValPointer))

    def _find(self, name: str) -> tuple[_Function, Any, int]:
        function = self._program.function(name)
        found = self._instance.get_func(self._store, function.index)
        entry = self._functions[name] = (function, found, ctypes.addressof(found._func))
        return entry

    def _context(self) -> Any:
        # The collector may have closed the store before whoever calls here at last, if both went in one cycle.
        try:
            return self._store._context()  # type: ignore[union-attr]
        except (AttributeError, ValueError):
            self._trap = "the instance was closed"
            raise Trap(self._trap) from None

    def _told(self, error: Any) -> str:
        told = str(wasmtime.WasmtimeError._from_ptr(error))
        if isinstance(self._limit, _Limit) and "wasm trap: interrupt" in told:
            return f"a call took longer than {self._limit.seconds} s"
        return told

    def _sweep(self) -> None:
        """Drops what nobody holds any more."""
        while self._dropped:
            handle = ctypes.cast(self._dropped.popleft(), _ResourcePointer)
            try:
                if self._trap is None:
                    context = self._context()
                    with self._limit:
                        error = ffi.wasmtime_component_resource_any_drop(context, handle)
                    if error:
                        self._trap = self._told(error)
            except Trap:
                pass
            finally:
                ffi.wasmtime_component_resource_any_delete(handle)

    def _sweep_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self._sweep()
            finally:
                self._lock.release()


_ValPointer = ctypes.POINTER(ffi.wasmtime_component_val_t)
_ResourcePointer = ctypes.POINTER(ffi.wasmtime_component_resource_any_t)
