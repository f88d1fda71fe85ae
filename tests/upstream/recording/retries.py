"""`Retry`: what is left after each attempt, and how long to wait for the next.

A `Retry` does not change, each attempt makes another; so that each vector says what its `Retry` was made of and has been through since.
"""

from __future__ import annotations

import inspect
import random
import time
import typing
from unittest import mock

from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from .recorder import Fields, Recorder


def watch_retries(recorder: Recorder, _: object) -> None:
    signature = inspect.signature(Retry.__init__)

    def plain(value: typing.Any) -> typing.Any:
        return sorted(value, key=str) if isinstance(value, (set, frozenset, list, range)) else value

    def about(retry: Retry) -> Fields:
        """What a `Retry` was made of, and what it has been through since."""
        return {"settings": retry.vector_settings, "before": list(retry.vector_steps)}

    def left(retry: Retry) -> Fields:
        names = ("total", "connect", "read", "redirect", "status", "other", "respect_retry_after_header", "retry_after_max", "raise_on_redirect")
        removed = sorted(retry.remove_headers_on_redirect)
        return {**{name: getattr(retry, name) for name in names}, "remove_headers_on_redirect": removed, "history": len(retry.history)}

    def made(original: typing.Any, self: Retry, *arguments: typing.Any, **named: typing.Any) -> None:
        bound = signature.bind(self, *arguments, **named).arguments
        bound.pop("self")
        original(self, *arguments, **named)
        self.vector_settings = {name: plain(value) for name, value in bound.items()}
        self.vector_steps = []
        recorder.add("retry", ("Retry", bound), call="new", **about(self), expected=left(self))

    def renewed(original: typing.Any, self: Retry) -> Retry:
        result = original(self)
        result.vector_settings, result.vector_steps = self.vector_settings, self.vector_steps
        recorder.add("retry", "new", call="new", **about(self), expected=left(result))
        return result

    def incremented(
        original: typing.Any, self: Retry, method: str | None = None, url: str | None = None, response: typing.Any = None, error: typing.Any = None
    ) -> Retry:
        step = {
            "method": method,
            "error": type(error).__name__ if error else None,
            "status": response.status if response else None,
            "location": (response.get_redirect_location() or None) if response else None,
        }
        told = {"call": "increment", **about(self), "step": step}
        try:
            result = original(self, method, url, response, error)
        except HTTPError as raised:
            recorder.add("retry", step, **told, raised=type(raised).__name__)
            raise
        result.vector_settings = self.vector_settings
        result.vector_steps = [*self.vector_steps, step]
        recorder.add("retry", step, **told, expected=left(result))
        return result

    def asked(name: str) -> typing.Callable[..., typing.Any]:
        def record(original: typing.Any, self: Retry, *arguments: typing.Any, **named: typing.Any) -> typing.Any:
            drawn = [0.0]
            genuine = random.random
            result = None
            with mock.patch("random.random", lambda: drawn.append(genuine()) or drawn[-1]):
                try:
                    result = original(self, *arguments, **named)
                finally:
                    told = {"call": name, **about(self), "arguments": [*arguments, *named.values()], "random": drawn[-1]}
                    recorder.add("retry", (name, arguments, named), **told, expected=result)
            return result

        return record

    def slept(original: typing.Any, self: Retry, response: typing.Any = None) -> None:
        with mock.patch("time.sleep", wraps=time.sleep) as sleep:
            original(self, response)
        naps = [call.args[0] for call in sleep.call_args_list]
        headers = list(response.headers.items()) if response else None
        recorder.add("retry", ("sleep", headers), call="sleep", **about(self), headers=headers, now=time.time(), expected=sum(naps))

    recorder.watch(Retry, "__init__", made)
    recorder.watch(Retry, "new", renewed)
    recorder.watch(Retry, "increment", incremented)
    recorder.watch(Retry, "sleep", slept)
    for name in ("is_retry", "get_backoff_time", "parse_retry_after"):
        recorder.watch(Retry, name, asked(name))
