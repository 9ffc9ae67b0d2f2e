"""Licences of all that this package depends on: `python benchmarks/licences.py -o docs/licences.md`.

Read from the metadata of what is installed, starting at this package and its extras. What is not
installed here, such as packages for other systems, keeps the line that the page has already.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PAGE = Path(__file__).parent.parent / "docs" / "licences.md"
_PACKAGE, _TOOLS = "stylize-live", "dev"
_ROW = re.compile(r"\| ([\w.-]+) \| (.+?) \| (.+?) \|")
_HEAD = "| package | licence | needed for |\n|---|---|---|\n"
# Some packages have the whole text where its name should be.
_SAID_OTHERWISE = {
    "onnxscript": "MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "python-osc": "Unlicense",
    "cuda-toolkit": "none of its own: a list of NVIDIA's packages",
}
_FAMILIES = (
    "MIT",
    "BSD",
    "Apache",
    "MPL",
    "Python Software|PSF",
    "ISC",
    "Unlicense",
    "General Public|GPL",
    "NVIDIA",
)


def needed() -> dict[str, str]:
    """Names of the packages that are installed and needed, and the extra that asks for each ("" for all)."""
    extras = importlib.metadata.metadata(_PACKAGE).get_all("Provides-Extra") or []
    found: dict[str, str] = {}
    for extra in ("", *(extra for extra in extras if extra != _TOOLS)):
        waiting = [(_PACKAGE, extra)]
        while waiting:
            name, wanted = waiting.pop()
            for text in importlib.metadata.requires(name) or []:
                requirement = Requirement(text)
                if requirement.marker and not requirement.marker.evaluate({"extra": wanted}):
                    continue
                other = canonicalize_name(requirement.name)
                if other not in found and _is_installed(other):
                    found[other] = extra
                    waiting += [(other, more) for more in ("", *requirement.extras)]
    return found


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def licence(name: str) -> str:
    """What a package says of its licence, in a few words."""
    data = importlib.metadata.metadata(name)
    classifiers = [text for text in data.get_all("Classifier") or [] if text.startswith("License ::")]
    named = ", ".join(text.split(" :: ")[-1] for text in classifiers)
    said = data.get("License-Expression") or _SAID_OTHERWISE.get(name) or data.get("License") or ""
    lines = said.strip().splitlines()
    short = len(lines) == 1 and len(lines[0]) < 200
    return lines[0] if short else named or "see the package"


def families(said: str) -> set[str]:
    """Which licences a text means; packages spell the same one in many ways, and change it."""
    return {family for family in _FAMILIES if re.search(family, said)}


def rows(page: str) -> dict[str, tuple[str, str]]:
    """Licence and extra by package, as a page has them."""
    return {name: (said, extra) for name, said, extra in _ROW.findall(page) if name != "package"}


def table(page: str) -> str:
    """The page's table, brought to what is installed here."""
    known = rows(page)
    known |= {name: (licence(name), f"`{extra}`" if extra else "all") for name, extra in needed().items()}
    return _HEAD + "".join(
        f"| {name} | {said} | {extra} |\n" for name, (said, extra) in sorted(known.items())
    )


def main() -> None:
    """Write the page."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-o", "--output", type=Path, default=PAGE)
    output = arguments.parse_args().output
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(_HEAD)
    after = rest[len("".join(match[0] + "\n" for match in _ROW.finditer(rest))) :]
    output.write_text(before + table(page) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
