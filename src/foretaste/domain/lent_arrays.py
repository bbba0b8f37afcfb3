"""Arrays that kernels are handed by address: any number of them, of any lengths, in one call.

Whoever hands an address over keeps the array alive and in place during the call.
"""

from typing import Any

from numba import types
from numba.extending import intrinsic
from numba.np import numpy_support
from numpy.typing import NDArray

from foretaste.domain.kernel import kernel

lent: Any = numpy_support.carray
"""For kernels: `lent(float32_at(address), length)` is the array at an address, as it is."""


@kernel
def address_of(array: NDArray[Any]) -> int:
    """Return where the numbers of a contiguous array of one dimension are."""
    address: int = array.ctypes.data
    return address


def _pointer_to(number: Any) -> Any:
    def typed(_: Any, address: Any) -> Any:
        def generated(context: Any, builder: Any, signature: Any, given: Any) -> Any:
            return builder.inttoptr(given[0], context.get_value_type(signature.return_type))

        pointer: Any = types.CPointer
        return pointer(number)(address), generated

    return intrinsic(typed)


float32_at = _pointer_to(types.float32)
"""For kernels: an address as one of float32 numbers."""
int32_at = _pointer_to(types.int32)
"""The same for int32, and for the bit patterns of float32."""
int64_at = _pointer_to(types.int64)
"""The same for int64."""
int8_at = _pointer_to(types.int8)
"""The same for int8."""
