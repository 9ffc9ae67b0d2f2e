"""The house rules: imports run one way, the package is light, the public names are these."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from one_test import of_all

import stylize_live
import stylize_live.errors

PACKAGE = Path(stylize_live.__file__).parent
# High to low: a room may import from itself and from what stands further right.
ROOMS = [
    "__main__",
    "cli",
    "studio",
    "bench",
    "api",
    "obs",
    "pipeline",
    "training",
    "reports",
    "engine",
    "nets",
    "media",
]
# Of `training`, what measures finished styles: the trainer must not know it, and it knows no trainer.
EVALUATION = {
    *("assessment", "assessment_settings", "blind_pairs", "blind_sheet", "blind_summary", "blind_votes"),
    *("descents", "findings", "lpips", "optimisation", "paintings", "report", "wasserstein"),
}
MEASURED_WITH = {"evaluation", "features", "losses", "painting", "photos", "settings"}
VOCABULARY = {
    *("_version", "closing", "config", "errors", "files", "frame", "installing", "interrupts", "locks"),
    *("options", "privacy", "quantities", "seldom", "strips", "system", "validation", "wording"),
}


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "stylize_live" else None


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


@of_every_module
def test_imports_run_downwards(path: Path) -> None:
    here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    used = {room for name in imports_of(path) if (room := room_of(name)) is not None}
    if here in VOCABULARY:
        assert used <= VOCABULARY
    elif here in ROOMS:
        allowed = VOCABULARY | set(ROOMS[ROOMS.index(here) :])
        assert used <= allowed, f"{here} must not import {used - allowed}"
    else:
        assert here == "__init__"


@of_every_module
def test_evaluation_and_trainer_do_not_meet(path: Path) -> None:
    if path.parent.name == "training":
        used = {name.split(".")[2] for name in imports_of(path) if name.startswith("stylize_live.training.")}
        if path.stem in EVALUATION:
            assert used <= EVALUATION | MEASURED_WITH
        else:
            assert not used & EVALUATION


def test_reports_know_nothing_of_what_they_show() -> None:
    for path in (PACKAGE / "reports").glob("*.py"):
        rooms = {room for name in imports_of(path) if (room := room_of(name)) is not None}
        assert rooms <= VOCABULARY | {"reports"}


@of_every_module
def test_jinja_has_one_door(path: Path) -> None:
    """Behind which foreign words are escaped."""
    if path.relative_to(PACKAGE) != Path("reports/page.py"):
        assert "jinja2" not in imports_of(path)


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
def test_pictures_are_opened_by_a_list_of_formats(path: Path) -> None:
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
    """PyAV's own lists none of a picture's where it has no name for one of them."""
    attributes = {
        path.name: {node.attr for node in nodes(path) if isinstance(node, ast.Attribute)}
        for path in modules()
    }
    assert not [name for name, used in attributes.items() if "side_data" in used]


def test_pipeline_does_not_know_networks() -> None:
    for path in (PACKAGE / "pipeline").glob("*.py"):
        assert "torch" not in imports_of(path)


def run_python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_import_is_light() -> None:
    heavy = "{'torch', 'torchvision', 'cv2', 'av', 'pydantic', 'rich', 'jinja2'}"
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
