"""The first half of the discovery flow: businesses, their profiles, their best reels.

    discover-with-instagram ── detect-instagram-profiles ── analyze-reels, for each profile
      ── scrape-instagram-videos ── for each reel: download-video ── upload-to-storage ── analyze-video-content
      ── generate-insights, when all reels of the profile are done ── the report

Businesses, profiles and reels are looked up by services of the settings, `[services.business-discovery]` and
`[services.instagram-detection]`: POST URL/TYPE with the payload, answered with a JSON object. Each job's completion
starts the next stage, unless it was given `follow=false`.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from jobdesk import Context, Reject, processor

from .services import post
from .spelling import either

Name = Annotated[str, Field(min_length=1, max_length=300)]
BusinessName = Annotated[Name, either("business_name")]
BusinessId = Annotated[str | None, either("business_id")]
BusinessType = Annotated[str | None, either("business_type")]
ProfileId = Annotated[Name, either("profile_id")]
Username = Annotated[str, Field(pattern=r"^@?[A-Za-z0-9._]{1,30}$")]
Radius = Annotated[float, Field(gt=0, le=500)]
Top = Annotated[int, Field(ge=1, le=100)]
BUSINESSES, INSTAGRAM = "business-discovery", "instagram-detection"


class _Said(BaseModel):
    """What services say; what is not known here is passed on."""

    model_config = ConfigDict(extra="allow")


T = TypeVar("T", bound=_Said)


class Business(_Said):
    id: str | None = None
    name: Name


class Profile(_Said):
    profile_id: ProfileId
    username: Username
    business_id: BusinessId = None


class Reel(_Said):
    id: Annotated[Name, Field(validation_alias=AliasChoices("id", "video_id", "videoId"))]
    video_url: Annotated[str | None, either("video_url")] = None
    views: Annotated[int, Field(ge=0)] = 0
    likes: Annotated[int, Field(ge=0)] = 0
    comments: Annotated[int, Field(ge=0)] = 0
    shares: Annotated[int, Field(ge=0)] = 0

    @property
    def engagement(self) -> int:
        """What people did about it; writing and passing on say more than a like."""
        return self.likes + 2 * self.comments + 3 * self.shares

    def ranked(self) -> dict[str, Any]:
        rate = round(self.engagement / self.views, 6) if self.views else None
        return self.model_dump() | {"engagement": self.engagement, "engagement_rate": rate}


Rank = Literal["engagement", "views", "rate"]


@processor("discover-competitors", queue=BUSINESSES, timeout="2m", service=BUSINESSES)
def discover_competitors(
    ctx: Context,
    business_name: BusinessName,
    business_id: BusinessId = None,
    location: str | None = None,
    business_type: BusinessType = None,
    radius: Radius = 50,
) -> dict[str, Any]:
    """Find businesses of the same kind nearby."""
    asked = _business(business_name, business_id, location, business_type, radius)
    found = _all(Business, post(ctx, BUSINESSES, "/discover-competitors", asked), "businesses", BUSINESSES)
    ctx.log.info(f"{len(found)} businesses near {location or business_name}")
    return {"businesses_found": len(found), "businesses": [one.model_dump() for one in found]}


@processor("discover-with-instagram", queue=BUSINESSES, timeout="2m", service=BUSINESSES)
def discover_with_instagram(
    ctx: Context,
    business_name: BusinessName,
    business_id: BusinessId = None,
    location: str | None = None,
    business_type: BusinessType = None,
    radius: Radius = 50,
    top: Top = 5,
) -> dict[str, Any]:
    """Find competitors, then their profiles, reels and videos, up to a report of each."""
    found = discover_competitors(ctx, business_name, business_id, location, business_type, radius)
    if found["businesses"]:
        data = {"businesses": found["businesses"], "top": top}
        ctx.submit("detect-instagram-profiles", data, step="profiles")
    return found


@processor("validate-business", queue=BUSINESSES, timeout="1m", service=BUSINESSES)
def validate_business(
    ctx: Context, business_name: BusinessName, business_id: BusinessId = None, location: str | None = None
) -> dict[str, Any]:
    """Check that a business exists and is what it says."""
    said = post(ctx, BUSINESSES, "/validate-business", _business(business_name, business_id, location, None, None))
    return {"business_name": business_name, **_verdict(said, "valid", BUSINESSES)}


@processor("detect-instagram-profiles", queue=INSTAGRAM, timeout="5m", service=INSTAGRAM)
def detect_profiles(
    ctx: Context,
    businesses: Annotated[list[Business], Field(min_length=1, max_length=1000)],
    follow: bool = True,
    top: Top = 5,
) -> dict[str, Any]:
    """Find the Instagram profiles of businesses."""
    asked = {"businesses": [one.model_dump() for one in businesses]}
    found = _all(Profile, post(ctx, INSTAGRAM, "/detect-instagram-profiles", asked), "profiles", INSTAGRAM)
    profiles = list({one.profile_id: one for one in found}.values())
    ctx.log.info(f"{len(profiles)} profiles of {len(businesses)} businesses")
    for one in profiles if follow else ():
        data = {**one.model_dump(include={"profile_id", "username", "business_id"}), "top": top}
        ctx.submit("analyze-reels", data, step=f"reels {one.profile_id}")
    return {"profiles_found": len(profiles), "profiles": [one.model_dump() for one in profiles]}


@processor("validate-instagram-profile", queue=INSTAGRAM, timeout="1m", service=INSTAGRAM)
def validate_profile(ctx: Context, username: Username) -> dict[str, Any]:
    """Check that an Instagram account exists."""
    said = post(ctx, INSTAGRAM, "/validate-instagram-profile", {"username": username.removeprefix("@")})
    return {"username": username, **_verdict(said, "exists", INSTAGRAM)}


@processor("analyze-reels", queue=INSTAGRAM, timeout="5m", service=INSTAGRAM)
def analyze_reels(
    ctx: Context,
    profile_id: ProfileId,
    username: Username,
    business_id: BusinessId = None,
    top: Top = 5,
    rank: Rank = "engagement",
    follow: bool = True,
) -> dict[str, Any]:
    """Take in the reels of a profile and rank them; the best go on."""
    asked = {"profileId": profile_id, "username": username.removeprefix("@")}
    reels = _all(Reel, post(ctx, INSTAGRAM, "/analyze-reels", asked), "reels", INSTAGRAM)
    ranked = [one.ranked() for one in sorted({one.id: one for one in reels}.values(), key=_by(rank))]
    best = ranked[:top]
    ctx.log.info(f"{len(ranked)} reels of {username}, the best {len(best)} by {rank}")
    if best and follow:
        data = {"profile_id": profile_id, "username": username, "business_id": business_id, "top_reels": best}
        ctx.submit("scrape-instagram-videos", data, step=f"videos {profile_id}")
    return {"profile_id": profile_id, "username": username, "reels_found": len(ranked), "top_reels": best}


def _by(rank: Rank) -> Any:
    keys = {
        "engagement": lambda reel: (-reel.engagement, -reel.views, reel.id),
        "views": lambda reel: (-reel.views, -reel.engagement, reel.id),
        "rate": lambda reel: (-(reel.engagement / reel.views if reel.views else 0.0), -reel.views, reel.id),
    }
    return keys[rank]


def _business(
    name: str, id_: str | None, location: str | None, type_: str | None, radius: float | None
) -> dict[str, Any]:
    asked = {"businessName": name, "businessId": id_, "location": location, "businessType": type_, "radius": radius}
    return {key: value for key, value in asked.items() if value is not None}


def _all(kind: type[T], said: dict[str, Any], key: str, service: str) -> list[T]:
    """The objects of a list in an answer.

    Raises:
        Reject: `BadAnswer`; it has no such list, or what is in it is something else.
    """
    listed = said.get(key)
    if not isinstance(listed, list):
        raise Reject(f"service '{service}' answered without a list '{key}'", "BadAnswer")
    try:
        return [kind.model_validate(one) for one in listed]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Reject(f"service '{service}': in '{key}', {where} is wrong: {first['msg']}", "BadAnswer") from None


def _verdict(said: dict[str, Any], key: str, service: str) -> dict[str, Any]:
    if not isinstance(said.get(key), bool):
        raise Reject(f"service '{service}' answered without '{key}': true or false", "BadAnswer")
    return said
