"""The house rules: imports run one way, the package is light, the public names are these."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from one_test import of_all
from places import ROOT

import stylize_live
import stylize_live.errors

PACKAGE = Path(stylize_live.__file__).parent
# High to low: a room may import from itself and from what stands further down.
ROOMS = [
    *("__main__", "cli", "remotes", "studio", "bench"),
    *("evaluation", "evaluation.blind"),
    *("api", "obs", "cluster"),
    *("live", "conversion", "learning", "training", "reports"),
    *("engine", "engine.matting", "engine.first_look", "engine.cuda", "engine.cuda.triton"),
    *("engine.operations", "engine.cpu", "engine.core", "nets"),
    "sound",
    *("media.sinks", "media.sources", "media.encode", "media.tracks", "media.decode", "media.formats"),
    *("media.hw", "media.ndi", "media.image", "media.color", "media"),
    *("storage", "concurrency", "system"),
]
STRANGERS = {"live": "conversion", "conversion": "live"}  # side by side, and neither imports the other
VOCABULARY = {
    *("_version", "backgrounds", "config", "errors", "file_locks", "files", "frame", "install_hints"),
    *("lifecycle", "naming", "options", "privacy", "rate_limited_log", "sound_rules", "strips", "units"),
    *("validation", "wording"),
}
# Of the package's modules, these alone may load torch when they are imported.
TORCH = ("engine", "training", "evaluation", "nets", "media.hw")


def room_of(module: str) -> str | None:
    """The innermost room of a module of ours, "" for the package itself, None for others."""
    parts = module.split(".")
    if parts[0] != "stylize_live":
        return None
    names = [".".join(parts[1:end]) for end in range(len(parts), 1, -1)]
    return next((name for name in names if name in ROOMS or name in VOCABULARY), "")


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All of a module, parsed once for all tests."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports_of(path: Path) -> set[str]:
    found = set()
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


of_every_module = of_all(modules())


def name_of(path: Path) -> str:
    """A module's dotted name."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@of_every_module
def test_every_module_has_a_room(path: Path) -> None:
    name = name_of(path)
    room = room_of(name)
    assert room or name == "stylize_live"
    folder = ".".join(name.split(".")[1:] if path.name == "__init__.py" else name.split(".")[1:-1])
    assert folder in (room, "") or room in VOCABULARY, f"{folder} is no room of the list"


@of_every_module
def test_imports_run_downwards(path: Path) -> None:
    here = room_of(name_of(path))
    used = {room for name in imports_of(path) if (room := room_of(name))}
    if here in VOCABULARY:
        assert used <= VOCABULARY | {"system", "concurrency"}
    elif here:
        allowed = VOCABULARY | set(ROOMS[ROOMS.index(here) :])
        assert used <= allowed, f"{here} must not import {used - allowed}"
        assert STRANGERS.get(here) not in used


@of_every_module
def test_evaluation_knows_no_trainer(path: Path) -> None:
    """It measures with what the trainer measures with, and nothing else of that room."""
    if name_of(path).startswith("stylize_live.evaluation"):
        measures = {"dataset", "features", "losses", "painting", "settings", "style_metrics"}
        used = {name for name in imports_of(path) if name.startswith("stylize_live.training")}
        assert used <= {f"stylize_live.training.{name}" for name in measures}


@of_every_module
def test_torch_has_its_rooms(path: Path) -> None:
    if not (room_of(name_of(path)) or "").startswith(TORCH):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at_once = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not any(
            "torch" in ast.unparse(node) and "stylize_live" not in ast.unparse(node) for node in at_once
        )


@of_every_module
def test_cv2_and_av_have_one_door(path: Path) -> None:
    if path.name != "libraries.py":
        assert not imports_of(path) & {"cv2", "av"}


@of_every_module
def test_openvino_has_one_door(path: Path) -> None:
    """Behind which its telemetry is shut out."""
    if path.name != "openvino_library.py":
        assert not {name.split(".")[0] for name in imports_of(path)} & {"openvino", "openvino_telemetry"}


@of_every_module
def test_images_are_opened_by_a_list_of_formats(path: Path) -> None:
    """Pillow knows eighty, some of which start other programs."""
    for node in nodes(path):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Image.open":
            assert any(keyword.arg == "formats" for keyword in node.keywords)


@of_every_module
def test_the_clock_has_one_door(path: Path) -> None:
    """Others step by 15.6 ms on Windows, and moments of two clocks cannot be compared."""
    if path.relative_to(PACKAGE) == Path("system/clock.py"):
        return
    clocks = {name + unit for name in ("monotonic", "perf_counter", "time") for unit in ("", "_ns")}
    for node in nodes(path):
        if isinstance(node, ast.ImportFrom):
            assert node.module != "time" or not clocks & {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "time":
            assert node.attr not in clocks


def test_side_data_has_one_door() -> None:
    """PyAV's own lists none of an image's where it has no name for one of them."""
    attributes = {
        path.name: {node.attr for node in nodes(path) if isinstance(node, ast.Attribute)}
        for path in modules()
    }
    assert not [name for name, used in attributes.items() if "side_data" in used]


@of_every_module
def test_names_keep_to_the_glossary(path: Path) -> None:
    """Of docs/architecture.md, a word for each thing; `painter` is a key of the JSON that `bench` writes."""
    avoided = re.compile(r"picture|film|companion|outlet|(?<![a-z])painter", re.IGNORECASE)
    names = {name for node in nodes(path) for name in named_by(node)} - {"user_pictures_path", "painter"}
    assert not {name for name in names if avoided.search(name)}


def named_by(node: ast.AST) -> Iterator[str]:
    """The names that a node gives or uses."""
    for field in ("id", "attr", "arg", "name"):
        if isinstance(name := getattr(node, field, None), str):
            yield name


def test_the_page_about_the_house_names_files_that_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+\.(?:py|html|css|js|toml))`", page))
    named |= set(re.findall(r"`([\w/]+/)`", page.partition("## The rooms")[2].partition("## Why")[0]))
    assert len(named) > 100
    assert not [name for name in named if not any((root / name).exists() for root in (ROOT, PACKAGE))]


def test_pipelines_do_not_know_networks() -> None:
    for path in [*(PACKAGE / "live").glob("*.py"), *(PACKAGE / "conversion").glob("*.py")]:
        assert "torch" not in imports_of(path)


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_is_light() -> None:
    heavy = "{'torch', 'torchvision', 'cv2', 'av', 'pydantic', 'rich', 'jinja2', 'fsspec'}"
    assert run_python(f"import sys, stylize_live; print(sorted({heavy} & set(sys.modules)))") == "[]"


def test_cv2_comes_before_av() -> None:
    code = (
        "import sys; from stylize_live.media import libraries; names = list(sys.modules);"
        "print(names.index('cv2') < names.index('av'))"
    )
    assert run_python(code) == "True"


def test_public_names() -> None:
    functions = ["convert", "list_styles", "open_source", "paint_live"]
    classes = ["ConvertProgress", "ConvertReport", "ConvertSettings", "Frame", "LiveReport", "LiveSettings"]
    classes += ["LiveSink", "Sink", "Source", "Stylizer", "VideoReader", "VideoWriter"]
    errors = [name for name, value in vars(stylize_live.errors).items() if is_error(value)]
    assert sorted(dir(stylize_live)) == sorted(["__version__", *functions, *classes, *errors])
    assert dir(stylize_live) == stylize_live.__all__
    for name in stylize_live.__all__:
        assert getattr(stylize_live, name) is not None
    with pytest.raises(AttributeError):
        _ = stylize_live.no_such_name


def is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


@pytest.mark.linux
def test_openvino_paints_without_torch() -> None:
    """Torch takes longer to load than all the rest of a start, and OpenVINO's converter as long as itself."""
    pytest.importorskip("openvino")
    code = (
        "import sys; from stylize_live import Stylizer; import numpy as np\n"
        "with Stylizer(steadiness=0.8, device='cpu', runtime='openvino') as paint:\n"
        "    paint(np.zeros((16, 16, 3), np.uint8)), paint.fingerprint\n"
        "print('torch' in sys.modules, 'openvino.tools.ovc' in sys.modules)\n"
        "import openvino.tools.ovc"  # is there for whoever needs it
    )
    assert run_python(code) == "False False"
