"""A photo as it leaves the camera becomes a small upright PNG with nothing in it but pixels."""

import importlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import PIL
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from bench.core.digests import digest_code, digest_file, digest_json
from bench.core.files import write_whole
from scenarios.photo_files import leniently, turned_upright
from scenarios.pixels import MOST_PIXELS, in_eight_bits

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class PhotoProblem(Exception):
    """Why a file cannot become a photo: the end of a sentence that starts with the file's name."""


@dataclass(frozen=True)
class CleanPhoto:
    """A PNG without metadata, its width and height, and its longest side as a share of the file's longest side."""

    image: bytes
    size: tuple[int, int]
    scale: float


@dataclass(frozen=True)
class _Opened:
    """Width and height as the file's header tells them, and what decodes the pixels."""

    size: tuple[int, int]
    decode: Callable[[], Image.Image]


def clean_photo(path: Path, max_side: int, work: Path) -> CleanPhoto:
    """The photo in ``path``: upright, in sRGB, no side above ``max_side`` pixels; kept in ``work`` for the next time.

    Raises PhotoProblem for a file that is damaged or of a format that cannot be read here, and for one above 64
    megapixels before any pixel is decoded.
    """
    with _telling_damage():
        stored = path.read_bytes()
        width, height = leniently(stored, lambda stream: _open(stream).size)
        if width * height > MOST_PIXELS:
            most = MOST_PIXELS // 1_000_000
            raise PhotoProblem(f"has {width} x {height} pixels, and {most} megapixels are the most: scale it down")
        kept = work / f"{_key(path, max_side)}.png"
        image = _finished_before(kept)
        fresh = image is None
        if image is None:
            image = leniently(stored, lambda stream: _png(_flat_colours(_open(stream).decode(), max_side)))
    if fresh:
        write_whole(kept, image)
    with Image.open(io.BytesIO(image)) as clean:
        # However a photo is turned, its longest side stays the longest.
        return CleanPhoto(image, clean.size, max(clean.size) / max(width, height))


@contextmanager
def _telling_damage() -> Iterator[None]:
    try:
        yield
    except PhotoProblem:
        raise
    # A damaged file makes a decoder raise nearly anything, SyntaxError and struct.error included.
    except Exception as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise PhotoProblem(f"cannot be decoded: {' '.join(reason.split()).rstrip('.')}") from error


def _open(stream: BinaryIO) -> _Opened:
    start = stream.read(12)
    stream.seek(0)
    picture: Image.Image
    # Image.open would look at the size against a limit of its own, for the whole process, and tell no width and height.
    if start.startswith(b"\xff\xd8\xff"):
        picture = JpegImageFile(stream)
    elif start.startswith(b"\x89PNG\r\n\x1a\n"):
        picture = PngImageFile(stream)
    elif start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        picture = WebPImageFile(stream)
    elif start[4:8] == b"ftyp" and start[8:12] in _HEIC_BRANDS:
        return _open_heic(stream)
    else:
        raise PhotoProblem("is not a JPEG, PNG, WebP or HEIC file: save it as one of them")
    return _Opened(picture.size, lambda: picture)


def _open_heic(stream: BinaryIO) -> _Opened:
    try:
        photo = importlib.import_module("pillow_heif").open_heif(stream)
    except ImportError:
        raise PhotoProblem("is HEIC, which Pillow cannot read alone: pip install pillow-heif") from None
    return _Opened(photo.size, photo.to_pillow)


def _flat_colours(picture: Image.Image, max_side: int) -> Image.Image:
    """The picture upright, scaled down and in sRGB, mode RGB."""
    profile = picture.info.get("icc_profile")
    return _in_srgb(_scaled_down(in_eight_bits(turned_upright(picture)), max_side), profile)


def _scaled_down(picture: Image.Image, max_side: int) -> Image.Image:
    share = max_side / max(picture.size)
    if share >= 1:
        return picture
    width, height = (max(1, round(side * share)) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Without its profile a photo of wide gamut, as phones take them, would lose its colours."""
    if profile:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        # A damaged profile, or one of other channels: viewers show such a photo without it.
        except Exception:
            converted = None
        if converted is not None:
            return converted
    return picture.convert("RGB")


def _png(picture: Image.Image) -> bytes:
    """PNG bytes of the pixels alone: a picture made from them has no metadata to write."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", picture.size, picture.tobytes()).save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _key(path: Path, max_side: int) -> str:
    """Whatever the pixels depend on, so that a build never goes on with a photo that it would make otherwise."""
    code = digest_code((__name__, leniently.__module__, in_eight_bits.__module__))
    made_by = {"code": code, "pillow": PIL.__version__, "max_side": max_side}
    return digest_json({"file": digest_file(path), **made_by})


def _finished_before(kept: Path) -> bytes | None:
    """The photo as an earlier build kept it; None where there is none, or a machine stopped while writing it."""
    try:
        image = kept.read_bytes()
        with Image.open(io.BytesIO(image)) as picture:
            picture.load()
    except (OSError, SyntaxError, ValueError):
        return None
    return image
