"""The film of `jobdesk demo`: made here, then found, fetched and looked at by the discovery flow."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from jobdesk import Context, processor

_SIZE, _RATE = (320, 180), 10


@processor("demo.film", queue="video-analysis", timeout="1m", retries=0)
def make_film(
    ctx: Context, place: Path, business: str = "Trattoria Ada", seconds: Annotated[int, Field(ge=1, le=60)] = 3
) -> dict[str, Any]:
    """Film a short clip, and let the discovery flow find it."""
    import av
    from PIL import Image

    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = ctx.workdir / "film.mp4"
    frames: Any = av.VideoFrame
    with av.open(str(draft), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=_RATE)
        stream.width, stream.height = _SIZE
        stream.pix_fmt = "yuv420p"
        for number in range(seconds * _RATE):
            picture = Image.new("RGB", _SIZE, (number * 255 // (seconds * _RATE), 80, 160))
            container.mux(stream.encode(frames.from_image(picture)))
            ctx.progress(number + 1, seconds * _RATE, "filming")
        container.mux(stream.encode())
    place.write_bytes(draft.read_bytes())
    flow = ctx.submit("discover-with-instagram", {"businessName": business, "location": "New York, NY", "top": 1})
    return {"path": str(place), "bytes": place.stat().st_size, "seconds": seconds, "found_by": flow}
