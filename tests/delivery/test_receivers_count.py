"""What receivers count reaches the store, whichever of them counted it, and outlasts them."""

import threading

from central.receiving.counting import Counting
from central.store.counters import add_counts, every_count
from central.store.store import Store, StoreFault
from scanner.alert import Message, topic_of
from tests.delivery.both_ends import Desk, HeadOffice, Stranger, over_both_databases, wait_for
from tests.delivery.broker import Broker


def counts(store: Store) -> dict[tuple[str, str], int]:
    with store.reading() as db:
        return every_count(db)


@over_both_databases
def test_what_a_receiver_took_in_and_refused_is_counted(
    broker: Broker, office: HeadOffice, desk: Desk
) -> None:
    broker.start()
    for _ in range(3):
        desk.raise_alert()
    with office.receiving() as receiver, desk.running():
        wait_for(lambda: len(office.alert_ids()) == 3)
        with Stranger(broker.port) as stranger:
            stranger.say(topic_of(Message.ALERT, "desk-1"), b"nonsense")
            wait_for(lambda: receiver.refused == 1)
    told = counts(office.store)
    assert told["alerts", "HIT"] == 3
    assert told["received", "alert"] >= 3
    assert told["received", "alert"] - told.get(("repeated", ""), 0) == 3
    assert told["received", "status"] >= 1
    assert told["refused", "form"] == 1
    batches = sum(count for (name, _), count in told.items() if name == "batch")
    stored = sum(count for (name, _), count in told.items() if name == "store")
    assert batches == stored > 0
    assert told["store_sum", ""] > 0


@over_both_databases
def test_several_receivers_add_to_the_same_sums(store_url: str) -> None:
    stores = [Store(store_url) for _ in range(2)]
    countings = [Counting(store) for store in stores for _ in range(2)]

    def count(counting: Counting) -> None:
        for _ in range(50):
            counting.refused("signature")
            counting.flush()

    threads = [threading.Thread(target=count, args=(counting,)) for counting in countings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts(stores[0]) == {("refused", "signature"): 200}
    for store in stores:
        store.close()


def test_what_the_store_does_not_take_is_kept_for_the_next_time(store_url: str) -> None:
    store = Store(store_url)
    counting = Counting(store)
    counting.refused("key")
    taking, store.changing = store.changing, refuse  # type: ignore[method-assign, assignment]
    counting.flush()
    counting.refused("key")
    store.changing = taking  # type: ignore[method-assign]
    assert counts(store) == {}
    counting.flush()
    assert counts(store) == {("refused", "key"): 2}
    counting.flush()
    assert counts(store) == {("refused", "key"): 2}
    store.close()


def refuse(**_: object) -> None:
    raise StoreFault("the store refuses: it is gone")


def test_nothing_counted_is_nothing_written(store_url: str) -> None:
    store = Store(store_url)
    with store.changing() as tx:
        add_counts(tx, {})
        add_counts(tx, {("refused", "key"): 0})
    assert counts(store) == {}
    store.close()
