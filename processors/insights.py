"""What the analyses of several videos say together: numbers that are worked out here, a JSON file, and the report."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Annotated, Any

from jobdesk import Context, Reject, processor

from . import safefiles, staging
from .discovery import BusinessId
from .registered import is_registered
from .spelling import either
from .staging import UploadId

REPORT, TRENDS = "generate-competitor-report", "generate-trend-analysis"
_DATED = 3
"""Videos with a date that make a trend worth drawing."""
_LENGTHS = ((15, "under 15 s"), (30, "15 to 30 s"), (60, "30 to 60 s"), (float("inf"), "60 s and more"))


@processor("generate-insights", queue="video-analysis", timeout="2m")
def generate_insights(
    ctx: Context,
    analysis_data: Annotated[list[dict[str, Any]] | None, either("analysis_data")] = None,
    video_ids: Annotated[list[UploadId], either("video_ids")] = [],  # noqa: B006  pydantic copies it
    business_id: BusinessId = None,
    profile_id: Annotated[str | None, either("profile_id")] = None,
    username: str | None = None,
) -> dict[str, Any]:
    """Draw conclusions from the analyses of videos, and start the report."""
    results = [ctx.results.get(f"analysis {id_}") for id_ in video_ids]
    given = [*(analysis_data or ()), *(one for one in results if one)]
    if not given:
        raise Reject("there is no analysis to draw conclusions from: give analysis_data, or analyse videos before")
    if missing := [id_ for id_, one in zip(video_ids, results, strict=True) if not one]:
        ctx.log.warning(f"without {', '.join(missing)}: their analyses failed")
    videos = [_row(one) for one in given]
    about = {"business_id": business_id, "profile_id": profile_id, "username": username}
    insights = conclude(videos)
    content = json.dumps({**about, "insights": insights, "videos": videos}, ensure_ascii=False, indent=2).encode()
    file = safefiles.write_whole(staging.storage(ctx) / "insights" / f"{ctx.job}.json", content)
    ctx.artifact(file.path, "report")
    subject = profile_id or ctx.job
    reports = {}
    if is_registered(REPORT):
        data = {"businessId": business_id or profile_id, "analysisData": videos}
        reports[REPORT] = ctx.submit(REPORT, data, step=f"report {subject}")
    if is_registered(TRENDS) and sum(one["postedAt"] is not None for one in videos) >= _DATED:
        reports[TRENDS] = ctx.submit(TRENDS, {"analysisData": videos}, step=f"trends {subject}")
    if not reports:
        ctx.log.info(f"no processor has the type {REPORT}: the numbers are in {file.path}")
    return {**about, "videos": len(videos), "missing": missing, "insights": insights, "file": str(file.path),
            "reports": reports}  # fmt: skip


def conclude(videos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Numbers of several videos: how long, which shape, what people did about them, what they are about."""
    lengths = [one["duration_s"] for one in videos if one["duration_s"] is not None]
    rated = [one for one in videos if one["engagement"] is not None]
    topics = Counter(topic for one in videos for topic in one["topics"])
    return {
        "duration_s": None
        if not lengths
        else {"min": min(lengths), "mean": round(fmean(lengths), 3), "median": median(lengths), "max": max(lengths)},
        "portrait_share": round(sum((one["height"] or 0) > (one["width"] or 0) for one in videos) / len(videos), 4),
        "codecs": dict(Counter(one["codec"] for one in videos if one["codec"])),
        "views": sum(one["views"] or 0 for one in videos),
        "engagement": sum(one["engagement"] for one in rated),
        "best": max(rated, key=lambda one: one["engagement"])["videoId"] if rated else None,
        "engagement_by_length": _by_length(rated),
        "topics": dict(topics.most_common(20)),
    }


def _by_length(rated: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean engagement of videos by how long they are."""
    found: dict[str, list[int]] = {}
    for one in rated:
        if one["duration_s"] is not None:
            name = next(name for limit, name in _LENGTHS if one["duration_s"] < limit)
            found.setdefault(name, []).append(one["engagement"])
    return {name: round(fmean(found[name]), 2) for _, name in _LENGTHS if name in found}


def _row(analysis: Mapping[str, Any]) -> dict[str, Any]:
    """One analysis, as `analyze-video-content` gives it or as somebody wrote it, in one line of a table."""
    metadata, reel = analysis.get("metadata") or {}, analysis.get("reel") or {}
    streams, said = metadata.get("video") or [{}], analysis.get("analysis") or {}
    topics = said.get("topics") if isinstance(said, Mapping) else None
    return {
        "videoId": analysis.get("video_id") or analysis.get("videoId"),
        **{key: metadata.get(key) for key in ("duration_s", "width", "height")},
        "codec": streams[0].get("codec"),
        **{key: reel.get(key) for key in ("views", "likes", "comments", "shares", "engagement", "engagement_rate")},
        "caption": reel.get("caption"),
        "postedAt": reel.get("posted_at") or reel.get("postedAt"),
        "topics": [str(one)[:100] for one in topics][:50] if isinstance(topics, list) else [],
        "analysis": said or None,
        "contactSheet": analysis.get("contact_sheet"),
    }
