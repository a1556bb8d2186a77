import http

import pytest

from sansio_web.http.status import REASONS, has_no_content, is_interim

RENAMED_BY_RFC_9110 = {
    413: b"Content Too Large",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    422: b"Unprocessable Content",
}
UNUSED_IN_THE_REGISTRY = {418}  # RFC 9110 15.5.19


def test_phrases_are_those_of_the_standard_library_but_for_what_rfc_9110_renamed() -> None:
    theirs = {int(status): status.phrase.encode() for status in http.HTTPStatus if status not in UNUSED_IN_THE_REGISTRY}
    assert dict(REASONS) == theirs | RENAMED_BY_RFC_9110


def test_the_registry_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        REASONS[200] = b"Fine"  # type: ignore[index]


def test_1xx_204_and_304_have_no_content() -> None:
    assert [status for status in REASONS if has_no_content(status)] == [100, 101, 102, 103, 204, 304]


def test_a_final_response_follows_1xx_but_not_101() -> None:
    assert [status for status in REASONS if is_interim(status)] == [100, 102, 103]
