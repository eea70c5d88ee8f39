"""What a desk does with the secrets that its ledger holds: checks that all can be opened, gives them a new key."""

from collections import Counter
from dataclasses import dataclass, field
from functools import cache

from jobdesk.core.errors import SecretError
from jobdesk.core.redaction import TOKEN
from jobdesk.ledger import audit, secrets
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


def rotate(ledger: Ledger, vault: Vault, deed: audit.Deed) -> Rotated:
    """Make a new key and bring every secret under it; one that was cut short is gone on with.

    Args:
        deed: the action in the audit log.

    Raises:
        Refused: another rotation is under way.
        SecretError: the keys cannot be read or written.
    """
    with vault.alone(wait=False):
        keys = vault.begin_rotation()
        done = Rotated(keys.names[0])

        def renewed(token: str) -> str | None:
            if current(token, keys.names):
                return token
            try:
                return again(token, vault)
            except SecretError:
                return None

        def change(token: str) -> str:
            made = renewed(token)
            done.changed += made not in (token, None)
            if made is None:
                lost.add(token)
            return made or token

        for _ in range(MOST_ROUNDS):  # what somebody changed meanwhile is met in the next
            lost: set[str] = set()
            missed = sum(secrets.rewrite(ledger, batch, cache(change)) for batch in secrets.rows(ledger))
            done.lost = len(lost)
            if not missed:
                break
        audit.rewrite_kept(ledger, lambda text: TOKEN.sub(lambda found: renewed(found[0]) or found[0], text))
        vault.end_rotation()
        with deed.part(undoable=False) as part:
            part.say(after={"key": done.key, "changed": done.changed, "lost": done.lost})
        return done
