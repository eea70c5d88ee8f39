"""What a desk does with the secrets that its ledger holds: checks that all can be opened, gives them a new key."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from jobdesk.core.errors import SecretError
from jobdesk.ledger import secrets
from jobdesk.ledger.database import Ledger
from jobdesk.vault import Vault, again, current

MOST_ROUNDS = 20


@dataclass(slots=True)
class Checked:
    """How many secrets lie in the ledger, under which keys, and what cannot be opened."""

    secrets: int = 0
    keys: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    problems: list[str] = field(default_factory=list)
    """The first of what is wrong, in sentences."""


@dataclass(slots=True)
class Rotated:
    """What a rotation did."""

    key: str
    changed: int = 0
    lost: int = 0
    """Could not be opened, and are as they were."""


def check(ledger: Ledger, vault: Vault) -> Checked:
    """Open every secret, and forget at once what was in it."""
    done = Checked()
    for batch in secrets.rows(ledger):
        for row in batch:
            for token in row.tokens:
                done.secrets += 1
                done.keys[token.split(".", 2)[1]] += 1
                try:
                    vault.open(token)
                except SecretError as error:
                    done.lost += 1
                    if len(done.problems) < 10:
                        done.problems.append(f"{row.table} {secrets.name(ledger, row)}: {error}")
    return done


def rotate(ledger: Ledger, vault: Vault) -> Rotated:
    """Make a new key and bring every secret under it; one that was cut short is gone on with.

    Raises:
        Refused: another rotation is under way.
        SecretError: the keys cannot be read or written.
    """
    with vault.alone(wait=False):
        keys = vault.begin_rotation()
        done = Rotated(keys.names[0])

        def change(token: str) -> str:
            if current(token, keys.names):
                return token
            try:
                made = again(token, vault)
            except SecretError:
                lost.add(token)
                return token
            done.changed += 1
            return made

        for _ in range(MOST_ROUNDS):  # what somebody changed meanwhile is met in the next
            lost: set[str] = set()
            missed = sum(secrets.rewrite(ledger, batch, cache(change)) for batch in secrets.rows(ledger))
            done.lost = len(lost)
            if not missed:
                break
        vault.end_rotation()
        return done
