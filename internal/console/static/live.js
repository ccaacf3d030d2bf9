// One stream a page. It sends the parts that have changed. Where streams do not get through, the page
// asks every two seconds. A hidden page asks for nothing.
import { morph } from './morph.js';
import { chartsUse, drawCharts } from './charts.js';

const pollEvery = 2000;
const lostAfter = 15, lateAfter = 5;
const loadedAt = performance.now(); // the age of the numbers until the first update
let source, poll, last, paused = false, failures = 0;

export function startLive() {
  stop();
  if (paused || document.hidden || !document.querySelector('[data-live]')) return;
  if (failures >= 3) { poll = setInterval(ask, pollEvery); ask(); return; }
  source = new EventSource(location.href);
  source.onmessage = (e) => { failures = 0; take(JSON.parse(e.data)); };
  source.onerror = () => { if (++failures >= 3) startLive(); };
}

// renew shows the figures of a moment at which a person has changed what the page is about. A page
// that is paused asks once, and stays paused.
export function renew() {
  if (paused) ask(); else startLive();
}

function stop() {
  source?.close();
  source = undefined;
  clearInterval(poll);
}

async function ask() {
  const asked = location.href;
  try {
    const reply = await fetch(asked, { headers: { Accept: 'application/json' } });
    const update = reply.ok && await reply.json();
    if (update && asked === location.href) take(update); // a filter may have changed meanwhile
  } catch { /* the label says how old the numbers are */ }
}

function take(update) {
  last = { at: performance.now() - update.age * 1000, state: update.state };
  for (const [name, html] of Object.entries(update.parts)) {
    const at = document.querySelector(`[data-part="${CSS.escape(name)}"]`);
    if (at) morph(at, html);
  }
  if (chartsUse(update.parts)) drawCharts();
  label();
}

// The label ticks in silence: only changes of state are announced, by its words.
function label() {
  const button = document.querySelector('button[data-live]');
  if (!button) return;
  const age = (performance.now() - (last?.at ?? loadedAt)) / 1000;
  const lost = last?.state === 'lost' || age > lostAfter;
  const state = paused ? 'paused' : lost ? 'lost' : age > lateAfter ? 'late' : 'live';
  const text = paused ? 'Paused · press space to go on'
    : lost ? `Lost · the numbers are ${spoken(age)} old`
      : last ? `Live · ${spoken(age)} ago` : button.querySelector('.live-text').textContent;
  if (button.dataset.live !== state) button.dataset.live = state;
  button.querySelector('.live-text').textContent = text;
}

const spoken = (s) => s < 10 ? `${s.toFixed(1)} s` : s < 120 ? `${Math.round(s)} s` : `${Math.round(s / 60)} min`;

export function toggleLive() {
  paused = !paused;
  startLive();
  label();
}

document.addEventListener('visibilitychange', startLive);
addEventListener('pagehide', stop);
setInterval(label, 500);
