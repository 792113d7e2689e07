"""Goal: stacks never get in each other's way. Method: compare names, directories and ports."""

import json

import pytest

from kessai import stack as stacks
from kessai.diagnosis import Diagnosis
from kessai.services import merged_overrides, variable
from kessai.settings import stack_settings


def test_dev_and_test_have_ranges_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr(stacks, "ROOT", tmp_path)
    dev = stacks.open_stack("dev", environment={})
    test = stacks.open_stack("test", environment={})
    dev_ports = {dev.port(listener) for listener in stacks.PORT_OFFSETS}
    test_ports = {test.port(listener) for listener in stacks.PORT_OFFSETS}
    assert len(dev_ports) == len(stacks.PORT_OFFSETS)
    assert all(17000 <= port < 18000 for port in dev_ports)
    assert all(27000 <= port < 28000 for port in test_ports)
    assert dev.directory != test.directory


def test_no_default_port_is_one_that_outgoing_connections_get():
    for base in stacks.DEFAULT_PORT_BASE.values():
        assert base + max(stacks.PORT_OFFSETS.values()) < 32768


def test_every_listener_belongs_to_exactly_one_process():
    listed = [name for names in stacks.PROCESS_LISTENERS.values() for name in names]
    assert sorted(listed) == sorted(stacks.PORT_OFFSETS)


def test_the_environment_moves_a_new_stack(tmp_path, monkeypatch):
    monkeypatch.setattr(stacks, "ROOT", tmp_path)
    moved = stacks.open_stack("fresh", environment={"KESSAI_PORT_BASE": "21000"})
    assert moved.port("kafka") == 21092


def test_an_existing_stack_stays_where_it_is_unless_it_may_move(tmp_path, monkeypatch):
    monkeypatch.setattr(stacks, "ROOT", tmp_path)
    stacks.save_stack(stacks.open_stack("dev", environment={}))
    elsewhere = {"KESSAI_PORT_BASE": "21000"}
    assert stacks.open_stack("dev", environment=elsewhere).port_base == 17000
    assert stacks.open_stack("dev", may_move=True, environment=elsewhere).port_base == 21000


def test_a_stack_keeps_its_instance_and_its_secrets_to_its_owner(tmp_path, monkeypatch):
    monkeypatch.setattr(stacks, "ROOT", tmp_path)
    first = stacks.open_stack("dev", environment={})
    stacks.save_stack(first)
    assert stacks.open_stack("dev", environment={}) == first
    assert json.loads((first.directory / "stack.json").read_text())["port_base"] == 17000
    assert first.directory.stat().st_mode & 0o077 == 0
    assert first.secrets.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["", "Dev", "../dev", "a b", "-x", "x" * 21])
def test_names_that_are_no_folder_names_are_refused(name):
    with pytest.raises(Diagnosis):
        stacks.open_stack(name, environment={"KESSAI_PORT_BASE": "21000"})


@pytest.mark.parametrize("base", ["abc", "80", "70000", "-1", "1e4"])
def test_port_bases_that_are_none_are_refused(base):
    with pytest.raises(Diagnosis):
        stacks.open_stack("dev", may_move=True, environment={"KESSAI_PORT_BASE": base})


def test_another_stack_needs_ports(tmp_path, monkeypatch):
    monkeypatch.setattr(stacks, "ROOT", tmp_path)
    with pytest.raises(Diagnosis, match="no ports"):
        stacks.open_stack("other", may_move=True, environment={})
    assert not stacks.open_stack("other", environment={}).exists


def test_a_configuration_path_has_one_variable():
    assert variable("mysql.password_file") == "KESSAI_MYSQL_PASSWORD_FILE"
    assert variable("service.admin_port") == "KESSAI_SERVICE_ADMIN_PORT"


def test_overrides_add_to_earlier_ones_until_cleared():
    kept = merged_overrides({}, ["executor.batch_max=1"], clear=False)
    both = merged_overrides(kept, ["KESSAI_TEST_FAULT=after_commit"], clear=False)
    assert both == {"KESSAI_EXECUTOR_BATCH_MAX": "1", "KESSAI_TEST_FAULT": "after_commit"}
    assert merged_overrides(both, ["a.b=c=d"], clear=True) == {"KESSAI_A_B": "c=d"}
    with pytest.raises(Diagnosis):
        merged_overrides({}, ["nothing"], clear=False)


def test_stack_settings_are_bounded():
    assert stack_settings("dev", {}, memory_bytes=3 << 30).mysql_buffer_pool == "1024M"
    assert stack_settings("dev", {}, memory_bytes=12 << 30).mysql_buffer_pool == "2048M"
    assert stack_settings("dev", {}, memory_bytes=64 << 30).mysql_buffer_pool == "4096M"
    assert stack_settings("test", {}, memory_bytes=64 << 30).mysql_buffer_pool == "512M"
    assert stack_settings("dev", {"KESSAI_STACK_MYSQL_BUFFER_POOL": "2G"}).mysql_buffer_pool == "2G"
    assert stack_settings("dev", {"KESSAI_STACK_MYSQL_BINLOG": "on"}).mysql_binlog
    for name, value in (("KAFKA_HEAP", "much"), ("MYSQL_BUFFER_POOL", "1G;x"), ("MYSQL_BINLOG", "1")):
        with pytest.raises(Diagnosis):
            stack_settings("dev", {f"KESSAI_STACK_{name}": value})
