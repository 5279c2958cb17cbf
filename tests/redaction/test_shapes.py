"""The shape of a value."""

import pytest

from aimyproxy.redaction.shapes import alphabets, phone_digits, with_digits


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("79991234567", "79"),
        ("635678009", ""),
        ("0042", "0"),
        ("-5", "-"),
        ("1180.50", ".0"),
        ("1e+22", "e+22"),
        ("ivan@mail.ru", "@.ru"),
        ("aaa99bea-aae1-41d2-aede-76e4f13b0ccc", "----4a"),
        ("Да, 🍕!", ", !"),
        ("ключ-ь", "-ь"),
    ],
)
def test_what_stays(text, kept):
    """A place with one possible character keeps it."""
    stays = [letters for character, letters in zip(text, alphabets(text), strict=True) if letters == character]
    assert sorted("".join(stays)) == sorted(kept)


@pytest.mark.parametrize("text", ["Иван", "John", "Aa9_x", "ÉÅ", "李小龙", "👍🍕", "שלום", "12", "dead-beef-01"])
def test_each_character_is_one_of_its_place(text):
    """What stands there now could stand there."""
    assert all(character in letters for character, letters in zip(text, alphabets(text), strict=True))
    assert all(len(letters) > 1 for letters in alphabets(text) if letters not in "-_")


def test_words_stay_pronounceable():
    """In a word, a vowel's place is a vowel's; in a token it is any letter's."""
    assert alphabets("Иван")[2] == "аеёиоуыэюя"
    assert alphabets("jo")[1] == "aeiouy"
    assert "b" in alphabets("jo1")[1]


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("+7 (999) 123-45-67", "79991234567"),
        ("+79991234567", "79991234567"),
        ("8 999 123 45 67", "89991234567"),
        ("79991234567", None),
        ("2021-02-16", None),
        ("2026-11-27 20:15", None),
        ("+1", None),
    ],
)
def test_a_formatted_phone_number_is_its_digits(text, digits):
    """Blanks, brackets and dashes are not part of the number."""
    assert phone_digits(text) == digits
    if digits:
        assert with_digits(text, digits) == text
