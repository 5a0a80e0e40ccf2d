"""Discord's markdown as the page shows it."""

import pytest
from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHOW = """async (text) => {
    const { markdown } = await import("/static/markdown.js");
    const names = { user: (id) => `user${id}`, channel: (id) => `channel${id}` };
    const box = document.createElement("div");
    box.append(...markdown(text, names));
    for (const node of box.querySelectorAll("*")) {
        for (const name of ["class", "target", "rel", "tabindex", "title", "datetime", "data-relative"]) {
            node.removeAttribute(name);
        }
    }
    return box.innerHTML;
}"""


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "**bold** *it* _it_ __under__ ~~gone~~",
            "<strong>bold</strong> <em>it</em> <em>it</em> <u>under</u> <s>gone</s>",
        ),
        (r"\*not\* \_this\_ \[x\]", "*not* _this_ [x]"),
        ("***both***", "<strong><em>both</em></strong>"),
        ("snake_case_name", "snake_case_name"),
        ("`a *b*`", "<code>a *b*</code>"),
        ("[Joe\\'s (bar)](https://a.example/b_c?d=1#2)", '<a href="https://a.example/b_c?d=1#2">Joe\'s (bar)</a>'),
        ("see https://a.example/x_y_z.", 'see <a href="https://a.example/x_y_z">https://a.example/x_y_z</a>.'),
        ("<https://a.example>", '<a href="https://a.example">https://a.example</a>'),
        ("[click](javascript:alert(1))", "[click](javascript:alert(1))"),
        ("<@12> <#34> </add city:56>", "<span>@user12</span> <span>#channel34</span> <span>/add city</span>"),
        ("<t:0:f>", "<time>January 1, 1970 at 12:00 AM</time>"),
        ("one\ntwo", "one<br>two"),
        (
            "<b>no</b> &amp; <img src=x onerror=alert(1)>",
            "&lt;b&gt;no&lt;/b&gt; &amp;amp; &lt;img src=x onerror=alert(1)&gt;",
        ),
    ],
)
async def test_inline_markdown(script: Page, text: str, html: str) -> None:
    assert await script.evaluate(SHOW, text) == f"<p>{html}</p>"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("> a\n> b\nc", "<blockquote><p>a<br>b</p></blockquote><p>c</p>"),
        ("```\n| # |\n```", "<pre><code>| # |</code></pre>"),
        ("```py\nx = 1\n```\nafter", "<pre><code>x = 1</code></pre><p>after</p>"),
        ("## head\n-# small", '<p role="heading" aria-level="4">head</p><p>small</p>'),
        ("* *a*", "<ul><li><em>a</em></li></ul>"),
        ("#pinball", "<p>#pinball</p>"),
        ("", ""),
    ],
)
async def test_block_markdown(script: Page, text: str, html: str) -> None:
    assert await script.evaluate(SHOW, text) == (html or "<p></p>")


async def test_a_relative_timestamp_follows_the_sandboxs_clock(script: Page) -> None:
    source = """async () => {
        const { relative } = await import("/static/time.js");
        return [relative(0, 90_000), relative(0, 7_200_000), relative(3_600_000, 0), relative(0, 86_400_000 * 40)];
    }"""
    assert await script.evaluate(source) == ["1 minute ago", "2 hours ago", "in 1 hour", "1 month ago"]
