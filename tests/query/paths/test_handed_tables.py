"""A call through a table that the path handed to a parameter calls what this table holds.

Each text has two tables of one type. `one_way` hands on the table with `goal`, `other_way` the
other one; the true call stands beside the contradicting one.
"""

from pathlib import Path

import pytest

from kgraph.graph import CallGraph
from kgraph.query.paths.question import PathQuestion, find_paths
from tests.support.one_file import index_text

TYPES = """
struct ops { int (*run)(int); int (*stop)(int); };
struct walk { const struct ops *ops; int depth; };
struct device { const struct ops *ops; };
int counter;
int goal(int n) { return counter++; }
int harmless(int n) { return counter--; }
static const struct ops good = { .run = goal, .stop = harmless };
static const struct ops bad = { .run = harmless, .stop = goal };
struct device first = { &good }, second = { &bad };
"""


def reaches(graph: CallGraph, caller: str) -> bool:
    return bool(find_paths(graph, PathQuestion(caller, "goal")).paths)


def why(graph: CallGraph, caller: str) -> str:
    found = find_paths(graph, PathQuestion(caller, "goal")).contradiction
    return found.reason if found is not None else ""


THROUGH_WRAPPERS = """
static int inner(const struct ops *ops, int n) { return ops->run(n); }
static int outer(int n, const struct ops *ops)
{ const struct ops *own = ops; return inner(own, n); }
int one_way(int n) { return outer(n, &good); }
int other_way(int n) { return outer(n, &bad); }
"""
IN_A_LOCAL_RECORD = """
static int deep(struct walk *walk) { const struct ops *ops = walk->ops; return ops->run(1); }
static int inner(struct walk *walk) { return deep(walk); }
static int outer(const struct ops *ops) { struct walk walk = { .ops = ops }; return inner(&walk); }
int one_way(int n) { return outer(&good); }
int other_way(int n) { return outer(&bad); }
"""
A_LOCAL_TABLE = """
static int inner(struct ops *ops) { return ops->run(1); }
int one_way(int n) { struct ops ops = { .run = goal }; return inner(&ops); }
int other_way(int n) { struct ops ops = { .run = harmless, .stop = goal }; return inner(&ops); }
"""
ANOTHER_ONE_REPLACES_IT = """
static int inner(const struct ops *ops) { return ops->run(1); }
static int outer(const struct ops *ops) { return inner(%s); }
int one_way(int n) { return outer(&bad) + inner(&good); }
int other_way(int n) { return outer(&bad) + inner(&bad); }
"""

EMBEDDED_TYPES = TYPES.replace("struct device { const struct ops *ops; };", """
struct pair { void (*one)(void); };
struct device { const struct ops *ops; struct pair pair; };
""").replace("struct device first = { &good }, second = { &bad };", """
void *memcpy(void *to, const void *from, unsigned long n);
struct device first = { &good };
""")


@pytest.mark.parametrize("text", [
    THROUGH_WRAPPERS, IN_A_LOCAL_RECORD, A_LOCAL_TABLE, ANOTHER_ONE_REPLACES_IT % "&bad",
    ANOTHER_ONE_REPLACES_IT % "ops",
], ids=["wrappers", "in a local record", "a local table", "replaced", "handed on"])
def test_a_call_has_what_the_table_holds_that_was_handed_on(tmp_path: Path, text: str) -> None:
    with index_text(tmp_path, TYPES + text) as graph:
        assert reaches(graph, "one_way")
        assert not reaches(graph, "other_way")
        assert "another table" in why(graph, "other_way")


OF_ITS_OWN_OBJECT = """
static int inner(const struct ops *ops, struct device *device) { return %s->run(1); }
int one_way(struct device *any) { return inner(&good, any); }
int other_way(struct device *any) { return inner(&bad, any); }
"""
FROM_SOMEWHERE = """
static int inner(const struct ops *ops) { return ops->run(1); }
int one_way(struct device *any) { return inner(any->ops); }
int other_way(struct device *any) { return inner(counter ? any->ops : &bad); }
int third(void) { return one_way(&first) + one_way(&second) + other_way(&first); }
"""
WRITTEN_BY_A_CALLEE = """
static void change(struct walk *walk) { walk->ops = &good; }
static int inner(struct walk *walk) { change(walk); return walk->ops->run(1); }
static int outer(const struct ops *ops) { struct walk walk = { .ops = ops }; return inner(&walk); }
int one_way(int n) { return outer(&good); }
int other_way(int n) { return outer(&bad); }
"""
COPIED_INTO = """
static int inner(struct walk *walk) { return walk->ops->run(1); }
int one_way(struct walk *from) { struct walk walk = { &bad }; walk = *from; return inner(&walk); }
int other_way(struct walk *from)
{ struct walk walk = { &bad }; *&walk = *from; return inner(&walk); }
int third(void) { struct walk walk = { &good }; return one_way(&walk); }
"""
WRITTEN_TO = """
static int inner(const struct ops *ops) { if (counter) ops = first.ops; return ops->run(1); }
int one_way(int n) { return inner(&good); }
int other_way(int n) { return inner(&bad); }
"""
NEXT_IN_A_LIST = """
struct node { struct node *next; int (*run)(int); };
static struct node last = { 0, goal }, head = { &last, harmless };
static int inner(struct node *node)
{ for (; node; node = node->next) node->run(1); return 0; }
int one_way(int n) { return inner(&last); }
int other_way(int n) { return inner(&head); }
"""
TWICE_FILLED = """
static int inner(struct walk *walk) { return walk->ops->run(1); }
int one_way(int n) { struct walk walk = { &good }; return inner(&walk); }
int other_way(int n)
{ struct walk walk = { &bad }; if (n) walk.ops = &good; return inner(&walk); }
"""
ASSIGNED_TABLE = """
static struct ops late = { .run = harmless };
void set(void) { late.run = goal; }
static int inner(struct ops *ops) { return ops->run(1); }
int one_way(int n) { return inner(&late); }
int other_way(int n) { struct ops *ops = &late; return inner(ops); }
int third(void) { return inner((struct ops *)&bad); }
"""


@pytest.mark.parametrize("text", [
    OF_ITS_OWN_OBJECT % "device->ops", OF_ITS_OWN_OBJECT % "first.ops", FROM_SOMEWHERE,
    WRITTEN_BY_A_CALLEE, COPIED_INTO, WRITTEN_TO, NEXT_IN_A_LIST, TWICE_FILLED, ASSIGNED_TABLE,
], ids=["another parameter's", "a global one", "unknown", "written by a callee", "copied into",
        "parameter written", "a list", "filled twice", "assigned"])
def test_another_table_may_be_meant(tmp_path: Path, text: str) -> None:
    with index_text(tmp_path, TYPES + text) as graph:
        assert reaches(graph, "one_way")
        assert reaches(graph, "other_way")


def test_a_deferred_or_indirect_call_hands_on_nothing(tmp_path: Path) -> None:
    text = """
    static int inner(const struct ops *ops) { return ops->run(1); }
    static int plain(const struct ops *ops) { return inner(&bad); }
    static int (*hook)(const struct ops *) = inner;
    void choose(int n) { hook = n ? inner : plain; }
    static int outer(const struct ops *ops) { return hook(ops); }
    int one_way(int n) { return outer(&good); }
    int other_way(int n) { return outer(&bad); }
    int third(void) { return inner(&good); }
    """
    with index_text(tmp_path, TYPES + text) as graph:
        assert reaches(graph, "one_way")
        assert reaches(graph, "other_way")  # nobody knows what the hook gets


def test_two_calls_of_one_function_are_told_apart_by_their_tables(tmp_path: Path) -> None:
    text = """
    static int inner(const struct ops *ops, int n) { return ops->run(n); }
    int one_way(int n) { return inner(&bad, 1) + inner(&good, 2); }
    int through_both(const struct ops *ops, struct device *device)
    { return ops->run(1) + device->ops->run(2); }
    int other_way(struct device *device) { return through_both(&bad, device); }
    """
    with index_text(tmp_path, TYPES + text) as graph:
        assert reaches(graph, "one_way")
        assert reaches(graph, "other_way")


EMBEDDING = """
void fill_beside(struct device *device, struct pair *from) { device->pair = *from; }
void call_beside(struct device *device) { device->pair.one(); }
struct inside { struct device device; };
struct beside { struct device device; int n; };
static int deep(struct device *device) { return device->ops->run(1); }
int inner(struct device *device) { return deep(device); }
int one_way(struct inside *inside) { return inner(&inside->device); }
int other_way(struct beside *beside) { struct device *own = &beside->device; return inner(own); }
"""
WRITTEN_DIRECTLY = EMBEDDING + """
void fill(struct inside *inside) { inside->device.ops = &good; }
void fill_other(struct beside *beside)
{ struct device *own = &beside->device; own->ops = &bad; }
"""
WRITTEN_THROUGH_A_PARAMETER = EMBEDDING + """
static void set(struct device *device, const struct ops *ops) { device->ops = ops; }
static void forward(const struct ops *ops, struct device *device) { set(device, ops); }
void fill(struct inside *inside) { forward(&good, &inside->device); }
void fill_other(struct beside *beside) { forward(&bad, &beside->device); }
"""
NEVER_WRITTEN = EMBEDDING + """
struct device second = { &bad };
int third(void) { return inner(&second); }
void fill(struct inside *inside) { inside->device.ops = &good; }
"""
THROUGH_A_CALLBACK = EMBEDDING.replace("return deep(device);", """
    struct carrier carrier = { device };
    return each(&carrier, visit);
""").replace("int inner", """
struct carrier { struct device *device; };
static int visit(void *data) { struct carrier *carrier = data; return deep(carrier->device); }
static int ignore(void *data) { return 0; }
static int each(void *data, int (*fn)(void *)) { return fn(data); }
int ignoring(void *data) { return each(data, ignore); }
int inner""") + """
void fill(struct inside *inside) { inside->device.ops = &good; }
void fill_other(struct beside *beside) { beside->device.ops = &bad; }
"""

READ_BEFORE_IT_IS_CALLED = """
struct request { int (*func)(int); };
struct inside { struct request request; };
struct beside { struct request request; };
void fill(struct inside *inside) { inside->request.func = goal; }
void fill_other(struct beside *beside) { beside->request.func = harmless; }
static int execute(int (*func)(int), int n) { return func(n); }
static int single(struct request *request) { return execute(request->func, 1); }
int one_way(struct inside *inside) { return single(&inside->request); }
int other_way(struct beside *beside) { return single(&beside->request); }
"""


@pytest.mark.parametrize("text", [
    WRITTEN_DIRECTLY, WRITTEN_THROUGH_A_PARAMETER, NEVER_WRITTEN, THROUGH_A_CALLBACK,
    READ_BEFORE_IT_IS_CALLED,
], ids=["directly", "through a parameter", "never", "through a callback", "read before"])
def test_a_record_in_others_holds_what_is_written_to_any_that_lies_there(
    tmp_path: Path, text: str
) -> None:
    with index_text(tmp_path, EMBEDDED_TYPES + text) as graph:
        assert reaches(graph, "one_way")
        assert not reaches(graph, "other_way")
        assert "another table" in why(graph, "other_way")


@pytest.mark.parametrize("text", [
    "void fill_any(struct device *device) { device->ops = &good; } void (*hook)() = fill_any;",
    "struct device *find(void);\nvoid fill_any(void) { find()->ops = &good; }",
    "struct beside copy; void fill_any(struct beside *to) { to->device = first; }",
    """void set(const struct ops **at) { *at = &good; }
    void fill_any(struct beside *beside) { set(&beside->device.ops); }""",
    "void fill_any(struct beside *beside) { memcpy(&beside->device, &first, 8); }",
    """struct twin { const struct ops *also; }; union both { struct twin one; struct beside two; };
    void fill_any(union both *both) { both->one.also = &good; }""",
], ids=["any", "from outside", "copied", "its address", "copied as memory", "in a union"])
def test_a_record_in_others_may_be_written_otherwise(tmp_path: Path, text: str) -> None:
    with index_text(tmp_path, EMBEDDED_TYPES + WRITTEN_DIRECTLY + text) as graph:
        assert reaches(graph, "one_way")
        assert reaches(graph, "other_way")
