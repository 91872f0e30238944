"""
Make the diagrams of the documentation: ``diagram-*.svg``.

Each is a list of shapes below; run this after a change::

    python docs/images/make_diagrams.py
"""

from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent
INK, ACCENT, GOOD, BAD, MUTED = "#1f2937", "#dbeafe", "#dcfce7", "#fee2e2", "#6b7280"
STYLE = "font-family: system-ui, 'DejaVu Sans', sans-serif"
ARROW = (
    f'<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    f'orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{INK}"/></marker></defs>'
)


def text(x: float, y: float, words: str, *, size: int = 14, colour: str = INK, anchor: str = "middle") -> str:
    """Lines of *words*, the first one at *y*."""
    lines = "".join(
        f'<tspan x="{x}" dy="{0 if not number else size * 1.3}">{escape(line)}</tspan>'
        for number, line in enumerate(words.split("\n"))
    )
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{lines}</text>'


def box(x: float, y: float, width: float, height: float, words: str, fill: str = ACCENT) -> str:
    """A box with *words* in its middle."""
    first = y + height / 2 + 5 - 9 * words.count("\n")
    shape = f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{fill}" stroke="{INK}"/>'
    return shape + text(x + width / 2, first, words)


def arrow(*points: tuple[float, float], dashed: bool = False) -> str:
    """A line through *points* with a tip at its end."""
    path = " ".join(f"{x},{y}" for x, y in points)
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return f'<polyline points="{path}" fill="none" stroke="{INK}" stroke-width="1.5"{dash} marker-end="url(#tip)"/>'


def write(name: str, width: int, height: int, title: str, *shapes: str) -> None:
    """Write the picture *name*."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" style="{STYLE}"><title>{escape(title)}</title>{ARROW}'
    )
    FOLDER.joinpath(f"diagram-{name}.svg").write_text("\n".join([head, *shapes, "</svg>\n"]), "utf-8")


def draw_download() -> None:
    write(
        "download",
        760,
        300,
        "The steps of a download",
        box(10, 30, 120, 60, "GET"),
        arrow((130, 60), (168, 60)),
        box(170, 30, 160, 60, "receive a batch\n(up to 4 MiB)"),
        arrow((330, 60), (368, 60)),
        box(370, 30, 170, 60, "thread: hash it, write\nit to the staging file"),
        arrow((455, 30), (455, 10), (250, 10), (250, 28)),
        text(352, 25, "next batch", size=12, colour=MUTED),
        arrow((455, 90), (455, 138)),
        text(462, 118, "body complete", size=12, colour=MUTED, anchor="start"),
        box(370, 140, 170, 60, "size and checksum\nas stated?"),
        arrow((540, 170), (588, 170)),
        text(563, 163, "yes", size=12, colour=MUTED),
        box(590, 140, 160, 60, "rename onto\nthe target", GOOD),
        arrow((370, 170), (332, 170)),
        text(350, 163, "no", size=12, colour=MUTED),
        box(170, 140, 160, 60, "once more from\nthe first byte"),
        arrow((250, 200), (250, 228)),
        text(257, 219, "differs again", size=12, colour=MUTED, anchor="start"),
        box(170, 230, 160, 50, "IntegrityError", BAD),
        arrow((250, 90), (250, 105), (70, 105), (70, 138), dashed=True),
        text(160, 100, "body breaks off", size=12, colour=MUTED),
        box(10, 140, 120, 60, "request the rest\nafter a back-off"),
        arrow((30, 140), (30, 92), dashed=True),
        text(
            560,
            251,
            "A body of up to 1 MiB stays in memory until it is\nverified; then it is written to a staging file.",
            size=12,
            colour=MUTED,
        ),
    )


def draw_ranges() -> None:
    write(
        "ranges",
        760,
        170,
        "Two connections fill one staging file",
        text(20, 22, "first byte", size=12, colour=MUTED, anchor="start"),
        text(740, 22, "size", size=12, colour=MUTED, anchor="end"),
        '<rect x="20" y="32" width="250" height="40" fill="#86efac" stroke="#1f2937"/>',
        text(145, 57, "written and hashed"),
        '<rect x="270" y="32" width="130" height="40" fill="#fff" stroke="#1f2937" stroke-dasharray="5 4"/>',
        text(335, 57, "missing"),
        '<rect x="400" y="32" width="190" height="40" fill="#bfdbfe" stroke="#1f2937"/>',
        text(495, 57, "written ahead"),
        '<rect x="590" y="32" width="150" height="40" fill="#fff" stroke="#1f2937" stroke-dasharray="5 4"/>',
        text(665, 57, "missing"),
        arrow((270, 92), (335, 92)),
        text(265, 97, "connection 1", size=13, anchor="end"),
        arrow((590, 92), (655, 92)),
        text(585, 97, "connection 2", size=13, anchor="end"),
        arrow((270, 140), (270, 76)),
        text(270, 156, "frontier: the file is complete up to here", size=12, colour=MUTED),
        text(665, 122, "its second half goes to the\nconnection that is done first", size=12, colour=MUTED),
    )


def draw_layers() -> None:
    write(
        "layers",
        760,
        550,
        "The layers of the client: what each imports is below it",
        box(110, 10, 540, 44, "your program · cli · fsspec · blocking"),
        arrow((380, 54), (380, 72)),
        box(
            110,
            74,
            540,
            60,
            "_api: public functions, one module a subject\ndownload · deploy · sync · walk · search · versions",
        ),
        arrow((170, 134), (170, 160)),
        arrow((445, 134), (445, 160)),
        box(110, 162, 120, 76, "_listing\ntrees of\na server"),
        box(240, 162, 410, 76, "_transfer\nmany: bulk calls and folders\nreceive · send: one file"),
        arrow((170, 238), (170, 344)),
        arrow((300, 238), (300, 344)),
        arrow((415, 238), (415, 344)),
        arrow((540, 238), (540, 260)),
        box(430, 262, 220, 60, "_cache\nfiles by their SHA-256"),
        arrow((540, 322), (540, 344)),
        box(110, 346, 250, 76, "_session\nretries, credentials, limits;\naiohttp", GOOD),
        box(400, 346, 250, 76, "_files, on _threads\nstaging files, locks, trees;\naiofiles", GOOD),
        arrow((110, 384), (72, 384)),
        text(36, 380, "server", size=13),
        arrow((650, 384), (688, 384)),
        text(722, 380, "disk", size=13),
        arrow((235, 422), (235, 448)),
        arrow((525, 422), (525, 448)),
        box(110, 450, 540, 44, "_protocol · _credentials · _aql · _archives · _sync: decisions"),
        box(110, 494, 540, 44, "_models · _options · _progress · _address · _retry · _errors: values"),
        text(722, 476, "no I/O,", size=13, colour=MUTED),
        text(722, 494, "nothing is", size=13, colour=MUTED),
        text(722, 512, "awaited", size=13, colour=MUTED),
    )


if __name__ == "__main__":
    draw_layers()
    draw_download()
    draw_ranges()
