"""Videos: what a file says of itself, and single pictures of it, by PyAV (FFmpeg) in the process of the job.

Only files are opened, and only formats that hold a video themselves: none that names other files or places.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobdesk import Reject

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL.Image import Image

CELL_PX = 320
MISSING = 'videos need PyAV, which is not installed: pip install "jobdesk[video]", then retry'
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,ogg,asf,gif"
_SAFE = {"protocol_whitelist": "file", "format_whitelist": _FORMATS}


def describe(path: Path) -> dict[str, Any]:
    """Technical metadata: container, duration, streams.

    Raises:
        Reject: `corrupt`, it is no video that can be read; `NotInstalled`.
    """
    with _opened(path) as container:
        video = [_video(stream) for stream in container.streams.video]
        if not video:
            raise Reject(f"{path.name} has no video in it", "corrupt")
        return {
            "container": container.format.name,
            "duration_s": _seconds(container.duration),
            "bytes": path.stat().st_size,
            "bit_rate": container.bit_rate or None,
            "tags": {str(key)[:100]: str(value)[:1000] for key, value in list(container.metadata.items())[:100]},
            "width": video[0]["width"],
            "height": video[0]["height"],
            "video": video,
            "audio": [
                {
                    "codec": stream.codec_context.name,
                    "sample_rate": stream.codec_context.sample_rate,
                    "channels": stream.codec_context.channels,
                    "bit_rate": stream.codec_context.bit_rate or None,
                    "language": stream.language,
                }
                for stream in container.streams.audio
            ],
            "subtitles": [{"language": stream.language} for stream in container.streams.subtitles],
        }


def key_frames(path: Path, most: int, longest_px: int, max_pixels: int) -> Iterator[tuple[float, "Image"]]:
    """Up to `most` frames that can be shown on their own, spread evenly: seconds from the start, and the picture.

    Raises:
        Reject: `corrupt`, `too-many-pixels`, `NotInstalled`.
    """
    with _opened(path) as container:
        if not container.streams.video:
            raise Reject(f"{path.name} has no video in it", "corrupt")
        stream = container.streams.video[0]
        wide, high = stream.codec_context.width, stream.codec_context.height
        if wide * high > max_pixels:
            raise Reject(f"{path.name} claims {wide}×{high} pixels, more than {max_pixels:,}", "too-many-pixels")
        stream.codec_context.skip_frame = "NONKEY"
        length = container.duration or 0
        last = -1.0
        for number in range(most):
            if number:  # the middle of each part: the very last moments are often black
                container.seek(length * (2 * number + 1) // (2 * most), backward=True)
            frame = next(iter(container.decode(stream)), None)
            if frame is None:
                return
            at = float(frame.time or 0.0)
            if at > last:
                last = at
                image: Image = frame.to_image()  # type: ignore[no-untyped-call,unused-ignore]
                if frame.rotation:
                    image = image.rotate(frame.rotation, expand=True)
                image.thumbnail((longest_px, longest_px))
                yield round(at, 3), image
            if not length:
                return


def contact_sheet(frames: Sequence[tuple[float, "Image"]]) -> "Image":
    """The frames on one picture, each with its time."""
    from .sheet import Ground

    ground = Ground(columns=ceil(sqrt(len(frames))), cell=CELL_PX, gap=8, colour="#101014", labels=True)
    canvas = ground.empty(len(frames))
    for number, (at, frame) in enumerate(frames):
        small = frame.copy()
        small.thumbnail((CELL_PX, CELL_PX))
        ground.place(canvas, number, small, clock(at))
    return canvas


def clock(seconds: float) -> str:
    """`1:02:03.5`, hours only where there are some."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


@contextmanager
def _opened(path: Path) -> "Iterator[InputContainer]":
    try:
        import av
    except ImportError:
        raise Reject(MISSING, "NotInstalled") from None
    if not path.is_file():
        raise Reject(f"there is no file {path}", "unreadable")
    try:
        with av.open(str(path), options=_SAFE) as container:
            yield container
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Reject(f"{path.name} is no video that can be read ({why})", "corrupt") from None


def _video(stream: Any) -> dict[str, Any]:
    codec = stream.codec_context
    return {
        "codec": codec.name,
        "profile": codec.profile,
        "width": codec.width,
        "height": codec.height,
        "pixel_format": codec.pix_fmt,
        "frames_per_second": None if stream.average_rate is None else round(float(stream.average_rate), 3),
        "frames": stream.frames or None,
        "bit_rate": codec.bit_rate or None,
        "duration_s": None if stream.duration is None else round(float(stream.duration * stream.time_base), 3),
    }


def _seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else round(microseconds / 1_000_000, 3)
