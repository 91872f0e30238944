"""Files as modules of their repositories' layouts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...aql.sql import SQL, some
from ...layouts.layout import LAYOUTS, Layout, ModuleInfo
from ...storage import searches
from ...storage.store import Item
from ...wire.exchange import Exchange


def _layout_of(exchange: Exchange, key: str) -> Layout | None:
    return LAYOUTS.get(exchange.instance.repositories[key].layout)


def located(exchange: Exchange, keys: Sequence[str], known: Mapping[str, str]) -> SQL:
    """Select the paths at which layouts of repositories put modules with these values (by token, with wildcards)."""
    return some([searches.at(same, layout.glob(known)) for layout, same in _by_layout(exchange, keys)])


def _by_layout(exchange: Exchange, keys: Sequence[str]) -> Iterator[tuple[Layout, list[str]]]:
    layouts = {key: layout for key in keys if (layout := _layout_of(exchange, key))}
    for layout in dict.fromkeys(layouts.values()):
        yield layout, [key for key, each in layouts.items() if each == layout]


def module_of(exchange: Exchange, item: Item) -> tuple[Layout, ModuleInfo] | None:
    """Read the path of a file by the layout of its repository; None if it is not a module there."""
    layout = _layout_of(exchange, item.repo)
    module = layout.parse(item.path) if layout else None
    return (layout, module) if layout and module else None


def organization(text: str) -> dict[str, str]:
    """Return the tokens for an organization, as ``Layout.glob`` takes them."""
    return {"org": text, "orgPath": text.replace(".", "/")}


def revisions(layout: Layout, module: ModuleInfo) -> frozenset[str]:
    """Return the versions of a module: the file's and the folder's, of which one may be a snapshot's number."""
    folder = replace(module, file_integration=module.folder_integration)
    return frozenset({layout.version(module), layout.version(folder)})
