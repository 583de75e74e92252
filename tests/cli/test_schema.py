"""Every JSON record is one of docs/schema.json."""

import json
from pathlib import Path

import pytest

from kgraph.resources import find_mini_linux
from tests.support.places import NOTES, ROOT

SCHEMA = json.loads((ROOT / "docs" / "schema.json").read_text(encoding="utf-8"))
COMMANDS = [
    "path SyS_sendto veth_xmit", "path veth_xmit SyS_sendto",
    "path SyS_sendto raw_sendmsg --bind sock.sk_prot=raw_prot",
    "path SyS_sendto veth_xmit --why-not dev_queue_xmit",
    "path SyS_sendto veth_xmit --must", "path veth_xmit SyS_sendto --must",
    "callers veth_xmit", "callers net_rx_action", "callers veth_xmit --depth 3 --limit 2",
    "callers veth_xmit --count", "callers veth_xmit --to syscall",
    "callees inet_sendmsg --depth 2", "ops veth_netdev_ops", "ops sock.sk_prot", "ops raw_sendmsg",
    "reach veth_xmit", "reach --list",
    "site net/ipv4/af_inet.c:37", "site net/bridge/br_forward.c:30", "status", "status --all",
    "check veth", f"check {NOTES}", "report netns -o out",
]


@pytest.fixture(scope="module")
def validate():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def run(record: dict, name: str = "") -> None:
        # Against the record's own definition: an error then names the key, not the choice.
        schema = {**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{name or find_definition(record)}"}]}
        if name:
            schema["required"] = []
        jsonschema.Draft202012Validator(schema).validate(record)

    return run


def find_definition(record: dict) -> str:
    [name] = [choice["$ref"].rpartition("/")[2] for choice in SCHEMA["anyOf"]
              if f'"{record["format"]}"' in json.dumps(
                  SCHEMA["$defs"][choice["$ref"].rpartition("/")[2]])]
    return name


@pytest.mark.parametrize("command", COMMANDS)
def test_answers(kgraph, mini_index: Path, validate, command: str) -> None:
    words = command.split()
    if "--all" not in words:
        words += ["--index", str(mini_index)]
    validate(json.loads(kgraph(*words, "--json").stdout))


def test_differences(kgraph, mini_index: Path, validate) -> None:
    answer = kgraph("check", "veth", "--index", mini_index, "--index", mini_index, "--json")
    validate(json.loads(answer.stdout))
    for words in ((), ("--between", "SyS_sendto", "veth_xmit")):
        answer = kgraph("diff", mini_index, mini_index, *words, "--json")
        assert answer.returncode == 0
        validate(json.loads(answer.stdout))


def test_an_index_run(kgraph, validate, tmp_path: Path) -> None:
    answer = kgraph("index", find_mini_linux(), "--only", "net/socket.c", "--index",
                    tmp_path / "i", "--jobs", "1", "--json")
    validate(json.loads(answer.stdout))


@pytest.mark.parametrize(("option", "name"), [("--json", "hop"), ("--edges-only", "edge")])
def test_exports(kgraph, mini_index: Path, validate, option: str, name: str) -> None:
    for line in kgraph("export", option, "--index", mini_index).stdout.splitlines()[::40]:
        validate(json.loads(line), name)


def test_a_record_that_lacks_a_key_is_none(kgraph, mini_index: Path, validate) -> None:
    import jsonschema

    record = json.loads(kgraph("callers", "veth_xmit", "--json", "--index", mini_index).stdout)
    del record["edges"][0]["evidence"]
    with pytest.raises(jsonschema.ValidationError):
        validate(record)
