"""The promises of `ports.page_memory.PageMemory`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from foretaste.ports.page_memory import PageMemory

MakeMemory = Callable[..., PageMemory]
PAGES = ("page", "{curly}", "ça\nva\r\n", "🦊", "")


class PageMemoryContract:
    """Subclass it with a fixture `make_memory` that returns an empty memory with the bounds given."""

    @pytest.mark.parametrize("page_id", PAGES)
    def test_a_page_remembers_its_boxes_in_order(self, make_memory: MakeMemory, page_id: str) -> None:
        memory = make_memory()
        assert memory.shown(page_id) == ()
        assert memory.add(page_id, ["b", "ä"], 0)
        assert memory.add(page_id, ["a"], 2)
        assert memory.shown(page_id) == ("b", "ä", "a")
        assert memory.shown("another") == ()

    def test_a_box_that_does_not_know_all_others_is_told_so(self, make_memory: MakeMemory) -> None:
        memory = make_memory()
        assert memory.add("page", ["a"], 0)
        assert not memory.add("page", ["b"], 0)
        assert memory.shown("page") == ("a",)

    def test_of_boxes_at_once_each_knows_all_before_it(self, make_memory: MakeMemory) -> None:
        memory = make_memory()

        def box(number: int) -> int:
            for tries in range(100):
                held = memory.shown("page")
                if memory.add("page", [f"{number}-{len(held)}"], len(held)):
                    return tries
            raise AssertionError("never got its turn")

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(box, range(12)))
        shown = memory.shown("page")
        assert sorted(int(item.partition("-")[0]) for item in shown) == list(range(12))
        assert [int(item.partition("-")[2]) for item in shown] == list(range(12))

    def test_a_page_holds_so_many_items_and_no_more(self, make_memory: MakeMemory) -> None:
        memory = make_memory(most_items=3)
        assert memory.add("page", ["a", "b"], 0)
        assert memory.add("page", ["c", "d"], 2)
        assert memory.add("page", ["e"], 3)
        assert memory.shown("page") == ("a", "b", "c")

    def test_closing_twice_is_fine(self, make_memory: MakeMemory) -> None:
        memory = make_memory()
        memory.close()
        memory.close()
