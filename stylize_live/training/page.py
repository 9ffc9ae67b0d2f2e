"""The frame of a report: one HTML page that asks nothing of the network, in light and dark."""

from __future__ import annotations

from html import escape
from string import Template
from urllib.parse import quote

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #22211e; --soft: #6b6860; --line: #e2ded4;
  --accent: #1f5fa8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16171a; --card: #1e2024; --ink: #e9e6df; --soft: #a09c93; --line: #34363c;
    --accent: #7db3f0;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 4px; }
h2 { font-size: 1.35rem; margin: 0; }
h3 { font-size: 1rem; margin: 20px 0 8px; }
p { margin: 8px 0; }
.soft, figcaption, dd { color: var(--soft); font-size: .9rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 20px;
  margin-top: 20px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 10px; text-align: right; border-bottom: 1px solid var(--line); }
td { white-space: nowrap; }
th { font-size: .82rem; font-weight: 600; color: var(--soft); vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; }
tbody tr:last-child td { border-bottom: 0; }
a { color: var(--accent); }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
svg text { fill: var(--soft); }
svg .axis { fill: var(--ink); }
.grid { stroke: var(--line); fill: none; }
.dot { fill: var(--accent); }
.head { display: flex; gap: 16px; align-items: center; }
.head img { width: 88px; height: 88px; object-fit: cover; border-radius: 8px; }
.pairs { display: grid; gap: 18px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); }
.strip { display: grid; gap: 8px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; border-radius: 6px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 4px; }
figcaption { margin-top: 4px; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; margin: 18px 0 10px; color: var(--accent); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 18px; margin: 12px 0 0; }
dt { font-weight: 600; } dd { margin: 0; }
@media (max-width: 560px) {
  main { padding: 16px 12px 48px; } section { padding: 14px; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 8px; }
}
</style>
</head>
<body><main>
<h1>$title</h1>
$body
</main></body>
</html>
""")


def page(title: str, body: str) -> str:
    """A whole page.

    Args:
        title: plain words.
        body: HTML.
    """
    return _PAGE.substitute(title=escape(title), body=body)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table that scrolls sideways where the screen is narrow; cells are HTML, the first is a name."""
    heading = "".join(f"<th>{cell}</th>" for cell in head)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{heading}</tr></thead><tbody>{lines}</tbody></table></div>'


def picture(file: str, words: str) -> str:
    """A picture that opens in full when it is clicked.

    Args:
        file: relative to the page.
        words: for those who do not see it.
    """
    return f'<a href="{quote(file)}"><img src="{quote(file)}" alt="{escape(words)}" loading="lazy"></a>'
