"""What evaluating an expression costs, told from its form: steps over the whole catalog.

A step is one comparison or operation for each item; functions of texts count more, and much more where they
depend on the request, since nothing of them can be kept. What speaks of items alone is computed once for each
version of the catalog, but counts all the same: a request may be the first.
"""

from foretaste.features.expressions.functions import FUNCTIONS
from foretaste.features.expressions.kinds import Kind
from foretaste.features.expressions.shapes import fixed, of_items_alone
from foretaste.features.expressions.tree import Call, Choice, Holds, Literal, Name, Node, OneAmong, walk

_OF_REQUEST = 5
"""So many times as much costs a function of texts that depends on the request."""
_PARTS = 10
_TEXTS = frozenset({"lower", "contains", "starts_with"})


def cost_of(node: Node) -> int:
    """Return the number of steps."""
    return sum(_own(one) for one in walk(node))


def _own(node: Node) -> int:
    match node:
        case Literal() | Name():
            return 0
        case Call(function, _):
            alone = all(of_items_alone(one) for one in walk(node))
            return FUNCTIONS[function].cost * (_OF_REQUEST if function in _TEXTS and not alone else 1)
        case Holds(operand, options) if fixed(operand) is not Kind.LIST:
            alone = all(of_items_alone(one) for one in walk(node))
            return len(options) * _PARTS * (1 if alone else _OF_REQUEST)
        case OneAmong(_, options) | Holds(_, options):
            return 1 + sum(not isinstance(option, Literal) for option in options)
        case Choice():
            return 3
        case _:
            return 1
