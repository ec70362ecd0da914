"""A secret: a value that no text, log line, JSON or pickle ever shows."""

from typing import Final, Never, final

MASK: Final = "***"


@final
class Secret:
    """A value whose text is `***`; only `reveal` gives it, as the last act before it is used.

    It refuses to be pickled, and JSON encoders refuse it or write its mask.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    def __format__(self, form: str) -> str:
        return format(MASK, form)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is not pickled; pass the name of its environment variable instead")
