"""One attached picture becomes what its codes say. In: the bytes of a file. Out: an `Image`; never the pixels.

QR, Micro QR and rMQR codes only: the round codes of mini programs are no QR codes, nothing here sees them.
Pure and synchronous; decoding and reading let go of the interpreter lock, so a thread is a good place to call this.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from io import BytesIO

# Each import makes its format known to `open`; nothing else is ever tried.
from PIL import BmpImagePlugin, GifImagePlugin, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
from PIL import Image as Picture
from zxingcpp import Barcode, BarcodeFormat, BarcodeFormats, ErrorType, TextMode, read_barcodes

from service.errors import Malformed
from service.text.message import Image

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 40_000_000
"""Of one frame; and of all frames that are looked at, so that an animation costs no more than one large picture."""
MAX_FRAMES = 20
FORMATS = tuple(
    plugin.format
    for plugin in (
        PngImagePlugin.PngImageFile,
        JpegImagePlugin.JpegImageFile,
        WebPImagePlugin.WebPImageFile,
        GifImagePlugin.GifImageFile,
        BmpImagePlugin.BmpImageFile,
    )
)
CODES = BarcodeFormats([BarcodeFormat.QRCode, BarcodeFormat.MicroQRCode, BarcodeFormat.RMQRCode])
CUT_OUT_PIXELS = 512 * 512
"""Up to here a picture may be a code that was cut out to its edge."""
SMALL_PIXELS = 200 * 200
"""Up to here a code's modules may be too small to be read as they are."""
QUIET = 16
"""Pixels of margin given to a code that is cut out to its edge."""
LEAST_SQUARE = 0.8
"""Shortest to longest side: patterns in text that look like a code's corners seldom stand in a square."""

NOT_ACCEPTED = "is not a picture that can be read: send PNG, JPEG, WebP, GIF or BMP"
TOO_MANY_PIXELS = f"is larger than {MAX_PIXELS // 1_000_000} megapixels; send a smaller picture"
BROKEN = "is a broken or cut-off picture; send the whole file"

# Once and for all: filters set around a call would be shared with the other threads.
warnings.simplefilter("error", Picture.DecompressionBombWarning)


def inspect_image(data: bytes) -> Image:
    """What the codes in a PNG, JPEG, WebP, GIF or BMP file say, of an animation in each of its first frames.

    `undecodable` when a QR code can be located but not read. `skipped` names the frames that were not looked at.
    Raises Malformed for more than 5 MiB or 40 megapixels, another format, broken or cut-off data.
    """
    if len(data) > MAX_BYTES:
        raise Malformed(f"is larger than {MAX_BYTES // 1024 // 1024} MiB; send a smaller picture")
    payloads: dict[str, None] = {}
    undecodable, frames = False, 0
    with _open(data) as picture:
        more = True
        while more and frames < MAX_FRAMES and (frames + 1) * math.prod(picture.size) <= MAX_PIXELS:
            found, unread = _read(_load(picture))
            payloads.update(dict.fromkeys(found))
            undecodable |= unread
            frames += 1
            more = _seek(picture, frames)
    skipped = f"frame(s) beyond the first {frames} not inspected" if more else ""
    return Image(tuple(payloads), undecodable, skipped)


def _open(data: bytes) -> Picture.Image:
    """The picture with its header read. Raises Malformed, before a pixel is decoded."""
    try:
        picture = Picture.open(BytesIO(data), formats=FORMATS)
    except (Picture.DecompressionBombError, Picture.DecompressionBombWarning):
        raise Malformed(TOO_MANY_PIXELS) from None
    except Exception:  # Broken headers raise anything: what is no picture is no fault of ours.
        raise Malformed(NOT_ACCEPTED) from None
    if math.prod(picture.size) > MAX_PIXELS:
        raise Malformed(TOO_MANY_PIXELS)
    return picture


def _seek(picture: Picture.Image, frame: int) -> bool:
    """Whether there is such a frame; the picture then stands at it. A frame larger than the rest is Malformed."""
    if picture.format not in ("GIF", "PNG", "WEBP"):
        return False
    try:
        picture.seek(frame)
    except EOFError:
        return False
    except Exception:  # As above.
        raise Malformed(BROKEN) from None
    if math.prod(picture.size) > MAX_PIXELS:
        raise Malformed(TOO_MANY_PIXELS)
    return True


def _load(picture: Picture.Image) -> list[Picture.Image]:
    """The frame in grey, as it looks on white; where that hides something, also as it looks on black."""
    try:
        picture.draft("L", picture.size)
        picture.load()
        if not picture.has_transparency_data:
            return [_grey(picture)]
        layers = picture if picture.mode in ("RGBA", "LA") else picture.convert("RGBA")
        alpha, grey = layers.getchannel("A"), layers.convert("L")
    except Exception:  # As above.
        raise Malformed(BROKEN) from None
    shown = []
    for background in (255, 0) if alpha.getextrema() != (255, 255) else (255,):
        canvas = Picture.new("L", picture.size, background)
        canvas.paste(grey, mask=alpha)
        shown.append(canvas)
    return shown


def _grey(picture: Picture.Image) -> Picture.Image:
    """8 bits of luminance; of 16 bits the upper eight, which a plain conversion would clip."""
    if picture.mode.startswith("I"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return picture.convert("L")


def _read(shown: list[Picture.Image]) -> tuple[list[str], bool]:
    """The texts of the codes in reading order, and whether a code was seen that could not be read."""
    unread = False
    for grey in shown:
        codes = _codes(grey, errors=True)
        unread |= any(map(_is_unread, codes))
        if readable := [code for code in codes if code.valid]:
            return [code.text for code in sorted(readable, key=_place)], unread
    for grey in shown:
        for larger in _enlarge(grey, unread):
            if readable := _codes(larger):
                return [code.text for code in sorted(readable, key=_place)], False
    return [], unread


def _codes(grey: Picture.Image, errors: bool = False) -> list[Barcode]:
    # Plain text: others write control characters out as <CR>, which no detector should have to know.
    return read_barcodes(grey, formats=CODES, text_mode=TextMode.Plain, return_errors=errors)


def _enlarge(grey: Picture.Image, seen: bool) -> Iterator[Picture.Image]:
    """What is worth a second look where nothing was read: small pictures, and those in which a code was `seen`."""
    pixels = math.prod(grey.size)
    if pixels <= CUT_OUT_PIXELS:
        # A code's own corner is dark, or light when inverted: the margin has to be the other.
        yield ImageOps.expand(grey, QUIET, 0 if grey.crop((0, 0, 1, 1)).tobytes()[0] > 127 else 255)
    if pixels <= (CUT_OUT_PIXELS if seen else SMALL_PIXELS):
        yield grey.resize((grey.width * 2, grey.height * 2), Picture.Resampling.BICUBIC)


def _is_unread(code: Barcode) -> bool:
    """A full QR code whose place and size are sure, but whose content does not add up."""
    if code.error is None or code.error.type != ErrorType.Checksum or code.format != BarcodeFormat.QRCode:
        return False
    place = code.position
    corners = [(at.x, at.y) for at in (place.top_left, place.top_right, place.bottom_right, place.bottom_left)]
    sides = [math.dist(corner, corners[index - 1]) for index, corner in enumerate(corners)]
    return min(sides) >= LEAST_SQUARE * max(sides)


def _place(code: Barcode) -> tuple[int, int]:
    return code.position.top_left.y, code.position.top_left.x
