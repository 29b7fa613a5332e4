// Keeps what somebody looks at up to date.
const $ = (what, from = document) => [...from.querySelectorAll(what)];
const id = (name) => document.getElementById(name), data = document.body.dataset;
const regions = $("section[data-live]"), box = id("live"), words = id("live-words"), say = (text) => (id("spoken").textContent = text);
const due = new Set(), LOST = "connection lost, trying again";
let feed, timer, last = data.at, heard, state = "", busy, said, saidAt = 0, on = keep() !== "off";

function keep(word) {
  try {
    return word ? (localStorage.live = word) : localStorage.live;
  } catch {}
}

// Make `old` like `now`.
function morph(old, now) {
  if (old.nodeType !== 1) return void (old.data === now.data || (old.data = now.data));
  for (const { name } of [...old.attributes]) now.hasAttribute(name) || name === "open" || old.removeAttribute(name);
  for (const { name, value } of now.attributes) old.getAttribute(name) === value || old.setAttribute(name, value);
  let at = old.firstChild;
  for (const next of [...now.childNodes]) {
    const known = next.id && [...old.children].find((each) => each.id === next.id);
    if (known && known !== at) at = old.insertBefore(known, at);
    if (at?.nodeName === next.nodeName && (at.id || "") === (next.id || "")) {
      morph(at, next);
      at = at.nextSibling;
    } else old.insertBefore(next, at);
  }
  while (at) [at] = [at.nextSibling, at.remove()];
}

function show(html) {
  for (const now of $("section[id]", new DOMParser().parseFromString(html, "text/html"))) morph(id(now.id) ?? now, now);
}

async function read(url, how) {
  try {
    const answer = await fetch(url, how);
    answer.status === 401 && location.reload();
    if (answer.ok) return await answer.text();
  } catch {}
}

async function refresh(wanted) {
  wanted.forEach((each) => due.add(each.id));
  if (busy || !due.size || !on || document.hidden) return tell("on");
  busy = true;
  const url = new URL(data.of, location), asked = [...due];
  asked.forEach((each) => url.searchParams.append("region", each));
  due.clear();
  const html = await read(url);
  html == null ? asked.forEach(due.add, due) : show(html);
  busy = false;
  tell(html == null ? "lost" : "on");
  setTimeout(refresh, 1e3, []);
}

function tell(now) {
  if (!on || (now === "on" && (busy || due.size))) return;
  if (now === "on") heard = Date.now();
  if (now === state) return;
  now === "lost" ? say(LOST) : state === "lost" && say("connected again");
  state = now;
}

function away(moment) {
  const left = (moment - Date.now()) / 1e3, s = Math.abs(left);
  const [n, unit] = s < 59.5 ? [s, "s"] : s < 3570 ? [s / 60, "min"] : [s / 3600, "h"];
  const text = `${Math.round(n)} ${unit}`;
  return s > 171e3 ? null : s < 1 ? "now" : left > 0 ? `in ${text}` : `${text} ago`;
}

function tick() {
  for (const e of $("time.ago")) e.textContent = away(Date.parse(e.dateTime)) ?? e.textContent;
  box.className = `live ${state}`;
  if (regions[0]) words.textContent = { on: `live, ${away(heard)}`, lost: LOST, off: "paused" }[state] || "connecting";
  const text = $("[data-say]").map((each) => each.dataset.say).join();
  if (text === said || Date.now() - saidAt < 1e4) return;
  if (saidAt) say(text);
  said = text;
  saidAt = Date.now();
}

function start() {
  feed?.close();
  clearTimeout(timer);
  if (!on || document.hidden) return;
  feed = new EventSource(`/live?topics=${regions.map((each) => each.dataset.live).join(" ")}&after=${last}`);
  feed.onopen = () => refresh(state === "lost" ? regions : []);
  feed.onmessage = (told) => {
    last = told.lastEventId;
    refresh($(told.data.split(" ").map((each) => `[data-live~="${each}"]`).join()));
  };
  feed.onerror = () => {
    tell("lost");
    refresh(regions);
    if (feed.readyState > 1) timer = setTimeout(start, 5e3);
  };
}

if (regions[0]) {
  const button = box.appendChild(document.createElement("button"));
  const turn = () => {
    button.textContent = on ? "pause" : "go on";
    state = on ? "" : "off";
    start();
    tick();
  };
  button.className = "plain";
  button.onclick = () => turn(keep((on = !on) ? "on" : "off"));
  turn();
  document.onvisibilitychange = start;
}
tick();
setInterval(tick, 1e3);

for (const form of $("[data-check]")) {
  let wait, gap, asked = 0;
  const soon = (n) => (clearTimeout(wait), (wait = setTimeout(check, (gap = n))));
  const check = async () => {
    const my = ++asked;
    const html = (await read(form.dataset.check, { method: "POST", body: new FormData(form) })) ?? id("unchecked").innerHTML;
    if (my !== asked) return;
    show(html);
    if (id("proposals").dataset.again) soon(4 * gap);
  };
  form.oninput = () => soon(400, asked++);
  form.names.value && soon(400);
  form.file.onchange = async () => {
    form.names.value += `\n${await form.file.files[0].text()}`;
    form.file.value = "";
  };
}
for (const all of $("[data-all]")) all.onchange = () => $(all.dataset.all).forEach((each) => (each.checked = all.checked));
