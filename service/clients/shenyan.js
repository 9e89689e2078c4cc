/**
 * Shenyan in a chat page: marks words while the agent types, and decides before a message is sent.
 *
 *     import { createChecker } from "./shenyan.js";
 *     const checker = createChecker({ url: "https://shenyan.example.com", getToken, platform: "jd", shopId: "s1", agentId: "a1" });
 *     checker.attach(document.querySelector("textarea"), { onSend: (text) => socket.send(text) });
 *
 * One file without dependencies. What the server says is shown as text, never as markup; styles are a constructed sheet,
 * so a strict Content-Security-Policy needs no exception. Nothing is logged or kept.
 *
 * @typedef {"allow" | "warn" | "block"} Decision
 *
 * @typedef {object} Finding           Words that are objected to; offsets count as JavaScript does.
 * @property {Decision} action
 * @property {string} field            "text", or where else it was found
 * @property {number} utf16_start
 * @property {number} utf16_end
 * @property {string} reason
 *
 * @typedef {object} Verdict           The service's answer, word for word; see docs/how-to/read-an-answer.md.
 * @property {Decision} decision
 * @property {Finding[]} findings
 * @property {string} agent_message
 * @property {string} suggestion
 * @property {string | null} incident_id
 * @property {string[]} degraded       what was not inspected; "service: ..." when the fail action decided
 *
 * @typedef {object} Options
 * @property {string} [url]            the service, or your own proxy of it; default: where the page comes from
 * @property {string} [key]            a key of role `client`, never an admin's: whoever opens the page can read it
 * @property {() => string | Promise<string>} [getToken]  asked before each request; for keys that your server hands out
 * @property {string} platform         whose rules apply: pinduoduo, kuaishou, taobao, tmall, jd, douyin, generic
 * @property {string} shopId
 * @property {string} agentId
 * @property {string} [conversationId]
 * @property {string} [customerId]
 * @property {string} [channel]        "chat" or "review_reply"
 * @property {string} [lang]           "zh-CN" or "en"; default: the page's
 * @property {number} [timeoutMs]      for a decision with all its tries; default 2000
 * @property {Decision} [onFailure]    what to do when there is no answer by then; default "warn"
 * @property {typeof fetch} [fetch]
 *
 * @typedef {object} AttachOptions
 * @property {(text: string, verdict: Verdict) => unknown} [onSend]  sends; `false` keeps the text. Default: submits the form
 * @property {(verdict: Verdict, about: {text: string, final: boolean}) => void} [onVerdict]  `final`: before sending
 * @property {HTMLElement} [panel]     where to speak; default: a new element below the field
 * @property {number} [debounceMs]     default 250
 * @property {boolean} [sendOnEnter]   default true; Shift+Enter is a new line
 */

const SAYS = {
  zh: {
    use: "用这句", anyway: "仍然发送", reason: "仍要发送的理由", back: "返回修改", suggestion: "建议：", blocked: "已拦截，未发送",
    warned: "请确认", typing: "请注意", unchecked: "未能检查这条消息", needed: "请先写明理由", unrecorded: "未能记录，消息没有发送",
  },
  en: {
    use: "Use this", anyway: "Send anyway", reason: "Why it should be sent", back: "Back to the text",
    suggestion: "Suggestion: ", blocked: "Blocked, not sent", warned: "Please confirm", typing: "Please note",
    unchecked: "This message could not be checked", needed: "Please say why",
    unrecorded: "Could not be recorded; the message was not sent",
  },
};
const STRICTER = { allow: 0, warn: 1, block: 2 };
/** What must be the same for two boxes to break their lines at the same places. */
const METRICS = [
  "font", "fontFeatureSettings", "fontKerning", "fontVariationSettings", "letterSpacing", "wordSpacing", "lineHeight",
  "textIndent", "textTransform", "textAlign", "textRendering", "direction", "tabSize", "whiteSpace", "wordBreak",
  "overflowWrap", "lineBreak", "hyphens", "paddingTop", "paddingRight", "paddingBottom", "paddingLeft",
];
const CSS = `
.shenyan-marks{position:absolute;box-sizing:border-box;margin:0;overflow:hidden;pointer-events:none;color:transparent;
 background:none;border:0;--w:#b45309;--b:#dc2626}
.shenyan-marks mark{color:transparent;border-radius:3px;text-decoration:underline 2px;text-decoration-skip-ink:none;
 text-underline-offset:3px}
.shenyan-marks mark[data-action=warn]{background:color-mix(in srgb,var(--w) 20%,transparent);text-decoration-color:var(--w)}
.shenyan-marks mark[data-action=block]{background:color-mix(in srgb,var(--b) 20%,transparent);text-decoration-color:var(--b)}
.shenyan-panel{--ink:#1c2024;--w:#b45309;--b:#dc2626;color:var(--ink);font-size:.9em;line-height:1.5;overflow-wrap:anywhere}
.shenyan-panel [hidden]{display:none!important}
.shenyan-say{padding:.5em .75em;border-left:3px solid var(--w);border-radius:4px;
 background:color-mix(in srgb,var(--w) 9%,transparent)}
.shenyan-panel[data-decision=block] .shenyan-say{border-color:var(--b);background:color-mix(in srgb,var(--b) 9%,transparent)}
.shenyan-say p{margin:0}.shenyan-say strong{font-weight:600}
.shenyan-do{display:flex;flex-wrap:wrap;gap:.5em;padding:.5em 0 0}.shenyan-do input{flex:1 1 12em;min-width:0}
.shenyan-do :is(button,input){font:inherit;color:inherit;background:none;
 border:1px solid color-mix(in srgb,currentColor 35%,transparent);border-radius:6px;padding:.35em .8em;min-height:2.2em}
.shenyan-do button{cursor:pointer}.shenyan-do :is(button,input):focus-visible{outline:2px solid #2563eb;outline-offset:1px}
@media(prefers-color-scheme:dark){.shenyan-panel{--ink:#e4e7eb}.shenyan-panel,.shenyan-marks{--w:#f59e0b;--b:#f87171}}
`;
let sheet;

/** No answer that could be used; `code` is the service's own, or "timeout", "unreachable", "not_a_verdict", "no_token". */
export class ShenyanError extends Error {
  constructor(code, detail = code, status = 0) {
    super(detail);
    Object.assign(this, { name: "ShenyanError", code, status });
  }
}

/** @param {Options} options */
export function createChecker(options) {
  const { timeoutMs = 2000, onFailure = "warn", lang = document.documentElement.lang || "zh-CN" } = options;
  if (!(onFailure in STRICTER)) throw new TypeError("onFailure is allow, warn or block");
  const says = lang.toLowerCase().startsWith("en") ? SAYS.en : SAYS.zh;
  const fields = { platform: options.platform, shop_id: options.shopId, agent_id: options.agentId, channel: options.channel,
    conversation_id: options.conversationId, customer_id: options.customerId };

  /** POSTs, and tries again under the same id while there is time. Throws ShenyanError, or the signal's reason. */
  async function ask(path, body, signal) {
    const ends = performance.now() + timeoutMs;
    for (let pause = 100; ; pause = Math.min(2 * pause, 1000)) {
      const { answer, failure, wait = pause * (0.5 + Math.random() / 2) } = await attempt(path, body, signal, ends);
      if (answer) return answer;
      if (failure.final || performance.now() + wait >= ends) throw failure;
      await until(new Promise((resolve) => setTimeout(resolve, wait)), signal);
    }
  }

  async function attempt(path, body, signal, ends) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), Math.max(1, ends - performance.now()));
    const give = () => stop.abort();
    signal?.addEventListener("abort", give);
    try {
      const headers = { "Content-Type": "application/json", "Accept-Language": says === SAYS.en ? "en" : "zh-CN" };
      const key = options.getToken ? await until(token(options.getToken), stop.signal) : options.key;
      if (key) headers.Authorization = `Bearer ${key}`;
      const request = { method: "POST", headers, body: JSON.stringify(body), signal: stop.signal };
      const response = await (options.fetch ?? fetch)((options.url ?? "").replace(/\/+$/, "") + path, request);
      const answer = await response.json().catch(() => null);
      if (response.ok && answer) return { answer };
      const code = answer?.code ?? (response.ok ? "not_a_verdict" : `http_${response.status}`);
      const failure = new ShenyanError(code, answer?.detail, response.status);
      failure.final = response.status >= 300 && response.status < 500 && response.status !== 429;
      const after = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
      return { failure, wait: after >= 0 ? after * 1000 : undefined };
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ShenyanError) return { failure: Object.assign(error, { final: true }) };
      return { failure: new ShenyanError(stop.signal.aborted ? "timeout" : "unreachable") };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", give);
    }
  }

  /** The verdict; the fail action's when there is none. Throws only when the signal is aborted. */
  async function decide(path, text, more, signal) {
    try {
      const verdict = await ask(path, { ...fields, ...more, text }, signal);
      if (!(verdict.decision in STRICTER)) throw new ShenyanError("not_a_verdict");
      return verdict;
    } catch (error) {
      signal?.throwIfAborted();
      const agent_message = onFailure === "allow" ? "" : `${says.unchecked} (${error.code ?? error.name})`;
      return {
        decision: onFailure, findings: [], agent_message, suggestion: "", masked_text: text, incident_id: null,
        recorded: "none", degraded: [`service: ${error.code ?? error.name}`], failure: error,
      };
    }
  }

  const checker = {
    says,
    onFailure,
    /** Decides only. @param {string} text @param {{signal?: AbortSignal}} [how] @returns {Promise<Verdict>} */
    analyze: (text, { signal } = {}) => decide("/v1/analyze", text, {}, signal),
    /**
     * Decides and records; the same `messageId` for the same text is one message, however often it is asked about.
     * @param {string} text
     * @param {{messageId?: string, attachments?: object[], signal?: AbortSignal}} [how]
     * @returns {Promise<Verdict>}
     */
    moderate: (text, { messageId = newId(), attachments, signal } = {}) =>
      decide("/v1/moderate", text, { message_id: messageId, attachments }, signal),
    /** Says that a warned message is sent all the same. Throws ShenyanError. @param {string} incidentId @param {string} reason */
    override: (incidentId, reason) => ask(`/v1/incidents/${encodeURIComponent(incidentId)}/override`, { reason }),
    /** Checks what is typed into a field, and what leaves it. @param {HTMLTextAreaElement} field @param {AttachOptions} [how] */
    attach: (field, how) => attach(checker, field, how),
  };
  return checker;
}

function attach(checker, field, { onSend, onVerdict, panel: place, debounceMs = 250, sendOnEnter = true } = {}) {
  const overlay = makeOverlay(field);
  const panel = makePanel(checker.says, field, place);
  const gone = new AbortController();
  const on = (target, kind, act) => target.addEventListener(kind, act, { signal: gone.signal });
  let marks = [], before = field.value, composing = false, sending = false, timer = 0, asked = new AbortController();
  /** The text that was asked about last and its id: asked about again it is the same message. */
  let pending = { text: "", id: "" };

  function show(verdict) {
    marks = verdict.findings.filter((each) => each.field === "text" && each.utf16_end > each.utf16_start)
      .map(({ utf16_start, utf16_end, action }) => ({ start: utf16_start, end: utf16_end, action }));
    overlay.draw(field.value, marks);
    field.setAttribute("aria-invalid", String(verdict.decision !== "allow"));
  }

  function forget() {
    clearTimeout(timer);
    asked.abort();
  }

  function changed() {
    forget();
    marks = moved(marks, before, field.value);
    before = field.value;
    overlay.draw(before, marks);
    if (composing || sending) return;
    if (field.value.trim()) timer = setTimeout(check, debounceMs);
    else clear();
  }

  function clear() {
    marks = [];
    overlay.draw("", marks);
    panel.clear();
    field.setAttribute("aria-invalid", "false");
  }

  /** Asks about what stands there now; an answer that comes after the next change is not looked at. */
  async function check() {
    forget();
    const text = field.value, { signal } = (asked = new AbortController());
    const verdict = await checker.analyze(text, { signal }).catch(() => null);
    if (!verdict || signal.aborted || text !== field.value) return null;
    // While typing nothing is decided, so a failure needs no action: the message is asked about again before it is sent.
    if (verdict.failure) return verdict;
    show(verdict);
    panel.show(verdict, "typing", { use: verdict.suggestion && useSuggestion });
    onVerdict?.(verdict, { text, final: false });
    return verdict;
  }

  function useSuggestion(text) {
    field.focus();
    field.select();
    // The old way is the one that undo knows of, and that frameworks hear.
    if (!document.execCommand("insertText", false, text)) {
      field.setRangeText(text, 0, field.value.length, "end");
      field.dispatchEvent(new InputEvent("input", { bubbles: true, data: text, inputType: "insertReplacementText" }));
    }
  }

  /** Decides, and sends what may be sent. @returns {Promise<Verdict | null>} */
  async function send() {
    const text = field.value;
    if (sending || composing || !text.trim()) return null;
    forget();
    sending = true;
    field.readOnly = true;
    field.setAttribute("aria-busy", "true");
    if (pending.text !== text) pending = { text, id: newId() };
    const { id } = pending;
    try {
      const verdict = await checker.moderate(text, { messageId: id, signal: gone.signal });
      show(verdict);
      onVerdict?.(verdict, { text, final: true });
      if (verdict.decision === "allow") await deliver(text, verdict);
      else ask(text, verdict);
      return verdict;
    } catch (error) {
      if (gone.signal.aborted) return null;
      throw error;
    } finally {
      sending = false;
      field.readOnly = false;
      field.removeAttribute("aria-busy");
    }
  }

  function ask(text, verdict) {
    const use = verdict.suggestion && useSuggestion;
    if (verdict.decision === "block") return panel.show(verdict, "blocked", { use });
    const anyway = (reason) => sendAnyway(text, verdict, reason);
    return panel.show(verdict, "warned", { use, anyway, back: () => field.focus() });
  }

  async function sendAnyway(text, verdict, reason) {
    if (sending || field.value !== text) return;
    sending = true;
    try {
      if (verdict.incident_id) await checker.override(verdict.incident_id, reason);
    } catch (error) {
      if (checker.onFailure === "block" || error.final) return panel.say(`${checker.says.unrecorded} (${error.code})`);
    } finally {
      sending = false;
    }
    await deliver(text, verdict);
  }

  async function deliver(text, verdict) {
    // Before it is sent: the same words once more are another message.
    pending = { text: "", id: "" };
    if (onSend ? (await onSend(text, verdict)) === false : field.form?.submit()) return;
    if (onSend && field.value === text) field.value = before = "";
    clear();
    field.focus();
  }

  on(field, "input", changed);
  on(field, "compositionstart", () => { composing = true; forget(); });
  on(field, "compositionend", () => { composing = false; changed(); });
  on(field, "scroll", overlay.follow);
  on(field, "keydown", (event) => {
    // 229: a browser that ends the composition before it tells of the key that ended it.
    if (!sendOnEnter || event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    send();
  });
  if (field.form) on(field.form, "submit", (event) => { event.preventDefault(); send(); });
  const detach = () => {
    forget();
    gone.abort();
    overlay.remove();
    panel.remove();
    field.removeAttribute("aria-invalid");
  };
  return { check, send, detach };
}

/** A box over the field with the same text, unseen but for its marks. */
function makeOverlay(field) {
  adoptStyles(field.ownerDocument);
  const box = element("div", { className: "shenyan-marks", ariaHidden: "true" });
  field.after(box);
  const fit = () => {
    const style = getComputedStyle(field);
    for (const name of METRICS) box.style[name] = style[name];
    box.style.left = `${field.offsetLeft + field.clientLeft}px`;
    box.style.top = `${field.offsetTop + field.clientTop}px`;
    box.style.width = `${field.clientWidth}px`;
    box.style.height = `${field.clientHeight}px`;
    follow();
  };
  const follow = () => { box.scrollTop = field.scrollTop; box.scrollLeft = field.scrollLeft; };
  const watch = new ResizeObserver(fit);
  watch.observe(field);
  watch.observe(field.ownerDocument.documentElement);
  return {
    follow,
    draw(text, marks) {
      box.replaceChildren(...segments(text, marks).map(({ text, action }) => {
        if (!action) return text;
        const mark = element("mark", { textContent: text });
        mark.dataset.action = action;
        return mark;
      }), "\n");
      fit();
    },
    remove() { watch.disconnect(); box.remove(); },
  };
}

/** Where it is said what is wrong, and what can be done. Screen readers hear it when it changes. */
function makePanel(says, field, place) {
  const panel = place ?? field.parentElement.insertBefore(element("div"), field.nextElementSibling.nextSibling);
  const spoken = { role: "status", ariaLive: "polite", id: `shenyan-${newId()}` };
  const say = element("div", { className: "shenyan-say", hidden: true, ...spoken });
  const act = element("div", { className: "shenyan-do", hidden: true });
  panel.classList.add("shenyan-panel");
  panel.append(say, act);
  field.setAttribute("aria-describedby", say.id);
  const set = (lines, controls) => {
    say.replaceChildren(...lines);
    act.replaceChildren(...controls);
    say.hidden = !lines.length;
    act.hidden = !controls.length;
  };
  const button = (label, name, act) => {
    const made = element("button", { type: "button", textContent: label, className: `shenyan-${name}` });
    made.addEventListener("click", act);
    return made;
  };
  const clear = () => { delete panel.dataset.decision; set([], []); };
  return {
    clear,
    say: (text) => say.append(element("p", { textContent: text })),
    show(verdict, heading, { use, anyway, back }) {
      if (verdict.decision === "allow") return clear();
      panel.dataset.decision = verdict.decision;
      say.ariaLive = heading === "typing" ? "polite" : "assertive";
      const message = element("p");
      message.append(element("strong", { textContent: `${says[heading]}  ` }), verdict.agent_message);
      const lines = [message], controls = [];
      if (use) {
        lines.push(element("p", { className: "shenyan-suggestion", textContent: says.suggestion + verdict.suggestion }));
        controls.push(button(says.use, "use", () => use(verdict.suggestion)));
      }
      if (anyway) {
        const named = { placeholder: says.reason, ariaLabel: says.reason, autocomplete: "off", maxLength: 1000 };
        const reason = element("input", { className: "shenyan-reason", ...named });
        const go = () => {
          if (reason.value.trim()) return anyway(reason.value.trim());
          Object.assign(reason, { placeholder: says.needed, ariaInvalid: "true" });
          return reason.focus();
        };
        reason.addEventListener("keydown", (event) => {
          if (event.key === "Escape") back();
          if (event.key === "Enter" && !event.isComposing && event.keyCode !== 229) { event.preventDefault(); go(); }
        });
        controls.push(button(says.back, "back", back), reason, button(says.anyway, "anyway", go));
        set(lines, controls);
        return reason.focus();
      }
      return set(lines, controls);
    },
    remove() {
      clear();
      field.removeAttribute("aria-describedby");
      for (const each of place ? [say, act] : [panel]) each.remove();
    },
  };
}

/** A text as pieces with and without a mark; where marks overlap, the stricter one shows. */
export function segments(text, marks) {
  const inside = marks.filter((each) => each.start < each.end && each.end <= text.length);
  const cuts = [...new Set([0, text.length, ...inside.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, index) => {
    const over = inside.filter((each) => each.start <= cuts[index] && end <= each.end).map((each) => each.action);
    return { text: text.slice(cuts[index], end), action: over.sort((a, b) => STRICTER[b] - STRICTER[a])[0] };
  });
}

/** Marks where their words are after a change; those whose words were touched are gone. */
export function moved(marks, before, after) {
  let head = 0, tail = 0;
  const most = Math.min(before.length, after.length);
  while (head < most && before[head] === after[head]) head += 1;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const by = after.length - before.length;
  return marks.flatMap((mark) => {
    if (mark.end <= head) return [mark];
    return mark.start >= before.length - tail ? [{ ...mark, start: mark.start + by, end: mark.end + by }] : [];
  });
}

function until(promise, signal) {
  if (!signal) return promise;
  const end = new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([promise, end]);
}

async function token(getToken) {
  try {
    return await getToken();
  } catch {
    throw new ShenyanError("no_token");
  }
}

/** 128 random bits; crypto.randomUUID is missing on pages without https. */
function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

function adoptStyles(owner) {
  if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(CSS);
  if (!owner.adoptedStyleSheets.includes(sheet)) owner.adoptedStyleSheets = [...owner.adoptedStyleSheets, sheet];
}
