"""Photos: what is taken, what is refused, and what is left of them."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image, ImageDraw

from bot.images import MAX_SIDE, Photo, Unusable, read_photo, sniff

MANY = 10_000_000


def picture(kind: str, size: tuple[int, int] = (60, 40), mode: str = "RGB", **extra: object) -> bytes:
    image = Image.new(mode, size, "white")
    ImageDraw.Draw(image).rectangle((0, 0, size[0] // 2, size[1]), fill="red")
    out = io.BytesIO()
    image.save(out, kind, **extra)
    return out.getvalue()


def opened(photo: Photo | Unusable) -> Image.Image:
    assert isinstance(photo, Photo)
    return Image.open(io.BytesIO(photo.data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_takes_the_three_formats_and_keeps_jpeg(kind: str) -> None:
    """JPEG, PNG and WebP are known by their bytes and all are kept as JPEG."""
    data = picture(kind)
    assert sniff(data) == kind
    assert opened(read_photo(data, max_bytes=MANY)).format == "JPEG"


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a" + bytes(50), b"%PDF-1.7 ...", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture("BMP")],
    ids=["empty", "gif", "pdf", "svg", "bmp"],
)
def test_refuses_other_formats(data: bytes) -> None:
    """A file of another kind is unsupported, whatever its name says."""
    assert read_photo(data, max_bytes=MANY) == Unusable("unsupported")


def test_metadata_is_gone_and_the_picture_upright() -> None:
    """Where and with what a photo was taken is not kept, and a turned photo stands upright."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter
    exif[0x010F] = "SecretMaker"
    exif.get_ifd(0x8825)[2] = (6.0, 12.0, 0.0)  # where it was taken
    data = picture("JPEG", (60, 40), exif=exif.tobytes(), comment=b"SecretComment")
    assert b"SecretMaker" in data and b"SecretComment" in data
    photo = read_photo(data, max_bytes=MANY)
    image = opened(photo)
    assert image.size == (40, 60)
    red, _, blue = image.convert("RGB").getpixel((20, 5))
    assert red > 200 and blue < 80
    assert not image.getexif() and "comment" not in image.info
    assert isinstance(photo, Photo) and b"Secret" not in photo.data


def test_png_text_is_gone() -> None:
    """Words hidden in a PNG do not survive."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Comment", "SecretComment")
    photo = read_photo(picture("PNG", pnginfo=info), max_bytes=MANY)
    assert isinstance(photo, Photo) and b"Secret" not in photo.data


def test_large_photos_are_scaled_down() -> None:
    """No side is longer than the limit and the shape stays."""
    image = opened(read_photo(picture("JPEG", (4000, 3000)), max_bytes=MANY))
    assert max(image.size) == MAX_SIDE
    assert abs(image.width / image.height - 4 / 3) < 0.01


def test_transparency_becomes_white() -> None:
    """See-through parts are white, not black, so that dark writing stays readable."""
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    out = io.BytesIO()
    image.save(out, "PNG")
    assert opened(read_photo(out.getvalue(), max_bytes=MANY)).convert("RGB").getpixel((10, 10)) == (255, 255, 255)


def test_too_many_bytes() -> None:
    """A file above the limit is too big before it is looked at."""
    assert read_photo(picture("PNG"), max_bytes=20) == Unusable("too_big")


def _png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    body = zlib.compress(bytes(100))
    data = struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    return b"\x89PNG\r\n\x1a\n" + chunk + data


@pytest.mark.parametrize("side", [8_000, 12_000, 60_000])
def test_decompression_bombs_are_refused_unopened(side: int) -> None:
    """A small file that would unfold to billions of pixels is too big, at any size of the lie."""
    assert read_photo(_png_claiming(side, side), max_bytes=MANY) == Unusable("too_big")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_damaged_files_are_unreadable(kind: str, share: float) -> None:
    """A photo that was cut off on its way is unreadable, never an exception."""
    noisy = Image.effect_noise((300, 300), 90).convert("RGB")
    out = io.BytesIO()
    noisy.save(out, kind)
    data = out.getvalue()
    assert read_photo(data[: int(len(data) * share)], max_bytes=MANY) == Unusable("unreadable")
