"""JSON from outside: strict, and whatever is wrong with it is one reason."""

from typing import Any, Final, TypeVar

import msgspec

_T = TypeVar("_T")


class NotJson(ValueError):
    """Its text says why, in a few words."""


class _Nothing:
    """Of what is no JSON."""

    def __repr__(self) -> str:
        return "no JSON"


NOTHING: Final = _Nothing()


def decoded(raw: bytes | msgspec.Raw, kind: type[_T]) -> _T:
    """`raw` as `kind`; raises `NotJson`. NaN, infinities and numbers beyond a double are no JSON."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except UnicodeDecodeError:
        raise NotJson("not UTF-8") from None
    except msgspec.DecodeError as error:
        raise NotJson(str(error)) from None


def any_json(raw: bytes) -> Any:
    """The value, or `NOTHING`."""
    try:
        return decoded(raw, object)
    except NotJson:
        return NOTHING


def written(value: object) -> bytes:
    return msgspec.json.encode(value)
