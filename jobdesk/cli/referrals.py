"""`jobdesk referrals`: commissions, and what they come to."""

from typing import Any

from jobdesk.cli.opening import opened
from jobdesk.cli.output import Column, Out
from jobdesk.cli.parsing import Args, Group, number


def add(commands: Group) -> None:
    noun = commands.noun("referrals", "commissions of referrers: each transaction, and what they come to")
    listing = noun.command("list", "transactions, newest first", _list)
    listing.add_argument("--referrer", metavar="NAME", help="only those of one referrer")
    listing.add_argument("--source", metavar="SALE", help="only those of one sale")
    listing.add_argument("--limit", type=number(1), default=100, metavar="N", help="at most so many (default: 100)")
    noun.command("stats", "what each referrer has got, who has most first", _stats)


def _list(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.core.amounts import written
        from jobdesk.core.clock import iso
        from jobdesk.ledger import referrals

        found = referrals.transactions(desk.ledger, args.referrer, args.source, args.limit)
        if out.json:
            out.document([_json(one, ("basis", "amount")) | {"at": iso(one["at"])} for one in found])
            return
        now = desk.clock.now()
        out.table(
            (
                Column("referrer", least=10),
                Column("amount", right=True),
                Column("currency"),
                Column("sale", least=10),
                Column("refund", least=6, drop=2),
                Column("level", right=True, drop=4),
                Column("rate", right=True, drop=3),
                Column("rule", least=6, drop=5),
                Column("when", drop=1),
            ),
            [
                (
                    one["referrer"], written(one["amount"], one["decimals"]), one["currency"], one["source"],
                    one["refund"] or out.nothing, str(one["level"]), one["rate"], one["rule"], out.when(one["at"], now),
                )
                for one in found
            ],
        )  # fmt: skip
        if not found:
            out.note("no commission yet: submit a referral-commission for a sale")


def _stats(args: Args, out: Out) -> None:
    with opened(args) as desk:
        from jobdesk.core.amounts import written
        from jobdesk.core.clock import iso
        from jobdesk.ledger import referrals

        found = referrals.statistics(desk.ledger)
        if out.json:
            amounts = ("turnover", "earned", "reversed", "balance")
            whole = [one | {"balance": one["earned"] - one["reversed"]} for one in found]
            out.document([_json(one, amounts) | {"last_at": iso(one["last_at"])} for one in whole])
            return
        out.table(
            (
                Column("referrer", least=10),
                Column("currency"),
                Column("balance", right=True),
                Column("earned", right=True, drop=2),
                Column("taken back", right=True, drop=3),
                Column("sales", right=True),
                Column("turnover", right=True, drop=1),
            ),
            [
                (
                    one["referrer"], one["currency"], written(one["earned"] - one["reversed"], one["decimals"]),
                    written(one["earned"], one["decimals"]), written(one["reversed"], one["decimals"]),
                    str(one["sales"]), written(one["turnover"], one["decimals"]),
                )
                for one in found
            ],
        )  # fmt: skip
        if not found:
            out.note("no commission yet: submit a referral-commission for a sale")


def _json(one: dict[str, Any], amounts: tuple[str, ...]) -> dict[str, Any]:
    """Amounts as decimal text: a float would lose cents."""
    from jobdesk.core.amounts import written

    shown = {key: value for key, value in one.items() if key != "decimals"}
    return shown | {key: written(one[key], one["decimals"]) for key in amounts}
