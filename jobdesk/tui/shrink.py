"""`python -m jobdesk.tui.shrink FILE WIDTH HEIGHT`: a picture made small, as its sizes and raw pixels on stdout."""

import resource
import sys

_MOST_PIXELS = 200_000_000
_MOST_BYTES = 3_000_000_000


def main(path: str, width: int, height: int) -> int:
    from PIL import Image, ImageOps

    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    try:
        with Image.open(path) as opened:
            full = opened.size
            if full[0] * full[1] > _MOST_PIXELS:
                raise ValueError("it has too many pixels to be shown")
            opened.draft("RGB", (width * 2, height * 2))
            picture = ImageOps.exif_transpose(opened)
            picture.thumbnail((width, height))
            if picture.mode in ("RGBA", "LA", "P", "PA"):
                clear = picture.convert("RGBA")
                ground = Image.new("RGBA", clear.size, (128, 128, 128, 255))
                picture = Image.alpha_composite(ground, clear)
            picture = picture.convert("RGB")
    except Exception as error:  # decoders have every kind of error, and memory may run out
        sys.stderr.write(f"{error or type(error).__name__}\n".replace(path, "it"))
        return 1
    sys.stdout.buffer.write(b"%d %d %d %d\n" % (*picture.size, *full))
    sys.stdout.buffer.write(picture.tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
