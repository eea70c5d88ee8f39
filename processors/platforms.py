"""The platforms that pictures are made for: the named shapes of `[presets]`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from . import presets
from .shapes import NamedShape, OutputFormat


def _once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Platforms = Annotated[
    list[Annotated[str, presets.named("platform")]], Field(min_length=1, max_length=50), AfterValidator(_once)
]


def shapes(
    known: Mapping[str, Mapping[str, Any]], platforms: Sequence[str], format: OutputFormat | None
) -> list[NamedShape]:
    """What a picture is cut to: the very sizes of the platforms, also where the picture is smaller.

    Raises:
        Reject: `unknown-preset`; the settings have changed since the job was submitted.
    """
    own = {"upscale": True} | ({"format": format} if format else {})
    return [NamedShape.model_validate({**presets.shape_of(known, name), **own, "name": name}) for name in platforms]
