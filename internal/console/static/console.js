// The console's entry: wires the modules to the page. Everything works on events of the document, so
// that parts which a stream replaces need no wiring again.
import { renew, startLive, toggleLive } from './live.js';
import { flipTheme } from './theme.js';
import { openDialog, toast, wireForms } from './dialogs.js';
import { wirePalette, openPalette } from './palette.js';
import { wireKeys } from './keys.js';
import { drawCharts } from './charts.js';
import { wireCreate } from './create.js';
import { wireUpload } from './upload.js';

document.addEventListener('click', (e) => {
  const t = e.target.closest('[data-open],[data-close],[data-theme-flip],[data-dialog],[data-dismiss],[data-copy],button[data-live]');
  if (!t) {
    if (e.target.nodeName === 'DIALOG') e.target.close(); // on the scrim
    return;
  }
  if (t.dataset.open === 'palette') openPalette();
  else if (t.dataset.open) document.getElementById(t.dataset.open).showModal();
  else if ('close' in t.dataset) t.closest('dialog').close();
  else if ('themeFlip' in t.dataset) flipTheme().then(drawCharts);
  else if ('copy' in t.dataset) navigator.clipboard.writeText(t.dataset.copy).then(() => toast('Copied.'), () => toast('The browser does not let this page copy.', true));
  else if ('dismiss' in t.dataset) t.closest('.toast').remove();
  else if ('dialog' in t.dataset) { e.preventDefault(); openDialog(t.href); }
  else if (t.matches('button[data-live]')) toggleLive();
});

// A filter applies as it is typed; the address follows, so that it can be shared.
const filters = document.querySelector('[data-filters]');
if (filters) {
  let wait;
  const apply = () => {
    const q = new URLSearchParams([...new FormData(filters)].filter(([, v]) => v));
    history.replaceState(null, '', q.size ? `${location.pathname}?${q}` : location.pathname);
    renew();
  };
  filters.addEventListener('submit', (e) => { e.preventDefault(); apply(); });
  filters.addEventListener('input', () => { clearTimeout(wait); wait = setTimeout(apply, 150); });
}

wireForms();
wirePalette();
wireKeys();
wireCreate();
wireUpload();
drawCharts();
startLive();
