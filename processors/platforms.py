"""The platforms that pictures are made for, and their sizes."""

from typing import Annotated

from pydantic import AfterValidator, Field

SIZES = {
    "instagram-post": (1080, 1080),
    "instagram-portrait": (1080, 1350),
    "instagram-landscape": (1080, 566),
    "instagram-story": (1080, 1920),
    "facebook-post": (1200, 630),
    "facebook-cover": (820, 312),
    "twitter-post": (1200, 675),
    "twitter-header": (1500, 500),
    "linkedin-post": (1200, 627),
    "linkedin-banner": (1584, 396),
    "youtube-thumbnail": (1280, 720),
    "youtube-banner": (2560, 1440),
    "pinterest-pin": (1000, 1500),
    "tiktok-video": (1080, 1920),
}
"""Width and height in pixels."""


def _known(name: str) -> str:
    if name not in SIZES:
        raise ValueError(f"there is no platform '{name}': there are {', '.join(SIZES)}")
    return name


def _once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


Platforms = Annotated[
    list[Annotated[str, AfterValidator(_known)]], Field(min_length=1, max_length=50), AfterValidator(_once)
]
