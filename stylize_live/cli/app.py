"""The `stylize-live` program: finds the command, turns errors into one line and an exit code."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise

from cyclopts import App, CycloptsError, Parameter
from rich.markup import escape

from stylize_live import __version__
from stylize_live.cli.console import fail, hide_warnings, show_logs, stderr
from stylize_live.cli.help import shape_help
from stylize_live.cli.machine import tune_process
from stylize_live.cli.usage_errors import describe_usage_error
from stylize_live.concurrency.signals import end_like_ctrl_c
from stylize_live.errors import EXIT_INTERNAL, EXIT_INTERRUPTED, StylizeError, UsageError, describe_error
from stylize_live.system.console import carry_all_text
from stylize_live.wording import options_as_flags

app = App(
    name="stylize-live",
    version=f"stylize-live {__version__}",
    help="Paint webcams, videos and images in the style of great painters.",
    help_epilogue="Every command has its own --help. With --debug, errors show where they happened.",
    help_format="plaintext",
    # A name is a name: Cyclopts would read a list that begins with [ as JSON.
    default_parameter=Parameter(json_list=False, json_dict=False),
    suppress_keyboard_interrupt=False,  # `main` gives the exit code
)
_COMMANDS = {
    "live": "Paint a camera, a screen, a file or a URL, live in a window.",
    "studio": "The same on a web page, also for phones and OBS.",
    "obs": "Have a running OBS show the painted image.",
    "convert": "Paint videos, their sound kept.",
    "image": "Paint images and folders of images.",
    "train": "Train a new style from a painting.",
    "evaluate": "Measure how good styles are, and how steady videos.",
    "styles": "List the styles that come with the program, or show them on a photo.",
    "export": "Write a style as ONNX, for other programs.",
    "bench": "Measure how fast everything is on this machine.",
    "devices": "List cameras, screens, GPUs and encoders.",
}
# Flags whose value may be left out, and what that means.
_BARE = dict.fromkeys(
    ("--virtual-camera", "--stream", "--ndi", "--microphone", "--page", "--osc", "--midi"), "auto"
)
_BARE |= {"--follow-sound": "auto", "--learn": "auto"}
# By name, so that `--help` and `styles` do not wait for torch.
for _order, (_name, _help) in enumerate(_COMMANDS.items()):
    app.command(f"stylize_live.cli.{_name}:{_name}", name=_name, help=_help, sort_key=_order)


app.register_install_completion_command(help="Have the shell complete commands, options and style names.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: words of the command line without the program; default is `sys.argv[1:]`.

    Returns:
        The exit code; see `stylize_live.errors`.
    """
    with options_as_flags(), end_like_ctrl_c() as ending:
        return ending.code(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    tune_process()
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    # A lone "-" is a path here, standard input or output; Cyclopts would take it for an option.
    words = ["./-" if word == "-" else word for word in words if word != "--debug"]
    words = list(_fill_bare_flags(_update_spelling(words)))
    if words[:1] and words[0] in _COMMANDS:
        shape_help(app[words[0]], words[0])
    hide_warnings()
    for stream in (sys.stdout, sys.stderr):
        carry_all_text(stream)
    show_logs(logging.DEBUG if debug else logging.WARNING)
    try:
        result = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        return result if isinstance(result, int) else 0
    except CycloptsError as error:
        return _fail(UsageError(describe_usage_error(error)), debug)
    except StylizeError as error:
        return _fail(error, debug)
    except KeyboardInterrupt:
        stderr.print("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return EXIT_INTERNAL
    except Exception as error:
        return _fail(error, debug)


def _update_spelling(words: list[str]) -> list[str]:
    """The words of a command whose spelling changed: `bench --json FILE` is `--output FILE`."""
    if words[:1] != ["bench"] or "--json" not in words[:-1]:
        return words
    place = words.index("--json")
    file = words[place + 1]
    if file.startswith("-"):  # another option
        return words
    now = ["--json"] if file == "./-" else ["--output", file]
    return [*words[:place], *now, *words[place + 2 :]]


def _fill_bare_flags(words: Sequence[str]) -> Iterator[str]:
    """The words, flags that stand alone followed by what they mean then."""
    for word, following in pairwise([*words, "--"]):
        yield word
        if word in _BARE and following.startswith("--"):
            yield _BARE[word]


def _fail(error: Exception, debug: bool) -> int:
    if debug:
        stderr.print_exception()
    if not isinstance(error, (StylizeError, OSError)):
        error = _as_error(error)
    if isinstance(error, StylizeError):
        fail(str(error))
        return error.exit_code
    if isinstance(error, OSError) and isinstance(error.filename, str):  # the system's answer about a file
        fail(describe_error(error))
        return UsageError.exit_code if error.errno == errno.ENAMETOOLONG else EXIT_INTERNAL
    what = escape(describe_error(error))
    stderr.print(f"[bold red]internal error:[/] {what} (run again with --debug and report it)")
    return EXIT_INTERNAL


def _as_error(error: Exception) -> Exception:
    """One of ours where the machine failed and no stage said so."""
    from stylize_live.concurrency.failures import explain_failure

    told = explain_failure(error, "stopped")
    return told if isinstance(told, Exception) else error


if __name__ == "__main__":
    sys.exit(main())
