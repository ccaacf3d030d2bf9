// Keys. Single keys do nothing in fields, and never change anything without a dialog.
import { openPalette } from './palette.js';
import { openDialog } from './dialogs.js';
import { toggleLive } from './live.js';
import { flipTheme } from './theme.js';
import { drawCharts } from './charts.js';

const pages = { c: '/campaigns', d: '/dead', p: '/people', q: '/quota', n: '/new' };
let lead = false;

const rows = () => [...document.querySelectorAll('[data-rows] tbody tr:not(.group-row)')];

function move(by) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((r) => r.classList.contains('at'));
  const next = Math.max(0, Math.min(all.length - 1, now + by));
  all[now]?.classList.remove('at');
  all[next].classList.add('at');
  all[next].scrollIntoView({ block: 'nearest' });
  all[next].querySelector('a')?.focus({ preventScroll: true });
}

function single(e) {
  switch (e.key) {
    case 'j': move(1); break;
    case 'k': move(-1); break;
    case '/': { const f = document.querySelector('[data-filter]'); if (f) { e.preventDefault(); f.focus(); } break; }
    case '?': document.getElementById('keys').showModal(); break;
    case 't': flipTheme().then(drawCharts); break;
    case 'p': { const a = document.querySelector('tr.at [data-dialog], a[data-toggle]'); if (a) openDialog(a.href); break; }
    case ' ': if (e.target === document.body) { e.preventDefault(); toggleLive(); } break;
  }
}

export function wireKeys() {
  document.addEventListener('keydown', (e) => {
    if ((e.metaKey || e.ctrlKey) && e.key.toLowerCase() === 'k') { e.preventDefault(); openPalette(); return; }
    if (e.target.closest('input, textarea, select, dialog') || e.metaKey || e.ctrlKey || e.altKey) return;
    if (lead) {
      lead = false;
      if (pages[e.key]) location.href = document.documentElement.dataset.prefix + pages[e.key];
      return;
    }
    if (e.key === 'g') { lead = true; setTimeout(() => { lead = false; }, 900); return; }
    single(e);
  });
}
