"""The UID order against a plain list, under random changes."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.store import uids
from appliance.store.kv import WriteTxn
from appliance.store.store import Store

MAILBOX, FID = 9, 77


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1 << 32), steps=st.integers(1, 12))
def test_it_is_the_list_that_it_stands_for(store: Store, seed: int, steps: int) -> None:
    rng = random.Random(seed)
    expected: list[tuple[int, int]] = []
    next_uid = 1

    def step(txn: WriteTxn) -> None:
        nonlocal next_uid, expected
        for _ in range(rng.choice((1, 5, 130, 400))):
            uids.append(txn, MAILBOX, FID, next_uid, next_uid + (1 << 48))
            expected.append((next_uid, next_uid + (1 << 48)))
            next_uid += rng.choice((1, 1, 1, 50))
        gone = sorted(rng.sample(expected, rng.randrange(len(expected) + 1)))
        uids.remove(txn, MAILBOX, FID, [uid for uid, _ in gone])
        expected = sorted(set(expected) - set(gone))

    for _ in range(steps):
        store.write(step).result()
        with store.read() as txn:
            view = uids.UidView(txn, MAILBOX, FID)
            assert uids.check(txn, MAILBOX, FID) == []
            assert view.count == len(expected)
            assert view.range(0, uids.TAIL) == expected
            assert list(view.all()) == [uid for uid, _ in expected]
            for index in rng.sample(range(len(expected)), min(10, len(expected))):
                uid, mid = expected[index]
                assert view.uid_at(index + 1) == uid
                assert view.rank(uid) == index
                assert view.mid(uid) == mid
            low = rng.randrange(next_uid + 1)
            high = low + rng.randrange(500)
            assert view.range(low, high) == [pair for pair in expected if low <= pair[0] <= high]
            limit = rng.randrange(600)
            inside = [pair for pair in expected if low <= pair[0] <= high][:limit]
            assert list(zip(*view.columns(low, high, limit), strict=True)) == inside
            assert view.rank(low) == sum(uid < low for uid, _ in expected)
            assert (view.mid(low) is not None) == any(uid == low for uid, _ in expected)
    store.write(lambda txn: uids.drop(txn, MAILBOX, FID)).result()
    with store.read() as txn:
        assert uids.UidView(txn, MAILBOX, FID).count == 0
