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

  const SMALLEST = 0.15, LARGEST = 3, READABLE = 0.6;

  const frame = (figure) => {
    const view = figure.querySelector(".frame.lanes");
    const picture = view.querySelector("svg");
    const width = picture.viewBox.baseVal.width, height = picture.viewBox.baseVal.height;
    let scale = 1;
    const show = (wanted, x = view.clientWidth / 2, y = view.clientHeight / 2) => {
      const next = Math.min(LARGEST, Math.max(SMALLEST, wanted));
      const left = (view.scrollLeft + x) / scale, top = (view.scrollTop + y) / scale;
      scale = next;
      picture.setAttribute("width", width * scale);
      picture.setAttribute("height", height * scale);
      view.scrollLeft = left * scale - x; // what was under the pointer stays there
      view.scrollTop = top * scale - y;
    };
    const fitWidth = () => Math.min(1, view.clientWidth / width);
    const mostHeight = () => parseFloat(getComputedStyle(view).maxHeight) || view.clientHeight;
    const settle = (wanted) => { // twice: the first may bring or remove a scroll bar
      show(wanted());
      show(wanted());
    };
    const fits = {
      width: () => { settle(fitWidth); view.scrollTop = 0; },
      all: () => settle(() => Math.min(fitWidth(), mostHeight() / height)),
    };
    const zoom = (how) => (fits[how] ?? (() => show(scale * Number(how))))();
    for (const button of figure.querySelectorAll(".zoom")) button.addEventListener("click", () => zoom(button.dataset.zoom));
    figure.querySelector(".tools").hidden = false;
    view.addEventListener("keydown", (event) => {
      const how = { "+": "1.25", "=": "1.25", "-": "0.8", 0: "all", 1: "width" }[event.key];
      if (how === undefined || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      zoom(how);
    });
    view.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return; // a pinch is a wheel with this key
      event.preventDefault();
      const box = view.getBoundingClientRect();
      show(scale * Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    let start = null;
    view.classList.add("movable");
    view.addEventListener("pointerdown", (event) => {
      if (event.button || event.pointerType === "touch") return;
      start = { x: event.clientX + view.scrollLeft, y: event.clientY + view.scrollTop, moved: false };
    });
    view.addEventListener("dragstart", (event) => event.preventDefault());
    view.addEventListener("pointermove", (event) => {
      if (!start) return;
      const left = start.x - event.clientX, top = start.y - event.clientY;
      if (Math.abs(left - view.scrollLeft) + Math.abs(top - view.scrollTop) > 4 && !start.moved) {
        start.moved = true;
        view.classList.add("moving");
        view.setPointerCapture(event.pointerId);
      }
      if (start.moved) view.scrollTo(left, top);
    });
    const stop = () => {
      start = null;
      view.classList.remove("moving");
    };
    view.addEventListener("pointerup", stop);
    view.addEventListener("pointercancel", stop);
    settle(() => Math.max(READABLE, fitWidth()));
    view.scrollTo(0, 0);
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const figure of document.querySelectorAll(".picture")) {
      if (figure.querySelector(".frame.lanes").clientWidth) frame(figure);
    }
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
