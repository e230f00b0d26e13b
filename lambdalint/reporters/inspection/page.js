"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const made = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const bytes = (number) => {
    if (number < 1000) return `${number} B`;
    if (number < 999.5 * 1024) return `${(number / 1024).toFixed(1)} KB`;
    return `${(number / 1048576).toFixed(1)} MB`;
  };
  const percent = (share) => (share >= 0.0995 ? `${Math.round(share * 100)} %` : `${(share * 100).toFixed(1)} %`);

  /* A node: name, sizes unpacked and packed, children, the index of its file, and what most of it is. */
  const KINDS = data.kinds;
  const REACHED = ["unsure", "init", "later", "never"];
  const SAID = { init: "read when the function starts", later: "read when a function of it imports it", never: "never imported" };

  /* Folders below so many others are shown as one. */
  const DEEPEST = 24;

  const folder = (name) => ({ name, sizes: [0, 0], inside: new Map(), file: -1 });
  const tree = () => {
    const root = folder(data.name);
    const parts = data.parts.map((title) => {
      const part = folder(title);
      root.inside.set(title, part);
      return part;
    });
    data.files.forEach(([path, , , part], index) => {
      let node = parts[part];
      const all = path.split("/");
      const names = all.length > DEEPEST ? [...all.slice(0, DEEPEST), all.slice(DEEPEST).join("/")] : all;
      names.slice(0, -1).forEach((name) => {
        if (!node.inside.has(name)) node.inside.set(name, folder(name));
        node = node.inside.get(name);
      });
      const leaf = folder(names[names.length - 1]);
      leaf.file = index;
      node.inside.set(`file:${names[names.length - 1]}`, leaf);
    });
    return grown(root);
  };
  const grown = (root) => {
    const order = [root];
    for (let at = 0; at < order.length; at += 1) order[at].inside.forEach((child) => order.push(child));
    for (let at = order.length - 1; at >= 0; at -= 1) {
      const node = order[at];
      node.weights = { kind: {}, reached: {} };
      node.count = node.file >= 0 ? 1 : 0;
      if (node.file >= 0) {
        const [, size, packed, , kind, reached] = data.files[node.file];
        node.sizes = [size, packed];
        node.weights.kind[KINDS[kind]] = size;
        node.weights.reached[REACHED[reached]] = size;
      }
      node.children = [...node.inside.values()];
      node.children.forEach((child) => {
        child.above = node;
        node.count += child.count;
        node.sizes[0] += child.sizes[0];
        node.sizes[1] += child.sizes[1];
        for (const scheme of ["kind", "reached"])
          for (const [name, size] of Object.entries(child.weights[scheme]))
            node.weights[scheme][name] = (node.weights[scheme][name] || 0) + size;
      });
      /* A folder with nothing but one folder in it is shown as one. */
      if (at > 0 && node.children.length === 1 && node.children[0].file < 0) {
        const only = node.children[0];
        if (at > root.inside.size) node.name = `${node.name}/${only.name}`;
        node.children = only.children;
        node.children.forEach((child) => { child.above = node; });
      }
    }
    return root;
  };

  /* Squarified: Bruls, Huizing and van Wijk, 2000. */
  const squarified = (nodes, weight, box) => {
    const sorted = nodes.filter((node) => weight(node) > 0).sort((a, b) => weight(b) - weight(a));
    let left = sorted.reduce((sum, node) => sum + weight(node), 0);
    let { x, y, w, h } = box;
    const placed = [];
    for (let at = 0; at < sorted.length && w > 0 && h > 0; ) {
      const side = Math.min(w, h);
      const scale = (w * h) / left;
      let sum = 0;
      let end = at;
      let worst = Infinity;
      while (end < sorted.length) {
        const next = sum + weight(sorted[end]) * scale;
        const thick = next / side;
        const ratio = Math.max((weight(sorted[at]) * scale) / thick / thick, (thick * thick) / (weight(sorted[end]) * scale));
        if (ratio > worst) break;
        worst = ratio;
        sum = next;
        end += 1;
      }
      const thick = sum / side;
      let along = 0;
      for (; at < end; at += 1) {
        const length = (weight(sorted[at]) * scale) / thick;
        placed.push({
          node: sorted[at],
          box: w >= h ? { x, y: y + along, w: thick, h: length } : { x: x + along, y, w: length, h: thick },
        });
        along += length;
        left -= weight(sorted[at]);
      }
      if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    }
    return placed;
  };

  /* One stop for the Tab key; arrows go on from there. */
  const steered = (stage, up) => {
    stage.addEventListener("keydown", (event) => {
      const here = document.activeElement;
      if (event.key === "Escape" || event.key === "Backspace") { event.preventDefault(); up(); return; }
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!way || !stage.contains(here)) return;
      event.preventDefault();
      const from = here.getBoundingClientRect();
      const [back, front, low, high] = way[0] ? ["left", "right", "top", "bottom"] : ["top", "bottom", "left", "right"];
      const forth = way[0] + way[1] > 0;
      const beside = [...stage.querySelectorAll(".cell")].filter((cell) => cell !== here && cell.dataset.beside === here.dataset.beside);
      let best = null;
      let least = Infinity;
      for (const cell of beside) {
        const to = cell.getBoundingClientRect();
        const ahead = forth ? to[back] - from[front] : from[back] - to[front];
        const aside = Math.max(0, to[low] - from[high], from[low] - to[high]);
        const near = Math.abs(to[low] - from[low]) / 1000;
        if (ahead > -3 && ahead + 4 * aside + near < least) { least = ahead + 4 * aside + near; best = cell; }
      }
      if (best) best.focus();
    });
    stage.addEventListener("focusin", (event) => {
      for (const cell of stage.querySelectorAll('.cell[tabindex="0"]')) cell.tabIndex = -1;
      if (event.target.classList.contains("cell")) event.target.tabIndex = 0;
    });
  };
  const put = (cell, box) => {
    cell.style.left = `${box.x}px`;
    cell.style.top = `${box.y}px`;
    cell.style.width = `${Math.max(box.w, 1)}px`;
    cell.style.height = `${Math.max(box.h, 1)}px`;
  };
  const switches = (id, chosen) => {
    const group = byId(id);
    if (!group) return;
    group.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      for (const each of group.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button));
      chosen(button.value);
    });
  };
  const crumbs = (id, trail, go) => {
    const bar = byId(id);
    bar.replaceChildren();
    trail.forEach(([name, target], index) => {
      if (index) bar.append(made("span", "", "›"));
      const button = made("button", "", name);
      button.type = "button";
      button.disabled = index === trail.length - 1;
      button.addEventListener("click", () => go(target));
      bar.append(button);
    });
  };

  const treemap = () => {
    const stage = byId("treemap");
    const detail = byId("treemap-detail");
    const root = tree();
    let shown = root;
    let measure = 0;
    let scheme = "kind";
    const weight = (node) => node.sizes[measure];
    const tone = (node) => {
      const found = Object.entries(node.weights[scheme]).sort((a, b) => b[1] - a[1])[0];
      return `tone-${found ? found[0] : "metadata"}`;
    };
    const trail = (node) => {
      const steps = [];
      for (let at = node; at; at = at.above) steps.unshift(at);
      return steps;
    };
    const tell = (node) => {
      detail.replaceChildren();
      const file = node.file >= 0 ? data.files[node.file] : null;
      const names = trail(node).slice(1).map((each) => each.name);
      detail.append(made("b", "mono", file ? file[0] : names.join(" › ") || root.name));
      const facts = [`${bytes(node.sizes[0])} unpacked`];
      if (data.packed) facts.push(`${bytes(node.sizes[1])} packed`);
      facts.push(`${percent(weight(root) ? weight(node) / weight(root) : 0)} of it all`);
      if (!file) facts.push(`${node.count.toLocaleString("en")} ${node.count === 1 ? "file" : "files"}`);
      if (file && SAID[REACHED[file[5]]]) facts.push(SAID[REACHED[file[5]]]);
      detail.append(` — ${facts.join(", ")}`);
      if (file && file[6] >= 0) {
        const chain = [];
        for (let at = file[6]; at >= 0 && chain.length < 8; at = data.files[at][6]) chain.push(data.files[at][0]);
        detail.append(made("br"), "imported by ", made("span", "mono", chain.join(" ← ")));
      }
    };
    const draw = () => {
      const width = stage.clientWidth;
      const height = stage.clientHeight;
      const cells = [];
      let groups = 0;
      const within = (node, box, depth) => {
        groups += 1;
        const beside = String(groups);
        for (const each of squarified(node.children, weight, box)) {
          const { x, y, w, h } = each.box;
          if (w < 3 || h < 3) continue;
          const inner = { x: x + 1, y: y + 1, w: w - 2, h: h - 2 };
          const group = each.node.file < 0 && depth < 4 && w > 46 && h > 40;
          const cell = made("button", `cell ${tone(each.node)}${group ? " group" : ""}${depth ? "" : " top"}`);
          cell.type = "button";
          cell.tabIndex = -1;
          cell.dataset.beside = beside;
          put(cell, inner);
          cell.setAttribute("aria-label", `${each.node.name}, ${bytes(weight(each.node))}`);
          if (inner.w > 34 && inner.h > 15) {
            cell.append(made("span", "", each.node.name));
            if (inner.w > 150 && group) cell.append(made("span", "weight", bytes(weight(each.node))));
            else if (!group && inner.h > 34 && inner.w > 62) cell.append(made("span", "weight", bytes(weight(each.node))));
          }
          cell.addEventListener("mouseenter", () => tell(each.node));
          cell.addEventListener("focus", () => tell(each.node));
          cell.addEventListener("click", () => { if (each.node.file < 0) zoom(each.node); });
          cells.push(cell);
          if (group) within(each.node, { x: inner.x + 3, y: inner.y + 19, w: inner.w - 6, h: inner.h - 22 }, depth + 1);
        }
      };
      within(shown, { x: 0, y: 0, w: width, h: height }, 0);
      if (cells.length) cells[0].tabIndex = 0;
      stage.replaceChildren(...cells);
      crumbs("treemap-crumbs", trail(shown).map((node) => [node.name, node]), zoom);
      tell(shown);
    };
    const zoom = (node) => {
      const focused = stage.contains(document.activeElement);
      shown = node;
      draw();
      if (focused && stage.firstChild) stage.firstChild.focus();
    };
    const legend = () => {
      const names = scheme === "kind"
        ? [["python", "Python source"], ["native", "native code"], ["bytecode", "bytecode"], ["data", "data"], ["metadata", "metadata"]]
        : [["init", "read at init"], ["later", "read later"], ["never", "never imported"], ["unsure", "not certain"]];
      byId("treemap-legend").replaceChildren(...names.map(([name, text]) => {
        const item = made("span", `tone-${name}`);
        item.append(made("i"), text);
        return item;
      }));
    };
    switches("treemap-measure", (value) => { measure = Number(value); draw(); });
    switches("treemap-colour", (value) => { scheme = value; legend(); draw(); });
    steered(stage, () => { if (shown.above) zoom(shown.above); });
    new ResizeObserver(draw).observe(stage);
    legend();
    draw();
  };

  const flame = () => {
    const stage = byId("flame");
    if (!stage || !data.frames.length) return;
    const detail = byId("flame-detail");
    const ROW = 22;
    const nodes = data.frames.map(([name, parent, own]) => ({ name, parent, own, total: own, inside: [], depth: 0 }));
    const root = { name: "all", parent: -2, own: 0, total: 0, inside: [], depth: -1 };
    const above = (node) => (node.parent >= 0 ? nodes[node.parent] : node === root ? null : root);
    for (let at = nodes.length - 1; at >= 0; at -= 1) above(nodes[at]).total += nodes[at].total;
    nodes.forEach((node) => { above(node).inside.push(node); node.depth = above(node).depth + 1; });
    let shown = root.inside.length === 1 ? root.inside[0] : root;
    const top = shown;
    const hue = (name) => {
      let sum = 7;
      for (const letter of name.split(".")[0]) sum = (sum * 31 + letter.codePointAt(0)) % 1009;
      return `hue-${sum % 10}`;
    };
    const ms = (number) => (number >= 100 ? `${Math.round(number).toLocaleString("en")} ms` : `${number.toFixed(1)} ms`);
    const tell = (node) => {
      detail.replaceChildren(made("b", "mono", node.name));
      detail.append(` — ${ms(node.total)} with what it imports first, ${ms(node.own)} of its own, ${percent(node.total / (root.total || 1))} of it all`);
    };
    const trail = (node) => {
      const steps = [];
      for (let at = node; at; at = above(at)) { steps.unshift(at); if (at === top) break; }
      return steps;
    };
    const draw = () => {
      const width = stage.clientWidth;
      const cells = [];
      let deepest = 0;
      const add = (node, x, w, row, name) => {
        const cell = made("button", `cell ${hue(node.name)} ${name}`);
        if (w > 30) cell.append(made("span", "", node.name));
        cell.type = "button";
        cell.tabIndex = -1;
        cell.dataset.beside = "";
        put(cell, { x, y: row * ROW, w: w - 1, h: ROW - 2 });
        cell.setAttribute("aria-label", `${node.name}, ${ms(node.total)}`);
        cell.addEventListener("mouseenter", () => tell(node));
        cell.addEventListener("focus", () => tell(node));
        cell.addEventListener("click", () => zoom(node));
        cells.push(cell);
        deepest = Math.max(deepest, row);
      };
      trail(shown).slice(0, -1).forEach((node, row) => add(node, 0, width, row, "above"));
      const first = trail(shown).length - 1;
      const waiting = [[shown, 0, width, first]];
      while (waiting.length) {
        const [node, x, w, row] = waiting.pop();
        add(node, x, w, row, "");
        let at = x;
        for (const child of node.inside) {
          const part = node.total ? (w * child.total) / node.total : 0;
          if (part >= 1.5) waiting.push([child, at, part, row + 1]);
          at += part;
        }
      }
      if (cells.length) cells[0].tabIndex = 0;
      const canvas = made("div", "stage");
      canvas.style.height = `${(deepest + 1) * ROW}px`;
      canvas.style.background = "none";
      canvas.append(...cells);
      stage.replaceChildren(canvas);
      tell(shown);
    };
    const zoom = (node) => {
      const focused = stage.contains(document.activeElement);
      shown = node;
      draw();
      if (focused) stage.querySelectorAll(".cell:not(.above)")[0].focus();
    };
    steered(stage, () => { if (shown !== top) zoom(above(shown)); });
    let seen = 0;
    new ResizeObserver(() => { if (stage.clientWidth !== seen) { seen = stage.clientWidth; draw(); } }).observe(stage);
    draw();
  };

  treemap();
  flame();
})();
