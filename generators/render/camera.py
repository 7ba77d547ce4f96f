"""The camera of a photo, and where things lie in the picture that it takes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.render import makehuman

Array = np.ndarray
FIELD_OF_VIEW = 24.0
HEAD_FROM, FACE_FROM = 6.35, 0.95
"""Where the head begins upwards and its front begins forwards, in the unshaped base mesh."""


@dataclass(frozen=True)
class Camera:
    """Where the camera stands and what it is aimed at, both (3,) in decimetres."""

    origin: Array
    aim: Array

    @property
    def axes(self) -> tuple[Array, Array, Array]:
        """Unit vectors to the right, up and forward of the picture, each (3,)."""
        forward = (self.aim - self.origin) / np.linalg.norm(self.aim - self.origin)
        right = np.cross(forward, [0, 1, 0])
        right /= np.linalg.norm(right)
        return right, np.cross(right, forward), forward

    def sensor(self, size: int, samples: int) -> dict[str, Any]:
        """Mitsuba's description of a square film of ``size`` pixels a side."""
        import mitsuba

        view = mitsuba.ScalarTransform4f().look_at(
            origin=[float(v) for v in self.origin], target=[float(v) for v in self.aim], up=[0, 1, 0]
        )
        film = {"type": "hdrfilm", "width": size, "height": size, "pixel_format": "rgba", "rfilter": {"type": "box"}}
        return {
            "sensor": {
                "type": "perspective",
                "fov": FIELD_OF_VIEW,
                "near_clip": 0.5,
                "far_clip": 20000.0,
                "to_world": view,
                "film": film,
                "sampler": {"type": "independent", "sample_count": samples},
            }
        }

    def rays(self, size: int) -> Array:
        """The direction (size, size, 3) that every pixel of a square picture looks in, not normalised."""
        right, up, forward = self.axes
        place = (2 * (np.arange(size) + 0.5) / size - 1) * np.tan(np.radians(FIELD_OF_VIEW / 2))
        rays: Array = forward + place[None, :, None] * right - place[:, None, None] * up
        return rays

    def project(self, points: Array, size: int) -> Array:
        """Pixel coordinates (n, 2) of points (n, 3): x to the right, y down, outside 0..size if not seen."""
        right, up, forward = self.axes
        offset = np.asarray(points, float) - self.origin
        reach = np.maximum(offset @ forward, 1e-6) * np.tan(np.radians(FIELD_OF_VIEW / 2))
        return np.stack([(1 + offset @ right / reach) * size / 2, (1 - offset @ up / reach) * size / 2], axis=1)

    def face_box(self, vertices: Array, size: int) -> tuple[int, int, int, int]:
        """The face's box x0, y0, x1, y1 in pixels, cut to the photo."""
        body = _body_vertices()
        place = self.project(vertices[body[_base()[body, 1] > HEAD_FROM]], size)
        low, high = np.clip(place.min(0), 0, size), np.clip(place.max(0), 0, size)
        return int(low[0]), int(low[1]), int(np.ceil(high[0])), int(np.ceil(high[1]))

    def face_pixels(self, vertices: Array, size: int) -> Array:
        """Rows and columns (n, 2) of the pixels of the face's front that lie in the photo."""
        body = _body_vertices()
        front = body[(_base()[body, 1] > HEAD_FROM) & (_base()[body, 2] > FACE_FROM)]
        pixels = np.unique(self.project(vertices[front], size).astype(int)[:, ::-1], axis=0)
        inside: Array = pixels[((pixels >= 0) & (pixels < size)).all(1)]
        return inside


def _base() -> Array:
    return makehuman.base_mesh()[0]


def _body_vertices() -> Array:
    return np.unique(makehuman.base_mesh()[2]["body"][..., 0])
