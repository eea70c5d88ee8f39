"""Parameters that the reference documents write in camel case: a payload may say `video_id` or `videoId`."""

from typing import Any

from pydantic import AliasChoices, Field


def either(name: str) -> Any:
    """For an annotation: the parameter may be given by its name or as the documents spell it."""
    first, *others = name.split("_")
    return Field(validation_alias=AliasChoices(name, first + "".join(word.title() for word in others)))
