"""Photos whose files hold tags, profiles and texts beside the pixels, right ones and broken ones."""

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

TURNS: dict[int, Any] = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: np.rot90(stored),
}
"""What an orientation means to stored pixels (height, width, 3)."""

Tag = tuple[int, int, int, bytes]
"""Number, type, count and value of an entry of EXIF."""

BAD_TAGS: dict[str, tuple[Tag, ...]] = {
    "none": (),
    "resolution unit as text": ((0x128, 2, 4, b"abc\0"),),
    "width of -1": ((0x100, 9, 1, struct.pack("<i", -1)),),
    "signed resolution": ((0x11A, 10, 1, struct.pack("<I", 8)), (0x128, 3, 1, struct.pack("<HH", 2, 0))),
    "resolution over nothing": ((0x11A, 5, 1, struct.pack("<I", 90_000)),),
    "a text without end": ((0x10F, 2, 0xFFFFFFFF, struct.pack("<I", 8)),),
    "a maker that is cut off": ((0x10F, 2, 12, struct.pack("<I", 90_000)),),
    "place as text": ((0x8825, 2, 4, b"abc\0"),),
    "tags within themselves": ((0x8769, 4, 1, struct.pack("<I", 8)),),
    "unknown type": ((0x131, 77, 1, b"abcd"),),
    "maker's note": ((0x927C, 7, 4, b"\xff\xfe\x00\x01"),),
}


def exif(orientation: int, *tags: Tag) -> bytes:
    """EXIF as its TIFF, little-endian."""
    entries = sorted([(0x112, 3, 1, struct.pack("<HH", orientation, 0)), *tags])
    listed = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + listed + bytes(4)


def segment(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG file."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def chunk(kind: bytes, content: bytes, checksum: int | None = None) -> bytes:
    """A chunk of a PNG file."""
    right = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", right if checksum is None else checksum)


_LARGE = zlib.compress(bytes(3_000_000))

BESIDE: dict[str, dict[str, bytes]] = {
    "JPEG": {
        "nothing": b"",
        "a piece of a profile": segment(0xE2, b"ICC_PROFILE\0\x02\x05junk"),
        "a profile without a number": segment(0xE2, b"ICC_PROFILE\0"),
        "a list of pictures that is none": segment(0xE2, b"MPF\0junkjunk"),
        "a short list of two pictures": segment(0xE2, b"MPF\0" + exif(1, (0xB001, 4, 1, struct.pack("<I", 2)))),
        "a short mark of JFIF": segment(0xE0, b"JFIF\0"),
        "a short mark of Adobe": segment(0xEE, b"Adobe\0"),
        "IPTC that ends early": segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\xff\xff\xff\xff"),
        "a comment that is no text": segment(0xFE, b"\xff\xfe\0"),
        "XMP that is no text": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0\xff\xfe\0"),
    },
    "PNG": {
        "nothing": b"",
        "a text of megabytes": chunk(b"zTXt", b"Comment\0\0" + _LARGE),
        "an international text of megabytes": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + _LARGE),
        "a profile of megabytes": chunk(b"iCCP", b"own\0\0" + _LARGE),
        "a profile packed otherwise": chunk(b"iCCP", b"own\0\5junk"),
        "a profile that is none": chunk(b"iCCP", b"own\0\0" + zlib.compress(b"junk")),
        "a text with a wrong sum": chunk(b"tEXt", b"Comment\0text", checksum=1),
        "a text packed otherwise": chunk(b"zTXt", b"Comment\0\7junk"),
        "a short resolution": chunk(b"pHYs", b"abc"),
        "a short gamma": chunk(b"gAMA", b"a"),
        "an empty rendering intent": chunk(b"sRGB", b""),
        "a short promise of animation": chunk(b"acTL", b"ab"),
        "EXIF as a text that is none": chunk(b"tEXt", b"Raw profile type exif\0nohex"),
    },
    "WEBP": {"nothing": b""},
}
"""What a file of each format may hold that says nothing of its pixels."""

MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "P with a clear colour", "RGB", "RGBA", "I;16"),
    "WEBP": ("RGB", "RGBA"),
}


def picture(mode: str, width: int, height: int, seed: int) -> Image.Image:
    """Noise in that mode, clear here and there where the mode allows it."""
    draws = np.random.default_rng(seed)
    if mode == "I;16":
        return Image.fromarray(draws.integers(0, 65536, (height, width)).astype(np.uint16))
    channels = {"LA": 2, "RGBA": 4, "CMYK": 4, "RGB": 3}.get(mode)
    if channels:
        return Image.fromarray(draws.integers(0, 256, (height, width, channels)).astype(np.uint8), mode)
    grey = Image.fromarray(draws.integers(0, 256, (height, width)).astype(np.uint8))
    return grey.convert("RGB").quantize(16) if mode.startswith("P") else grey.convert(mode)


def plain_file(form: str, mode: str, width: int, height: int, seed: int) -> bytes:
    """A file that holds pixels and nothing beside them."""
    options: dict[str, Any] = {"lossless": True, "exact": True} if form == "WEBP" else {}
    if mode == "P with a clear colour":
        options["transparency"] = 3
    buffer = io.BytesIO()
    picture(mode, width, height, seed).save(buffer, form, **options)
    return buffer.getvalue()


def tagged(form: str, plain: bytes, tags: bytes, beside: bytes) -> bytes:
    """The same pixels with EXIF and with what stands beside them."""
    if form == "JPEG":
        return plain[:2] + segment(0xE1, b"Exif\0\0" + tags) + beside + plain[2:]
    if form == "PNG":
        header = 8 + 25
        return plain[:header] + beside + chunk(b"eXIf", tags) + plain[header:]
    with Image.open(io.BytesIO(plain)) as stored:
        buffer = io.BytesIO()
        stored.save(buffer, form, lossless=True, exact=True, exif=b"Exif\0\0" + tags)
        return buffer.getvalue()
