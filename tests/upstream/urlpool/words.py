"""Adds functions to `urlpool.wasm` that take and hand over the bytes of bodies eight at a time.

Wasmtime's C interface spends about 24 ns on each element of a list, so a `list<u8>` passes at 40 MB/s whatever Python does, and takes 60
times its size while it does. The functions that bodies go through are therefore exported a second time, from the same code, with
`tuple<list<u64>, u32>` in the place of `list<u8>`: the bytes, filled up to whole words, and how many count. A small module between puts the
right length where each side looks for it. Nothing that was in the component is changed, and what is made is checked like every component
when it is compiled.

The numbers are those of the component model's binary format (`Binary.md` of its specification).
"""

from __future__ import annotations

from collections import Counter

import wasmtime

BLOCKING, TYPES = "urlpool:client/blocking@0.1.0", "urlpool:client/types@0.1.0"
# What each takes beside the response, as in the component's types and as in the module's.
READS = {"response.read": (b"\x03max\x79", "i32"), "response.read-full": (b"\x06amount\x79", "i32"), "response.read-line": (b"\x03max\x79", "i32"),
         "response.read-chunk": (b"\x03max\x79", "i32"), "response.read-all": (b"\x05limit\x77", "i64")}
WRITE = "pending.write"
# These have a `body`.
REQUESTS = [f"{of}.{name}" for of in ("pool-manager", "proxy-manager", "connection-pool") for name in ("request", "urlopen", "start")]
REQUESTS.remove("proxy-manager.start")

_CORE_FUNC, _CORE_MODULE, _CORE_INSTANCE, _FUNC, _TYPE, _INSTANCE = (0, 0), (0, 17), (0, 18), 1, 3, 5
_TYPE_SECTION, _ALIAS_SECTION, _CANON_SECTION, _EXPORT_SECTION = 7, 6, 8, 11
_U32, _U64, _STRING = b"\x79", b"\x77", b"\x73"


class _Component:
    """How many of each kind there are in a component, and where those are that we need."""

    def __init__(self, wasm: bytes) -> None:
        self._data, self._at = wasm, 8
        self.counts: Counter[object] = Counter()
        self.core: dict[str, int] = {}  # Functions of the modules.
        self.lifts: dict[int, dict[int, int]] = {}  # The options with which each of those is exported.
        self.exports: dict[str, int] = {}
        while self._at < len(wasm):
            section, size = self._byte(), self._number()
            end = self._at + size
            if section == 1:
                self.counts[_CORE_MODULE] += 1
            elif section in (2, 5, 7):
                self.counts[{2: _CORE_INSTANCE, 5: _INSTANCE, 7: _TYPE}[section]] += self._number()
            elif section in (_ALIAS_SECTION, _CANON_SECTION, 10, _EXPORT_SECTION):
                read = {_ALIAS_SECTION: self._alias, _CANON_SECTION: self._canon, 10: self._import, _EXPORT_SECTION: self._export}[section]
                for _ in range(self._number()):
                    read()
            self._at = end

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _number(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return number

    def _name(self) -> str:
        size = self._number()
        self._at += size
        return self._data[self._at - size:self._at].decode()

    def _sort(self) -> object:
        sort = self._byte()
        return (0, self._byte()) if sort == 0 else sort

    def _alias(self) -> None:
        sort, target = self._sort(), self._byte()
        self._number()
        if target == 2:
            self._number()
        else:
            name = self._name()
            if sort == _CORE_FUNC:
                self.core[name] = self.counts[sort]
        self.counts[sort] += 1

    def _canon(self) -> None:
        kind = self._byte()
        if kind > 4:
            raise ValueError(f"canonical function {kind}")
        if kind < 2:
            self._byte()
        index = self._number()
        if kind < 2:
            options = {}
            for _ in range(self._number()):
                option = self._byte()
                options[option] = self._number() if option in (3, 4, 5, 7) else -1
            if kind == 0:
                self._number()
                self.lifts[index] = options
        self.counts[_CORE_FUNC if kind else _FUNC] += 1

    def _import(self) -> None:
        self._byte()
        self._name()
        self.counts[self._description()] += 1

    def _export(self) -> None:
        self._byte()
        name, sort = self._name(), self._sort()
        self._number()
        self.exports[name] = self.counts[sort]
        self.counts[sort] += 1
        if self._byte():
            self._description()

    def _description(self) -> object:
        kind = self._byte()
        if kind == 0:
            kind = (0, self._byte())
        if kind not in (2, 3) or self._byte() == 0:
            self._number()
        return kind


def _leb(number: int) -> bytes:
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    return bytes([*encoded, number])


def _text(name: str) -> bytes:
    return _leb(len(name)) + name.encode()


def _all(items: list[bytes]) -> bytes:
    return _leb(len(items)) + b"".join(items)


def _section(number: int, content: bytes) -> bytes:
    return bytes([number]) + _leb(len(content)) + content


def _module() -> bytes:
    """The module between."""
    imports, functions = ['(import "" "memory" (memory 1))'], []
    for name, (_, size) in READS.items():
        imports.append(f'(import "" "{name}" (func ${name} (param i32 {size}) (result i32)))')
        imports.append(f'(import "" "free {name}" (func $free-{name} (param i32)))')
        # A result has its case at 0, the address of its bytes at 8 and their number at 12; behind that it is free.
        functions.append(f"""
            (func (export "{name}") (param $response i32) (param $size {size}) (result i32) (local $result i32) (local $length i32)
              (local.set $result (call ${name} (local.get $response) (local.get $size)))
              (if (i32.eqz (i32.load8_u (local.get $result))) (then
                (local.set $length (i32.load offset=12 (local.get $result)))
                (i32.store offset=16 (local.get $result) (local.get $length))
                (i32.store offset=12 (local.get $result) (i32.shr_u (i32.add (local.get $length) (i32.const 7)) (i32.const 3)))
                (if (i32.eqz (local.get $length)) (then (i32.store offset=8 (local.get $result) (i32.const 8))))))
              (local.get $result))
            (func (export "free {name}") (param $result i32)
              (if (i32.eqz (i32.load8_u (local.get $result))) (then
                (i32.store offset=12 (local.get $result) (i32.load offset=16 (local.get $result)))))
              (call $free-{name} (local.get $result)))""")
    imports.append(f'(import "" "{WRITE}" (func $write (param i32 i32 i32) (result i32)))')
    functions.append(f"""
            (func (export "{WRITE}") (param $pending i32) (param $bytes i32) (param $words i32) (param $length i32) (result i32)
              (call $write (local.get $pending) (local.get $bytes) (local.get $length)))""")
    for name in REQUESTS:
        imports.append(f'(import "" "{name}" (func ${name} (param i32) (result i32)))')
        # The arguments are in memory: behind the resource and two strings there is the body, with its case at 24 and what it holds from 32 on.
        functions.append(f"""
            (func (export "{name}") (param $arguments i32) (result i32)
              (if (i32.eq (i32.load8_u offset=24 (local.get $arguments)) (i32.const 1)) (then
                (i32.store offset=36 (local.get $arguments) (i32.load offset=40 (local.get $arguments)))))
              (call ${name} (local.get $arguments)))""")
    return bytes(wasmtime.wat2wasm(f"(module {' '.join(imports)} {' '.join(functions)})"))


class _Types:
    """The types that are added, by number."""

    def __init__(self, first: int) -> None:
        self._next = first
        self.sections: list[bytes] = []

    def _new(self) -> bytes:
        self._next += 1
        return _leb(self._next - 1)

    def alias(self, instance: int, name: str) -> bytes:
        self.sections.append(_section(_ALIAS_SECTION, _all([b"\x03\x00" + _leb(instance) + _text(name)])))
        return self._new()

    def define(self, *parts: bytes) -> bytes:
        self.sections.append(_section(_TYPE_SECTION, _all([b"".join(parts)])))
        return self._new()

    def export(self, name: str, of: bytes) -> bytes:
        self.sections.append(_section(_EXPORT_SECTION, _all([b"\x00" + _text(name) + b"\x03" + of + b"\x00"])))
        return self._new()

    def function(self, result: bytes, *parameters: bytes) -> bytes:
        return self.define(b"\x40", _all(list(parameters)), b"\x00", result)


def _functions(types: _Types, blocking: int, plain: int) -> dict[str, bytes]:
    """The types of the functions."""
    error, options, streamed, multipart, part = (types.alias(plain, name) for name in ("error", "request-options", "streamed", "multipart", "part"))
    resources = {name: types.alias(blocking, name) for name in ("response", "pending", "pool-manager", "proxy-manager", "connection-pool")}
    progress = types.alias(blocking, "progress")
    to = {name: b"\x04self" + types.define(b"\x68", of) for name, of in resources.items()}
    outcomes = {name: types.define(b"\x6a\x01", types.define(b"\x69", resources[name]), b"\x01", error) for name in ("response", "pending")}
    some = types.define(b"\x6f\x02", types.define(b"\x70", _U64), _U32)
    read = types.define(b"\x6a\x01", some, b"\x01", error)
    form = types.define(b"\x70", types.define(b"\x6f\x02", _STRING, _STRING))
    cases = {"empty": None, "bytes": some, "text": _STRING, "json": _STRING, "form": form, "multipart": multipart,
             "fields": types.define(b"\x70", part), "streamed": streamed}
    variant = _all([_text(name) + (b"\x01" + of if of else b"\x00") + b"\x00" for name, of in cases.items()])
    body = types.export("body", types.define(b"\x71", variant))
    functions = {name: types.function(read, to["response"], parameter) for name, (parameter, _) in READS.items()}
    functions[WRITE] = types.function(progress, to["pending"], b"\x05bytes" + some)
    for name in REQUESTS:
        outcome = outcomes["pending" if name.endswith("start") else "response"]
        functions[name] = types.function(outcome, to[name.partition(".")[0]], b"\x06method" + _STRING, b"\x03url" + _STRING, b"\x04body" + body,
                                         b"\x07options" + options)
    return functions


def widen(wasm: bytes) -> bytes:
    """The component with `response-read` and the like among its exports."""
    found = _Component(wasm)
    types = _Types(found.counts[_TYPE])
    functions = _functions(types, found.exports[BLOCKING], found.exports[TYPES])
    core = {name: found.core[f"{BLOCKING}#[method]{name}"] for name in functions}
    options = {name: dict(found.lifts[index]) for name, index in core.items()}
    given = [_text("memory") + b"\x02" + _leb(options[WRITE][3])]
    given += [_text(name) + b"\x00" + _leb(index) for name, index in core.items()]
    given += [_text(f"free {name}") + b"\x00" + _leb(options[name][5]) for name in READS]
    instance = found.counts[_CORE_INSTANCE]
    between = [*functions, *(f"free {name}" for name in READS)]
    ours = {name: found.counts[_CORE_FUNC] + place for place, name in enumerate(between)}
    lifted, exported = [], []
    for place, (name, of) in enumerate(functions.items()):
        if name in READS:
            options[name][5] = ours[f"free {name}"]
        chosen = [bytes([option]) + (_leb(index) if index >= 0 else b"") for option, index in options[name].items()]
        lifted.append(b"\x00\x00" + _leb(ours[name]) + _all(chosen) + of)
        exported.append(b"\x00" + _text(name.replace(".", "-")) + b"\x01" + _leb(found.counts[_FUNC] + place) + b"\x00")
    return b"".join([
        wasm,
        _section(1, _module()),
        _section(2, _all([b"\x01" + _all(given), b"\x00" + _leb(found.counts[_CORE_MODULE]) + b"\x01\x00\x12" + _leb(instance)])),
        _section(_ALIAS_SECTION, _all([b"\x00\x00\x01" + _leb(instance + 1) + _text(name) for name in between])),
        *types.sections,
        _section(_CANON_SECTION, _all(lifted)),
        _section(_EXPORT_SECTION, _all(exported)),
    ])
