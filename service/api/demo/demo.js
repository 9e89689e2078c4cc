/** The demo page: one chat window, what it says about a text, and what the text would cost. The key stays in a variable. */

import { createChecker } from "./shenyan.js";

const SAMPLES = [
  ["亲，已经为您安排发货了，预计后天送达", "generic"],
  ["我们家不是高仿，请放心购买", "kuaishou"],
  ["退款会原路退回您的微信零钱", "pinduoduo"],
  ["加我薇❤信聊：abc12345", "pinduoduo"],
  ["😊这款是髙仿的", "kuaishou"],
  ["五 星 好 评 返现5元", "taobao"],
  ["这款全网最低价，放心买", "douyin"],
];
const SAYS = {
  "zh-CN": {
    right: "可以了，开始输入吧。", wrong: "这个密钥不能用：", decisions: { allow: "放行", warn: "提醒", block: "拦截" },
    typing: "输入中", final: "发送前", disguised: "变形：", nothing: "没有发现问题", points: "分", yuan: "元", next: "之后：",
    placeholder: "输入要发给顾客的话，回车发送", first: "请先填密钥",
  },
  en: {
    right: "Ready: type something.", wrong: "This key can't be used: ",
    decisions: { allow: "allow", warn: "warn", block: "block" }, typing: "while typing", final: "before sending",
    disguised: "disguised: ", nothing: "Nothing to object to", points: "points", yuan: "CNY", next: "then: ",
    placeholder: "What would you tell the customer? Enter sends", first: "First, a key",
  },
};
const root = document.documentElement;
const at = (id) => document.getElementById(id);
const field = at("text");
let key = "", desk = null, last = null;

if (!navigator.language.toLowerCase().startsWith("zh")) root.lang = "en";
const says = () => SAYS[root.lang];
/** Each tab talks to a customer of its own, so that one's messages are not read with another's. */
const customerId = `demo-${Math.random().toString(36).slice(2)}`;
/** The service, wherever the page is mounted. */
const url = new URL(".", location.href).href;

function checker() {
  const who = { platform: at("platform").value, shopId: "demo", agentId: "demo", customerId };
  return createChecker({ url, getToken: () => key, lang: root.lang, ...who });
}

function open() {
  desk?.detach();
  field.placeholder = key ? says().placeholder : says().first;
  field.disabled = at("send").disabled = !key;
  if (!key) return;
  desk = checker().attach(field, { panel: at("panel"), onSend: deliver, onVerdict: show });
  if (field.value) desk.check();
}

function deliver(text) {
  const said = at("log").appendChild(document.createElement("li"));
  said.className = "agent";
  said.textContent = text;
  at("log").scrollTop = at("log").scrollHeight;
}

function show(verdict, { final }) {
  last = [verdict, { final }];
  at("nothing").hidden = true;
  at("shown").hidden = false;
  at("decision").textContent = says().decisions[verdict.decision];
  at("decision").className = verdict.decision;
  const latency = verdict.latency_ms == null ? "" : ` · ${verdict.latency_ms} ms`;
  at("figures").textContent = (final ? says().final : says().typing) + latency;
  at("findings").replaceChildren(...(verdict.findings.length ? verdict.findings.map(finding) : [item("", says().nothing)]));
  const costs = [...(verdict.penalty?.forecast ?? []), ...(verdict.penalty?.exposure ?? [])];
  at("costs").hidden = !costs.length;
  at("penalties").replaceChildren(...costs.map(cost));
  at("json").textContent = JSON.stringify(verdict, null, 2);
}

function finding({ text, reason, category, clauses, disguises }) {
  const dressed = disguises?.length ? `${says().disguised}${disguises.join(", ")}` : "";
  return item(text, reason, [category, ...(clauses ?? []), dressed].filter(Boolean).join(" · "));
}

function cost({ scheme, points, money, brings, next }) {
  const price = [points && `${points} ${says().points}`, money && `${money} ${says().yuan}`].filter(Boolean).join(" · ");
  return item(scheme, [price, ...brings].filter(Boolean).join("；"), next && says().next + next);
}

/** A row: its words, what is said of them, and the small print. */
function item(words, about, small) {
  const row = document.createElement("li");
  for (const [name, text] of [["b", words], ["span", about], ["small", small]]) {
    if (!text) continue;
    if (row.firstChild) row.append(" ");
    row.appendChild(document.createElement(name)).textContent = text;
  }
  return row;
}

at("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  key = at("key").value.trim();
  const { failure } = await checker().analyze("您好");
  at("key-says").className = failure ? "wrong" : "";
  at("key-says").textContent = failure ? says().wrong + failure.message : says().right;
  at("key-card").classList.toggle("ready", !failure);
  if (failure) key = "";
  else at("key").value = "";
  open();
  if (key) field.focus();
});
at("platform").addEventListener("change", open);
at("language").addEventListener("click", () => {
  root.lang = root.lang === "en" ? "zh-CN" : "en";
  at("key-says").textContent = "";
  open();
  if (last) show(...last);
});
at("samples").append(...SAMPLES.map(([text, platform]) => {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: text });
  button.addEventListener("click", () => {
    if (!key) return at("key").focus();
    at("platform").value = platform;
    field.value = text;
    open();
    return field.focus();
  });
  return button;
}));
open();
