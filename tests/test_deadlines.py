from enum import Enum, auto

from sansio_web._deadlines import Deadlines


class Name(Enum):
    A = auto()
    B = auto()
    C = auto()


def test_without_a_moment_there_is_no_deadline() -> None:
    deadlines: Deadlines[Name] = Deadlines()
    assert deadlines.next() is None
    assert deadlines.due(1e9) == []
    assert deadlines.at(Name.A) is None


def test_the_earliest_moment_is_next() -> None:
    deadlines: Deadlines[Name] = Deadlines()
    deadlines.set(Name.A, 10.0, 5.0)
    deadlines.set(Name.B, 10.0, 2.0)
    assert deadlines.next() == 12.0
    assert deadlines.at(Name.A) == 15.0
    deadlines.set(Name.A, 10.0, 1.0)
    assert deadlines.next() == 11.0


def test_a_timeout_of_none_means_never() -> None:
    deadlines: Deadlines[Name] = Deadlines()
    deadlines.set(Name.A, 10.0, 5.0)
    deadlines.set(Name.A, 10.0, None)
    deadlines.set(Name.B, 10.0, None)
    assert deadlines.next() is None


def test_due_names_come_earliest_first_and_are_forgotten() -> None:
    deadlines: Deadlines[Name] = Deadlines()
    deadlines.set(Name.A, 0.0, 3.0)
    deadlines.set(Name.B, 0.0, 1.0)
    deadlines.set(Name.C, 0.0, 9.0)
    assert deadlines.due(3.0) == [Name.B, Name.A]
    assert deadlines.due(3.0) == []
    assert deadlines.next() == 9.0


def test_clearing_forgets_the_named_ones_and_no_other() -> None:
    deadlines: Deadlines[Name] = Deadlines()
    for at, name in enumerate(Name):
        deadlines.set(name, 0.0, float(at))
    deadlines.clear(Name.A, Name.B)
    deadlines.clear(Name.A)
    assert deadlines.next() == 2.0
    deadlines.drop(Name.C)
    deadlines.drop(Name.C)
    assert deadlines.next() is None
    deadlines.set(Name.A, 0.0, 1.0)
    deadlines.clear_all()
    assert deadlines.next() is None
