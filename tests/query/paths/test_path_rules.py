"""What the hops of a path fix, and the hops that contradict it: contexts, keys, tables, numbers.

Each text has the contradicting call and a true one beside it; where the true one is taken out,
there is no path.
"""

from pathlib import Path

import pytest

from kgraph import api
from kgraph.graph import CallGraph
from kgraph.query.paths.path_rules import RunContext, load_path_rules
from kgraph.query.paths.question import PathQuestion, find_paths
from tests.support.one_file import index_files, index_text


def ask(graph: CallGraph, caller: str, callee: str, *, prune: bool = True) -> list[str]:
    """The functions of the first path, none where there is no path."""
    answer = find_paths(graph, PathQuestion(caller, callee, prune=prune))
    hops = answer.paths[0].hops if answer.paths else ()
    return [str(hop.caller) for hop in hops] + [str(hop.callee) for hop in hops[-1:]]


def why(graph: CallGraph, caller: str, callee: str) -> str:
    found = find_paths(graph, PathQuestion(caller, callee)).contradiction
    return found.reason if found is not None else ""


CONTEXTS = """
struct work_struct { void (*func)(struct work_struct *); };
int queue_work_on(int cpu, void *queue, struct work_struct *work);
int counter;
void resched(void) { counter++; }
void schedule(void) { resched(); }
void mutex_lock(int *lock) { schedule(); }
void mutex_trylock(int *lock) { resched(); }
static int lock;
static void try_it(void) { mutex_trylock(&lock); }
static void take_it(void) { mutex_lock(&lock); }
static void later(struct work_struct *work) { take_it(); }
static struct work_struct job = { later };
static void ask_for_later(void) { queue_work_on(0, 0, &job); }
static void action(void) { take_it(); }
static void harmless(void) { try_it(); }
static void deferring(void) { ask_for_later(); }
void __do_softirq(int n) { %s }
void syscall_entry(void) { take_it(); }
void local_bh_enable(void) { __do_softirq(1); }
"""


@pytest.mark.parametrize(("body", "path"), [
    ("action();", []),
    ("action(); deferring();",
     ["__do_softirq", "deferring", "ask_for_later", "later", "take_it", "mutex_lock", "schedule"]),
], ids=["at once", "behind a deferred call"])
def test_a_softirq_does_not_sleep(tmp_path: Path, body: str, path: list[str]) -> None:
    with index_text(tmp_path, CONTEXTS % body) as graph:
        assert ask(graph, "__do_softirq", "schedule") == path
        assert ask(graph, "local_bh_enable", "schedule") == (path and ["local_bh_enable", *path])
        # Where the path that is shown makes the same call, a remark would seem to be about it.
        assert ("may not sleep" in why(graph, "__do_softirq", "schedule")) is not bool(path)
        assert ask(graph, "__do_softirq", "schedule", prune=False)[1] == "action"


def test_what_does_not_sleep_is_reached_from_a_softirq(tmp_path: Path) -> None:
    with index_text(tmp_path, CONTEXTS % "action(); harmless();") as graph:
        names = ["__do_softirq", "harmless", "try_it", "mutex_trylock", "resched"]
        assert ask(graph, "__do_softirq", "resched") == names
        assert ask(graph, "syscall_entry", "resched")[-2:] == ["schedule", "resched"]


TIMERS = """
struct timer_list { void (*function)(unsigned long); };
int mod_timer(struct timer_list *timer, unsigned long when);
int counter;
void schedule(void) { counter++; }
static void expired(unsigned long data) { schedule(); }
static void helper(unsigned long data) { schedule(); }
static struct timer_list timer = { expired };
static struct timer_list other = { helper };
void start(void) { mod_timer(&timer, 5); mod_timer(&other, 5); }
void by_name(void) { helper(0); }
"""


def test_a_path_that_starts_in_a_timer_does_not_sleep(tmp_path: Path) -> None:
    with index_text(tmp_path, TIMERS) as graph:
        assert ask(graph, "expired", "schedule") == []
        assert ask(graph, "start", "schedule") == []
        assert ask(graph, "helper", "schedule")  # it is called by its name, too: who knows where
        assert ask(graph, "by_name", "schedule")


def test_a_path_that_starts_where_only_interrupts_come_does_not_sleep(tmp_path: Path) -> None:
    with index_text(tmp_path, """
    struct action { int (*handler)(int); };
    int counter;
    void schedule(void) { counter++; }
    static int sample(int n) { schedule(); return n; }
    static int watched(int n) { sample(n); return n; }
    static int shared(int n) { schedule(); return n; }
    static int unknown(int n) { schedule(); return n; }
    static struct action actions[] = { { watched }, { shared } };
    static int nmi_handle(int n) { return actions[n].handler(n); }
    void do_nmi(int n) { nmi_handle(n); }
    void syscall_entry(void) { shared(1); }
    """) as graph:
        assert ask(graph, "watched", "schedule") == []
        assert ask(graph, "sample", "schedule") == []
        assert "may not sleep" in why(graph, "sample", "schedule")
        assert ask(graph, "shared", "schedule")
        assert ask(graph, "unknown", "schedule")  # nobody is known to call it


def test_a_function_that_says_that_it_sleeps_does(tmp_path: Path) -> None:
    with index_text(tmp_path, """
    int counter;
    static void goal(void) { counter++; }
    static void resched(void) { counter--; }
    #define might_sleep() do { resched(); } while (0)
    static void always(void) { might_sleep(); goal(); }
    static void sometimes(int can) { if (can) might_sleep(); goal(); }
    void __do_softirq(int n) { always(); sometimes(n); }
    void task(void) { always(); }
    """) as graph:
        assert ask(graph, "__do_softirq", "goal") == ["__do_softirq", "sometimes", "goal"]
        assert ask(graph, "task", "goal") == ["task", "always", "goal"]


def test_a_function_that_another_processor_runs_does_not_sleep(tmp_path: Path) -> None:
    with index_text(tmp_path, """
    int stop_one_cpu(unsigned cpu, int (*fn)(void *), void *arg);
    int smp_call_function(void (*func)(void *), void *info, int wait);
    int counter;
    static void goal(void) { counter++; }
    void schedule(void) { goal(); }
    static int stopped(void *arg) { schedule(); return 0; }
    static void called(void *info) { goal(); }
    void stop(void) { stop_one_cpu(1, stopped, 0); }
    void call(void) { smp_call_function(called, 0, 1); }
    """) as graph:
        assert ask(graph, "stop", "stopped") == ["stop", "stopped"]
        assert ask(graph, "stop", "goal") == []
        assert ask(graph, "call", "goal") == ["call", "called", "goal"]


CHAINS = """
struct notifier_block { int (*notifier_call)(struct notifier_block *, unsigned long, void *); };
struct raw_notifier_head { struct notifier_block *head; };
int raw_notifier_chain_register(struct raw_notifier_head *nh, struct notifier_block *n)
{ nh->head = n; return 0; }
static int notifier_call_chain(struct notifier_block **nl, unsigned long val, void *v)
{ return (*nl)->notifier_call(*nl, val, v); }
int raw_notifier_call_chain(struct raw_notifier_head *nh, unsigned long val, void *v)
{ return notifier_call_chain(&nh->head, val, v); }
int counter;
static int goal(void) { return counter++; }
static int by_hand_goal(void) { return counter++; }
static int on_up(struct notifier_block *n, unsigned long v, void *p) { return goal(); }
static int on_down(struct notifier_block *n, unsigned long v, void *p) { return counter--; }
static struct notifier_block up = { on_up }, down = { on_down };
static struct raw_notifier_head ups, downs, nobody;
void boot(void)
{
    raw_notifier_chain_register(&ups, &up);
    raw_notifier_chain_register(&downs, &down);
}
static int by_hand(struct notifier_block *n, unsigned long v, void *p) { return by_hand_goal(); }
static struct notifier_block hand = { by_hand };
void hang(void) { downs.head = &hand; }
int tell_ups(void) { return raw_notifier_call_chain(&ups, 1, 0); }
int tell_downs(void) { return raw_notifier_call_chain(&downs, 1, 0); }
int tell_nobody(void) { return raw_notifier_call_chain(&nobody, 1, 0); }
int tell(struct raw_notifier_head *who) { return raw_notifier_call_chain(who, 1, 0); }
"""


def test_a_dispatcher_calls_what_its_key_has(tmp_path: Path) -> None:
    with index_text(tmp_path, CHAINS) as graph:
        dispatched = ["raw_notifier_call_chain", "notifier_call_chain", "on_up", "goal"]
        assert ask(graph, "tell_ups", "goal") == ["tell_ups", *dispatched]
        assert ask(graph, "tell_downs", "goal") == []
        assert ask(graph, "tell_nobody", "goal") == []
        assert "another key" in why(graph, "tell_downs", "goal")
        assert ask(graph, "tell_downs", "by_hand_goal")  # hung there past the known functions
        assert ask(graph, "tell", "goal") == ["tell", *dispatched]  # any chain may be meant
        assert ask(graph, "raw_notifier_call_chain", "goal") == dispatched


PAIRS = """
struct sock;
struct proto { int (*connect)(struct sock *); };
struct proto_ops { int (*connect)(struct sock *); };
struct sock { const struct proto *prot; const struct proto_ops *ops; };
struct protosw { const struct proto *prot; const struct proto_ops *ops; };
int counter;
static int goal(struct sock *sk) { return counter++; }
static int tcp_connect(struct sock *sk) { return goal(sk); }
static int udp_connect(struct sock *sk) { return counter--; }
static int stream_connect(struct sock *sk) { return sk->prot->connect(sk); }
static int dgram_connect(struct sock *sk) { counter++; return sk->prot->connect(sk); }
static const struct proto tcp = { tcp_connect }, udp = { udp_connect };
static const struct proto_ops stream = { stream_connect }, dgram = { dgram_connect };
static const struct protosw rows[] = { { &tcp, &stream }, { &udp, &dgram }, };
void make(struct sock *sk, int n) { sk->prot = rows[n].prot; sk->ops = rows[n].ops; }
int by_ops(struct sock *sk) { return sk->ops->connect(sk); }
int odd(struct sock *sk) { return dgram_connect(sk); }
"""


def test_tables_are_paired_by_the_rows_that_have_both(tmp_path: Path) -> None:
    with index_text(tmp_path, PAIRS) as graph:
        names = ["by_ops", "stream_connect", "tcp_connect", "goal"]
        assert ask(graph, "by_ops", "goal") == names
        avoiding = PathQuestion("by_ops", "goal", avoid=("stream_connect",))
        assert not find_paths(graph, avoiding).paths
        assert ask(graph, "odd", "goal")  # no table was passed


def test_a_function_that_is_called_through_its_tables_only_was_reached_through_them(
    tmp_path: Path,
) -> None:
    with index_text(tmp_path, PAIRS) as graph:
        assert ask(graph, "stream_connect", "goal") == ["stream_connect", "tcp_connect", "goal"]
        assert ask(graph, "dgram_connect", "goal")  # it is called by name, too
    with index_text(tmp_path, PAIRS.replace("int odd", "static int odd_one(void) { return 0; }\n//")
                    ) as graph:
        assert ask(graph, "dgram_connect", "goal") == []
        assert "not of one object" in why(graph, "dgram_connect", "goal")


def test_a_table_of_a_folder_with_tables_of_its_own_is_dear(tmp_path: Path) -> None:
    kinds = """
    struct sb; struct fs { void (*kill)(struct sb *); }; struct sops { void (*put)(struct sb *); };
    struct sb { const struct fs *fs; const struct sops *ops; };
    void shut(struct sb *sb); void block(struct sb *sb); void anon(struct sb *sb);
    """
    files = {"fs.h": kinds, "super.c": """
    #include "fs.h"
    void shut(struct sb *sb) { sb->ops->put(sb); }
    void anon(struct sb *sb) { shut(sb); }
    void block(struct sb *sb) { if (!sb->fs) return; shut(sb); }
    void umount(struct sb *sb) { sb->fs->kill(sb); }
    """}
    for name in "abde":
        files[f"{name}/{name}.c"] = f"""
        #include "../fs.h"
        static void put_{name}(struct sb *sb) {{ sb->fs = 0; }}
        static const struct fs type = {{ block }};
        static const struct sops ops = {{ put_{name} }};
        void fill_{name}(struct sb *sb) {{ sb->fs = &type; sb->ops = &ops; }}
        """
    files["c/c.c"] = """
    #include "../fs.h"
    static const struct fs type = { anon };
    void fill_c(struct sb *sb) { sb->fs = &type; }
    """
    with index_files(tmp_path, files) as graph:
        assert ask(graph, "umount", "put_e") == ["umount", "block", "shut", "put_e"]


NUMBERS = """
int counter;
static void goal(void) { counter++; }
static void branch(int yes) { if (yes) counter++; else goal(); }
static void relay(int n, int yes) { branch(yes); }
static void flagged(unsigned flags) { if (flags & 4) goal(); }
static void given(void *p) { if (!p) goal(); }
static void written(int yes) { yes = counter; if (yes) goal(); }
static void kinds(int kind) { switch (kind) { case 3: goal(); break; default: counter++; } }
void says_yes(void) { branch(1); }
void says_no(void) { branch(0); }
void says_any(int n) { branch(n); }
void relays_yes(void) { relay(0, 1); }
void relays_no(void) { relay(1, 0); }
void both(void) { branch(1); branch(0); }
void sets_4(void) { flagged(6); }
void sets_2(void) { flagged(2); }
void gives(void) { given(&counter); }
void gives_null(void) { given((void *)0); }
void writes(void) { written(0); }
static void choose(int *p) { if (!p) goal(); }
static void duff(int mode, int n)
{ switch (mode) { case 0: do { goal(); case 1: counter++; } while (n--); } }
static int quoted_text(const char *text)
{
    int quoted = 0;
    if (*text == '"') { quoted = 1; text++; }
    if (*text == '"') counter++;
    if (quoted) goal();
    return quoted;
}
static void steady(void) { volatile int off = 0; if (off) goal(); }
static void shown(volatile int on) { if (on) goal(); }
void third(void) { kinds(3); }
void devices(void) { steady(); }
void shows(void) { shown(0); }
void chooses(int c, int **b) { choose(c ? &counter : *b); }
void middle(int n) { duff(1, n); }
void reads(const char *text) { quoted_text(text); }
void fourth(void) { kinds(4); }
"""


@pytest.mark.parametrize("caller", [
    "says_no", "says_any", "relays_no", "both", "sets_4", "gives_null", "writes", "third",
    "devices", "shows", "chooses", "middle", "reads"])
def test_a_branch_that_the_number_takes(tmp_path: Path, caller: str) -> None:
    with index_text(tmp_path, NUMBERS) as graph:
        assert ask(graph, caller, "goal")[-1] == "goal"


@pytest.mark.parametrize("caller", ["says_yes", "relays_yes", "sets_2", "gives", "fourth"])
def test_a_branch_that_the_number_does_not_take(tmp_path: Path, caller: str) -> None:
    with index_text(tmp_path, NUMBERS) as graph:
        assert ask(graph, caller, "goal") == []
        assert why(graph, caller, "goal")
        assert ask(graph, caller, "goal", prune=False)[-1] == "goal"


BITS = """
int counter;
unsigned long any;
static void goal(void) { counter++; }
static void copy(unsigned long flags)
{
    if (flags & 4) {
        counter++;
        goto good;
    }
    goal();
good:
    counter++;
}
static void take(unsigned long flags) { if (flags & 4) goal(); }
static void low(unsigned char flags) { if (flags == 3) goal(); }
static void pair(unsigned flags) { if ((flags & 6) == 6) goal(); }
static void exact(unsigned long flags) { if (flags == 4) goal(); }
static void flag(_Bool yes) { if (!yes) goal(); }
static void keep(unsigned long flags) { take(flags | 1); }
static void either(unsigned long flags) { take(flags); take(flags | 4); }
static void mask(unsigned long flags) { copy(flags & ~2UL); }
static void wide(int flags) { copy(flags | 1); }
static void last(unsigned long a, unsigned long flags) { copy(a); }
void sets(unsigned long flags) { copy(flags | 4 | 8); }
void sets_other(unsigned long flags) { copy(flags | 8); }
void sets_later(unsigned long flags) { flags |= 4; copy(flags); }
void clears(unsigned long flags) { take(flags & ~4UL); }
void clears_other(unsigned long flags) { take(flags & ~8UL); }
void selects(unsigned long flags) { take(flags & 3); }
void selects_it(unsigned long flags) { take(flags & 7); }
void sets_low(unsigned flags) { low(flags | 4); }
void sets_above(unsigned flags) { low(flags | 0x400); }
void clears_one(unsigned flags) { pair(flags & ~2u); }
void sets_one(unsigned flags) { pair(flags | 2); }
void not_exact(unsigned long flags) { exact(flags | 2); }
void maybe_exact(unsigned long flags) { exact(flags | 4); }
void surely(unsigned long flags) { flag(flags | 4); }
void perhaps(unsigned long flags) { flag(flags & 4); }
void keeps_none(void) { keep(2); }
void keeps_it(void) { keep(6); }
void one_of_two(void) { either(0); }
void masks(unsigned long flags) { mask(flags | 4); }
void masks_it(unsigned long flags) { mask(flags | 2); }
void is_wide(void) { wide(4); }
void by_local(void) { unsigned long flags = any | 4; copy(flags); }
void by_local_written(void) { unsigned long flags = any | 4; flags = any; copy(flags); }
void moves(unsigned long flags) { last(flags | 4, 0); }
void moves_other(unsigned long flags) { last(0, flags | 4); }
"""


@pytest.mark.parametrize("caller", [
    "sets_other", "sets_later", "clears_other", "selects_it", "sets_above", "sets_one",
    "maybe_exact", "perhaps", "keeps_it", "one_of_two", "masks_it", "is_wide", "by_local_written",
    "moves_other"])
def test_a_branch_that_the_known_bits_allow(tmp_path: Path, caller: str) -> None:
    with index_text(tmp_path, BITS) as graph:
        assert ask(graph, caller, "goal")[-1:] == ["goal"]


@pytest.mark.parametrize("caller", [
    "sets", "clears", "selects", "sets_low", "clears_one", "not_exact", "surely", "keeps_none",
    "masks", "by_local", "moves"])
def test_a_branch_that_the_known_bits_forbid(tmp_path: Path, caller: str) -> None:
    with index_text(tmp_path, BITS) as graph:
        assert ask(graph, caller, "goal") == []
        assert why(graph, caller, "goal")
        assert ask(graph, caller, "goal", prune=False)[-1] == "goal"


def test_the_known_bits_are_told(tmp_path: Path) -> None:
    with index_text(tmp_path, BITS) as graph:
        assert why(graph, "sets", "goal") == (
            "parameter #0 has 0x4 in its bits 0x4 on this path, and the call is made otherwise")


REGISTERED = """
struct timer { void (*function)(int); };
int counter;
static void goal(void) { counter++; }
static void expired(int n) { goal(); }
static void also(int n) { goal(); }
static struct timer one, other;
void set_up(void) { one.function = expired; }
static void helper(void) { other.function = also; }
%s
static struct timer *timers[] = { &one, &other };
static int fire(int n) { timers[n]->function(n); return n; }
static int entry(int n) { return fire(n); }
static int (*table[])(int) = { entry };
int dispatch(int n) { return table[n](n); }
"""


@pytest.mark.parametrize(("more", "path"), [
    ("", []),
    ("static void boot(void) { set_up(); }", []),
    ("static void boot(void) { set_up(); } void (*at_boot)(void) = boot;", ["expired"]),
    ('extern void alias(void) __attribute__((alias("set_up")));', ["expired"]),
    ("void set_up_other(void) { helper(); } int (*users[])(void) = { (void *)set_up_other };",
     ["also"]),
], ids=["no caller", "a caller without one", "in a table", "by an alias", "a helper of one"])
def test_what_only_uncalled_code_hands_on_is_not_called(
    tmp_path: Path, more: str, path: list[str]
) -> None:
    with index_text(tmp_path, REGISTERED % more) as graph:
        assert ask(graph, "entry", "goal")  # of a program, a library may call anything
        graph.is_whole = True
        assert ask(graph, "entry", "goal") == (path and ["entry", "fire", *path, "goal"])
        assert ("that nothing calls" in why(graph, "entry", "goal")) is not bool(path)
        assert ask(graph, "fire", "expired", prune=False) == ["fire", "expired"]


def test_why_not_tells_the_contradiction(tmp_path: Path) -> None:
    with index_text(tmp_path, PAIRS) as graph:
        result = api.path(graph, PathQuestion("by_ops", "goal"))
        refused = api.explain_absence(graph, result, "dgram_connect").why_not
        assert refused is not None
        assert refused.contradiction is not None
        assert str(refused.contradiction.hop.caller) == "dgram_connect"
        passed = api.explain_absence(graph, result, "tcp_connect").why_not
        assert passed is not None
        assert passed.is_passed
        none = api.explain_absence(graph, result, "make").why_not
        assert none is not None
        assert (none.path, none.is_passed) == (None, False)


def test_why_not_tells_what_makes_a_path_dearer(tmp_path: Path) -> None:
    with index_text(tmp_path, NUMBERS + """
    void short_way(void) { goal(); }
    void long_way(int n) { if (n) short_way(); }
    void fork(int n) { short_way(); long_way(n); }
    """) as graph:
        result = api.path(graph, PathQuestion("fork", "goal"))
        dearer = api.explain_absence(graph, result, "long_way").why_not
        assert dearer is not None
        assert dearer.path is not None
        assert dearer.more_hops > 1
        assert [str(hop.callee) for hop in dearer.path.hops] == ["long_way", "short_way", "goal"]


def test_every_declared_kind_and_pattern_is_read() -> None:
    rules = load_path_rules()
    assert rules.contexts["timer"] is RunContext.ATOMIC
    assert rules.contexts["wait"] is RunContext.CALLER
    assert "work" not in rules.contexts
    assert set(rules.slots.values()) <= set(rules.contexts)
    assert {"schedule", "mutex_lock"} <= set(rules.sleeping)
    assert not set(rules.sleeping) & set(rules.atomic)


def test_the_condition_that_chooses_the_callee_is_a_guard(tmp_path: Path) -> None:
    text = """
    int count;
    static int goal(int n) { return count++; }
    static int other(int n) { return count--; }
    static int choose(int n, unsigned int is_quick) { return (is_quick ? goal : other)(n); }
    int one_way(int n) { return choose(n, 1); }
    int other_way(int n) { return choose(n, 0); }
    """
    with index_text(tmp_path, text) as graph:
        assert find_paths(graph, PathQuestion("one_way", "goal")).paths
        assert not find_paths(graph, PathQuestion("other_way", "goal")).paths
        assert find_paths(graph, PathQuestion("other_way", "other")).paths
