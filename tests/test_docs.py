"""The documents agree with the repository: included examples, links, names of files.

`python -m tests.test_docs` brings the included examples of docs/faq.md up to date, and adds missing sections.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FAQ = ROOT / "docs" / "faq.md"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = sorted((ROOT / "examples" / "faq").glob("faq_*.py"))

INCLUDED = re.compile(r"<!-- include: (\S+) -->\n```python\n(.*?)```\n<!-- end -->\n", re.DOTALL)
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/(?:[\w.-]+\.\w+)?)`")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def included() -> dict[str, str]:
    """Path and text of each example in the FAQ, in its order."""
    return dict(INCLUDED.findall(FAQ.read_text()))


def anchors(document: Path) -> set[str]:
    """What a link to a heading may say."""
    headings = re.findall(r"^#+ (.+)$", FENCED.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_the_faq_shows_each_example_as_it_is(example: Path) -> None:
    assert included().get(named(example)) == example.read_text(), "run python -m tests.test_docs"


def test_the_faq_has_one_section_for_each_example_in_order() -> None:
    assert list(included()) == [named(example) for example in EXAMPLES]
    assert len(re.findall(r"^## ", FENCED.sub("", FAQ.read_text()), re.MULTILINE)) == len(EXAMPLES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_relative_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(FENCED.sub("", document.read_text())):
        path, _, anchor = link.partition("#")
        if "://" in link:
            continue
        target = document.parent / path if path else document
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_files_that_are_named_exist(document: Path) -> None:
    for name in FILE.findall(FENCED.sub("", document.read_text())):
        places = (ROOT, ROOT / "src" / "sansio_web")
        assert any((place / name).exists() for place in places), f"{name} does not exist"


def refresh() -> None:
    """Rewrite what is included; a new example gets a section, with question and answer from its docstring."""
    text = FAQ.read_text()
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    by_example = {found[1]: section for section in sections if (found := INCLUDED.search(section))}
    parts = [head.rstrip("\n")]
    for example in EXAMPLES:
        name = named(example)
        block = f"<!-- include: {name} -->\n```python\n{example.read_text()}```\n<!-- end -->\n"
        section = by_example.get(name)
        if section is None:
            question, answer, *_ = (ast.get_docstring(ast.parse(example.read_text())) or "").split("\n\n")
            sentences = re.split(r"(?<=[.?!]) (?=[A-Z`])", " ".join(answer.split()))
            section = f"## {question}\n\n{' '.join(sentences[:2])}\n\n{block}"
        parts.append(INCLUDED.sub(lambda _, block=block: block, section).rstrip("\n"))
    FAQ.write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    refresh()
