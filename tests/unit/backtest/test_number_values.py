"""Text to numbers: the fast path gives exactly what Python's float gives, and decimals are those of the text."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.backtest.number_values import decimals_of, read_numbers, rounded
from foxtrot.backtest.table import Cells, Table

numbers = st.one_of(
    st.from_regex(r"[0-9]{1,12}(\.[0-9]{0,12})?", fullmatch=True),
    st.from_regex(r"[0-9]{10,25}(\.[0-9]{0,25})?", fullmatch=True),
    st.from_regex(r" ?(\.[0-9]{1,5}|[0-9](\.[0-9]{1,4})?[eE][+-]?[0-9]{1,2}|\+[0-9]\.[0-9]) ?", fullmatch=True),
)


class OneColumn(Table):
    """A table of one column of text."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__("text", ("number",), 1)
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def cells(self, column: int) -> Cells:
        return np.array([text.encode() for text in self._texts], dtype="S")


@given(st.lists(numbers, min_size=1, max_size=20))
def test_every_text_is_read_as_python_reads_it(texts: list[str]) -> None:
    values = read_numbers(OneColumn(texts), 0, "number", above_zero=False)
    assert values.tolist() == [float(text) for text in texts]


@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=20), st.integers(0, 4))
def test_decimals_are_the_fewest_that_write_every_text(units: list[int], places: int) -> None:
    texts = [format(Decimal(unit).scaleb(-places), "f") for unit in units]
    values = read_numbers(OneColumn(texts), 0, "number", above_zero=False)
    fewest = max(len(text.rstrip("0").partition(".")[2]) if "." in text else 0 for text in texts)
    assert decimals_of(values) == fewest
    assert rounded(values, fewest).tolist() == values.tolist()


def test_the_decimals_of_several_columns_are_the_most_of_any() -> None:
    assert decimals_of(np.array([1.0, 2.5]), np.array([0.125]), np.array([3.0])) == 3
    assert decimals_of(np.zeros(3)) == 0
