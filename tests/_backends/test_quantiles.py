"""Order statistics by selection are those of the sorted values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from oracles import some

from sknorm._backends import quantiles

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@some
@given(st.lists(NUMBERS, min_size=1, max_size=60), st.data())
def test_values_of_some_ranks(values, data):
    values = np.array(values)
    ranks = data.draw(st.sets(st.integers(0, values.size - 1), max_size=7))
    before, expected = values.copy(), np.sort(values)
    found = quantiles._at_ranks(values, ranks)
    assert found == {rank: expected[rank] for rank in ranks}
    np.testing.assert_array_equal(values, before)
