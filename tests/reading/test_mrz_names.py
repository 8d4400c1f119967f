"""Names cut and transliterated as Doc 9303 shows it, and read back."""

import pytest

from scanner.mrz import names, states
from scanner.mrz.document import Format
from scanner.mrz.write import compose, write


def upper(surname: str, given_names: str, format_: Format = Format.TD3) -> str:
    return write(compose(format_, number="A1", surname=surname, given_names=given_names))[0]


@pytest.mark.parametrize(
    ("surname", "given_names", "line"),
    [  # Doc 9303-4 §4.2.3.1 and §4.2.3.4
        ("Eriksson", "Anna Maria", "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"),
        ("Heng", "Deborah Ming Lo", "P<UTOHENG<<DEBORAH<MING<LO<<<<<<<<<<<<<<<<<<"),
        ("Smith-Jones", "Susie Margaret", "P<UTOSMITH<JONES<<SUSIE<MARGARET<<<<<<<<<<<<"),
        ("O’Connor", "Enya Siobhan", "P<UTOOCONNOR<<ENYA<SIOBHAN<<<<<<<<<<<<<<<<<<"),
        ("Van Der Muellen", "Martin", "P<UTOVAN<DER<MUELLEN<<MARTIN<<<<<<<<<<<<<<<<"),
        ("Arkfreith", "", "P<UTOARKFREITH<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<"),
        ("Satriya Sudarpa", "", "P<UTOSATRIYA<SUDARPA<<<<<<<<<<<<<<<<<<<<<<<<"),
        (
            "Papandropoulous",
            "Jonathon Warren Trevor",
            "P<UTOPAPANDROPOULOUS<<JONATHON<WARREN<TREVOR",
        ),
        (
            "Nilavadhanananda",
            "Arnpol Petch Charonguang",
            "P<UTONILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU",
        ),
    ],
)
def test_names_are_written_as_doc_9303_shows(surname: str, given_names: str, line: str) -> None:
    assert upper(surname, given_names) == line


@pytest.mark.parametrize(
    ("surname", "given_names"),
    [
        ("Bennelong Wooloomooloo Warrandyte Warnambool", "Dingo Potoroo"),
        ("Nilavadhanananda", "Chayapa Dejthamrong Krasuang"),
        ("Bennelong Wooloomooloo Warrandyte Warnambool", ""),
        ("Bennelong Wooloomooloo Warrandyte War", "A B C"),
        ("Benne Long", "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z"),
    ],
)
@pytest.mark.parametrize("format_", [Format.TD1, Format.TD2, Format.TD3, Format.MRV_B])
def test_a_cut_name_fills_its_field_ends_in_a_letter_and_keeps_both_names(
    surname: str, given_names: str, format_: Format
) -> None:
    document = compose(format_, number="A1", surname=surname, given_names=given_names)
    assert document.name_truncated
    assert document.surname[0] == surname[0].upper()
    assert bool(document.given_names) is bool(given_names)
    lines = write(document)
    assert lines[-1 if format_ is Format.TD1 else 0][-1].isalpha()


def test_a_name_of_single_letters_alone_that_cannot_end_in_a_letter_is_refused() -> None:
    letters = " ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    with pytest.raises(ValueError, match="name"):
        compose(Format.TD1, number="A1", surname=letters)
    with pytest.raises(ValueError, match="name"):
        compose(Format.TD1, number="A1", surname="", given_names=letters)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Äpfel Åse Ærø", "AEPFEL AASE AEROE"),
        ("Jürgen Groß Öz", "JUERGEN GROSS OEZ"),
        ("Þórður Ðón", "THORDUR DON"),
        ("Núñez Œuvre", "NUNEZ OEUVRE"),
        ("Łódź Čapek Şahin İnönü ılgaz", "LODZ CAPEK SAHIN INOENUE ILGAZ"),
        ("IJsbrand Ĳsbrand", "IJSBRAND IJSBRAND"),
        ("D'Artagnan", "DARTAGNAN"),
        ("Marie-Élise", "MARIE ELISE"),
        ("Anna, Maria", "ANNA MARIA"),
        ("St. John (Jr)", "ST JOHN JR"),
        ("  Anna   Maria ", "ANNA MARIA"),
    ],
)
def test_latin_letters_are_transliterated_and_punctuation_is_left_out(
    name: str, written: str
) -> None:
    assert names.transliterated(name) == written


def test_what_is_not_latin_is_refused_rather_than_guessed() -> None:
    with pytest.raises(ValueError, match="Latin"):
        names.transliterated("Иванов")


@pytest.mark.parametrize(
    ("field", "surname", "given_names"),
    [
        ("ERIKSSON<<ANNA<MARIA<<<", "ERIKSSON", "ANNA MARIA"),
        ("VAN<DER<MUELLEN<<MARTIN", "VAN DER MUELLEN", "MARTIN"),
        ("<<AHMADI<<<<", "", "AHMADI"),
        ("ZAHRA<<<<<<<", "ZAHRA", ""),
        ("ZAHRA", "ZAHRA", ""),
        ("A<<B<<C<<<", "A", "B C"),
        ("<<<<<<", "", ""),
    ],
)
def test_names_are_split_at_the_first_two_fillers(
    field: str, surname: str, given_names: str
) -> None:
    assert names.split(field) == (surname, given_names)


def test_states_have_names_and_codes_of_one_state_are_aliases() -> None:
    assert len(states.CODES) == 249 + 30
    assert states.name_of("UTO") == "Utopia (specimens)"
    assert states.name_of("D") == states.name_of("DEU") == "Germany"
    assert states.name_of("QQQ") is None
    assert all(1 <= len(code) <= 3 and name for code, name in states.CODES.items())


@pytest.mark.parametrize(
    "group", [{"D", "DEU"}, {"GBD", "GBN", "GBO", "GBP", "GBS", "GBR"}, {"RKS", "UNK", "XKX"}]
)
def test_every_alias_names_the_whole_group(group: set[str]) -> None:
    for code in group:
        assert states.aliases(code) == group
        assert states.name_of(code) is not None
    assert states.aliases("FRA") == {"FRA"}
