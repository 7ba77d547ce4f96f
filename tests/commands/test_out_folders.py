"""Every command that writes a folder fills whatever folder can be filled, and refuses any other before it works."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import disks
import pytest
from example_tables import make_rows
from leaderboard_example import RATES, make_record, write_example
from miniature_world import Miniature, veilbench
from volunteers import write_volunteers

from bench.cli import app
from bench.core.errors import UsageError

PAGE = {"index.html", "assets", "records", "runs", "metrics.csv", "SHA256SUMS"}
COMMANDS = {
    "build": ("data build photos -o licence=CC0-1.0", {"people.parquet", "pairs.parquet", "probes.parquet"}),
    "view": ("data view tables", {"index.html", "assets", "photos"}),
    "card": ("data card tables", {"README.md", "contact-sheet.jpg", "croissant.json"}),
    "site": ("site build records", PAGE),
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``photos``, the dataset ``tables`` made of them, and ``records`` of a leaderboard."""
    folder = tmp_path_factory.mktemp("inputs")
    write_volunteers(folder / "photos")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        call("data build photos -o licence=CC0-1.0", "tables")
    for key in (("none", "base"), ("none", "naive")):
        rows = make_rows(RATES[key], seed=0, people=4)
        write_example(make_record(*key, rows), rows, folder / "records")
    return folder


@pytest.fixture
def desk(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with links to the inputs; also the home folder."""
    for name in ("photos", "tables", "records"):
        (tmp_path / name).symlink_to(inputs / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def call(command: str, out: str) -> None:
    app([*command.split(), "--out", out], standalone_mode=False)


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def empty(desk: Path) -> str:
    (desk / "out").mkdir()
    return "out"


def link_to_empty(desk: Path) -> str:
    (desk / "real").mkdir()
    (desk / "out").symlink_to("real")
    return "out"


FILLED: dict[str, Callable[[Path], str]] = {
    "new": lambda desk: "out",
    "new below a new one": lambda desk: "out/of/many",
    "with a slash": lambda desk: "out/",
    "at home": lambda desk: "~/out",
    "empty": empty,
    "link to empty": link_to_empty,
}


@pytest.mark.parametrize("kind", [*FILLED, "mount point", "new disk", "current folder"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_can_be_filled_is(
    command: str, kind: str, desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words, wanted = COMMANDS[command]
    with ExitStack() as mounted:
        if kind in FILLED:
            out = FILLED[kind](desk)
        elif kind == "current folder":
            (desk / "here").mkdir()
            monkeypatch.chdir(desk / "here")
            words, out = words.replace(words.split()[2], f"../{words.split()[2]}"), "."
        else:
            mounted.enter_context(disks.small_disk(desk / "out", "size=8m"))
            out = "out"
            if kind == "new disk":
                (desk / "out" / "lost+found").mkdir()
        was_link = Path(out).is_symlink()
        before = entries(desk)
        call(words, out)
        folder = Path(out.replace("~", str(desk)))
        assert entries(folder) - {"lost+found", ".veilbench"} == wanted
        assert Path(out).is_symlink() == was_link
        assert entries(desk) - before <= {"out", ".veilbench"}
        assert "~" not in capsys.readouterr().out


def file(desk: Path) -> str:
    (desk / "out").write_text("mine")
    return "out"


def dangling_link(desk: Path) -> str:
    (desk / "out").symlink_to("nowhere")
    return "out"


def circle(desk: Path) -> str:
    (desk / "out").symlink_to("out")
    return "out"


REFUSED: dict[str, Callable[[Path], str]] = {
    "file": file,
    "below a file": lambda desk: f"{file(desk)}/below",
    "dangling link": dangling_link,
    "circle": circle,
    "long name": lambda desk: "n" * 300,
}


@pytest.mark.parametrize("kind", [*REFUSED, "read-only disk", "below a read-only disk"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_folder_that_cannot_be_filled_is_refused_before_any_work(
    command: str, kind: str, desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, _ = COMMANDS[command]
    with ExitStack() as mounted:
        if kind in REFUSED:
            out = REFUSED[kind](desk)
        else:
            (desk / "disk").mkdir()
            mounted.enter_context(disks.read_only(desk / "disk"))
            out = "disk" if kind == "read-only disk" else "disk/new/one"
        before = sorted(desk.rglob("*"))
        with pytest.raises(UsageError, match="name another folder"):
            call(words, out)
        assert sorted(desk.rglob("*")) == before
        assert capsys.readouterr() == ("", "")  # no photo was begun


@pytest.mark.parametrize("command", ["build", "view", "site"])
def test_what_somebody_keeps_there_is_not_written_over(command: str, desk: Path) -> None:
    (desk / "out").mkdir()
    for name in ("index.html", "SHA256SUMS"):
        (desk / "out" / name).write_text("mine")
    with pytest.raises(UsageError, match=r"name (another|a new)"):
        call(COMMANDS[command][0], "out")
    assert {path.name: path.read_text() for path in (desk / "out").iterdir()} == dict.fromkeys(
        ("index.html", "SHA256SUMS"), "mine"
    )


def test_a_listing_that_no_build_made_removes_nothing(desk: Path) -> None:
    (desk / "out").mkdir()
    (desk / "out" / "weights.bin").write_text("mine")
    (desk / "out" / "SHA256SUMS").write_text(f"{'0' * 64}  weights.bin\n")
    with pytest.raises(UsageError, match="has a file SHA256SUMS that is no page of ours"):
        call(COMMANDS["site"][0], "out")
    assert (desk / "out" / "weights.bin").read_text() == "mine"


@pytest.mark.parametrize("command", ["build", "view"])
def test_the_input_is_no_place_for_the_output(command: str, desk: Path) -> None:
    words, _ = COMMANDS[command]
    source = desk / words.split()[2]
    before = sorted(source.resolve().rglob("*"))
    with pytest.raises(UsageError):
        call(words, str(source))
    assert sorted(source.resolve().rglob("*")) == before


def test_tables_may_go_among_the_photos_where_somebody_says_so(desk: Path) -> None:
    (desk / "photos").unlink()
    write_volunteers(desk / "photos")
    (desk / "photos" / "out").mkdir()
    call(COMMANDS["build"][0], "photos/out")
    assert entries(desk / "photos" / "out") == COMMANDS["build"][1]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_build_that_fills_a_disk_goes_on_when_there_is_room(desk: Path, is_there: bool) -> None:
    with disks.small_disk(desk / "disk", "size=256k") as disk:
        out = disk / "out"
        if is_there:
            out.mkdir()
        (disk / "ballast").write_bytes(b"x" * 236 * 1024)
        finished = veilbench(*COMMANDS["build"][0].split(), "--out", out, folder=desk)
        assert finished.returncode == 1
        assert "No space left on device" in finished.stderr and "Traceback" not in finished.stderr
        assert not list(disk.rglob("*.parquet"))
        (disk / "ballast").unlink()
        call(COMMANDS["build"][0], str(out))
        assert entries(out) == COMMANDS["build"][1]
        assert entries(disk) == {"out"}


@pytest.mark.parametrize("out", [".veilbench", ".veilbench/kept/page"])
def test_a_page_does_not_go_among_artifacts(out: str, miniature: Miniature, desk: Path) -> None:
    for words in (f"run {miniature.suite}", COMMANDS["site"][0]):
        with pytest.raises(UsageError, match="lies among the files of the artifact store"):
            call(words, out)
    assert not (desk / ".veilbench" / "objects").exists() and not list(desk.rglob("index.html"))


@pytest.mark.parametrize("kind", REFUSED)
def test_a_run_refuses_the_folder_before_its_first_stage(kind: str, miniature: Miniature, desk: Path) -> None:
    out = REFUSED[kind](desk)
    with pytest.raises(UsageError, match="name another folder"):
        app(["run", str(miniature.suite), "--out", out], standalone_mode=False)
    assert not (desk / ".veilbench" / "objects").exists()
