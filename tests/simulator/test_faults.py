"""Deliberate defects: what each one breaks, over a real socket."""

import itertools
from collections.abc import Callable, Iterator

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Simulator
from siliconflow_batch_simulator.faults import CLASSES, FAULTS
from siliconflow_batch_simulator.switches.variants import VARIANTS
from support.account import Account
from support.probes import PROBES

Pair = Callable[..., tuple[Account, Account]]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Makes two accounts that nobody used, or the first and another, with these faults on."""
    keys = ("sk-first", *(f"sk-{number}" for number in range(4 * len(FAULTS))))
    with Simulator(keys=keys, clock=Clock(speed=0)) as simulator:
        base, unused = simulator.base_url + "/", itertools.count(1)
        with httpx.Client(base_url=base) as mine, httpx.Client(base_url=base) as theirs:

            def make(*faults: str, first: bool) -> tuple[Account, Account]:
                for http, number in ((mine, 0 if first else next(unused)), (theirs, next(unused))):
                    http.headers.update(simulator.headers(number))
                    http.headers["X-Simulate"] = ", ".join(faults)
                return Account(simulator, mine), Account(simulator, theirs)

            yield make


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in CLASSES for name in CLASSES[kind]]
)
def test_a_fault_breaks_what_it_says(pair: Pair, kind: str, name: str) -> None:
    """What holds at a sound simulator does not hold at one with the defect."""
    first = kind == "isolation"  # some of them open the first account, whoever asks

    assert PROBES[kind][name](*pair(first=first))
    assert not PROBES[kind][name](*pair(name, first=first))


class TestCatalogue:
    def test_every_fault_has_a_class_and_a_probe(self) -> None:
        """Nothing stands in two tables, and nothing is untried."""
        assert len(FAULTS) == sum(map(len, CLASSES.values()))
        assert {kind: set(rows) for kind, rows in PROBES.items()} == {
            kind: set(rows) for kind, rows in CLASSES.items()
        }

    def test_a_name_is_a_fault_or_a_variant(self) -> None:
        """No legal bad day has the name of a defect."""
        assert FAULTS.keys().isdisjoint(VARIANTS)

    def test_a_description_is_told_once(self) -> None:
        """Two faults that say the same would be one."""
        told = [behaviour.description for behaviour in FAULTS.values()]

        assert len(told) == len(set(told))


class TestMemory:
    def test_what_a_fault_remembers_stays_with_its_simulator(self) -> None:
        """A new simulator knows nothing of what an earlier one was asked."""
        for _ in range(2):
            with Simulator(faults=("content-once",), clock=Clock(speed=0)) as simulator:
                base, headers = simulator.base_url + "/", simulator.headers()
                with httpx.Client(base_url=base, headers=headers) as http:
                    api = Account(simulator, http)
                    path = f"files/{api.upload(b'x').json()['data']['id']}/content"

                    read = [http.get(path).status_code for _ in range(2)]

            assert read == [200, 404]

    def test_the_controls_have_no_bad_days(self) -> None:
        """Whatever is on can be switched off over HTTP."""
        with Simulator(faults=("any-key", "server-error", "json-as-html")) as simulator:
            url = simulator.base_url.removesuffix("/v1") + "/simulator/faults"

            assert httpx.delete(url, headers={"Authorization": "Bearer x"}).status_code == 401
            assert httpx.delete(url, headers=simulator.headers()).json() == []
