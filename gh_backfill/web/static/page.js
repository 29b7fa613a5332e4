// Keeps regions as they are now while somebody looks: the server says which changed.
const $ = (selector, from = document) => [...from.querySelectorAll(selector)];
const id = (name) => document.getElementById(name), data = document.body.dataset;
const regions = $("section[data-live]"), box = id("live"), words = id("live-words"), spoken = id("spoken");
const due = new Set(), LOST = "connection lost, trying again";
let source, timer, last = data.at, heard, state = "", busy, said, saidAt = 0, on = localStorage.live !== "off";

// Make `old` like `now`: what is the same stays, with focus, ticks and open tables.
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
  for (const now of $("section[id]", new DOMParser().parseFromString(html, "text/html"))) id(now.id) && morph(id(now.id), now);
}

async function refresh(wanted) {
  wanted.forEach((each) => due.add(each.id));
  if (busy || !due.size) return;
  busy = true;
  const url = new URL(data.of, location);
  due.forEach((each) => url.searchParams.append("region", each));
  due.clear();
  try {
    const answer = await fetch(url);
    if (answer.status === 401) location.reload();
    if (!answer.ok) throw answer;
    show(await answer.text());
    tell("on");
  } catch {
    tell("lost");
  }
  busy = false;
  setTimeout(refresh, 1000, []);
}

function tell(now) {
  if (now === "on") heard = Date.now();
  if (now === state) return;
  if (now === "lost") spoken.textContent = LOST;
  if (state === "lost") spoken.textContent = "connected again";
  state = now;
}

function away(moment) {
  const s = Math.abs(moment - Date.now()) / 1000;
  const [n, unit] = s < 59.5 ? [s, "s"] : s < 3570 ? [s / 60, "min"] : s < 171e3 ? [s / 3600, "h"] : [s / 86400, "days"];
  const text = `${Math.round(n)}\u202f${unit}`;
  return s < 1 ? "now" : moment > Date.now() ? `in ${text}` : `${text} ago`;
}

function tick() {
  for (const each of $("time.ago")) each.textContent = away(Date.parse(each.dateTime));
  if (regions[0]) {
    box.className = `live ${state}`;
    words.textContent = { on: `live, ${away(heard)}`, lost: LOST, off: "paused" }[state] || "connecting";
  }
  const text = $("[data-say]").map((each) => each.dataset.say).join();
  if (text === said || Date.now() - saidAt < 1e4) return; // every 10 s at most
  if (saidAt) spoken.textContent = text;
  said = text;
  saidAt = Date.now();
}

function start() {
  source?.close();
  timer = clearInterval(timer);
  if (!on || document.hidden) return;
  const topics = regions.map((each) => each.dataset.live.replaceAll(" ", "+")).join("+");
  source = new EventSource(`/live?topics=${topics}&after=${last}`);
  source.onopen = () => {
    timer = clearInterval(timer);
    refresh(state === "lost" ? regions : []);
    tell("on");
  };
  source.onmessage = (told) => {
    last = told.lastEventId;
    refresh($(told.data.split(" ").map((each) => `[data-live~="${each}"]`).join()));
    tell("on");
  };
  source.onerror = () => {
    tell("lost");
    timer ||= setInterval(() => (source.readyState === 2 ? start() : 0, refresh(regions)), 5000);
  };
}

if (regions[0]) {
  const button = document.createElement("button");
  const turn = () => {
    button.textContent = on ? "pause" : "go on";
    state = on ? "" : "off";
    start();
    tick();
  };
  button.className = "plain";
  button.onclick = () => {
    on = !on;
    localStorage.live = on ? "on" : "off";
    turn();
  };
  box.append(button);
  turn();
  document.onvisibilitychange = start;
}
tick();
setInterval(tick, 1000);

// A form that is checked as it is filled in.
for (const form of $("[data-check]")) {
  let wait, asked = 0;
  const check = async () => {
    const mine = ++asked;
    const body = new FormData(form);
    const text = await (await fetch(form.dataset.check, { method: "POST", body })).text();
    mine === asked && show(text);
  };
  form.oninput = () => (clearTimeout(wait), (wait = setTimeout(check, 400)));
  for (const file of $("[type=file]", form))
    file.onchange = async () => {
      form.names.value += `\n${await file.files[0].text()}`;
      file.value = "";
      check();
    };
}
for (const all of $("[data-all]")) all.onchange = () => $(all.dataset.all).forEach((each) => (each.checked = all.checked));
