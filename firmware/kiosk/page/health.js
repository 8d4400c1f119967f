/* How the device is, for a technician: each check in a line, what is not well first, with what to do. */

import { button, el, printed } from "./dom.js";
import { Sheet } from "./sheet.js";
import { get } from "./wire.js";
import { t, timeOf } from "./words.js";

const ORDER = ["fail", "warn", "ok", "skipped"];
const SIGN = { ok: "●", warn: "◐", fail: "◇", skipped: "–" };

/** Opens the sheet and asks anew. */
export function showHealth() {
  const when = el("p", { class: "soft", role: "status" });
  const list = el("ul", { class: "findings" });
  const sheet = new Sheet(t("The device's health"), { name: "health" });
  const ask = (anew) =>
    sheet.attempt(async () => {
      when.textContent = t("Looking…");
      const said = await get(anew ? "/kiosk/health?again=true" : "/kiosk/health");
      const sorted = [...said.findings].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
      list.replaceChildren(...sorted.map(finding));
      when.textContent = t("As it was at {time}", { time: timeOf(said.at, true) });
    });
  const again = button({ click: () => ask(true) }, t("Look again"));
  sheet.body.append(el("div", { class: "line" }, when, again), list);
  sheet.open(again);
  ask(false);
}

function finding(one) {
  const words = {
    ok: t("in order"),
    warn: t("look at it"),
    fail: t("not in order"),
    skipped: t("not looked at"),
  };
  return el(
    "li",
    { class: `finding ${one.state}` },
    el(
      "span",
      { class: "finding-state" },
      el("span", { "aria-hidden": "true" }, SIGN[one.state] ?? "?"),
      " ",
      words[one.state] ?? one.state,
    ),
    el(
      "div",
      {},
      el("p", { dir: "auto" }, printed(one.check, { class: "check" }), one.line),
      one.fix ? el("p", { class: "fix", dir: "auto" }, one.fix) : null,
    ),
  );
}
