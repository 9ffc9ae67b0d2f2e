"""What was typed wrong, in one line that says how it is right."""

from __future__ import annotations

from cyclopts import Argument, CoercionError, CycloptsError, MissingArgumentError
from pydantic import ValidationError

from stylize_live.config import APPLES_GPU, NO_APPLE_GPU
from stylize_live.install_hints import PROGRAM
from stylize_live.validation import describe_validation_error
from stylize_live.wording import option, shorten

_EXPORT = f"{PROGRAM} export starry-night -o starry-night.onnx"
# What has to be given, and a command that gives it.
_MISSING = {
    ("export", "STYLE"): f"which style? For example: {_EXPORT}",
    ("export", "--output"): f"which file is it to be? For example: {_EXPORT}",
}


def describe_usage_error(error: CycloptsError) -> str:
    """What is wrong with a command line, in one line."""
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        return _missing(error, error.argument)
    if (
        isinstance(error, CoercionError)
        and error.token is not None
        and error.token.value.lower() == APPLES_GPU
    ):
        return f"{error.token.keyword}: {NO_APPLE_GPU}"
    if isinstance(error.__cause__, ValidationError):
        return describe_validation_error(error.__cause__, named=option)
    return " ".join(shorten(str(error).replace("\n", " ")).split())


def _missing(error: MissingArgumentError, argument: Argument) -> str:
    typed = error.keyword or next((token.keyword for token in argument.tokens if token.keyword), None)
    if typed is None:
        command = " ".join(error.command_chain or ())
        return _MISSING.get(
            (command, argument.name), f"{argument.name} is missing: see {PROGRAM} {command} --help"
        )
    choices = argument.get_choices()
    if choices:
        return f"{typed} needs a value: {', '.join(choices)}"
    return f"{typed} needs a value. {_meaning(error, argument)}".strip()


def _meaning(error: MissingArgumentError, argument: Argument) -> str:
    """What help says about an option."""
    if error.app is None or error.app.default_command is None:
        return ""
    described = error.app.assemble_argument_collection(parse_docstring=True)
    found = next((other for other in described if other.name == argument.name), argument)
    return " ".join((found.parameter.help or "").split())
