"""The second half of the discovery flow: videos fetched, stored, looked at; see `discovery`."""

import base64
import hashlib
import io
import mimetypes
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from jobdesk import Context, Reject, processor

from . import safefiles, staging, taking, video
from .discovery import BusinessId, ProfileId, Reel, Username
from .services import post
from .shelving import shelve
from .spelling import either
from .staging import UploadId

SCRAPING, ANALYSIS = "video-scraping", "video-analysis"
FRAME_PX = 720
_SUFFIXES = (".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".flv", ".ts", ".mpg", ".ogv", ".gif", ".3gp")


def _is_local(path: Any) -> Any:
    if isinstance(path, str) and re.match(r"https?://", path):
        raise ValueError(f"{path} is a URL: give it as videoUrl")
    if isinstance(path, str) and re.match(r"[a-z][a-z0-9+.-]*://", path):
        raise ValueError(f"{path} lies elsewhere: give its file, or where download-video can fetch it")
    return path


VideoId = Annotated[UploadId, either("video_id")]
PerhapsVideoId = Annotated[UploadId | None, either("video_id")]
VideoPath = Annotated[Path | None, BeforeValidator(_is_local), either("video_path")]
VideoUrl = Annotated[Annotated[str, Field(pattern=r"^https?://[^\s/]", max_length=8000)] | None, either("video_url")]
MOST_BYTES = 2_000_000_000
"""Of a video that is fetched."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
AnalysisType = Annotated[Literal["comprehensive", "technical"], either("analysis_type")]


def video_id_of(reel: str) -> str:
    """A reel's id as the name of a folder; the same each time."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", reel):
        return reel
    return "video_" + hashlib.sha256(reel.encode()).hexdigest()[:24]


@processor("scrape-instagram-videos", queue=SCRAPING, timeout="5m")
def scrape_videos(
    ctx: Context,
    profile_id: ProfileId,
    top_reels: Annotated[list[Reel], Field(min_length=1, max_length=100), either("top_reels")],
    username: Username | None = None,
    business_id: BusinessId = None,
    analysis_type: AnalysisType = "comprehensive",
    follow: bool = True,
) -> dict[str, Any]:
    """Fetch the videos of a profile's best reels, look at each, then at all of them."""
    urls = {reel.id: reel.video_url for reel in top_reels}
    if None in urls.values():  # where they lie is the service's knowledge
        wanted = [reel.model_dump() for reel in top_reels if not reel.video_url]
        said = post(ctx, SCRAPING, "/scrape-instagram-videos", {"profileId": profile_id, "topReels": wanted})
        for one in said.get("videos") or ():
            urls[str(one.get("id"))] = one.get("videoUrl") or one.get("video_url")
    missing = [reel.id for reel in top_reels if not urls[reel.id]]
    if missing:
        ctx.log.warning(f"nobody knows where the videos of {', '.join(missing)} are")
    found = [reel for reel in top_reels if urls[reel.id]]
    if not found:
        raise Reject(f"there is no video of {profile_id} to fetch", "NoVideos")
    analyses = []
    for reel in found:
        id_ = video_id_of(reel.id)
        fetched = ctx.submit("download-video", {"video_id": id_, "url": urls[reel.id]}, step=f"download {id_}")
        if follow:
            stored = ctx.submit("upload-to-storage", {"video_id": id_}, after=[fetched], step=f"stored {id_}")
            data = {"video_id": id_, "analysis_type": analysis_type, "reel": reel.ranked()}
            analyses.append(ctx.submit("analyze-video-content", data, after=[stored], step=f"analysis {id_}"))
            ctx.submit(
                "CLEANUP_TEMP_FILES", {"upload_id": fetched}, after=[analyses[-1]], priority="low", optional=True
            )
    if follow:  # a video that cannot be had does not keep the others from being reported
        about: dict[str, Any] = {"profile_id": profile_id, "username": username, "business_id": business_id}
        about["video_ids"] = [video_id_of(reel.id) for reel in found]
        ctx.submit(
            "generate-insights", about, after=analyses, on_parent_failure="ignore", step=f"insights {profile_id}"
        )
    return {"profile_id": profile_id, "videos": [video_id_of(reel.id) for reel in found], "missing": missing}


@processor("download-video", queue=SCRAPING, timeout="1h")
def download_video(
    ctx: Context,
    url: Annotated[str, Field(pattern=r"^https?://")],
    video_id: PerhapsVideoId = None,
    sha256: Sha256 | None = None,
    max_bytes: Annotated[int, Field(ge=1)] = MOST_BYTES,
) -> dict[str, Any]:
    """Fetch a video; what broke off is gone on with in the next attempt."""
    from .downloading import fetch

    def tell(done: int, total: int | None) -> None:
        ctx.progress(done, total, f"{done / 1e6:,.1f} MB")

    folder = staging.folder(ctx, ctx.job)
    got = fetch(ctx, url, folder, max_bytes=max_bytes, sha256=sha256, tell=tell)
    return {
        "video_id": video_id or "video_" + ctx.job.partition("_")[2],
        "path": str(got.path),
        "suffix": _suffix(url, got.type),
        "type": got.type,
        "bytes": got.bytes,
        "sha256": got.sha256,
        "resumed_at": got.resumed_at,
    }


@processor("upload-to-storage", queue=SCRAPING, timeout="30m")
def upload_to_storage(
    ctx: Context, video_id: VideoId, video_path: VideoPath = None, sha256: Sha256 | None = None
) -> dict[str, Any]:
    """Put a video into the library, checked by its checksum, and record it."""
    fetched = ctx.results.get(f"download {video_id}", {})
    source = video_path or Path(fetched.get("path", ""))
    if not source.is_file():
        raise Reject(
            f"there is no file of {video_id}: give video_path=FILE, or run download-video before", "unreadable"
        )
    called = ctx.workdir / f"video{fetched.get('suffix') or _suffix(source.name, '')}"
    if video_path is None:
        safefiles.place(source, called)
    else:
        shutil.copyfile(source, called)  # what is somebody's own must not share its content with the library
    with called.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if (expected := sha256 or fetched.get("sha256")) not in (None, found):
        raise Reject(f"{source} has SHA-256 {found}, not {expected}", "corrupt")
    (place,) = shelve(ctx, video_id, [(called, found)], _folder(ctx, video_id))
    kind = mimetypes.guess_type(called.name)[0] or "application/octet-stream"
    stored = {"path": place, "bytes": called.stat().st_size, "sha256": found, "type": kind}
    ctx.asset(
        {
            "id": video_id,
            "name": called.name if video_path is None else video_path.name,
            "user": ctx.user,
            "flow": ctx.flow,
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **stored,
            "checksums": {"sha256": found},
            "metadata": {},
            "renditions": [],
        }
    )
    return {"video_id": video_id, **stored}


@processor("extract-metadata", queue=ANALYSIS, timeout="5m")
def extract_metadata(
    ctx: Context, video_path: VideoPath = None, video_id: PerhapsVideoId = None, video_url: VideoUrl = None
) -> dict[str, Any]:
    """Read container, streams, duration and checksum of a video."""
    with _local(ctx, video_id, video_path, video_url) as path:
        said = video.describe(path)
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        ctx.log.info(_line(path, said))
        return {"video_id": video_id, "path": video_url or str(path), "sha256": sha256, **said}


@processor("analyze-video-content", queue=ANALYSIS, timeout="15m")
def analyze_video(
    ctx: Context,
    video_id: VideoId,
    video_path: VideoPath = None,
    video_url: VideoUrl = None,
    analysis_type: AnalysisType = "comprehensive",
    frames: Annotated[int, Field(ge=1, le=100)] = 9,
    reel: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Measure a video, take key frames and a contact sheet of it; comprehensive: let the service look at them."""
    if analysis_type == "comprehensive":
        ctx.service(ANALYSIS)  # says what is missing, before the work
    with _local(ctx, video_id, video_path, video_url) as path:
        return _analyzed(ctx, video_id, path, video_url, analysis_type, frames, reel)


def _analyzed(
    ctx: Context,
    video_id: str,
    path: Path,
    url: str | None,
    analysis_type: str,
    most: int,
    reel: dict[str, Any] | None,
) -> dict[str, Any]:
    ctx.progress(0, 4, "metadata")
    said = video.describe(path)
    ctx.log.info(_line(path, said))
    ctx.progress(1, 4, "key frames")
    folder = _folder(ctx, video_id) / "frames"
    taken = []
    for at, image in video.key_frames(path, most, FRAME_PX, ctx.settings["images"]["max_pixels"]):
        ctx.checkpoint()
        taken.append((at, image))
    if not taken:
        raise Reject(f"{path.name} has no frame that can be shown", "corrupt")
    made = [
        {"at_s": at, "path": str(safefiles.write_whole(folder / f"frame-{number:02}.jpg", _jpeg(image)).path)}
        for number, (at, image) in enumerate(taken, 1)
    ]
    ctx.progress(2, 4, "contact sheet")
    content = _jpeg(video.contact_sheet(taken))
    sheet = safefiles.write_whole(folder / "contact-sheet.jpg", content)
    ctx.artifact(sheet.path, "image")
    analysis = None
    if analysis_type == "comprehensive":
        ctx.progress(3, 4, f"asking {ANALYSIS}")
        asked = {"videoId": video_id, "analysisType": analysis_type, "metadata": said, "reel": reel}
        asked["contactSheet"] = base64.b64encode(content).decode()
        answer = post(ctx, ANALYSIS, "/analyze-video-content", asked)
        if not isinstance(analysis := answer.get("analysis"), dict):
            raise Reject(f"service '{ANALYSIS}' answered without an object 'analysis'", "BadAnswer")
    ctx.progress(4, 4, "done")
    return {
        "video_id": video_id, "path": url or str(path), "analysis_type": analysis_type, "metadata": said,
        "frames": made, "contact_sheet": str(sheet.path), "reel": reel, "analysis": analysis,
    }  # fmt: skip


def _folder(ctx: Context, video_id: str) -> Path:
    return staging.storage(ctx) / "videos" / video_id


@contextmanager
def _local(ctx: Context, video_id: str | None, given: Path | None, url: str | None) -> Iterator[Path]:
    """The file that is meant, on this machine; one at a URL is fetched, and goes when the work is done."""
    if given is not None and url is not None:
        raise Reject("give video_path or video_url, not both")
    if url is None:
        yield _path(ctx, video_id, given)
        return
    with taking.local(ctx, None, url, MOST_BYTES) as path:
        yield path


def _path(ctx: Context, video_id: str | None, given: Path | None) -> Path:
    """The file that is meant: the one given, the one that this flow stored, the one in the library."""
    if given is not None:
        return given
    if video_id is None:
        raise Reject("say which video: give video_path=FILE, or video_id=ID of one in the library")
    steps = (ctx.results.get(f"{step} {video_id}", {}).get("path") for step in ("stored", "download"))
    found = [Path(one) for one in steps if one and Path(one).is_file()]  # what is stored may lie at a URL
    found += sorted(_folder(ctx, video_id).glob("video.*"))
    if not found:
        raise Reject(f"video '{video_id}' is not in the library: give video_path=FILE", "unreadable")
    return found[0]


def _suffix(name: str, kind: str) -> str:
    """The ending of a video's file: as its name has it, else as its type wants it."""
    own = Path(name.partition("?")[0]).suffix.lower()
    guessed = mimetypes.guess_extension(kind) or ""
    return next((one for one in (own, guessed) if one in _SUFFIXES), ".mp4")


def _jpeg(image: Any) -> bytes:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=82, optimize=True)
    return file.getvalue()


def _line(path: Path, said: dict[str, Any]) -> str:
    codec = said["video"][0]["codec"]
    return (
        f"{path.name}: {said['width']}×{said['height']} {codec}, {said['duration_s'] or 0:g} s, {said['bytes']:,} bytes"
    )
