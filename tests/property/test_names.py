"""Names on Windows, over any names."""

import re

from hypothesis import given
from hypothesis import strategies as st

from aioartifact._transfer.local_paths import windows_name

# Rich in what is special: escapes, reserved characters, devices, blanks and dots at the end.
PARTS = st.sampled_from(
    ["%", "3A", "~", ":", ".", " ", "a", "A", "CON", "nul", "\\", "\x1f", "é", "😀", "%3A", "n" * 120]
)
NAMES = st.one_of(st.text(min_size=1, max_size=20), st.lists(PARTS, min_size=1, max_size=6).map("".join))
REFUSED = re.compile(r'[\x00-\x1f<>:"/\\|?*]|[. ]$')
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(\.|$)", re.IGNORECASE)


@given(st.lists(NAMES, min_size=2, max_size=20, unique=True))
def test_no_two_names_become_one(names):
    """The mapping is injective: nothing of the server is written over."""
    assert len({windows_name(name) for name in names}) == len(names)


@given(NAMES)
def test_every_name_can_be_held(name):
    """The result has nothing that Windows refuses, and fits."""
    there = windows_name(name)
    assert not REFUSED.search(there)
    assert not DEVICE.match(there)
    assert len(there.encode("utf-16-le", "surrogatepass")) <= 2 * 255
