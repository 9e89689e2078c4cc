"""Pictures made here, with codes written by the library that reads them."""

from __future__ import annotations

import struct
import time
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Picture
from PIL import ImageDraw, ImageOps
from zxingcpp import BarcodeFormat, create_barcode

from service.errors import Malformed
from service.normalise import picture
from service.normalise.picture import inspect_image
from service.text.message import Image

LINK = "https://u.example.com/加我"


def code(
    text: str | bytes = LINK, kind: BarcodeFormat = BarcodeFormat.QRCode, scale: int = 4, **more: Any
) -> Picture.Image:
    drawn = create_barcode(text, kind).to_image(scale=scale, **more)
    height, width = drawn.shape
    return Picture.frombytes("L", (width, height), bytes(memoryview(drawn)))  # type: ignore[arg-type]


def saved(image: Picture.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def page(size: tuple[int, int], *codes: tuple[Picture.Image, tuple[int, int]]) -> Picture.Image:
    image = Picture.new("L", size, 255)
    for drawn, place in codes:
        image.paste(drawn, place)
    return image


def damaged() -> Picture.Image:
    """A code whose corners are whole and whose content is not."""
    drawn = code("https://example.com/" + "x" * 60, scale=6)
    middle = drawn.width // 2
    ImageDraw.Draw(drawn).rectangle((middle - 30, middle - 60, middle + 90, middle + 60), fill=255)
    return drawn


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_reads_every_accepted_format(kind: str) -> None:
    assert inspect_image(saved(code(), kind)) == Image(payloads=(LINK,))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_reads_every_mode_of_png(mode: str) -> None:
    drawn = code()
    if mode == "I;16":
        deep = Picture.new("I;16", drawn.size)
        deep.frombytes(b"".join(struct.pack("<H", 20000 + 80 * value) for value in drawn.tobytes()))
        drawn = deep
    assert inspect_image(saved(drawn.convert(mode) if mode != "I;16" else drawn)).payloads == (LINK,)


def test_reads_jpeg_in_cmyk() -> None:
    assert inspect_image(saved(code().convert("CMYK"), "JPEG")).payloads == (LINK,)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (BarcodeFormat.QRCode, LINK),
        (BarcodeFormat.MicroQRCode, "13800138000"),
        (BarcodeFormat.RMQRCode, "https://a.example"),
    ],
)
def test_reads_every_kind_of_qr_code(kind: BarcodeFormat, text: str) -> None:
    assert inspect_image(saved(code(text, kind))).payloads == (text,)


@pytest.mark.parametrize("kind", [BarcodeFormat.Code128, BarcodeFormat.DataMatrix, BarcodeFormat.Aztec])
def test_parcel_labels_are_no_qr_codes(kind: BarcodeFormat) -> None:
    assert inspect_image(saved(code("SF1234567890123", kind))) == Image()


def test_names_all_codes_in_reading_order() -> None:
    image = page((700, 500), (code("third"), (20, 300)), (code("second"), (400, 40)), (code("first"), (20, 20)))
    assert inspect_image(saved(image)).payloads == ("first", "second", "third")


@pytest.mark.parametrize("degrees", [90, 180, 270, 20])
def test_reads_turned_codes(degrees: int) -> None:
    assert inspect_image(saved(code().rotate(degrees, expand=True, fillcolor=255))).payloads == (LINK,)


def test_reads_inverted_and_cut_out_codes() -> None:
    assert inspect_image(saved(ImageOps.invert(code()))).payloads == (LINK,)
    tight = code(scale=2, add_quiet_zones=False)
    tiny = tight.resize((tight.width * 5 // 7, tight.height * 5 // 7), Picture.Resampling.BILINEAR)
    for drawn in (tight, ImageOps.invert(tight), tiny, ImageOps.invert(tiny)):
        assert inspect_image(saved(drawn)).payloads == (LINK,)


def test_reads_tiny_codes() -> None:
    assert inspect_image(saved(code(scale=1))).payloads == (LINK,)


@pytest.mark.parametrize("ink", [0, 255])
def test_transparent_paper_shows_codes_in_black_and_in_white(ink: int) -> None:
    drawn = code()
    see_through = Picture.new("LA", drawn.size, (ink, 0))
    see_through.putalpha(ImageOps.invert(drawn))
    assert inspect_image(saved(see_through)).payloads == (LINK,)


def test_control_characters_and_broken_text_come_as_they_are() -> None:
    assert inspect_image(saved(code("a\r\nb"))).payloads == ("a\r\nb",)
    assert len(inspect_image(saved(code(b"\xff\xfe\x80\x00"))).payloads) == 1


def test_damaged_code_is_undecodable() -> None:
    assert inspect_image(saved(damaged())) == Image(undecodable=True)


def test_damaged_code_beside_a_good_one_is_not_forgotten() -> None:
    image = page((900, 500), (code(), (20, 20)), (damaged(), (500, 100)))
    assert inspect_image(saved(image)) == Image(payloads=(LINK,), undecodable=True)


def test_picture_without_code_is_clean() -> None:
    image = Picture.new("RGB", (800, 600), (200, 180, 90))
    ImageDraw.Draw(image).text((40, 40), "size 38 in stock, 2 left", fill=(0, 0, 0))
    assert inspect_image(saved(image, "JPEG")) == Image()
    assert inspect_image(saved(Picture.new("L", (1, 1)))) == Image()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_finds_a_code_in_a_later_frame_of_an_animation(kind: str) -> None:
    blank = page((200, 200))
    frames = [page((200, 200), (code(f"frame {index}", scale=3), (50, 50))) for index in range(3)]
    data = saved(blank, kind, save_all=True, append_images=frames, duration=100)
    assert inspect_image(data) == Image(payloads=("frame 0", "frame 1", "frame 2"))


def animation(count: int) -> bytes:
    shades = [Picture.new("L", (40, 40), index * 5) for index in range(count)]
    return saved(shades[0], "GIF", save_all=True, append_images=shades[1:], duration=100)


def test_says_that_later_frames_were_not_looked_at() -> None:
    assert inspect_image(animation(20)) == Image()
    assert inspect_image(animation(21)) == Image(skipped="frame(s) beyond the first 20 not inspected")


def test_frames_together_cost_no_more_than_one_large_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "MAX_PIXELS", 40 * 40 * 3)
    assert inspect_image(animation(5)) == Image(skipped="frame(s) beyond the first 3 not inspected")


def refusal(data: bytes) -> str:
    with pytest.raises(Malformed) as refused:
        inspect_image(data)
    return refused.value.detail


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
        saved(Picture.new("L", (9, 9)), "TIFF"),
        saved(Picture.new("L", (9, 9)), "ICO"),
    ],
    ids=["nothing", "text", "svg", "heic", "tiff", "ico"],
)
def test_refuses_other_formats_and_says_which_are_accepted(data: bytes) -> None:
    assert "PNG, JPEG, WebP, GIF or BMP" in refusal(data)


def test_refuses_more_than_five_mebibytes() -> None:
    assert "5 MiB" in refusal(saved(code()) + bytes(5 * 1024 * 1024))


def empty_png(width: int, height: int) -> bytes:
    """A header that promises so many pixels, of which there are none."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + bytes(4) + b"IDAT"
    )


@pytest.mark.parametrize(("width", "height"), [(40_001, 1_000), (12_000, 12_000), (60_000, 60_000)])
def test_refuses_bombs_by_their_header(width: int, height: int) -> None:
    started = time.perf_counter()
    assert "40 megapixels" in refusal(empty_png(width, height))
    assert time.perf_counter() - started < 1


def test_refuses_a_frame_larger_than_its_animation() -> None:
    data = bytearray(animation(2))
    # The second image descriptor: 0x2c, left, top, width, height.
    place = data.index(b"\x2c", data.index(b"\x2c") + 30)
    data[place + 5 : place + 9] = struct.pack("<HH", 9_000, 9_000)
    assert "megapixels" in refusal(bytes(data)) or "broken" in refusal(bytes(data))


SAMPLES = {kind: saved(code(scale=3), kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP")}
SAMPLES["animation"] = animation(4)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_refuses_a_file_cut_off_in_the_middle(kind: str) -> None:
    refusal(SAMPLES[kind][: len(SAMPLES[kind]) // 2])


def only_malformed(data: bytes) -> None:
    with suppress(Malformed):
        inspect_image(data)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"RIFF\x20\x00\x00\x00WEBPVP8 "]),
)
def test_random_bytes_are_malformed_at_worst(data: bytes, start: bytes) -> None:
    only_malformed(start + data)


@settings(deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_broken_pictures_are_malformed_at_worst(kind: str, data: st.DataObject) -> None:
    broken = bytearray(SAMPLES[kind])
    # Most of what can go wrong goes wrong in the first bytes, where the header is.
    places = st.one_of(st.integers(0, min(len(broken), 100) - 1), st.integers(0, len(broken) - 1))
    for place in data.draw(st.lists(places, max_size=6)):
        broken[place] ^= 1 << data.draw(st.integers(0, 7))
    only_malformed(bytes(broken[: data.draw(st.integers(0, len(broken)))]))
    only_malformed(bytes(broken))
