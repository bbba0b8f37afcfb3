"""The methods that both clients have: written once, typed for each."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar, overload

from foretaste.client import calls, scenario_calls
from foretaste.client.calls import Call

P = ParamSpec("P")
T = TypeVar("T")


class Blocking(ABC):
    """Sends a call and waits for its answer."""

    @abstractmethod
    def send(self, call: Call[T]) -> T:
        """Return the answer; raise a `ClientError`."""


class Asynchronous(ABC):
    """Sends a call and lets others go on meanwhile."""

    @abstractmethod
    async def send(self, call: Call[T]) -> T:
        """Return the answer; raise a `ClientError`."""


class Operation(Generic[P, T]):
    """A method that sends what a function of `calls` builds: the answer here, something to await there."""

    def __init__(self, build: Callable[P, Call[T]]) -> None:
        self.build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> "Operation[P, T]": ...

    @overload
    def __get__(self, owner: Blocking, kind: type) -> Callable[P, T]: ...

    @overload
    def __get__(self, owner: Asynchronous, kind: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, owner: Any, kind: type) -> Any:
        if owner is None:
            return self

        @wraps(self.build)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return owner.send(self.build(*args, **kwargs))

        return method


class Operations:
    """All that can be asked; see `foretaste.client.calls` and `.scenario_calls` for what each takes."""

    recommend = Operation(calls.recommend)
    recommend_many = Operation(calls.recommend_many)
    similar = Operation(calls.similar)
    personalize = Operation(calls.personalize)
    recommendation = Operation(calls.recommendation)
    record = Operation(calls.record)
    record_many = Operation(calls.record_many)
    profile = Operation(calls.profile)
    item = Operation(calls.item)
    put_item = Operation(calls.put_item)
    put_items = Operation(calls.put_items)
    delete_item = Operation(calls.delete_item)
    person = Operation(calls.person)
    put_person = Operation(calls.put_person)
    merge = Operation(calls.merge)
    health = Operation(calls.health)
    scenarios = Operation(scenario_calls.scenarios)
    scenario = Operation(scenario_calls.scenario)
    put_scenario = Operation(scenario_calls.put_scenario)
    delete_scenario = Operation(scenario_calls.delete_scenario)
    reload_scenarios = Operation(scenario_calls.reload_scenarios)
    preview_scenario = Operation(scenario_calls.preview_scenario)
