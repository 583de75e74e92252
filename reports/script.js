"use strict";
(() => {
  const root = document.documentElement;
  const themes = ["automatic", "light", "dark"];
  const stored = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("kgraph-theme", value);
      return localStorage.getItem("kgraph-theme");
    } catch {
      return value ?? null; // storage may be forbidden to files
    }
  };
  let theme = themes.includes(stored()) ? stored() : "automatic";
  const dress = () => {
    if (theme === "automatic") delete root.dataset.theme;
    else root.dataset.theme = theme;
  };
  dress();

  const unfoldAll = () => {
    for (const line of document.querySelectorAll(".lines li")) line.hidden = false;
    for (const knob of document.querySelectorAll(".fold")) knob.setAttribute("aria-expanded", "true");
  };

  const reveal = () => {
    let name = location.hash.slice(1);
    try {
      name = decodeURIComponent(name);
    } catch {
      return; // no name of ours
    }
    const target = name && document.getElementById(name);
    if (!target) return;
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    if (target.tagName === "LI" && target.hidden) unfoldAll();
    target.querySelector("details.proof")?.setAttribute("open", "");
    target.scrollIntoView({ block: "center" });
  };

  const fold = (button) => {
    const line = button.closest("li");
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    const depth = Number(line.dataset.depth);
    let closedAt = Infinity; // below a line that is folded itself nothing is shown
    for (let next = line.nextElementSibling; next && Number(next.dataset.depth) > depth; next = next.nextElementSibling) {
      const level = Number(next.dataset.depth);
      if (level <= closedAt) closedAt = Infinity;
      next.hidden = !open || level > closedAt;
      const inner = next.querySelector(":scope > .row > .fold");
      if (open && closedAt === Infinity && inner?.getAttribute("aria-expanded") === "false") closedAt = level;
    }
  };

  const search = (box, list) => {
    const entries = [...list.children].map((item) => [item.textContent.toLowerCase(), item]);
    const found = document.getElementById("found");
    const filter = () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const [text, item] of entries) {
        item.hidden = !words.every((word) => text.includes(word));
        if (!item.hidden) count += 1;
      }
      document.getElementById("all").open = words.length > 0;
      found.textContent = words.length ? `${count} found` : "";
    };
    box.addEventListener("input", filter);
    addEventListener("pageshow", filter); // a browser that goes back restores the text
    box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && box.value.trim()) list.querySelector("li:not([hidden]) a")?.click();
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = () => { button.textContent = `Theme: ${theme}`; };
    button.hidden = false;
    name();
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      stored(theme);
      dress();
      name();
    });
    for (const knob of document.querySelectorAll(".fold")) {
      knob.hidden = false;
      knob.addEventListener("click", () => fold(knob));
    }
    for (const copier of document.querySelectorAll(".copy")) {
      copier.hidden = false;
      copier.addEventListener("click", () => {
        const source = document.getElementById(copier.dataset.copy);
        const range = document.createRange();
        range.selectNodeContents(source);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        navigator.clipboard?.writeText(source.textContent).then(() => { copier.textContent = "Copied"; }, () => {});
      });
    }
    const box = document.getElementById("search");
    if (box) {
      document.getElementById("search-box").hidden = false;
      search(box, document.getElementById("names"));
    }
    addEventListener("hashchange", reveal);
    reveal();
  });
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details.proof")) details.open = true;
    unfoldAll();
  });
})();
