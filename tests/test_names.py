import pytest

from aioartifact._transfer.local_paths import folded, windows_name

LONG = "n" * 250


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "a.b.c",
        ".hidden",
        " leading blank",
        "ünïcode 名前",
        "100%",
        "50% off",
        "console",
        "COM",
        "COM10",
        "nul-1.0",
        "a~b",
        "it's (1) [2] {3}; #=+&,@!$^`",
        "n" * 255,
        "😀" * 127,
    ],
)
def test_safe_name_stays(name):
    """What Windows can hold keeps its name."""
    assert windows_name(name) == name


@pytest.mark.parametrize(
    ("name", "there"),
    [
        pytest.param('<>:"|?*', "%3C%3E%3A%22%7C%3F%2A", id="reserved-characters"),
        pytest.param("a\\b", "a%5Cb", id="backslash"),
        pytest.param("a\nb\x01", "a%0Ab%01", id="control-characters"),
        pytest.param("a.", "a%2E", id="last-dot"),
        pytest.param("a. ", "a.%20", id="last-blank"),
        pytest.param("...", "..%2E", id="only-dots"),
        pytest.param("CON", "%43ON", id="device"),
        pytest.param("nul", "%6Eul", id="device-in-small-letters"),
        pytest.param("Com1.tar.gz", "%43om1.tar.gz", id="device-with-extension"),
        pytest.param("aux .txt", "%61ux .txt", id="device-and-blank"),
        pytest.param("LPT³", "%4CPT³", id="device-with-superscript"),
        pytest.param("CONOUT$", "%43ONOUT$", id="console"),
        pytest.param("con:", "con%3A", id="no-device-once-escaped"),
        pytest.param("a%3Ab", "a%253Ab", id="what-reads-like-an-escape"),
        pytest.param("a%~b", "a%25~b", id="what-reads-like-a-cut"),
    ],
)
def test_other_name_is_escaped(name, there):
    """Only what Windows refuses changes."""
    assert windows_name(name) == there


@pytest.mark.parametrize("name", [LONG + "::::", "n" * 256, "😀" * 128, "x" * 5000, "n" * 254 + ":"])
def test_long_name_is_cut(name):
    """The result fits, and distinguishes names that differ behind the cut."""
    assert len(windows_name(name).encode("utf-16-le")) <= 2 * 255
    assert windows_name(name).startswith(name[:100])
    assert windows_name(name + "1") != windows_name(name + "2")


def test_cut_name_cannot_be_taken_by_another():
    """A file that is called like the cut name of another gets another name."""
    cut = windows_name("n" * 300)
    assert windows_name(cut) != cut


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("README", "readme", id="case"),
        pytest.param("\u00e9", "e\u0301", id="composed-and-decomposed"),
        pytest.param("\u00c9", "e\u0301", id="both"),
        pytest.param("STRASSE", "straße", id="sharp-s"),
        pytest.param("Σ", "ς", id="final-sigma"),
    ],
)
def test_twins_fold_to_one(one, other):
    """What some file system takes for the same name has the same folded form."""
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("a", "a "), ("é", "e"), ("a-b", "a_b")])
def test_different_names_do_not_fold(one, other):
    """Other differences stay."""
    assert folded(one) != folded(other)
