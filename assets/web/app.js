// Everything works without this file. With it: pages live, forms answer in place, keys.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const csrf = () => $('meta[name="csrf"]')?.content ?? "";

  document.documentElement.classList.add("js");

  // Toasts ------------------------------------------------------------------------------------

  function toast(text, { keep = false, action } = {}) {
    const slot = $("#toasts");
    if (!slot || !text) return null;
    const box = document.createElement("div");
    box.className = "toast";
    const words = document.createElement("span");
    words.textContent = text;
    box.append(words);
    if (action) box.append(action);
    if (keep) {
      const close = document.createElement("button");
      close.type = "button";
      close.textContent = "Закрыть";
      close.onclick = () => box.remove();
      box.append(close);
    }
    slot.append(box);
    while (slot.children.length > 3) slot.firstChild.remove();
    if (!keep) setTimeout(() => box.remove(), 6000);
    return box;
  }

  // Forms that answer in place ------------------------------------------------------------------

  function busy(form, button, on) {
    form.dataset.busy = on ? "yes" : "";
    if (button) button.setAttribute("aria-busy", String(on));
  }

  async function send(form, button, fields) {
    const data = new URLSearchParams(new FormData(form));
    if (button?.name) data.set(button.name, button.value);
    for (const [name, value] of Object.entries(fields ?? {})) data.set(name, value);
    return fetch(form.action, {
      method: "POST",
      body: data,
      headers: { "X-CSRF-Token": csrf() },
      credentials: "same-origin",
    });
  }

  // Puts those parts of a fresh page in place that are marked as live.
  function swap(fresh, { quiet = false } = {}) {
    const focused = document.activeElement;
    for (const part of $$("[data-live]")) {
      const next = fresh.getElementById(part.id);
      if (!next) continue;
      if (quiet && part.contains(focused) && focused.matches("input, textarea, select")) continue;
      if (part.isEqualNode(next)) continue;
      const scrolled = part.scrollLeft;
      const focusKey = part.contains(focused) ? focused.getAttribute("data-focus") || focused.id : "";
      part.replaceWith(document.adoptNode(next));
      next.scrollLeft = scrolled;
      if (focusKey) ($(`#${CSS.escape(focusKey)}`) || $(`[data-focus="${CSS.escape(focusKey)}"]`))?.focus();
    }
    swapRows(fresh);
    for (const counter of $$("[data-counter]")) {
      const next = fresh.querySelector(`[data-counter="${counter.dataset.counter}"]`);
      if (next) {
        counter.hidden = next.hidden;
        counter.innerHTML = next.innerHTML;
      }
    }
    document.title = fresh.title;
  }

  // Rows that are being read stay where they are; new ones wait behind a bar.
  function swapRows(fresh) {
    const list = $("[data-rows]");
    const next = list && fresh.getElementById(list.id);
    if (!list || !next) return;
    const had = new Map($$("[data-row]", list).map((row) => [row.id, row]));
    let added = 0;
    for (const row of $$("[data-row]", next)) {
      const old = had.get(row.id);
      if (!old) added += 1;
      else if (!old.isEqualNode(row) && !old.contains(document.activeElement)) {
        const replacement = document.adoptNode(row);
        old.replaceWith(replacement);
      }
    }
    const bar = $("[data-fresh]");
    if (bar && list.dataset.first === "yes") {
      bar.hidden = added === 0;
      const words = $("[data-fresh-words]", bar);
      if (words) words.textContent = plural(added, bar.dataset.forms.split("|"));
    }
  }

  function plural(n, [one, few, many]) {
    const tens = n % 100;
    const word = n % 10 === 1 && tens !== 11 ? one
      : n % 10 >= 2 && n % 10 <= 4 && (tens < 12 || tens > 14) ? few : many;
    return `${n}\u00a0${word}`;
  }

  async function page(url) {
    const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (response.redirected && new URL(response.url).pathname === "/admin/login") {
      location.reload();
      throw new Error("signed out");
    }
    if (!response.ok) throw new Error(String(response.status));
    return new DOMParser().parseFromString(await response.text(), "text/html");
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const button = event.submitter;
    const question = button?.dataset.confirm || form.dataset.confirm;
    if (question && !form.dataset.confirmed) {
      event.preventDefault();
      if (await ask(question, button?.textContent.trim() || "Да")) {
        form.dataset.confirmed = "yes";
        form.requestSubmit(button);
        form.dataset.confirmed = "";
      }
      return;
    }
    if (form.matches("[data-say], [data-press], [data-contact]")) return chatSubmit(event, form, button);
    if (!form.matches("[data-swap]")) {
      dirty.delete(form);
      return;
    }
    event.preventDefault();
    if (form.dataset.busy === "yes") return;
    busy(form, button, true);
    try {
      const response = await send(form, button);
      if (response.status === 401 || response.status === 403) {
        // The server's own page keeps what was typed.
        form.removeAttribute("data-swap");
        form.requestSubmit(button);
        return;
      }
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      if (response.status === 409 && $("#conflict", fresh)) {
        conflict($("#conflict", fresh));
        return;
      }
      if (!response.ok) {
        toast($("h1", fresh)?.textContent + ". " + ($("h1 + p", fresh)?.textContent ?? ""), { keep: true });
        if (response.status === 409) reread();
        return;
      }
      dirty.delete(form);
      if (form.dataset.swap === "clear") form.reset();
      if (response.redirected && new URL(response.url).pathname === location.pathname) history.replaceState(null, "", response.url);
      swap(fresh);
      expire();
      const flash = $("#toasts [data-flash]", fresh);
      toast(flash?.textContent || form.dataset.done || "");
    } catch {
      toast("Нет связи с сервером. Ничего не изменено, попробуйте ещё раз.", { keep: true });
    } finally {
      busy(form, button, false);
    }
  });

  // The same page with another part open --------------------------------------------------------

  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-part]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const fresh = await page(link.href);
      history.replaceState(null, "", link.href);
      swap(fresh);
      $(".editor input:not([type=hidden]), .editor select, #delivery select")?.focus();
    } catch {
      location.href = link.href;
    }
  });

  // Someone else was faster: what they changed, and what to do with one's own.
  function conflict(content) {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "conflict-title");
    dialog.append(document.adoptNode(content));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  // What can be taken back is shown for as long as it can.
  let expiring;
  function expire() {
    clearTimeout(expiring);
    const bar = $("[data-expires]");
    if (bar) expiring = setTimeout(() => bar.remove(), Number(bar.dataset.expires));
  }

  // Products are looked for while one types: arrows walk, Enter takes ------------------------------

  let finding;
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches?.("[data-find]")) return;
    clearTimeout(finding);
    finding = setTimeout(async () => {
      const asked = field.value.trim();
      if (asked.length < 2) return;
      try {
        const response = await fetch(`${field.dataset.find}?find=${encodeURIComponent(asked)}`, { credentials: "same-origin" });
        if (!response.ok || field.value.trim() !== asked) return;
        const box = field.closest("form").parentElement.querySelector("[data-options]");
        if (box) box.innerHTML = await response.text();
      } catch { /* the form's own button still works */ }
    }, 200);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const here = event.target;
    const box = here.matches?.("[data-find]")
      ? here.closest("form").parentElement.querySelector("[data-options]")
      : here.closest?.("[data-options]");
    if (!box || here.matches("select")) return;
    const options = $$("[data-option]", box);
    const at = options.indexOf(here);
    const next = options[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) next.focus();
    else if (at === 0) box.parentElement.querySelector("[data-find]")?.focus();
    else return;
    event.preventDefault();
  });

  // A kept reply goes in where the cursor is: from its menu, or by «/» at the start of a word -----

  document.addEventListener("click", (event) => {
    const item = event.target.closest?.("[data-insert]");
    if (!item || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const field = $("textarea", item.closest("form"));
    item.closest("details").open = false;
    field.focus();
    field.setRangeText(item.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  document.addEventListener("keydown", (event) => {
    const field = event.target;
    const menu = field.matches?.("textarea") && field.form && $("[data-replies]", field.form);
    if (event.key !== "/" || !menu || !/(^|\s)$/.test(field.value.slice(0, field.selectionStart))) return;
    event.preventDefault();
    menu.open = true;
    $("a", menu).focus();
  });

  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("[data-replies]");
    if (!menu) return;
    const items = $$("a", menu);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) items[(items.indexOf(event.target) + step + items.length) % items.length].focus();
    else if (event.key === "Escape" || event.key === "/") {
      menu.open = false;
      const field = $("textarea", menu.closest("form"));
      field.focus();
      if (event.key === "/") field.setRangeText("/", field.selectionStart, field.selectionEnd, "end");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  // Rows that are chosen -----------------------------------------------------------------------------

  function picked() {
    const bar = $("#bulk");
    if (!bar) return;
    const chosen = $$("tbody [data-pick]:checked").length;
    const all = $("[name=all]", bar);
    bar.toggleAttribute("data-any", chosen > 0 || Boolean(all?.checked));
    $("[data-pick-count]", bar).textContent = `Выбрано: ${chosen}`;
    for (const row of $$("tbody tr[data-row]")) {
      if ($("[data-pick]", row)?.checked) row.setAttribute("aria-selected", "true");
      else row.removeAttribute("aria-selected");
    }
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-pick-all]")) {
      for (const box of $$("tbody [data-pick]")) box.checked = event.target.checked;
      picked();
    } else if (event.target.matches?.("[data-pick]")) picked();
  });

  // A question before what cannot be taken back -------------------------------------------------

  function ask(question, yes) {
    const dialog = document.createElement("dialog");
    const title = document.createElement("h2");
    title.textContent = question;
    title.id = "ask-title";
    dialog.setAttribute("aria-labelledby", "ask-title");
    const buttons = document.createElement("form");
    buttons.method = "dialog";
    buttons.className = "buttons";
    for (const [value, label, kind] of [["yes", yes, "button primary"], ["no", "Назад", "button"]]) {
      const button = document.createElement("button");
      button.value = value;
      button.textContent = label;
      button.className = kind;
      buttons.append(button);
    }
    dialog.append(title, buttons);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(dialog.returnValue === "yes");
      });
    });
  }

  // The open tab is in sight, however many there are ----------------------------------------------

  for (const tab of $$(".tabs [aria-current]")) {
    const strip = tab.parentElement;
    strip.scrollLeft = tab.offsetLeft - strip.offsetLeft + (tab.offsetWidth - strip.clientWidth) / 2;
  }

  // A filter answers at once ------------------------------------------------------------------------

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.matches("[data-filters]") && event.target.matches("select, input[type=checkbox], input[type=date]")) form.requestSubmit();
  });

  // Unsaved forms warn ----------------------------------------------------------------------------

  const dirty = new Set();
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form || form.method !== "post" || form.matches("[data-say], [data-attach]")) return;
    const typed = $$("input:not([type=hidden]), textarea", form)
      .some((field) => "value" in field && field.value !== field.defaultValue);
    if (typed) dirty.add(form);
    else dirty.delete(form);
  });
  addEventListener("beforeunload", (event) => {
    for (const form of dirty) if (!form.isConnected) dirty.delete(form);
    if (dirty.size > 0) event.preventDefault();
  });

  // Live pages of the panel -------------------------------------------------------------------------

  let rereading;
  let again = false;
  function reread() {
    if (rereading) {
      again = true;
      return;
    }
    rereading = setTimeout(async () => {
      try {
        if ($("[data-live], [data-rows], [data-counter]")) swap(await page(location.href), { quiet: true });
      } catch { /* the stream says that the link is lost */ }
      rereading = undefined;
      if (again) {
        again = false;
        reread();
      }
    }, 250);
  }

  function live() {
    if (!document.body.matches("[data-panel]")) return;
    let failures = 0;
    let polling;
    let since = "";
    const clock = () => new Date().toLocaleTimeString("ru", { hour: "2-digit", minute: "2-digit" });
    const lost = $("#lost");
    const stream = new EventSource("/admin/events");
    const good = () => {
      failures = 0;
      since = clock();
      if (polling) clearInterval(polling);
      polling = undefined;
      if (lost) lost.replaceChildren();
    };
    stream.addEventListener("hello", good);
    stream.addEventListener("stale", () => { good(); reread(); });
    for (const kind of ["order", "thread", "catalog", "exchange"]) {
      stream.addEventListener(kind, () => { good(); reread(); });
    }
    stream.onerror = () => {
      failures += 1;
      if (lost && failures > 1 && !lost.firstChild) {
        const bar = document.createElement("div");
        bar.className = "lost";
        bar.textContent = `Нет связи с сервером, данные на ${since || clock()}. Переподключаюсь…`;
        lost.append(bar);
      }
      if (failures >= 3 && !polling) polling = setInterval(reread, 15000);
    };
    addEventListener("pagehide", () => stream.close());
  }

  document.addEventListener("click", async (event) => {
    const target = event.target.closest?.("[data-fresh] button, [data-copy], [data-keys], [data-theme-cycle], [data-print]");
    if (!target) {
      for (const menu of $$("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
      return;
    }
    if (target.matches("[data-copy]")) {
      await navigator.clipboard?.writeText(target.dataset.copy).catch(() => {});
      toast("Скопировано");
    } else if (target.matches("[data-print]")) {
      print();
    } else if (target.matches("[data-keys]")) {
      keys();
    } else if (target.matches("[data-theme-cycle]")) {
      $("[data-theme-form] button")?.click();
    } else {
      const fresh = await page(location.href);
      const list = $("[data-rows]");
      const next = fresh.getElementById(list.id);
      const had = new Set($$("[data-row]", list).map((row) => row.id));
      for (const row of $$("[data-row]", next)) if (!had.has(row.id)) row.classList.add("fresh");
      list.replaceWith(document.adoptNode(next));
      swap(fresh);
      $("[data-fresh]").hidden = true;
    }
  });

  // Drawers: a page of its own, shown beside ---------------------------------------------------------

  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-drawer]");
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    let content;
    try {
      content = (await page(link.href)).getElementById("drawer");
    } catch {
      location.href = link.href;
      return;
    }
    $$("[data-no-drawer]", content).forEach((part) => part.remove());
    const dialog = document.createElement("dialog");
    dialog.className = "drawer";
    const head = document.createElement("header");
    const title = $("h1", content);
    title.id = "drawer-title";
    dialog.setAttribute("aria-labelledby", "drawer-title");
    const close = document.createElement("button");
    close.className = "button quiet";
    close.textContent = "Закрыть";
    close.onclick = () => dialog.close();
    head.append(title, close);
    dialog.append(head, ...content.childNodes);
    dialog.addEventListener("close", () => {
      dialog.remove();
      link.focus();
    });
    dialog.addEventListener("click", (click) => { if (click.target === dialog) dialog.close(); });
    document.body.append(dialog);
    dialog.showModal();
  });

  // Keys -------------------------------------------------------------------------------------------

  let went = 0;
  const places = { o: "/admin/orders", q: "/admin/questions", c: "/admin/catalog", k: "/admin/clients", t: "/admin" };

  function keys() {
    $("#keys")?.showModal();
    quiet();
  }

  // Single keys can be switched off, in this browser.
  const off = () => localStorage.getItem("keys") === "off";
  function quiet() {
    const button = $("[data-keys-off]");
    if (button) button.textContent = off() ? "Включить клавиши" : "Выключить клавиши";
  }
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-keys-off]")) return;
    if (off()) localStorage.removeItem("keys");
    else localStorage.setItem("keys", "off");
    quiet();
  });

  function move(step) {
    const rows = $$("[data-row]");
    if (!rows.length) return;
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const row = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    $("a.main-link, a", row)?.focus();
    row.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      for (const menu of $$("details[data-menu][open]")) {
        menu.open = false;
        $("summary", menu)?.focus();
      }
    }
    if (typing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.target.form?.requestSubmit();
      return;
    }
    if (event.target.matches?.("[data-say] textarea") && event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      event.target.form.requestSubmit();
      return;
    }
    if (!document.body.matches("[data-panel]")) return;
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyK") {
      event.preventDefault();
      $("#find")?.focus();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    // By the key's place, so that a Russian layout works too.
    const letter = event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key;
    if (!off() && went && Date.now() - went < 1200 && places[letter]) {
      went = 0;
      location.href = places[letter];
      return;
    }
    went = 0;
    const press = { a: "accept", r: "reply", e: "resolve", s: "status" }[letter];
    if (event.key === "?" || (event.shiftKey && event.code === "Slash")) keys();
    else if (off()) return;
    else if (event.code === "Slash" || event.key === "/") $("#find")?.focus();
    else if (letter === "g") went = Date.now();
    else if (letter === "j") move(1);
    else if (letter === "k") move(-1);
    else if (letter === "x") {
      const box = document.activeElement?.closest("[data-row]")?.querySelector("[data-pick]");
      if (!box) return;
      box.checked = !box.checked;
      picked();
    }
    else if (press && $(`[data-key="${press}"]`)) {
      const target = $(`[data-key="${press}"]`);
      if (target.matches("textarea, summary")) target.focus();
      else target.click();
    } else return;
    event.preventDefault();
  });

  // Theme: at once, without a new page ---------------------------------------------------------------

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-theme-form]")) return;
    event.preventDefault();
    const order = ["system", "light", "dark"];
    const names = { system: "как в системе", light: "светлая", dark: "тёмная" };
    const field = form.elements.theme;
    const theme = field.value;
    if (theme === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.dataset.theme = theme;
    await send(form).catch(() => {});
    for (const other of $$("[data-theme-form]")) {
      other.elements.theme.value = order[(order.indexOf(theme) + 1) % 3];
      $("button", other).setAttribute("aria-label", `Тема: ${names[theme]}`);
      $("button", other).title = `Тема: ${names[theme]}. Нажмите, чтобы сменить`;
    }
    toast(`Тема: ${names[theme]}`);
  });

  // The browser chat -----------------------------------------------------------------------------------

  async function chatSubmit(event, form, button) {
    event.preventDefault();
    const pane = form.closest("[data-persona]");
    const isSay = form.matches("[data-say]");
    const text = isSay && $("textarea", form);
    if (text && !text.value.trim()) return;
    if (form.dataset.busy === "yes") return;
    busy(form, button, true);
    // What was wrong before is no news once it is tried again.
    pane.refused?.remove();
    const typed = text ? text.value : "";
    try {
      const sending = send(form, button, { key: crypto.randomUUID?.() ?? uuid() });
      if (text) text.value = "";
      const typing = $("[data-typing]", pane);
      const timer = setTimeout(() => { typing.hidden = false; toEnd(pane); }, 400);
      pane.waiting = () => { clearTimeout(timer); typing.hidden = true; };
      setTimeout(() => pane.waiting?.(), 8000);
      const response = await sending;
      if (response.redirected) location.href = response.url;
      else if (!response.ok) {
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        pane.waiting();
        pane.refused = toast($("h1 + p", fresh)?.textContent || "Не получилось, попробуйте ещё раз.", { keep: true });
        if (text) text.value = typed;
      } else if (form.matches(".contact")) form.remove();
      if (text) text.focus();
      const examples = $("[data-examples]", pane);
      if (examples && isSay) examples.open = false;
    } catch {
      pane.waiting?.();
      if (text) text.value = typed;
      pane.refused = toast("Нет связи с сервером. Сообщение не отправлено.", { keep: true });
    } finally {
      busy(form, button, false);
    }
  }

  // A file: chosen, dropped or pasted.
  async function attach(pane, file) {
    const form = $("[data-attach]", pane);
    if (!form || !file || form.dataset.busy === "yes") return;
    const button = $("button", form);
    busy(form, button, true);
    const body = new FormData();
    body.append("csrf", csrf());
    body.append("key", crypto.randomUUID?.() ?? uuid());
    body.append("file", file, file.name || "файл");
    try {
      const response = await fetch(form.action, { method: "POST", body, headers: { "X-CSRF-Token": csrf() }, credentials: "same-origin" });
      if (!response.ok) {
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        toast($("h1 + p", fresh)?.textContent || "Файл не отправлен, попробуйте ещё раз.", { keep: true });
      }
      form.reset();
    } catch {
      toast("Нет связи с сервером. Файл не отправлен.", { keep: true });
    } finally {
      busy(form, button, false);
    }
  }

  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-attach] input[type=file]")) return;
    attach(event.target.closest("[data-persona]"), event.target.files[0]);
  });
  for (const pane of $$("[data-persona]")) {
    const holds = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    pane.addEventListener("dragover", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      pane.dataset.drop = "yes";
    });
    pane.addEventListener("dragleave", (event) => {
      if (!pane.contains(event.relatedTarget)) delete pane.dataset.drop;
    });
    pane.addEventListener("paste", (event) => {
      const file = event.clipboardData?.files[0];
      if (!file) return;
      event.preventDefault();
      attach(pane, file);
    });
    pane.addEventListener("drop", (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      delete pane.dataset.drop;
      attach(pane, event.dataTransfer.files[0]);
    });
  }

  const uuid = () => "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) =>
    (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));

  function toEnd(pane) {
    const log = $("[data-log]", pane);
    log.scrollTop = log.scrollHeight;
  }

  function chat(pane) {
    const persona = pane.dataset.persona;
    const log = $("[data-log]", pane);
    const make = (html) => {
      const template = document.createElement("template");
      template.innerHTML = html;
      return template.content.firstElementChild;
    };
    // Whether a card went away under the focus: the next one with buttons gets it.
    let lost = false;
    const stream = new EventSource(`/chat/${persona}/events?since=${pane.dataset.revision}`);
    stream.addEventListener("reload", () => location.reload());
    stream.addEventListener("changes", (event) => {
      const { items, keyboard } = JSON.parse(event.data);
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
      let own = false;
      let arrived = null;
      for (const item of items) {
        if (item.toast !== undefined) {
          pane.waiting?.();
          toast(item.toast, { keep: item.alert });
          continue;
        }
        const old = $(`[data-id="${item.id}"]`, log);
        if (item.gone) {
          lost ||= Boolean(old?.contains(document.activeElement));
          old?.remove();
          continue;
        }
        own ||= Boolean(item.own);
        if (!item.own) pane.waiting?.();
        const fresh = make(item.html);
        if (!fresh) continue;
        if (item.own) $("[data-start]", log)?.remove();
        if (!old) {
          ($("[data-start]", log) ?? $("[data-typing]", log)).before(fresh);
          arrived = $("[data-press]", fresh) ?? arrived;
        } else if (!old.isEqualNode(fresh)) {
          const focused = old.contains(document.activeElement) ? document.activeElement.textContent : "";
          old.replaceWith(fresh);
          if (focused) {
            const same = $$("button, a", fresh).find((b) => b.textContent === focused) || $("button, a", fresh);
            same?.focus({ preventScroll: true });
          }
        }
      }
      if (keyboard) {
        $("[data-start]", log)?.remove();
        $("[data-keyboard]", pane).innerHTML = keyboard.html;
        $("textarea", pane).placeholder = keyboard.placeholder;
      }
      if (lost && document.activeElement !== document.body) lost = false;
      if (lost && arrived) {
        lost = false;
        $("button, a", arrived)?.focus({ preventScroll: true });
      }
      if (atEnd || own) toEnd(pane);
    });
    addEventListener("pagehide", () => stream.close());
    toEnd(pane);
  }

  for (const pane of $$("[data-persona]")) {
    // A hidden side of a phone's window needs no stream of its own.
    if (pane.offsetParent !== null) chat(pane);
  }
  for (const seen of $$("[data-read]")) {
    fetch(seen.dataset.read, { method: "POST", headers: { "X-CSRF-Token": csrf() }, credentials: "same-origin" }).catch(() => {});
  }
  for (const talk of $$(".talk")) talk.scrollTop = talk.scrollHeight;
  live();
  expire();
  picked();
  for (const flash of $$("#toasts [data-flash]")) setTimeout(() => flash.remove(), 6000);
})();
