"""Dropped photos survive kill -9 of the consumer anywhere between the folder and the library."""

import random
from pathlib import Path

import pytest
from PIL import Image

from jobdesk import Desk
from jobdesk.ledger import folders, reads
from tests.support.home import consumer, kill, make_home, until

SETTINGS = """
[desk]
workers = 2
[[folders]]
path = "inbox"
pipeline = "IMAGE_UPLOAD_REQUESTED"
settle = "100ms"
rescan = "1s"
"""
STEPS = (
    "IMAGE_UPLOAD_REQUESTED", "VIRUS_SCAN", "METADATA_EXTRACT", "THUMBNAIL_GENERATE", "IMAGE_RESIZE",
    "IMAGE_UPLOAD_PROCESSING", "DATABASE_UPDATE", "IMAGE_UPLOAD_COMPLETED", "NOTIFICATION_SEND", "CLEANUP_TEMP_FILES",
)  # fmt: skip
# Each death of a consumer costs what runs an attempt: here they must not be used up.
SETTINGS += "".join(f"[types.{step}]\nretries = 50\n" for step in STEPS)


def drop(folder: Path, count: int, seed: int) -> None:
    """Photos of different content."""
    for number in range(count):
        picture = Image.effect_noise((320, 240), 20 + seed + number).convert("RGB")
        picture.save(folder / f".photo-{number}.jpg")
        (folder / f".photo-{number}.jpg").rename(folder / f"photo-{number}.jpg")


def kill_while_photos_are_processed(tmp_path: Path, photos: int, kills: int, seed: int) -> None:
    home, dice = make_home(tmp_path, settings=SETTINGS), random.Random(seed)
    desk = Desk(home)
    drop(desk.home.inbox, photos, seed)
    for _ in range(kills):
        victim, before = consumer(home), _events(desk)
        wanted = before + dice.randint(1, photos * 40 // kills)
        until(lambda wanted: _events(desk) >= wanted or len(reads.assets(desk.ledger)) == photos, wanted)
        kill(victim)
    last = consumer(home, "--drain")
    _, said = last.communicate(timeout=120)
    assert last.returncode == 0, said

    assets = reads.assets(desk.ledger)
    assert sorted(asset["name"] for asset in assets) == sorted(f"photo-{n}.jpg" for n in range(photos))
    for asset in assets:
        for rendition in asset["renditions"]:
            assert Path(rendition["path"]).stat().st_size == rendition["bytes"]
    states = [row["state"] for row in folders.files(desk.ledger)]
    assert states == ["done"] * photos
    left = [path for path in desk.home.inbox.iterdir() if path.name not in (".jobdesk", "_done")]
    assert left == []
    assert len(list((desk.home.inbox / "_done").rglob("*.jpg"))) == photos
    assert not list((desk.home.inbox / ".jobdesk" / "claimed").iterdir())
    desk.close()


def _events(desk: Desk) -> int:
    newest = reads.last_events(desk.ledger, limit=1)
    return newest[0].id if newest else 0


def test_no_photo_is_lost_or_doubled_by_kills(tmp_path: Path) -> None:
    kill_while_photos_are_processed(tmp_path, photos=5, kills=4, seed=3)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10))
def test_many_kills_lose_no_photo(tmp_path: Path, seed: int) -> None:
    kill_while_photos_are_processed(tmp_path, photos=20, kills=12, seed=seed)
