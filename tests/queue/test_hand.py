"""What lies in hand: what nobody takes is given back, whatever happened between a claim and its handing out."""

import threading

from jobdesk.ledger import claiming
from jobdesk.ledger.claiming import Claimed
from jobdesk.ledger.database import Ledger
from jobdesk.queue.hand import Hand
from tests.support.factory import submit
from tests.support.home import until


def claimed(ledger: Ledger, worker: str) -> Claimed:
    """One job that a worker has begun."""
    submit(ledger)
    with ledger.write() as tx:
        (job,) = claiming.claim_many(tx, [worker], None, consumer="con_test", ahead=0, short=set(), needs=None)
    return job


def test_a_job_for_a_worker_that_was_served_meanwhile_is_left_and_the_others_go_out(ledger: Ledger) -> None:
    hand, took = Hand(lambda: None), list[Claimed | None]()

    def waits(worker: str) -> threading.Thread:
        thread = threading.Thread(target=lambda: took.append(hand.take(worker)))
        thread.start()
        until(lambda: hand.waiting() == [worker])
        return thread

    sent_ahead, for_one, for_two = (claimed(ledger, f"con_test/{worker}") for worker in (0, 1, 2))
    sent_ahead.begun = False
    one = waits("con_test/1")
    hand.put_back([sent_ahead])  # by a worker whose child did not take it
    one.join(30)
    two = waits("con_test/2")
    assert hand.give([for_one, for_two], 0.0) == [for_one]
    two.join(30)
    assert took == [sent_ahead, for_two]
