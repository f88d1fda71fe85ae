"""`HTTPHeaderDict` and `RecentlyUsedContainer`: what they hold before and after a call, and what the call says."""

from __future__ import annotations

import contextlib
import inspect
import typing

from urllib3._collections import HTTPHeaderDict, RecentlyUsedContainer

from .recorder import Recorder


class Unportable(Exception):
    """An argument that only Python has."""


def latin1(value: typing.Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise Unportable
    return value


def pairs(*arguments: typing.Any, **named: str) -> list[tuple[str, str]]:
    """What a call adds, whatever the shape it is written in."""
    if len(arguments) > 1:
        raise Unportable
    source = arguments[0] if arguments else []
    if hasattr(source, "items"):
        source = list(source.items())
    elif hasattr(source, "keys"):
        source = [(key, source[key]) for key in source.keys()]
    elif not isinstance(source, list):
        raise Unportable
    return [(latin1(key), latin1(value)) for key, value in [*source, *named.items()]]


def watch_headers(recorder: Recorder, _: object) -> None:
    # How the arguments of each method are written down.
    arguments: dict[str, typing.Callable[..., typing.Any]] = {
        **dict.fromkeys(("__init__", "extend", "update", "__or__", "__ror__", "__ior__", "__eq__", "__ne__"), pairs),
        **dict.fromkeys(("__getitem__", "__delitem__", "__contains__", "discard", "getlist"), lambda key: [latin1(key)]),
        **dict.fromkeys(("__setitem__", "add"), lambda key, value, combine=False: [latin1(key), latin1(value), combine]),
        "setdefault": lambda key, default="": [latin1(key), latin1(default)],
        "pop": lambda key, *default: [latin1(key)],
        **dict.fromkeys(("__len__", "__repr__", "items", "copy"), lambda: []),
    }

    def portable(value: typing.Any) -> typing.Any:
        if isinstance(value, HTTPHeaderDict):
            return list(value.items())
        return value if value is None or isinstance(value, (str, bool, int, list)) else list(value)

    def record(name: str) -> typing.Callable[..., typing.Any]:
        def call(original: typing.Any, self: HTTPHeaderDict, *given: typing.Any, **named: typing.Any) -> typing.Any:
            if not all(isinstance(key, str) for key in getattr(self, "_container", ())):
                return original(self, *given, **named)
            # An iterator could not be read a second time.
            given = tuple(list(value) if inspect.isgenerator(value) else value for value in given)
            before = list(self.items()) if name != "__init__" else []
            error = result = None
            try:
                result = original(self, *given, **named)
            except KeyError:
                error = "KeyError"
                raise
            finally:
                with contextlib.suppress(Unportable):
                    told = {"before": before, "after": list(self.items()), "arguments": arguments[name](*given, **named)}
                    default_came = name == "pop" and len(given) > 1 and result is given[1]
                    outcome = None if default_came else portable(result)
                    recorder.add("headers", (name, given), call=name.strip("_"), **told, expected=outcome, error=error)
            return result

        return call

    for name in arguments:
        recorder.watch(HTTPHeaderDict, name, record(name))


def watch_containers(recorder: Recorder, _: object) -> None:
    def keys(container: typing.Any) -> list[str]:
        return [str(key) for key in container._container]

    def record(name: str) -> typing.Callable[..., typing.Any]:
        def call(original: typing.Any, self: typing.Any, *given: typing.Any) -> typing.Any:
            before = keys(self)
            is_found = True
            try:
                return original(self, *given)
            except KeyError:
                is_found = False
                raise
            finally:
                told = {"capacity": self._maxsize, "before": before, "after": keys(self), "key": str(given[0]) if given else None}
                recorder.add("lru", (name, before, given), call=name.strip("_"), **told, is_found=is_found)

        return call

    for name in ("__getitem__", "__setitem__", "__len__", "clear"):
        recorder.watch(RecentlyUsedContainer, name, record(name))
