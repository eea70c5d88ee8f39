"""Small real videos, made by PyAV."""

from pathlib import Path
from typing import Any

from PIL import Image


def make_video(path: Path, seconds: int = 4, size: tuple[int, int] = (160, 90), rate: int = 10) -> Path:
    """A video whose picture gets redder as it goes, with a key frame each second and a silent sound track."""
    import av

    container: Any = av.open(str(path), "w")
    drawn: Any = av.VideoFrame  # PyAV is annotated in part
    stream = container.add_stream("mpeg4", rate=rate)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.codec_context.gop_size = rate
    sound = container.add_stream("aac", rate=8000, layout="mono")
    for number in range(seconds * rate):
        picture = Image.new("RGB", size, (number * 255 // (seconds * rate), 80, 160))
        container.mux(stream.encode(drawn.from_image(picture)))
    container.mux(stream.encode())
    for number in range(seconds * 8000 // 1024):
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.planes[0].update(bytes(4096))
        frame.sample_rate, frame.pts = 8000, number * 1024
        container.mux(sound.encode(frame))
    container.mux(sound.encode())
    container.close()
    return path
