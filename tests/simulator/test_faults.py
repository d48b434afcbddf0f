"""Faults: what each one breaks, over a socket."""

import itertools
from collections.abc import Callable, Iterator

import httpx
import pytest

from siliconflow_batch_simulator import Clock, Simulator
from siliconflow_batch_simulator.faults import CLASSES, FAULTS
from siliconflow_batch_simulator.variants import VARIANTS
from support.account import Account, json_lines, line
from support.probes import PROBES

Accounts = Callable[..., tuple[Account, Account]]


@pytest.fixture(scope="module")
def accounts() -> Iterator[Accounts]:
    """Returns two accounts whose requests activate these faults; `first` includes the first one."""
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
def test_a_fault_breaks_its_probe(accounts: Accounts, kind: str, name: str) -> None:
    """The probe of a fault succeeds without the fault and fails with it."""
    first = kind == "isolation"  # some of these faults give access to the first account

    assert PROBES[kind][name](*accounts(first=first))
    assert not PROBES[kind][name](*accounts(name, first=first))


class TestCatalogue:
    def test_every_fault_has_a_class_and_a_probe(self) -> None:
        """Each fault is in one class and has one probe."""
        assert len(FAULTS) == sum(map(len, CLASSES.values()))
        assert {kind: set(rows) for kind, rows in PROBES.items()} == {
            kind: set(rows) for kind, rows in CLASSES.items()
        }

    def test_faults_and_variants_have_different_names(self) -> None:
        """No fault has the name of a variant."""
        assert FAULTS.keys().isdisjoint(VARIANTS)

    def test_descriptions_are_unique(self) -> None:
        """No two faults have the same description."""
        descriptions = [behaviour.description for behaviour in FAULTS.values()]

        assert len(descriptions) == len(set(descriptions))


class TestInputErrors:
    @pytest.mark.parametrize(
        ("fault", "message"),
        [
            ("custom-id-twice", "custom_id 'a' is already used by an earlier line"),
            ("role-any", "the role of a message must be one of"),
            ("messages-optional", "body.messages must be a list"),
            ("line-broken-taken", "not JSON: unexpected character"),
        ],
    )
    def test_a_fault_does_not_depend_on_the_text_of_an_error(
        self, accounts: Accounts, fault: str, message: str
    ) -> None:
        """A file with another error is refused, even if its content quotes the fault's error."""
        api, _ = accounts(fault, first=False)

        response = api.create(json_lines({**line(), "method": message}))

        assert response.status_code == 400
        assert message in response.json()["message"]

    def test_other_numbers_of_lines_are_refused(self, accounts: Accounts) -> None:
        """`lines-5001-taken` accepts 5,001 lines and no more."""
        api, _ = accounts("lines-5001-taken", first=False)

        response = api.create(json_lines(*(line(str(number)) for number in range(5_002))))

        assert "5002 lines" in response.json()["message"]


class TestMemory:
    def test_a_new_simulator_has_no_memory(self) -> None:
        """What a fault remembers belongs to one simulator."""
        for _ in range(2):
            with Simulator(faults=("content-once",), clock=Clock(speed=0)) as simulator:
                base, headers = simulator.base_url + "/", simulator.headers()
                with httpx.Client(base_url=base, headers=headers) as http:
                    api = Account(simulator, http)
                    path = f"files/{api.upload(b'x').json()['data']['id']}/content"

                    statuses = [http.get(path).status_code for _ in range(2)]

            assert statuses == [200, 404]

    def test_control_endpoints_are_unaffected(self) -> None:
        """Every fault can be removed over HTTP."""
        with Simulator(faults=("any-key", "server-error", "json-as-html")) as simulator:
            url = simulator.base_url.removesuffix("/v1") + "/simulator/faults"

            assert httpx.delete(url, headers={"Authorization": "Bearer x"}).status_code == 401
            assert httpx.delete(url, headers=simulator.headers()).json() == []
