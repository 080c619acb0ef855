"""Readers of HAProxy's tables: right on what it says, a fault on everything else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.balancer.answers import Admin, BalancerFault, Load, Server, is_name, load, servers

COLUMNS = "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight"
STATE = f"""1
{COLUMNS}
3 be_web 1 web-1 127.0.0.1 2 0 1 1
3 be_web 2 web-2 127.0.0.1 0 5 1 1
3 be_web 3 web-3 127.0.0.1 2 12 1 1
3 be_web 4 web-4 127.0.0.1 0 2 1 1
3 be_web 5 web-5 127.0.0.1 2 0 0 1
3 be_web 6 web-6 127.0.0.1 3 4 1 1
4 be_api 1 web-1 127.0.0.1 0 0 1 1

"""
HEAD = "# pxname,svname,qcur,qmax,scur,smax,status,weight,\n"


def test_each_servers_state_is_read_of_the_backend_that_was_asked_for() -> None:
    found = servers(STATE, "be_web")
    assert found["web-1"] == Server("web-1", True, Admin(0), 1)
    assert [name for name, server in found.items() if server.ready] == ["web-1"]
    assert [name for name, server in found.items() if server.maint] == ["web-2", "web-4"]
    assert [name for name, server in found.items() if server.drained] == ["web-3"]
    assert not servers(STATE, "be_api")["web-1"].ready
    assert servers(STATE, "be_none") == {}


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "1\n",
        "2\n" + STATE[2:],
        "Permission denied\n",
        STATE.replace("srv_uweight", "weight"),
        STATE.replace(" 2 0 1 1\n", " 2 -1 1 1\n", 1),
        STATE.replace(" 2 0 1 1\n", " 2\n", 1),
        STATE.replace(" 2 0 1 1\n", " \u0662 0 1 1\n", 1),
    ],
    ids=["nothing", "no head", "version", "refusal", "no weight", "negative", "short", "no ASCII digit"],
)
def test_a_state_that_is_not_haproxys_is_a_fault(raw: str) -> None:
    with pytest.raises(BalancerFault, match="malformed servers state"):
        servers(raw, "be_web")


@pytest.mark.parametrize(
    ("status", "serving"),
    [("UP", True), ("UP 1/3", True), ("no check", True), ("NOLB", True), ("DRAIN", False), ("MAINT (via a/b)", False)],
)
def test_a_servers_load_is_read_by_the_names_of_its_columns(status: str, serving: bool) -> None:
    raw = f"{HEAD}be_web,web-1,2,9,3,9,{status},1,\nbe_web,BACKEND,0,0,0,0,UP,1,\n\n"
    assert load(raw, "be_web", "web-1") == Load(3, 2, serving)


@pytest.mark.parametrize("row", ["be_web,web-1,,,,,,,", "be_web,web-1", "be_web,web-1,0,0,many,0,UP,1,"])
def test_a_load_that_is_no_number_is_a_fault_and_never_idle(row: str) -> None:
    with pytest.raises(BalancerFault, match="malformed statistics"):
        load(f"{HEAD}{row}\n", "be_web", "web-1")


@given(st.text(), st.sampled_from(["", "1\n# ", f"1\n{COLUMNS}\n", f"1\n{COLUMNS}\n3 be_web 1 web-1 a "]))
def test_any_text_is_servers_or_a_fault(raw: str, head: str) -> None:
    with contextlib.suppress(BalancerFault):
        for name, server in servers(head + raw, "be_web").items():
            assert name == server.name


@given(st.text(), st.sampled_from(["", "# pxname,", HEAD, f"{HEAD}be_web,web-1,"]))
def test_any_text_is_a_load_or_a_fault(raw: str, head: str) -> None:
    with contextlib.suppress(BalancerFault):
        found = load(head + raw, "be_web", "web-1")
        assert found.sessions >= 0
        assert found.queued >= 0


@given(st.text())
def test_a_name_never_ends_a_command_or_begins_an_option(name: str) -> None:
    if is_name(name):
        assert name.isascii()
        assert not set(name) & set(" ;\n\r\t/\\<#@\"'-"[:-1])
        assert not name.startswith("-")
