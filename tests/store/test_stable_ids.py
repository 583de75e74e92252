from hypothesis import given
from hypothesis import strategies as st

from kgraph.store.stable_ids import StableIds

texts = st.lists(st.text(max_size=3), unique=True, max_size=8)


@given(texts, st.randoms())
def test_ids_do_not_depend_on_the_order_of_arrival(names: list[str], random) -> None:
    shuffled = names[:]
    random.shuffle(shuffled)
    found = []
    for order in (names, shuffled):
        ids = StableIds()
        for name in order:
            ids.assign(name)
        final = ids.settle()
        found.append({name: final[ids.assign(name)] for name in names})
    assert found[0] == found[1] == {name: n for n, name in enumerate(sorted(names))}


@given(texts, texts)
def test_old_texts_keep_their_ids(old: list[str], new: list[str]) -> None:
    ids = StableIds({name: 2 * n for n, name in enumerate(old)})
    for name in new:
        ids.assign(name)
    final = ids.settle()
    assert all(final[ids.assign(name)] == 2 * n for n, name in enumerate(old))
    assert set(ids.new_ids()) == set(new) - set(old)
    assert all(ids.is_old(name) == (name in old) for name in {*old, *new})
