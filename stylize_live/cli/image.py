"""`stylize-live image`: paints images."""

from __future__ import annotations

import os
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.progress import TimeRemainingColumn

from stylize_live.cli.completion import complete_style_names
from stylize_live.cli.console import print_line, warn
from stylize_live.cli.learning import learn_style
from stylize_live.cli.paintings import say_paintings
from stylize_live.cli.progress_bars import Bars, NameColumn, bar_column, figures_column
from stylize_live.cli.targets import refuse_background, refuse_existing
from stylize_live.cli.unused_options import say_unused
from stylize_live.config import ImageSettings, merge_config
from stylize_live.errors import SourceError, StylizeError, UsageError
from stylize_live.files import make_folder
from stylize_live.install_hints import PROGRAM
from stylize_live.system.commands import quote
from stylize_live.system.folders import is_hidden
from stylize_live.system.names import identity
from stylize_live.system.wildcards import expand
from stylize_live.wording import option

if TYPE_CHECKING:
    from stylize_live.engine import Stylizer
    from stylize_live.frame import Pixels
    from stylize_live.media.image.strip_image import StripImage

_DEFAULT_SETTINGS = ImageSettings()
_SHOWN = 3  # of the images in an example
_PRACTISED = 16  # images that a painting is learnt with, at most
_OPAQUE = "{}: this format cannot be transparent, use png or webp to keep it"
complete_style_names(ImageSettings)


def image(
    *inputs: Path,
    output: Annotated[str | None, Parameter(name=["--output", "-o"], metavar="PATH")] = None,
    side_by_side: bool = False,
    overwrite: bool = False,
    config: Path | None = None,
    settings: Annotated[ImageSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Paint images: jpg, png or webp, turned upright by their orientation tag, transparency kept.

    Parameters
    ----------
    inputs
        Images, or folders of images.
    output
        File for one image; otherwise a folder, in which every result keeps its input's name. Has to be
        given; folders are made where there are none.
    side_by_side
        Put the original to the left of the result.
    overwrite
        Replace results that exist.
    config
        TOML file of settings; options given here win.
    """
    settings = merge_config(settings, config)
    pairs = _plan(expand(inputs), output)
    if not overwrite:
        refuse_existing([target for _, target in pairs])
    refuse_background([target for _, target in pairs], settings.background)
    from stylize_live.engine import Stylizer
    from stylize_live.engine.timeline import Timeline

    for name in ("style", "background_style"):
        if (style := getattr(settings, name)) and len(Timeline.parse(style).styles) > 1:
            raise UsageError(f"{option(name, style)}: images have no times, name one style or a blend")
    settings = learn_style(settings, lambda: _sample([source for source, _ in pairs]))
    say_paintings(settings.style, settings.background_style)
    stylizer = Stylizer.from_settings(settings)
    say_unused(settings)
    if stylizer.adds_alpha:
        _refuse_opaque([target for _, target in pairs])
    if len(pairs) == 1:
        _paint_file(stylizer, *pairs[0], side_by_side)
        print_line(str(pairs[0][1]))
        return 0
    failures = _paint_files(stylizer, pairs, side_by_side)
    return failures[0].exit_code if failures else 0


def _sample(images: list[Path]) -> list[Pixels]:
    """Some of the images, to practise on. Raises `SourceError` where none can be read.

    Of several, those that cannot are told of when they are to be painted.
    """
    from stylize_live.learning.photos import SIDE, shrink
    from stylize_live.media.image.io import on_paper, read_image

    found: list[Pixels] = []
    errors: list[SourceError] = []
    for path in images[:: max(1, -(-len(images) // _PRACTISED))]:
        try:
            found.append(shrink(on_paper(read_image(path, least_side=SIDE))))
        except SourceError as error:
            errors.append(error)
    if errors and not found:
        raise errors[0]
    return found


def _refuse_opaque(targets: list[Path]) -> None:
    from stylize_live.media.image.io import format_keeps_alpha

    for target in targets:
        if not format_keeps_alpha(target):
            raise UsageError(f"{target}: this format cannot be transparent, write a .png or .webp")


def _paint_files(
    stylizer: Stylizer, pairs: list[tuple[Path, Path]], side_by_side: bool
) -> list[StylizeError]:
    """Paint all that can be painted; returns why the others could not be."""
    failures: list[StylizeError] = []
    counts = Counter(identity(target) for _, target in pairs)
    with Bars(NameColumn(), bar_column(), figures_column("count"), TimeRemainingColumn()) as bar:
        task = bar.add_task("painting", total=len(pairs), count="")
        for number, (source, target) in enumerate(pairs):
            bar.update(task, completed=number, count=f"{number}/{len(pairs)}")
            try:
                if counts[identity(target)] > 1:
                    raise UsageError(
                        f"{source}: several inputs would become {target}, use folders of their own"
                    )
                _paint_file(stylizer, source, target, side_by_side)
            except StylizeError as error:
                failures.append(error)
                warn(str(error))
            else:
                print_line(str(target))
    return failures


def _plan(inputs: list[Path], output: str | None) -> list[tuple[Path, Path]]:
    """Pair every image with its target; nothing is read or written yet, only folders listed."""
    from stylize_live.media.image.io import SUFFIXES, image_format

    if output is None:
        raise UsageError(f"where do the images go? For example: {_example(inputs)}")
    if not inputs:
        raise UsageError(f"no images given, for example: {PROGRAM} image photo.jpg -o {quote(output)}")
    target = Path(output)
    if target == Path("-"):
        raise UsageError("images go into files: name a file or folder with -o")
    if len(inputs) == 1 and not inputs[0].is_dir() and not _names_folder(output):
        image_format(target)
        return [(inputs[0], target)]
    sources: list[Path] = []
    for path in inputs:
        sources += _list_images(path) if path.is_dir() else [path]
    if not sources:
        raise UsageError(f"{inputs[0]}: no images in this folder (jpg, png or webp)")
    if not target.is_dir() and (target.exists() or target.suffix.lower() in SUFFIXES):
        raise UsageError(f"{target}: is a file, and a folder is needed here: -o painted/")
    # An image that was named twice, itself and in a folder, is painted once.
    once = {identity(path): path for path in sources}.values()
    return [(path, target / _writable_name(path)) for path in once]


def _example(inputs: list[Path]) -> str:
    """A command for what was named without -o."""
    named, target = inputs or [Path("photo.jpg")], "painted.jpg"
    if len(named) > 1 and not named[-1].exists():  # was meant as the target, as in `convert`
        *named, last = named
        target = quote(str(last))
    if len(named) > 1 or named[0].is_dir():
        target = "painted/"
    more = " ..." if len(named) > _SHOWN else ""
    return f"{PROGRAM} image {' '.join(quote(str(path)) for path in named[:_SHOWN])}{more} -o {target}"


def _names_folder(output: str) -> bool:
    """Whether one image goes into a folder, there or not: "painted/" and "painted" are no images."""
    return output.endswith(("/", os.sep)) or Path(output).is_dir() or not Path(output).suffix


def _list_images(folder: Path) -> list[Path]:
    """Images in a folder, hidden ones left out."""
    from stylize_live.media.image.io import SUFFIXES

    found = (path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in found if path.is_file() and not is_hidden(path))


def _writable_name(path: Path) -> str:
    """The input's own name; a format that can be read but not written becomes png."""
    from stylize_live.media.image.io import image_format

    try:
        image_format(path)
    except UsageError:
        return f"{path.stem}.png"
    return path.name


def _paint_file(stylizer: Stylizer, source: Path, target: Path, side_by_side: bool) -> None:
    from stylize_live.conversion.stylizers import lay_beside
    from stylize_live.frame import Frame
    from stylize_live.media.image.io import Still, format_keeps_alpha, on_paper, read_strip_image, write_image
    from stylize_live.strips import is_large

    canvas = read_strip_image(source)
    if is_large(canvas.size) and not stylizer.in_layers:
        _paint_large(stylizer, canvas, source, target, side_by_side)
        return
    still = canvas.still()
    if still.alpha is not None and not format_keeps_alpha(target):
        warn(_OPAQUE.format(target))
        still = Still(on_paper(still), None, still.icc_profile)
    before = Frame(still.pixels, Fraction(0), 0.0, 0, still.alpha, starts_shot=True)
    painted = stylizer(before)
    if side_by_side:
        painted = lay_beside(before, painted)
    make_folder(target.parent)
    write_image(target, Still(painted.pixels, painted.alpha, still.icc_profile))


def _paint_large(
    stylizer: Stylizer, canvas: StripImage, source: Path, target: Path, side_by_side: bool
) -> None:
    """In strips, in place."""
    from stylize_live.media.image.io import format_keeps_alpha, write_strip_image

    if canvas.has_alpha and not format_keeps_alpha(target):
        warn(_OPAQUE.format(target))
        canvas.make_opaque()
    if side_by_side:
        canvas = canvas.double(source)
    stylizer.paint_in_place(canvas)
    make_folder(target.parent)
    write_strip_image(target, canvas)
