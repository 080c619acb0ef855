"""The pipeline's values as JSON, exactly: JSON has no infinities and no NaN, so these travel as strings."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec


def to_json(value: object) -> str:
    """Any of the pipeline's values; infinities and NaN as strings, never as null.

    Read it back with a lax decoder (`msgspec.json.Decoder(..., strict=False)`), which takes "inf" for a float.
    """
    return msgspec.json.encode(_spelled(msgspec.to_builtins(value, enc_hook=as_dict))).decode()


def as_dict(value: object) -> dict[Any, Any]:
    """Mappings that are no dicts, for `enc_hook` of msgspec; raises `TypeError` for what is no mapping."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be kept or sent")


def _spelled(value: Any) -> Any:
    if type(value) is float:
        return value if math.isfinite(value) else str(value)
    if type(value) is dict:
        return {key: _spelled(item) for key, item in value.items()}
    if type(value) is list or type(value) is tuple:
        return [_spelled(item) for item in value]
    return value
