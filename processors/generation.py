"""Pictures from prompts: made by a provider, fetched, cut for platforms, stored and recorded.

What a provider has made is kept until the job has ended, so that no attempt after the first has it made, and paid for,
again. Progress goes as people know it: 10 asked, 40 made, 50 here, 90 cut, 95 stored, 100 recorded.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from jobdesk import Context, Reject, processor

from . import images_api, placeholder, safefiles, staging
from .platforms import Platforms, shapes
from .shapes import OutputFormat
from .shelving import shelve
from .spelling import either
from .staging import UploadId

_GONE = (401, 403, 404, 410)
"""What a provider answers for a picture that it keeps no longer."""


def _prompt(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValueError("a prompt must say something")
    if any(not (one.isprintable() or one in "\n\t") for one in text):
        raise ValueError("a prompt must not hold control characters")
    return text


Prompt = Annotated[str, Field(max_length=4000), AfterValidator(_prompt)]
ImageType = Annotated[Literal["vivid", "natural"] | None, either("image_type")]
Provider = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]
UserId = Annotated[str | None, either("user_id")]


@processor(
    "image-generation", queue="image-generation", timeout="10m", retries=2, retry_delay="2s", backoff="exponential"
)
def generate_image(
    ctx: Context,
    prompt: Prompt,
    platforms: Platforms,
    image_type: ImageType = None,
    provider: Provider | None = None,
    generation_id: Annotated[UploadId | None, either("generation_id")] = None,
    user_id: UserId = None,
    idempotency_key: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,255}$")] | None = None,
    format: OutputFormat | None = None,
) -> dict[str, Any]:
    """Make a picture from a prompt, and cut it for each platform."""
    by = _provider(ctx, provider)
    generation = generation_id or "gen_" + ctx.job.partition("_")[2]
    work = staging.folder(ctx, ctx.job)
    wanted = {"provider": by, "prompt": prompt, "style": image_type}
    ctx.progress(10, 100, f"asking {by}")
    told = _told(ctx, work, wanted, idempotency_key or ctx.job)
    ctx.progress(40, 100, "fetching the picture")
    file = _fetched(ctx, work, told)
    ctx.progress(50, 100, "cutting")
    made = _cut(ctx, work, file, platforms, format)
    ctx.progress(90, 100, "storing")
    folder = staging.storage(ctx) / "generated" / generation
    files = [(Path(one["path"]), one["sha256"]) for one in made]
    places = shelve(ctx, generation, files, folder, lambda done, of, what: ctx.progress(90 + 5 * done / of, 100, what))
    stored = [one | {"path": place} for one, place in zip(made, places, strict=True)]
    ctx.progress(95, 100, "recording")
    original, *renditions = stored
    about = {"prompt": prompt, "image_type": image_type, **{key: told[key] for key in ("model", "revised_prompt")}}
    ctx.asset(
        {
            "id": generation,
            "name": prompt.partition("\n")[0][:120],
            "user": user_id or ctx.user,
            "flow": ctx.flow,
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **{key: value for key, value in original.items() if key not in ("name", "platform")},
            "checksums": {"sha256": original["sha256"]},
            "metadata": {"provider": by, **about},
            "renditions": renditions,
        }
    )
    ctx.submit("CLEANUP_TEMP_FILES", {"upload_id": ctx.job}, priority="low", optional=True)
    ctx.progress(100, 100, "recorded")
    return {"generation_id": generation, "provider": by, **about, "original": original, "images": renditions}


@processor("image-generation-batch", queue="image-generation", timeout="2m", retries=2, retry_delay="2s")
def generate_batch(
    ctx: Context,
    prompts: Annotated[list[Prompt], Field(min_length=1, max_length=1000)],
    platforms: Platforms,
    image_type: ImageType = None,
    provider: Provider | None = None,
    user_id: UserId = None,
    format: OutputFormat | None = None,
) -> dict[str, Any]:
    """Make a picture of each prompt, in a job of its own."""
    if provider:
        _provider(ctx, provider)  # says once what is missing, not in each job
    usual = {
        "platforms": platforms, "image_type": image_type, "provider": provider, "user_id": user_id, "format": format
    }  # fmt: skip
    jobs = []
    for number, prompt in enumerate(prompts, 1):
        jobs.append(
            ctx.submit("image-generation", {"prompt": prompt, **usual}, queue=ctx.queue, step=f"image {number}")
        )
    ctx.progress(len(jobs), len(jobs), "submitted")
    return {"count": len(jobs), "jobs": jobs}


def _provider(ctx: Context, named: str | None) -> str:
    """Who makes the picture: as the payload says, else `[types.image-generation]`."""
    found = named or ctx.settings["type"].get("provider")
    if not found:
        raise Reject(
            "no provider is named: write [providers.openai] with url, token and model into jobdesk.toml and give "
            'provider=openai, or provider = "openai" in [types.image-generation]; provider=placeholder draws a '
            "stand-in offline",
            "NotConfigured",
        )
    if found != placeholder.NAME:
        if f"services.{found}" not in ctx.settings:
            raise Reject(
                f"provider '{found}' is not configured: give [providers.{found}] url, token and model in jobdesk.toml",
                "NotConfigured",
            )
        ctx.service(found)  # says which secret is missing
    return str(found)


def _told(ctx: Context, work: Path, wanted: Mapping[str, Any], key: str) -> dict[str, Any]:
    """What the provider said of its picture; asked once for all attempts. A content is put beside at once."""
    note, picture = work / "made.json", work / "picture"
    mark = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    if note.is_file() and (told := json.loads(note.read_bytes()))["wanted"] == mark:
        ctx.log.info("the picture was made in a former attempt")
        return dict(told)
    staging.remove(work)
    if wanted["provider"] == placeholder.NAME:
        made = images_api.Made(None, placeholder.draw(wanted["prompt"]), placeholder.NAME, None)
    else:
        made = images_api.generate(ctx, wanted["provider"], wanted["prompt"], wanted["style"], key)
    told = {
        "wanted": mark,
        "provider": wanted["provider"],
        "url": made.url,
        "model": made.model,
        "revised_prompt": made.revised_prompt,
    }
    if made.content is not None:
        safefiles.write_whole(picture, made.content)
    safefiles.write_whole(note, json.dumps(told).encode())
    return told


def _fetched(ctx: Context, work: Path, told: Mapping[str, Any]) -> Path:
    if (picture := work / "picture").is_file():
        return picture
    from .downloading import fetch
    from .web import HttpStatus

    def tell(done: int, total: int | None) -> None:
        ctx.progress(40 + (10 * done / total if total else 0), 100, f"{done:,} bytes")

    try:
        limit = int(ctx.settings["images"]["max_bytes"])
        own = ctx.service(told["provider"]).url if "provider" in told else None
        return fetch(ctx, told["url"], work / "fetched", max_bytes=limit, tell=tell, own=own).path
    except HttpStatus as error:
        if error.status_code in _GONE:
            staging.remove(work)
            raise ConnectionError(f"the picture is there no longer ({error}): it is made anew") from None
        raise


def _cut(
    ctx: Context, work: Path, file: Path, platforms: list[str], format: OutputFormat | None
) -> list[dict[str, Any]]:
    """The original and a rendition for each platform, in the staging folder."""
    from . import encoding, headers, pictures, rendering
    from .darkroom import Darkroom, lay
    from .shapes import plan, rgb

    settings = ctx.settings["images"]
    wanted = shapes(ctx.settings["presets"], platforms, format)
    content = safefiles.read_regular(file, settings["max_bytes"])
    try:
        header = headers.inspect(content, "the picture", settings["max_pixels"], settings["max_frames"])
        picture = pictures.decode(content, header, lambda size: rendering.largest(size, wanted))
    except Reject:
        staging.remove(work)  # whoever retries it by hand wants another
        raise
    size, folder = picture.size, work / "made"
    original = safefiles.write_whole(folder / f"original{header.format.extension}", content)
    made = [{"name": "original", "platform": None, "type": header.format.mime, **_described(original, size)}]
    room = Darkroom(picture, rendering.largest(size, wanted))
    for number, shape in enumerate(wanted, 1):
        ctx.checkpoint()
        planned, output = plan(size, shape), rendering.output_of(settings, picture, shape)
        rendering.bound(planned, settings["max_pixels"])
        image = lay(room.make(planned), planned.canvas, rgb(output.ground))
        written = rendering.write(settings, folder, shape.name, output.format, encoding.encode(image, output))
        about = {"name": shape.name, "platform": shape.name, "type": f"image/{output.format}"}
        made.append(about | _described(written, image.size))
        ctx.progress(50 + 40 * number / len(wanted), 100, shape.name)
    rendering.say_doubts(ctx, picture)
    return made


def _described(written: safefiles.Written, size: tuple[int, int]) -> dict[str, Any]:
    path = str(written.path)
    return {"path": path, "width": size[0], "height": size[1], "bytes": written.bytes, "sha256": written.sha256}
