"""The Markdown of every example's cards, as CommonMark renderers show it: our own, and that of the CDS Hooks Sandbox,
which adds GitHub's tables, strikethrough and bare links and lets HTML through (react-markdown with remark-gfm and
rehype-raw). So no card may hold what the two read otherwise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

import cds_server
from example_patients.client.ehr import SERVICE_OF_HOOK
from example_patients.stories.chart import ChartEntry, resources
from example_patients.stories.stories import hook_body
from tests.support.desk import SCENES, Desk, chart_of, moment_of, scene_of, whole_prefetch
from tests.support.tables import name_of, rows

MARKDOWN_IT = Path(cds_server.__file__).parent / "static" / "markdown-it-15.0.3.min.js"
TAGS = {"P", "UL", "LI", "STRONG"}
LEFT = re.compile(r"\*\*|__|~~|`|\\[^\s]|&\w+;|^\s*(?:[-+*#>]|\d+\.)\s|\[[^\]]*\]\(", re.MULTILINE)
READ_OTHERWISE = re.compile(r"~|<|(?:https?://|www\.)|[\w.]@\w|^\s*\|", re.MULTILINE)
HOSTILE = rows(r"""
    | text                                         | because              |
    | <img src=x onerror=alert(1)>                 | HTML                 |
    | **bold** _slanted_ `code` ~~struck~~         | marks                |
    | [here](javascript:alert(1)) ![x](http://x.y) | links and pictures   |
    | www.example.org me@example.org http://x.y    | bare links           |
    | &lt;b&gt; &amp; &#60;                        | entities             |
    | # heading > quote                            | the start of a block |
    """)


def details() -> list[str]:
    """The details of each card of each example on each hook."""
    found = []
    for _, scene in SCENES:
        prefetch = whole_prefetch(chart_of(scene.id))
        for hook in SERVICE_OF_HOOK:
            desk = Desk(now=moment_of(scene))
            answer = desk.post(hook_body(scene, desk.now, hook, prefetch=prefetch))
            found += [card["detail"] for card in answer.get_json()["cards"]]
    return list(dict.fromkeys(found))


def details_with(result: str) -> list[str]:
    """Those of a patient of whom a blood culture has this result."""
    _, scene = scene_of("5")
    (culture,) = resources([ChartEntry(moment_of(scene), "culture", result)], scene.patient_id)
    prefetch = whole_prefetch([*chart_of("5"), {**culture, "id": "culture"}])
    desk = Desk(now=moment_of(scene))
    cards = desk.post(hook_body(scene, desk.now, prefetch=prefetch)).get_json()["cards"]
    return [card["detail"] for card in cards]


@pytest.fixture
def rendered(page: Page) -> Page:
    page.set_content("<main></main>")
    page.add_script_tag(path=MARKDOWN_IT)
    return page


def shown(page: Page, detail: str) -> tuple[set[str], str]:
    """The names of the elements and the text that markdown-it makes of a detail."""
    script = """detail => {
        const main = document.querySelector("main");
        main.innerHTML = markdownit({html: false}).render(detail);
        return [[...main.querySelectorAll("*")].map(e => e.tagName), main.innerText];
    }"""
    tags, text = page.evaluate(script, detail)
    return set(tags), text


def test_no_mark_is_left_to_see_and_renderers_agree(rendered: Page) -> None:
    every = details()
    assert len(every) > 40
    assert any("**" in detail and "- " in detail for detail in every), "the marks that are looked for are really there"
    for detail in every:
        tags, text = shown(rendered, detail)
        assert tags <= TAGS, detail
        assert not LEFT.search(text), detail
        assert not READ_OTHERWISE.search(detail), detail


@pytest.mark.parametrize("row", HOSTILE, ids=name_of)
def test_a_string_of_a_record_is_shown_as_it_stands_there(row: dict[str, str], rendered: Page) -> None:
    seen = [shown(rendered, detail) for detail in details_with(row["text"])]
    assert all(tags <= TAGS for tags, _ in seen)
    assert any(row["text"] in text.replace("\u200b", "") for _, text in seen)
