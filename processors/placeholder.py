"""The provider `placeholder`: draws a card with the prompt on it, offline, and says on it that no model made it."""

import hashlib
import io
import textwrap

NAME = "placeholder"
SIZE_PX = 1024
_SAYS = "PLACEHOLDER: no model made this"


def draw(prompt: str) -> bytes:
    """A PNG of 1024×1024; the same prompt gives the same picture."""
    from PIL import Image, ImageDraw, ImageOps

    from . import lettering

    mark = hashlib.sha256(prompt.encode()).digest()
    ground = Image.linear_gradient("L").resize((SIZE_PX, SIZE_PX), Image.Resampling.BICUBIC).rotate(90 * (mark[6] % 4))
    dark, bright = ((one // 3, two // 3, three // 3) for one, two, three in (mark[:3], mark[3:6]))
    image = ImageOps.colorize(ground, dark, (bright[0] + 150, bright[1] + 150, bright[2] + 150))
    pen = ImageDraw.Draw(image)
    text = "\n".join(textwrap.wrap(prompt, 30)[:12])
    middle = SIZE_PX / 2
    pen.multiline_text(
        (middle, middle), text, "white", lettering.font(56), "mm", 12, "center", stroke_width=3, stroke_fill="black"
    )
    pen.rectangle((0, SIZE_PX - 72, SIZE_PX, SIZE_PX), "black")
    pen.text((middle, SIZE_PX - 36), _SAYS, "white", lettering.font(36), "mm")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
