"""`[email]`: what is refused when the settings are read."""

from pathlib import Path

import pytest

from jobdesk.config import load
from jobdesk.core.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('password = "in the clear"\nusername = "ada"', "a secret is written ${env:NAME}"),
        ('username = "ada"', "username and password belong together"),
        ('username = "a"\npassword = "${env:X}"\nsecurity = "none"\nhost = "mx.example.org"', "sent in clear"),
        ('sender = "Shop"', "'Shop' is no mail address"),
        ('security = "ssl"', "'starttls', 'tls' or 'none'"),
        ('hots = "x"', "did you mean 'host'"),
        ('[services.smtp]\nurl = "https://example.org"', "'smtp' is the mail server of [email]"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "jobdesk.toml").write_text(text if text.startswith("[") else f"[email]\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    assert says in str(caught.value)


def test_the_mail_server_is_a_service_with_a_breaker_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "jobdesk.toml").write_text('[email]\nhost = "mx.example.org"\nbreaker = { failures = 2 }\n')
    found = load(tmp_path, {}).all_services["smtp"]
    assert found.url == "smtp://mx.example.org:587" and found.breaker.failures == 2
    assert "smtp" not in load(tmp_path / "elsewhere", {}).all_services
