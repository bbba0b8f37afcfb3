"""Tables and drawings as HTML that loads nothing: one file to send on."""

from collections.abc import Sequence
from html import escape

from foretaste.app.judging.sheets import SHIPS, Sheet

STYLE = """
:root { --ink: #1d2330; --soft: #667085; --line: #e4e7ec; --paper: #ffffff; --card: #f8f9fb;
  --first: #d9480f; --second: #1c6dd0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ee; --soft: #98a1b3; --line: #2c3340;
  --paper: #12161d; --card: #1a2029; --first: #ff922b; --second: #74b0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1180px; padding: 2rem 1.25rem 4rem; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
p { margin: .2rem 0; max-width: 75ch; } .note { color: var(--soft); font-size: .85rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
tr.ours td { font-weight: 650; background: var(--card); }
svg { max-width: 100%; height: auto; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .soft { fill: var(--soft); } svg .grid { stroke: var(--line); } svg .frame { fill: var(--card); }
svg .first { --tone: var(--first); } svg .second { --tone: var(--second); }
svg .curve { fill: none; stroke: var(--tone); stroke-width: 2; }
svg .dot { fill: var(--tone); stroke: var(--paper); stroke-width: 1; }
svg .usual { fill: var(--paper); stroke: var(--ink); stroke-width: 2.5; }
svg g:hover > .dot { stroke: var(--ink); stroke-width: 2; }
"""


def page(title: str, remarks: Sequence[str], parts: Sequence[str]) -> str:
    """Return a whole page; `parts` are HTML already, `remarks` are text."""
    said = "".join(f"<p>{escape(remark)}</p>" for remark in remarks)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{said}{''.join(parts)}</body></html>\n"
    )


def section(sheet: Sheet) -> str:
    """Return a table with its title and note."""
    note = f'<p class="note">{escape(sheet.note)}</p>' if sheet.note else ""
    return f'<h2>{escape(sheet.title)}</h2><div class="scroll">{html_table(sheet)}</div>{note}'


def html_table(sheet: Sheet) -> str:
    """Return the table alone."""
    head = "".join(f"<th>{escape(name)}</th>" for name in sheet.heads)
    rows = "".join(_row(row) for row in sheet.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(row: Sequence[str]) -> str:
    marked = ' class="ours"' if row[0] == "blend" or row[0].endswith(SHIPS) else ""
    return f"<tr{marked}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
