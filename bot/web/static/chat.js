// The chat page. Everything of the talk lives in this page's memory and on the server, never in browser storage.
// Plain ES2017, so that an Android phone of 2018 runs it as it is.

const words = JSON.parse(document.body.dataset.words);
const at = (id) => document.getElementById(id);
const log = at("log"), welcome = at("welcome"), typing = at("typing"), status = at("status");
const composer = at("composer"), text = at("text"), file = at("file"), preview = at("preview"), newer = at("newer");

const REQUEST_MS = 25000;
const UPLOAD_MS = 120000;
const POLL_MS = 4000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000, 30000];
const QUIET_MS = 6000;    // after a sent message: look for an answer that a dead connection may have swallowed
const TYPING_MS = 20000;  // the longest that "typing" stands without news

// ── small tools ────────────────────────────────────────────────────────────────────────────────

const element = (name, className, content) => {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (content) made.textContent = content;
  return made;
};

const freshId = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
};

// XMLHttpRequest, because fetch tells nothing about how far an upload is. Status 0 means that nobody was reached.
const request = (method, path, body, onProgress) => new Promise((resolve) => {
  const call = new XMLHttpRequest();
  call.open(method, path);
  call.timeout = body instanceof FormData ? UPLOAD_MS : REQUEST_MS;
  if (typeof body === "string") call.setRequestHeader("Content-Type", "application/json");
  if (onProgress) call.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
  call.onloadend = () => {
    let answer = {};
    try { answer = JSON.parse(call.responseText); } catch (error) { /* not ours: a proxy's page or nothing */ }
    resolve({ status: call.status, answer, waitSeconds: Number(call.getResponseHeader("Retry-After")) || 0 });
  };
  call.send(body || null);
});

let isLeaving = false;
const startOver = () => {
  queue.length = 0;
  if (!isLeaving) location.reload(); // while leaving, a reload would overtake the page that comes
};

// ── what is shown ──────────────────────────────────────────────────────────────────────────────

const scroller = document.scrollingElement || document.documentElement;
const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - innerHeight < 120;
const toEnd = () => { scroller.scrollTop = scroller.scrollHeight; newer.hidden = true; };

// Whoever sends is taken to the end and kept there, whatever grows meanwhile, until they scroll up themselves.
let isFollowing = true, lastTop = 0;

const append = (row, own) => {
  isFollowing = own || isFollowing;
  const follow = isFollowing || isAtEnd();
  welcome.hidden = true;
  log.appendChild(row);
  if (follow) toEnd(); else newer.hidden = false;
};

const showStatus = (message) => {
  if (status.textContent === message && !status.hidden) return;
  status.textContent = message;
  status.hidden = !message;
  if (isFollowing) toEnd();
};

let typingTimer = 0;
const showTyping = (on) => {
  clearTimeout(typingTimer);
  const follow = isAtEnd();
  typing.hidden = !on;
  if (on) {
    typingTimer = setTimeout(() => showTyping(false), TYPING_MS);
    if (follow) toEnd();
  }
};

// On a phone focus would bring up the keyboard over the answer; with a mouse and keys it saves a step.
const focusText = () => { if (matchMedia("(hover: hover)").matches) text.focus({ preventScroll: true }); };

// An old button can still be pressed, which is harmless, but keyboard and screen reader are not led to it any more.
const quietOldChoices = () => log.querySelectorAll(".row.bot:not(.old)").forEach((row) => {
  row.classList.add("old");
  row.querySelectorAll("button").forEach((button) => {
    button.setAttribute("aria-disabled", "true");
    button.tabIndex = -1;
  });
});

// Only links to our own one-field page become links; every other address stays text.
const OWN_LINK = /(https?:\/\/[^\s/]+)?(\/isi\/[\w-]{16,})/g;
const fill = (bubble, content) => {
  let from = 0;
  content.replace(OWN_LINK, (whole, origin, path, position) => {
    if (origin && origin !== location.origin && origin !== document.body.dataset.origin) return whole;
    bubble.appendChild(document.createTextNode(content.slice(from, position)));
    const link = element("a", "link", words.secure_form);
    link.href = path;
    bubble.appendChild(link);
    from = position + whole.length;
    return whole;
  });
  bubble.appendChild(document.createTextNode(content.slice(from)));
};

const choiceButtons = (message) => {
  const group = element("div", "choices");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", words.choices);
  message.options.forEach((option, index) => {
    const button = element("button");
    button.type = "button";
    if (message.numbered) button.appendChild(element("b", "", String(index + 1)));
    button.appendChild(document.createTextNode((message.numbered ? " " : "") + option.title));
    let pressedAt = 0;
    button.onclick = () => {
      if (Date.now() - pressedAt < 1000) return; // a shaky finger is one press
      pressedAt = Date.now();
      say({ payload: option.payload, title: option.title });
      focusText();
    };
    group.appendChild(button);
  });
  return group;
};

const formButton = (message) => {
  const form = element("form", "offer");
  form.method = "post";
  form.action = "/isi";
  const which = element("input");
  which.type = "hidden";
  which.name = "message";
  which.value = message.id;
  form.appendChild(which);
  form.appendChild(element("button", "link", words.secure_form));
  return form;
};

const shown = new Set();
let last = 0;

const showBot = (message) => {
  last = Math.max(last, message.id);
  if (shown.has(message.id)) return; // delivered again after a lost connection
  shown.add(message.id);
  showTyping(false);
  quietOldChoices();
  const row = element("div", "row bot");
  const isStaff = message.author && message.author !== "bot";
  const name = isStaff ? words.staff.replace("{name}", message.author) : words.bot_name;
  row.appendChild(element("div", isStaff ? "name" : "hidden", name + (isStaff ? "" : ": ")));
  const bubble = element("div", "bubble");
  fill(bubble, message.text);
  row.appendChild(bubble);
  if (message.options.length) row.appendChild(choiceButtons(message));
  if (message.form) row.appendChild(formButton(message));
  append(row, false);
};

const showOwn = (content, imageUrl) => {
  const row = element("div", "row me");
  row.appendChild(element("div", "hidden", words.you + ": "));
  const bubble = element("div", "bubble");
  if (imageUrl) {
    const image = element("img");
    image.alt = words.photo_sent;
    image.onload = () => { URL.revokeObjectURL(imageUrl); toEnd(); };
    image.src = imageUrl;
    bubble.appendChild(image);
  }
  bubble.appendChild(document.createTextNode(content));
  row.appendChild(bubble);
  append(row, true);
  return row;
};

const setState = (row, state, label) => {
  row.classList.remove("waiting", "sent", "refused");
  row.classList.add(state);
  const old = row.querySelector(".state");
  if (old) old.remove();
  if (state === "sent") log.querySelectorAll(".me.sent .state").forEach((earlier) => earlier.remove());
  row.appendChild(element("div", "state", label));
  if (isFollowing) toEnd();
};

// ── sending: one after the other, again with the same id until the server has it ───────────────

const queue = [];
let loaded = false, isSending = false, retryTimer = 0, tries = 0;

const say = (body, photo, imageUrl) => {
  const item = { id: freshId(), body, photo };
  item.row = showOwn(photo ? (body.caption || (imageUrl ? "" : words.photo_sent)) : body.title || body.text, imageUrl);
  setState(item.row, "waiting", words.waiting);
  queue.push(item);
  if (queue.length === 1) sendQueue();
};

const deliver = (item) => {
  if (!item.photo) return request("POST", "/messages", JSON.stringify(Object.assign({ id: item.id }, item.body)));
  const form = new FormData();
  form.append("id", item.id);
  form.append("caption", item.body.caption);
  form.append("photo", item.photo, "photo");
  return request("POST", "/messages", form, (share) => {
    setState(item.row, "waiting", words.photo_progress.replace("{percent}", String(Math.round(share * 100))));
  });
};

const sendLater = (seconds, message) => {
  clearTimeout(retryTimer);
  showStatus(message);
  setState(queue[0].row, "waiting", words.waiting);
  retryTimer = setTimeout(sendQueue, seconds * 1000 || RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
  tries += 1;
};

const sendQueue = async () => {
  clearTimeout(retryTimer);
  if (isSending || !loaded || !queue.length) return;
  isSending = true;
  while (queue.length) {
    const item = queue[0];
    const { status: code, answer, waitSeconds } = await deliver(item);
    if (!queue.length) break;
    if (code === 202) {
      tries = 0;
      setState(item.row, "sent", words.sent);
      showStatus("");
      quietOldChoices();
      expectAnswer();
    } else if (code === 401) {
      startOver();
      return;
    } else if (code === 0 || code === 429 || code >= 500) {
      isSending = false;
      sendLater(waitSeconds, code === 429 ? words.slow_down : navigator.onLine && code ? words.unreachable : words.offline);
      return;
    } else {
      setState(item.row, "refused", answer.error || words.failed);
    }
    queue.shift();
  }
  isSending = false;
};

// ── receiving ──────────────────────────────────────────────────────────────────────────────────

let source = null, pollTimer = 0, quietTimer = 0, lostTimer = 0;

const showAll = (answer) => answer.messages.forEach((message) => {
  if (message.from === "bot") { showBot(message); return; }
  showOwn(message.text || words[message.label] || "");
  quietOldChoices();
});

const fetchMissed = async () => {
  const { status: code, answer } = await request("GET", "/messages?after=" + last);
  if (code === 401) startOver();
  else if (code === 200) showAll(answer);
  return code;
};

// A connection can be dead without either side knowing. When an answer stays away, ask.
const expectAnswer = () => {
  clearTimeout(quietTimer);
  quietTimer = setTimeout(fetchMissed, QUIET_MS);
};

const poll = async () => {
  clearTimeout(pollTimer);
  showStatus((await fetchMissed()) === 0 && !queue.length ? words.offline : queue.length ? status.textContent : "");
  pollTimer = setTimeout(poll, POLL_MS);
};

const isConnected = () => {
  clearTimeout(lostTimer);
  if (!queue.length) showStatus("");
};

const isLost = () => {
  clearTimeout(lostTimer);
  lostTimer = setTimeout(() => { if (!queue.length) showStatus(navigator.onLine ? words.reconnecting : words.offline); }, 3000);
};

const connect = () => {
  if (!window.EventSource) { poll(); return; }
  if (source) source.close();
  const mine = source = new EventSource("/events?after=" + last);
  mine.onopen = isConnected;
  mine.onmessage = (event) => { isConnected(); showBot(JSON.parse(event.data)); };
  mine.addEventListener("typing", (event) => showTyping(event.data === "on"));
  mine.addEventListener("ended", startOver);
  mine.onerror = () => {
    isLost();
    if (mine !== source || mine.readyState !== EventSource.CLOSED) return; // else the browser connects again by itself
    pollTimer = setTimeout(async () => { await fetchMissed(); connect(); }, POLL_MS);
  };
};

const wake = () => {
  clearTimeout(pollTimer);
  if (loaded) connect(); else load();
  tries = 0;
  sendQueue();
};

const load = async () => {
  log.setAttribute("aria-live", "off"); // what was said before is not news
  const { status: code, answer } = await request("GET", "/messages?all=1");
  if (code === 401) { startOver(); return; }
  if (code !== 200) {
    showStatus(words.offline);
    pollTimer = setTimeout(load, POLL_MS);
    return;
  }
  if (loaded) return;
  loaded = true;
  showStatus("");
  showAll(answer);
  queue.forEach((item) => log.appendChild(item.row)); // written while loading: after what was there before
  last = Math.max(last, answer.last);
  welcome.hidden = log.childElementCount > 0;
  toEnd();
  log.setAttribute("aria-live", "polite");
  connect();
  sendQueue();
};

// ── the composer ───────────────────────────────────────────────────────────────────────────────

let picked = null, pickedUrl = "";

const fit = () => {
  text.style.height = "48px";
  text.style.height = Math.min(text.scrollHeight + 2, 144) + "px";
};

const unpick = () => {
  picked = null;
  pickedUrl = "";
  file.value = "";
  preview.hidden = true;
  text.placeholder = words.placeholder;
};

// A phone's photo has 5 MB and 1600 pixels are enough: made small here, it costs a tenth of the data.
// Old browsers would lose which way is up, so they send the photo as it is.
const shrink = async (original) => {
  if (!window.createImageBitmap || !window.CSS || !CSS.supports("image-orientation", "from-image")) return original;
  try {
    const image = new Image();
    const url = URL.createObjectURL(original);
    await new Promise((resolve, reject) => { image.onload = resolve; image.onerror = reject; image.src = url; });
    const scale = Math.min(1, 1600 / Math.max(image.naturalWidth, image.naturalHeight));
    const canvas = element("canvas");
    canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
    canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    URL.revokeObjectURL(url);
    const small = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.82));
    return small && small.size < original.size ? small : original;
  } catch (error) {
    return original; // not a picture this browser can read; the server tells kindly what it is
  }
};

file.onchange = async () => {
  if (!file.files.length) return;
  const chosen = await shrink(file.files[0]);
  if (chosen.size > Number(document.body.dataset.maxUpload)) {
    unpick();
    showStatus(words.photo_too_big);
    return;
  }
  picked = chosen;
  pickedUrl = URL.createObjectURL(chosen);
  preview.querySelector("img").src = pickedUrl;
  preview.hidden = false;
  text.placeholder = words.photo_caption;
  text.focus();
};

composer.onsubmit = (event) => {
  event.preventDefault();
  const content = text.value.trim();
  if (picked) {
    say({ caption: content }, picked, pickedUrl);
    unpick();
  } else if (content) say({ text: content });
  else return;
  text.value = "";
  fit();
  text.focus();
};

text.onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.onsubmit(event);
};
text.oninput = fit;
at("pick").onclick = () => file.click();
at("unpick").onclick = () => { unpick(); text.focus(); };
newer.onclick = toEnd;
welcome.querySelectorAll("[data-starter]").forEach((starter) => {
  starter.onclick = () => { say({ text: starter.textContent }); focusText(); };
});

document.querySelector(".skip").onclick = (event) => {
  event.preventDefault(); // no "#text" in the address and in the history
  text.focus();
};

const menu = document.querySelector(".menu");
menu.querySelector("form").onsubmit = () => { isLeaving = true; queue.length = 0; };
document.addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

addEventListener("scroll", () => {
  if (isAtEnd()) newer.hidden = true;
  if (scroller.scrollTop < lastTop) isFollowing = isAtEnd();
  lastTop = scroller.scrollTop;
}, { passive: true });
addEventListener("online", wake);
addEventListener("offline", () => showStatus(words.offline));
addEventListener("pageshow", (event) => { if (event.persisted) wake(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && loaded) wake(); });
addEventListener("beforeunload", (event) => {
  if (!queue.length) return;
  event.preventDefault();
  event.returnValue = "";
});

load();
