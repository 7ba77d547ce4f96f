"""What a photo's file says beside its pixels: place, time, camera, software, texts."""

from collections.abc import Sequence
from typing import BinaryIO

from PIL import Image

from generators.checks.finding import CheckReport, Finding, Level, and_more
from generators.checks.photos import Photo
from scenarios.photo_files import PNG_START, leniently, png_chunks

CHECK = "metadata"
_GPS = 0x8825
_JPEG_END = b"\xff\xd9"
_PNG_PIXELS = frozenset(
    ["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "gAMA", "cHRM", "sRGB", "sBIT", "bKGD", "hIST", "pHYs", "cICP"]
    + ["acTL", "fcTL", "fdAT"]
)
"""Chunks that say how pixels look, and nothing else."""
_PNG_NAMES = {"eXIf": "EXIF", "iCCP": "ICC profile", "tIME": "time of change"}
_JPEG_NAMES = {"APP2": "ICC profile or further pictures", "APP13": "IPTC"}
_TIFF_NAMES = {
    271: "camera maker",
    272: "camera model",
    305: "software",
    306: "time",
    315: "artist",
    316: "host computer",
    700: "XMP",
    33432: "copyright",
    33723: "IPTC",
    34665: "EXIF",
    34675: "ICC profile",
    _GPS: "GPS position",
}


def check_metadata(photos: Sequence[Photo]) -> CheckReport:
    """One finding for each photo with something left over in its file: an error for a real photo, else a warning."""
    findings = []
    for photo in photos:
        left = left_over(photo.image)
        if left:
            level: Level = "error" if any(use.source == "real" for use in photo.uses) else "warning"
            message = f"the file still holds {', '.join(left)}: save the pixels alone{and_more(photo.uses)}."
            findings.append(Finding(level, CHECK, photo.row, message))
    return CheckReport(tuple(findings), {"photos_with_metadata": len(findings)})


def left_over(image: bytes) -> list[str]:
    """Names of what the encoded photo holds beside pixels, such as ``EXIF`` and ``GPS position``; empty is clean.

    Raises what PIL raises for a file that is no picture.
    """
    kind, names, applications = leniently(image, _described)
    if image.startswith(PNG_START):
        names += _png_chunks(image)
    names += _jpeg_segments(applications, names)
    if kind in ("JPEG", "MPO") and not image.rstrip(b"\0\r\n ").endswith(_JPEG_END):
        names.append("bytes behind the end")
    if kind == "MPO":
        names.append("further pictures")
    return list(dict.fromkeys(names))


def _described(stream: BinaryIO) -> tuple[str, list[str], list[str]]:
    """The format as Pillow calls it, what is left over by Pillow's account, and the names of a JPEG's segments."""
    with Image.open(stream) as picture:
        kind = picture.format or ""
        info = {str(name).lower() for name in picture.info}
        found = {"EXIF": "exif" in info, "GPS position": _has_position(picture)}
        found |= {"XMP": bool(info & {"xmp", "xml:com.adobe.xmp"}), "ICC profile": "icc_profile" in info}
        found |= {"comment": "comment" in info}
        tiff = [name for tag, name in _TIFF_NAMES.items() if kind == "TIFF" and tag in picture.getexif()]
        applications = [str(name) for name, _ in getattr(picture, "applist", ())]
    return kind, [name for name, held in found.items() if held] + tiff, applications


def _has_position(picture: Image.Image) -> bool:
    try:
        return bool(picture.getexif().get_ifd(_GPS))
    # EXIF that cannot be read is reported as EXIF.
    except Exception:
        return False


def _png_chunks(image: bytes) -> list[str]:
    """Every chunk that is not about pixels, after the pixels too; and bytes behind the end."""
    names, position = [], len(PNG_START)
    for kind, content in png_chunks(image):
        chunk = kind.decode("latin-1")
        if chunk in ("tEXt", "zTXt", "iTXt"):
            keyword = content[8:-4].split(b"\0")[0].decode("latin-1")
            names.append("XMP" if keyword == "XML:com.adobe.xmp" else f"text '{keyword}'")
        elif chunk not in _PNG_PIXELS:
            names.append(_PNG_NAMES.get(chunk, f"chunk {chunk!r}"))
        position += len(content)
        if chunk == "IEND":
            break
    return names + (["bytes behind the end"] if position < len(image) else [])


def _jpeg_segments(applications: Sequence[str], known: Sequence[str]) -> list[str]:
    """Application segments beside JFIF (APP0) and Adobe's colour transform (APP14) that have not been named yet."""
    names = []
    for segment in applications:
        if segment in ("APP0", "APP14", "COM"):
            continue
        if segment == "APP1" and {"EXIF", "XMP"} & set(known):
            continue
        if segment == "APP2" and "ICC profile" in known:
            continue
        names.append(_JPEG_NAMES.get(segment, f"segment {segment}"))
    return names
