"""Which variables are secret or personal by where they stand."""

import pytest

from aimyproxy.redaction.channels import LOOKS_PERSONAL, channel_of, is_personal, personal_part, secret_members


@pytest.mark.parametrize(
    ("name", "outermost", "personal"),
    [
        ("name", True, True),
        ("name", False, False),
        ("first_name", False, True),
        ("userName", True, True),
        ("Имя", True, True),
        ("clientPhone", False, True),
        ("phone_number", False, True),
        ("телефон", True, True),
        ("email", False, True),
        ("delivery_address", False, True),
        ("userFile", True, True),
        ("pizza", True, False),
        ("phonebook", True, False),
        ("total", True, False),
    ],
)
def test_variables(name, outermost, personal):
    """A product has a name, too, but not among the bot's own variables."""
    assert is_personal(name, outermost=outermost) is personal


@pytest.mark.parametrize(
    ("text", "personal"),
    [
        ("+7 (999) 123-45-67", True),
        ("89991234567", True),
        ("ivan@mail.ru", True),
        ("635678009", False),
        ("2021-02-16", False),
        ("call 89991234567", False),
    ],
)
def test_looks(text, personal):
    """A phone number or an address, and nothing else."""
    assert bool(LOOKS_PERSONAL.fullmatch(text)) is personal


@pytest.mark.parametrize(
    ("user", "channel_type", "channel", "part"),
    [
        ("resterisk-40112-pizza-79991234567", "resterisk", "40112-pizza-tel1", "79991234567"),
        ("chatwidget-40112-pizza-9f-2c", "chatwidget", "40112-pizza-web1", "9f-2c"),
        ("telegram-635678009", "telegram", None, "635678009"),
        ("635678009", "telegram", "40112-pizza-tg1", "635678009"),
        ("u1", None, None, "u1"),
    ],
)
def test_the_users_own_part_of_an_id(user, channel_type, channel, part):
    """Behind the channel and the bot."""
    assert user[personal_part(user, channel_type, channel) :] == part


def test_channels_that_nobody_has_seen():
    """What is sensitive in any channel is so in theirs."""
    unknown = channel_of("max")
    assert unknown == channel_of(None) == channel_of(7) == channel_of(["vk"])
    assert {"token", "secret", "access_token"} <= secret_members(unknown)
    assert {"from", "caller", "from_id", "clientId"} <= unknown.personal
    assert "secret" not in secret_members(channel_of("telegram"))
