"""Adapters by name: strings until one is used, so that an SDK is imported only by those who trade with it."""

from difflib import get_close_matches
from importlib.metadata import entry_points

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.domain.errors import ConfigError

GROUP = "foxtrot.adapters"


def adapter_names() -> tuple[str, ...]:
    """Return the names of all installed adapters, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def load_adapter(name: str) -> type[BaseAdapter]:
    """Import and return the adapter class of a name.

    Raises:
        ConfigError: no such adapter, its SDK is not installed, or it is not a BaseAdapter.
    """
    for point in entry_points(group=GROUP):
        if point.name != name:
            continue
        try:
            found = point.load()
        except ImportError as error:
            raise ConfigError(
                f"adapter {name} cannot be imported ({error}); try: pip install 'foxtrot[{name}]'"
            ) from error
        except AttributeError as error:
            raise ConfigError(
                f"adapter {name}: {point.value} names no class ({error}); mend its entry point"
            ) from error
        if not (isinstance(found, type) and issubclass(found, BaseAdapter)):
            raise ConfigError(f"adapter {name} is {found!r}, which is not a BaseAdapter")
        return found
    close = get_close_matches(name, adapter_names(), n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; installed: {', '.join(adapter_names()) or 'none'}"
    raise ConfigError(f"adapter {name} is not known{hint}")


def make_adapter(name: str, context: AdapterContext) -> BaseAdapter:
    """Make the adapter of an account.

    Raises:
        ConfigError: see load_adapter; or a setting of the account is wrong.
    """
    return load_adapter(name)(context)
