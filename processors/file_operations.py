"""What may be done with a file, as payloads say it: by name, in a list, or by switches."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic.functional_validators import AfterValidator

from .shapes import OutputFormat, Pixels, Quality
from .spelling import either

OperationName = Literal["virus_scan", "validate", "optimize", "thumbnail", "convert"]
Target = Annotated[
    OutputFormat | Literal["pdf", "txt"],
    BeforeValidator(lambda said: {"jpg": "jpeg", "tif": "tiff", "text": "txt"}.get(str(said).lower(), said)),
]
_FIRST = {"virus_scan": 0, "validate": 1}
"""Nothing is decoded before it was scanned, and nothing made of what is not sound."""


class Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class VirusScan(Step):
    """Have the scanners of `[scanner]` look at it; with `quarantine` an infected file is moved there."""

    type: Literal["virus_scan"]
    quarantine: bool = False


class Validate(Step):
    """Read all of it, and say what is in it."""

    type: Literal["validate"]


class Optimize(Step):
    """The same file in fewer bytes; a PDF loses nothing unless a quality for its pictures is said."""

    type: Literal["optimize"]
    quality: Quality | None = None


class Thumbnail(Step):
    """A small picture of it, by its longest edge in pixels."""

    type: Literal["thumbnail"]
    sizes: Annotated[list[Pixels], Field(min_length=1, max_length=20)] | None = None
    format: OutputFormat | None = None
    quality: Quality | None = None


class Convert(Step):
    """In another format: pictures as pictures or PDF, a PDF as pictures of its pages or as text."""

    type: Literal["convert"]
    format: Target | None = None
    quality: Quality | None = None
    pages: Literal["first", "all"] = "all"
    dpi: Annotated[int, Field(ge=18, le=1200)] | None = None


def _by_name(said: Any) -> Any:
    return {"type": said} if isinstance(said, str) else said


Operation = Annotated[
    Annotated[VirusScan | Validate | Optimize | Thumbnail | Convert, Field(discriminator="type")],
    BeforeValidator(_by_name),
]


def _each_once(operations: list[Operation]) -> list[Operation]:
    marks = [(one.type, getattr(one, "format", None)) for one in operations]
    if twice := next((mark for mark in marks if marks.count(mark) > 1), None):
        raise ValueError(f"{twice[0]} stands there twice: one would replace what the other made")
    return operations


Operations = Annotated[list[Operation], Field(max_length=20), AfterValidator(_each_once)]


class Switches(Step):
    """The options of `processFile` in the reference documents."""

    scan_for_viruses: Annotated[bool, either("scan_for_viruses")] = False
    generate_thumbnail: Annotated[bool, either("generate_thumbnail")] = False
    optimize_image: Annotated[bool, either("optimize_image")] = False

    @property
    def names(self) -> list[str]:
        wanted = (
            ("virus_scan", self.scan_for_viruses),
            ("optimize", self.optimize_image),
            ("thumbnail", self.generate_thumbnail),
        )
        return [name for name, on in wanted if on]


def _something(processing: str | None, info: ValidationInfo) -> str | None:
    """That there is something to do; what a flow puts in later is not known yet."""
    options = info.data.get("options")
    known = {"operations", "options"} <= info.data.keys()
    if known and not (processing or info.data["operations"] or (options and options.names)):
        raise ValueError(
            "say what to do: one of virus_scan, validate, optimize, thumbnail, convert here, or several as operations"
        )
    return processing


Processing = Annotated[
    OperationName | None,
    Field(validation_alias=AliasChoices("processing_type", "processingType"), validate_default=True),
    AfterValidator(_something),
]
"""Declare it after `operations` and `options`."""


def wanted(
    processing: str | None, operations: Sequence[Any], options: Switches | None, usual: dict[str, Any]
) -> list[Any]:
    """The operations of a job in the order in which they are done.

    Args:
        usual: format, quality and sizes for those that do not say their own.
    """
    made = list(operations)
    kinds: dict[str, type[Step]] = {
        "virus_scan": VirusScan, "validate": Validate, "optimize": Optimize, "thumbnail": Thumbnail,
        "convert": Convert,
    }  # fmt: skip
    for name in [*([processing] if processing else []), *(options.names if options else [])]:
        if name not in {one.type for one in made}:
            made.append(kinds[name].model_validate({"type": name}))
    return sorted((_filled(one, usual) for one in made), key=lambda one: _FIRST.get(one.type, 2))


def _filled(operation: Any, usual: dict[str, Any]) -> Any:
    keys = {"optimize": ("quality",), "thumbnail": ("sizes", "quality"), "convert": ("format", "quality")}
    missing = {
        key: usual[key] for key in keys.get(operation.type, ()) if getattr(operation, key) is None and key in usual
    }
    return operation.model_copy(update=missing)
