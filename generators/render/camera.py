"""The camera of a photo, and where a face lies in the picture that it takes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from generators.render import head, makehuman

Array = np.ndarray
FIELD_OF_VIEW = 24.0


@dataclass(frozen=True)
class Camera:
    """Where the camera stands and what it is aimed at, both (3,) in decimetres."""

    origin: Array
    aim: Array

    def sensor(self, size: int, samples: int) -> dict[str, Any]:
        """Mitsuba's description of a square film of ``size`` pixels a side."""
        import mitsuba

        view = mitsuba.ScalarTransform4f().look_at(
            origin=[float(v) for v in self.origin], target=[float(v) for v in self.aim], up=[0, 1, 0]
        )
        return {
            "sensor": {
                "type": "perspective",
                "fov": FIELD_OF_VIEW,
                "to_world": view,
                "film": {"type": "hdrfilm", "width": size, "height": size, "rfilter": {"type": "box"}},
                "sampler": {"type": "independent", "sample_count": samples},
            }
        }

    def face_box(self, vertices: Array, size: int) -> tuple[int, int, int, int]:
        """The face's box x0, y0, x1, y1 in pixels, cut to the photo."""
        base = makehuman.base_mesh()[0]
        face = vertices[: head.BODY_VERTICES][(base[: head.BODY_VERTICES, 1] > 6.35)]
        forward = (self.aim - self.origin) / np.linalg.norm(self.aim - self.origin)
        right = np.cross(forward, [0, 1, 0])
        right /= np.linalg.norm(right)
        up = np.cross(right, forward)
        offset = face - self.origin
        reach = (offset @ forward) * np.tan(np.radians(FIELD_OF_VIEW / 2))
        x, y = (1 + offset @ right / reach) * size / 2, (1 - offset @ up / reach) * size / 2
        low, high = np.clip([x.min(), y.min()], 0, size), np.clip([x.max(), y.max()], 0, size)
        return int(low[0]), int(low[1]), int(np.ceil(high[0])), int(np.ceil(high[1]))
