// Keeps the part `#live` of a page current: the stream says that something has changed, and the page fetches itself.
"use strict";

const live = document.getElementById("live");

async function refresh() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("live");
    if (fresh && !live.contains(document.activeElement)) live.innerHTML = fresh.innerHTML;
    document.body.classList.remove("offline");
  } catch {
    document.body.classList.add("offline");
  }
}

if (live) {
  const stream = new EventSource(live.dataset.live);
  let wait = 0;
  stream.addEventListener("changed", () => {
    clearTimeout(wait);
    wait = setTimeout(refresh, 200 + Math.random() * 800);
  });
  stream.addEventListener("error", () => document.body.classList.toggle("offline", !navigator.onLine));
  if (live.dataset.every) setInterval(refresh, live.dataset.every * 1000);
  addEventListener("offline", () => document.body.classList.add("offline"));
  addEventListener("online", refresh);
}
