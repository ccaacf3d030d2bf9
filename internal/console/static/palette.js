// The palette finds campaigns and pages as one types. Arrows move, Enter opens.
const prefix = document.documentElement.dataset.prefix;
const palette = document.getElementById('palette');
const input = palette?.querySelector('input');
const list = palette?.querySelector('ul');

export function openPalette() {
  input.value = '';
  find();
  palette.showModal();
}

async function find() {
  const asked = input.value;
  const reply = await fetch(`${prefix}/palette?q=${encodeURIComponent(asked)}`);
  const html = await reply.text();
  if (asked !== input.value || !reply.ok) return;
  list.innerHTML = html;
  move(0);
}

const links = () => [...list.querySelectorAll('a')];

function move(by) {
  const all = links();
  if (!all.length) return;
  const now = all.findIndex((a) => a.classList.contains('at'));
  const next = now < 0 ? 0 : (now + by + all.length) % all.length;
  all[now]?.classList.remove('at');
  all[next].classList.add('at');
  all[next].scrollIntoView({ block: 'nearest' });
}

export function wirePalette() {
  if (!palette) return;
  const mac = /Mac|iPhone|iPad/.test(navigator.platform);
  document.querySelectorAll('[data-palette-key]').forEach((k) => { k.textContent = mac ? '⌘K' : 'Ctrl K'; });
  let wait;
  input.addEventListener('input', () => { clearTimeout(wait); wait = setTimeout(find, 80); });
  palette.addEventListener('keydown', (e) => {
    if (e.key === 'ArrowDown') { e.preventDefault(); move(1); }
    if (e.key === 'ArrowUp') { e.preventDefault(); move(-1); }
    if (e.key === 'Enter') { e.preventDefault(); list.querySelector('a.at')?.click(); }
  });
}
