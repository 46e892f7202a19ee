"""Array aliases with their element types; shapes are given where an array is used."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Rows = NDArray[np.int32]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
