"""What a note is, what may become one, and what may happen to one.

Not here: where notes are kept (`store`), how they travel (`handlers`, `rows`).
"""

from typing import Final, Literal, NamedTuple, TypeAlias, cast

MAX_LENGTH: Final = {"title": 200, "text": 20_000, "author": 80}
READ_ONLY: Final = frozenset({"id", "version", "created", "updated"})  # the store's; ignored when sent back to us

ChangeKind: TypeAlias = Literal["created", "replaced", "deleted", "added"]


class Draft(NamedTuple):
    """What a person writes."""

    title: str
    text: str = ""
    author: str = ""


class Note(NamedTuple):
    """What the store makes of it. `version` counts the changes from 1; times are UTC in ISO 8601."""

    id: int
    version: int
    title: str
    text: str
    author: str
    created: str
    updated: str

    @property
    def etag(self) -> str:
        """Differs whenever the note does."""
        return f"{self.id}.{self.version}"


class Change(NamedTuple):
    """What has happened to the notebook. `revision` counts these; `added` is many at once, with no id and no note."""

    revision: int
    kind: ChangeKind
    id: int | None = None
    note: Note | None = None


class InvalidDraftError(ValueError):
    """Says what is wrong, by field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{field} {error}" for field, error in errors.items()))
        self.errors = errors


def read_draft(value: object) -> Draft:
    """Check what somebody sent.

    value: what JSON or CSV gave; a mapping with a title, and perhaps a text and an author
    raises: InvalidDraftError, with all that is wrong at once
    """
    if not isinstance(value, dict):
        raise InvalidDraftError({"note": f"must be an object with a title, is {_kind(value)}"})
    fields = cast(dict[object, object], value)
    errors: dict[str, str] = {}
    for field, content in fields.items():
        name = str(field)
        if name in MAX_LENGTH:
            error = _text_error(content, MAX_LENGTH[name])
        elif name in READ_ONLY:
            error = None
        else:
            name, error = name[:40], f"is not known; a note has {', '.join(MAX_LENGTH)}"
        if error is not None:
            errors[name] = error
    title, text, author = (str(fields.get(name, "")) for name in Draft._fields)
    if "title" not in errors and not title.strip():
        errors["title"] = "must not be empty"
    if errors:
        raise InvalidDraftError(errors)
    return Draft(title.strip(), text, author.strip())


def _text_error(content: object, max_length: int) -> str | None:
    if not isinstance(content, str):
        return f"must be text, is {_kind(content)}"
    if len(content) > max_length:
        return f"must have at most {max_length} characters, has {len(content)}"
    try:
        content.encode()
    except UnicodeEncodeError as error:
        return f"has no character at offset {error.start}, but half of a surrogate pair"
    return None


def _kind(value: object) -> str:
    """The name that JSON has for it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "an array"
        case _:
            return "an object"
