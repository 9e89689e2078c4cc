"""The browser's module and the demo page, in a real browser and against a real server: what an agent sees and can do."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, Request, async_playwright, expect

from tests.clients.conftest import Served
from tests.docs.pages import blocks

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WATCH = """
window.wrong = [];
document.addEventListener("securitypolicyviolation", (event) => wrong.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
BLOCKED, WARNED, CLEAN = "😊这款是高仿的", "这款全网最低价，放心买", "亲，已经为您安排发货了"
MARKS = ".shenyan-marks mark"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[BrowserContext]:
    """One for all tests, with a profile of its own; each takes a page of its own."""
    if CHROMIUM is None:
        pytest.skip("no browser here: install chromium")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = await started.new_context(locale="zh-CN", viewport={"width": 1100, "height": 800})
        context.set_default_timeout(10_000)
        await context.add_init_script(WATCH)
        yield context
        await started.close()


@dataclass
class Tab:
    """The one page of the module, for a new one takes a second, and what has gone wrong in it."""

    page: Page
    said: list[str]

    async def check(self) -> None:
        """No error, no warning, nothing that the page's policy forbids; forgets it afterwards."""
        said = self.said + await self.page.evaluate("window.wrong.splice(0)")
        self.said.clear()
        assert said == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(browser: BrowserContext) -> Tab:
    tab = Tab(await browser.new_page(), [])
    tab.page.on("console", lambda each: tab.said.append(each.text) if each.type in ("error", "warning") else None)
    tab.page.on("pageerror", lambda error: tab.said.append(str(error)))
    return tab


@pytest_asyncio.fixture(loop_scope="module")
async def page(tab: Tab, served: Served) -> AsyncIterator[Page]:
    """The demo page, as it opens."""
    await tab.page.set_viewport_size({"width": 1100, "height": 800})
    await tab.page.goto(f"{served.url}/demo")
    yield tab.page
    await tab.check()


@pytest_asyncio.fixture(loop_scope="module")
async def bench(tab: Tab, served: Served) -> AsyncIterator[Page]:
    """The same for tests that bring a field of their own."""
    if not tab.page.url.startswith(served.url):
        await tab.page.goto(f"{served.url}/demo")
    yield tab.page
    await tab.check()


@pytest_asyncio.fixture(loop_scope="module")
async def desk(page: Page, served: Served) -> Page:
    """The demo page with a key."""
    await page.fill("#key", served.key)
    await page.press("#key", "Enter")
    await expect(page.locator("#text")).to_be_enabled()
    await page.select_option("#platform", "kuaishou")
    return page


def asked_of(page: Page) -> list[Request]:
    """What the page asks of the service from now on."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/v1/" in request.url else None)
    return asked


# The demo page


async def test_words_are_marked_while_they_are_typed(desk: Page, served: Served) -> None:
    recorded = len(await served.incidents())
    await desk.locator("#text").press_sequentially(BLOCKED)
    mark = desk.locator(MARKS)
    await expect(mark).to_have_text(["高仿"])
    assert await mark.get_attribute("data-action") == "block"
    assert await desk.inner_text("#decision") == "拦截"
    assert await desk.get_attribute("#text", "aria-invalid") == "true"
    described = await desk.get_attribute("#text", "aria-describedby")
    await expect(desk.get_by_role("status").and_(desk.locator(f"#{described}"))).to_contain_text("请注意")
    # Where the words are: the overlay breaks lines as the field does, so an equal text in an equal box is at an equal place.
    assert await desk.evaluate("""() => {
        const field = document.querySelector("#text"), box = field.nextElementSibling, mark = box.querySelector("mark");
        const rest = document.createRange();
        rest.setStart(box.firstChild, 0);
        rest.setEndBefore(mark);
        const at = (each) => each.getBoundingClientRect(), same = (a, b) => Math.abs(a - b) < 1.5;
        const left = at(field).left + field.clientLeft + parseFloat(getComputedStyle(field).paddingLeft);
        const canvas = document.createElement("canvas").getContext("2d");
        canvas.font = getComputedStyle(field).font;
        return same(left, at(rest).left) && same(left + canvas.measureText("😊这款是").width, at(mark).left)
            && getComputedStyle(box).lineHeight === getComputedStyle(field).lineHeight;
    }""")
    # Typing on moves the mark at once, without waiting for the next answer.
    await desk.press("#text", "Home")
    await desk.keyboard.insert_text("亲，")
    await expect(mark).to_have_text(["高仿"])
    await expect(desk.locator("#shown")).to_contain_text("kuaishou 2.8")
    suggestion = (await desk.inner_text(".shenyan-suggestion")).removeprefix("建议：")
    await desk.click(".shenyan-use")
    await expect(desk.locator("#text")).to_have_value(suggestion)
    await expect(mark).to_have_count(0)
    await desk.press("#text", "Control+z")
    await expect(mark).to_have_text(["高仿"])
    assert len(await served.incidents()) == recorded


async def test_a_block_stops_the_message(desk: Page, served: Served) -> None:
    await desk.fill("#text", BLOCKED)
    await desk.click("#send")
    await expect(desk.locator("#panel .shenyan-say")).to_contain_text("已拦截，未发送")
    assert await desk.locator("#log .agent").count() == 0
    assert await desk.input_value("#text") == BLOCKED
    await expect(desk.locator("#penalties")).to_contain_text("扰乱平台秩序")
    # Asked once more it is the same message: nothing is charged twice.
    await desk.click("#send")
    await expect(desk.locator("#json")).to_contain_text('"replayed": true', use_inner_text=False)
    customer = {each.customer_id for each in await served.incidents(agent_id="demo", text="高仿")}
    assert len(customer) == len(await served.incidents(agent_id="demo", text="高仿"))
    await desk.click(".shenyan-use")
    await desk.click("#send")
    await expect(desk.locator("#log .agent")).to_have_count(1)


async def test_a_warning_asks_and_the_reason_is_recorded(desk: Page, served: Served) -> None:
    """By keyboard alone."""
    await desk.select_option("#platform", "douyin")
    await desk.focus("#text")
    await desk.keyboard.insert_text(WARNED)
    await desk.keyboard.press("Enter")
    reason = desk.locator(".shenyan-reason")
    await expect(reason).to_be_focused()
    await desk.keyboard.press("Enter")
    await expect(reason).to_have_attribute("aria-invalid", "true")
    assert await desk.locator("#log .agent").count() == 0
    await desk.keyboard.press("Escape")
    await expect(desk.locator("#text")).to_be_focused()
    await desk.keyboard.press("Enter")
    await expect(reason).to_be_focused()
    await desk.keyboard.insert_text("顾客问起的")
    await desk.keyboard.press("Tab")
    await expect(desk.locator(".shenyan-anyway")).to_be_focused()
    await desk.keyboard.press("Enter")
    await expect(desk.locator("#log .agent")).to_have_text([WARNED])
    await expect(desk.locator("#text")).to_have_value("")
    (incident,) = await served.incidents(platform="douyin")
    assert (incident.state, incident.override_reason) == ("overridden", "顾客问起的")


async def test_an_honest_message_passes(desk: Page) -> None:
    await desk.fill("#text", CLEAN)
    await desk.press("#text", "Shift+Enter")
    assert await desk.locator("#log .agent").count() == 0
    await desk.press("#text", "Enter")
    await expect(desk.locator("#log .agent")).to_have_text([f"{CLEAN}\n"])
    await expect(desk.locator("#text")).to_have_value("")
    assert await desk.locator(".shenyan-say").is_hidden()


async def test_a_word_that_is_still_being_composed_is_left_alone(desk: Page, browser: BrowserContext) -> None:
    keyboard = await browser.new_cdp_session(desk)
    asked = asked_of(desk)
    await desk.focus("#text")
    for letters in ("g", "gao", "gao'fang"):
        await keyboard.send(
            "Input.imeSetComposition", {"text": letters, "selectionStart": len(letters), "selectionEnd": len(letters)}
        )
    # The key that takes a candidate is not the one that sends.
    await keyboard.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": "Enter", "windowsVirtualKeyCode": 229})
    await desk.wait_for_timeout(350)
    assert asked == []
    assert await desk.locator("#log .agent").count() == 0
    await keyboard.send("Input.insertText", {"text": "高仿"})
    await expect(desk.locator(MARKS)).to_have_text(["高仿"])
    assert [each.url.rpartition("/")[2] for each in asked] == ["analyze"]


async def test_a_wrong_key_is_said(page: Page, tab: Tab) -> None:
    await page.fill("#key", "not-a-key")
    await page.press("#key", "Enter")
    await expect(page.locator("#key-says")).to_contain_text("这个密钥不能用")
    assert await page.locator("#text").is_disabled()
    (refused,) = tab.said
    assert "401" in refused
    tab.said.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_telephone_and_speaks_english(desk: Page, scheme: Any) -> None:
    await desk.emulate_media(color_scheme=scheme)
    await desk.set_viewport_size({"width": 360, "height": 740})
    await desk.click("#language")
    await desk.click("#samples button:nth-child(5)")
    await expect(desk.locator(".shenyan-say")).to_contain_text("Please note")
    assert (await desk.inner_text("#decision"), await desk.inner_text("#findings span")) == (
        "block",
        "Says or implies that the goods are fake",
    )
    assert await desk.evaluate("document.documentElement.scrollWidth") == 360
    ink, paper = await desk.evaluate("""() => [document.querySelector(".shenyan-panel"), document.documentElement].map(
        (each, place) => getComputedStyle(each)[place ? "backgroundColor" : "color"])""")
    assert (brightness(ink) < brightness(paper)) is (scheme == "light")


def brightness(colour: str) -> int:
    return sum(map(int, colour[colour.index("(") + 1 : -1].split(",")[:3]))


# The module by itself: a server that answers as the test says

HARNESS = """
async ([answers, options]) => {
    const { createChecker } = await import("/demo/shenyan.js");
    const asked = [], sent = [];
    const verdict = { decision: "allow", findings: [], agent_message: "", suggestion: "", incident_id: null, degraded: [] };
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const eventually = async (holds) => { for (let turn = 0; turn < 1000 && !holds(); turn += 1) await pause(5); };
    const answer = (status, body, headers) =>
        new Response(JSON.stringify(status < 300 ? { ...verdict, ...body } : body), { status, headers });
    const fetch = async (url, { body, signal, headers }) => {
        asked.push({ path: new URL(url, location).pathname, ...JSON.parse(body), key: headers.Authorization });
        const next = answers.shift() ?? [200, {}];
        if (next === "hang") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        if (next === "down") throw new TypeError("no connection");
        return answer(...next);
    };
    const who = { platform: "jd", shopId: "s", agentId: "a" };
    const checker = createChecker({ ...who, key: "k", timeoutMs: 1500, fetch, ...options });
    document.querySelector("#bench")?.remove();
    const bench = document.body.appendChild(document.createElement("div"));
    bench.id = "bench";
    const field = bench.appendChild(document.createElement("textarea"));
    const desk = checker.attach(field, { debounceMs: 10, onSend: (text) => { sent.push(text); } });
    const panel = field.nextElementSibling.nextElementSibling;
    const type = (text) => { field.value = text; field.dispatchEvent(new InputEvent("input")); };
    STEPS
}
"""


async def run(bench: Page, steps: str, *answers: Any, **options: Any) -> Any:
    """What `steps` return: JavaScript with `checker`, `desk`, `field`, `panel`, `type`, and what was `asked` and `sent`."""
    return await bench.evaluate(HARNESS.replace("STEPS", steps), [list(answers), options])


async def test_a_try_again_is_the_same_message(bench: Page) -> None:
    steps = 'field.value = "x"; await desk.send(); return [asked.map((each) => each.message_id), sent];'
    ids, sent = await run(bench, steps, "down", [503, {}], [429, {"code": "rate_limited"}, {"Retry-After": "0"}])
    assert (len(ids), len(set(ids)), len(ids[0]), sent) == (4, 1, 32, ["x"])
    # The next message has an id of its own, even with the same words; what was not decided keeps its id.
    steps = """field.value = "x"; await desk.send(); field.value = "x"; await desk.send(); await desk.send();
        return asked.map((each) => each.message_id);"""
    first, second, third = await run(bench, steps, [200, {}], [400, {}], [200, {}])
    assert (first != second, second == third) == (True, True)


@pytest.mark.parametrize(("action", "sent"), [("allow", ["x"]), ("warn", []), ("block", [])])
async def test_the_fail_action_decides_and_says_so(bench: Page, action: str, sent: Sequence[str]) -> None:
    steps = 'field.value = "x"; const v = await desk.send(); return [v.decision, v.degraded, sent, panel.innerText];'
    decision, degraded, given, said = await run(bench, steps, "hang", onFailure=action, timeoutMs=60, lang="en")
    assert (decision, degraded, given) == (action, ["service: timeout"], sent)
    assert ("could not be checked (timeout)" in said) is (action != "allow")


async def test_after_a_failure_a_person_can_send_and_there_is_nothing_to_override(bench: Page) -> None:
    steps = """field.value = "x"; await desk.send(); panel.querySelector("input").value = "seen";
        panel.querySelector(".shenyan-anyway").click(); await eventually(() => sent.length); return [sent, asked.length];"""
    assert await run(bench, steps, [403, {"code": "forbidden"}]) == [["x"], 1]


async def test_a_reason_that_cannot_be_recorded_holds_the_message_where_failures_block(bench: Page) -> None:
    steps = """field.value = "x"; await desk.send(); panel.querySelector("input").value = "seen";
        panel.querySelector(".shenyan-anyway").click(); await eventually(() => panel.innerText.includes("not sent"));
        return [sent, asked.at(-1), panel.innerText];"""
    warned = [200, {"decision": "warn", "incident_id": "i/1", "agent_message": "m"}]
    sent, asked, said = await run(
        bench, steps, warned, [409, {"code": "not_overridable"}], onFailure="block", lang="en"
    )
    assert (sent, asked["path"], asked["reason"]) == ([], "/v1/incidents/i%2F1/override", "seen")
    assert "not sent (not_overridable)" in said


async def test_the_last_answer_wins(bench: Page) -> None:
    """The answer about the first text comes last, from a fetch that can't be aborted."""
    steps = """
        const late = [];
        const slow = createChecker({ ...who, fetch: (_, { body }) => new Promise((resolve) =>
            late.push(() => resolve(answer(200, { decision: "block", findings: [
                { field: "text", action: "block", utf16_start: 0, utf16_end: JSON.parse(body).text.length }] })))) });
        desk.detach();
        slow.attach(field, { debounceMs: 0 });
        const marks = () => [...field.nextElementSibling.querySelectorAll("mark")].map((each) => each.textContent);
        type("one"); await eventually(() => late.length === 1); type("second"); await eventually(() => late.length === 2);
        late[1](); await eventually(() => marks().length); const before = marks(); late[0](); await pause(50);
        return [late.length, before, marks()];"""
    assert await run(bench, steps) == [2, ["second"], ["second"]]


async def test_what_the_server_says_is_text(bench: Page) -> None:
    evil = '<img src="//example.invalid/x" onerror="wrong.push(1)">'
    steps = 'field.value = "x"; await desk.send(); return [panel.innerText, document.querySelectorAll("img").length];'
    said, images = await run(bench, steps, [200, {"decision": "block", "agent_message": evil, "suggestion": evil}])
    assert (said.count(evil), images) == (2, 0)


async def test_keys_come_from_where_the_page_says(bench: Page) -> None:
    steps = """
        let turn = 0;
        const ask = (getToken) => createChecker({ ...who, getToken, fetch, timeoutMs: 60 }).analyze("x");
        await ask(async () => `t${turn += 1}`); await ask(() => `t${turn += 1}`); await ask(undefined);
        const failed = await ask(() => Promise.reject(new Error("secret"))), never = await ask(() => new Promise(() => {}));
        return [asked.map((each) => each.key), failed.degraded, never.degraded];"""
    keys, failed, never = await run(bench, steps)
    assert keys == ["Bearer t1", "Bearer t2", None]
    assert (failed, never) == (["service: no_token"], ["service: timeout"])


async def test_when_it_lets_go_nothing_is_left(bench: Page) -> None:
    steps = """desk.detach(); type("x"); await pause(30);
        return [asked.length, field.nextElementSibling, field.getAttributeNames().filter((each) => each.startsWith("aria"))];"""
    assert await run(bench, steps) == [0, None, []]


async def test_marks_move_with_their_words_and_the_stricter_one_shows(bench: Page) -> None:
    moved, pieces = await bench.evaluate("""async () => {
        const { moved, segments } = await import("/demo/shenyan.js");
        const mark = (start, end, action = "warn") => ({ start, end, action });
        const places = (before, after, ...marks) => moved(marks, before, after).map(({ start, end }) => [start, end]);
        return [[places("ab", "xab", mark(1, 2)), places("ab", "abx", mark(0, 1)), places("abc", "axc", mark(1, 2), mark(2, 3)),
            places("abcd", "abxcd", mark(1, 3)), places("ab", "", mark(0, 2)), places("aa", "aaa", mark(0, 1), mark(1, 2))],
            [segments("abcd", [mark(0, 3), mark(1, 2, "block"), mark(2, 9)]), segments("", [mark(0, 1)])]
                .map((each) => each.map(({ text, action }) => [text, action ?? null]))];
    }""")
    assert moved == [[[2, 3]], [[0, 1]], [[2, 3]], [], [], [[0, 1], [1, 2]]]
    assert pieces == [[["a", "warn"], ["b", "block"], ["c", "warn"], ["d", None]], []]


# A page of another origin

ELSEWHERE = """
async ([script, url, key]) => {
    const { createChecker } = await import(script);
    const who = { platform: "kuaishou", shopId: "s", agentId: "elsewhere", timeoutMs: 5000 };
    const ask = (key) => createChecker({ url, key, ...who }).moderate("这款是高仿的");
    return (await Promise.all([ask(key), ask("wrong")])).map((each) => [each.decision, each.failure?.code ?? null]);
}
"""


async def test_a_page_of_a_named_origin_may_ask_and_reads_refusals(browser: BrowserContext, served: Served) -> None:
    page = await browser.new_page()
    await page.goto(f"{served.other_origin}/livez")
    script = f"{served.other_origin}/demo/shenyan.js"
    assert await page.evaluate(ELSEWHERE, [script, served.url, served.key]) == [
        ["block", None],
        ["warn", "unauthorized"],
    ]
    await page.close()


async def test_a_page_of_any_other_may_not(browser: BrowserContext, served: Served) -> None:
    page = await browser.new_page()
    await page.goto(f"{served.url}/livez")
    ask = "([url, key]) => fetch(`${url}/v1/incidents`, { headers: { Authorization: `Bearer ${key}` } }).then(() => 1, () => 0)"
    assert await page.evaluate(ask, [served.other_origin, served.key]) == 0
    await page.close()


# What the documentation shows

CHAT = """
window.sent = [];
window.chat = { send: (text) => sent.push(text) };
window.process = { env: {} };
document.body.replaceChildren(document.createElement("textarea"));
"""


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/how-to/connect-a-chat-client.md"])
async def test_the_lines_for_a_chat_page_work(browser: BrowserContext, served: Served, name: str) -> None:
    code = next(block.text for block in blocks(name) if block.language == "js" and "import" in block.text)
    page = await browser.new_page()
    await page.goto(f"{served.other_origin}/livez")
    await page.evaluate(CHAT)
    await page.evaluate("(key) => { window.keyOfThisDesk = () => key; }", served.key)
    code = code.replace("./shenyan.js", "/demo/shenyan.js").replace("http://127.0.0.1:8000", served.url)
    await page.add_script_tag(content=code, type="module")
    field = page.locator("textarea[aria-describedby]")
    await field.fill(BLOCKED)
    await expect(page.locator(MARKS)).to_have_text(["高仿"])
    await field.press("Enter")
    await expect(page.locator(".shenyan-panel")).to_have_attribute("data-decision", "block")
    await field.fill(CLEAN)
    await field.press("Enter")
    await expect(field).to_have_value("")
    assert await page.evaluate("sent") == [CLEAN]
    await page.close()


async def test_the_lines_for_a_server_in_javascript_work(bench: Page, served: Served) -> None:
    code = next(b.text for b in blocks("docs/how-to/connect-a-chat-client.md") if "maySend" in b.text)
    ask = f"""async ([key, texts]) => {{
        const process = {{ env: {{ MODERATION_KEY: key }} }}, shown = [];
        {code.replace("http://127.0.0.1:8000", served.url)}
        const who = {{ platform: "kuaishou", shop_id: "s", agent_id: "a" }};
        const may = (text) => maySend({{ text, ...who }}, (...said) => shown.push(said) > 0);
        return [await Promise.all(texts.map(may)), shown.length];
    }}"""
    assert await bench.evaluate(ask, [served.key, [CLEAN, WARNED, BLOCKED]]) == [[True, True, False], 1]
