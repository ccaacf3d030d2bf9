// The upload of an audience. The browser streams the file; the page's stream shows how far it is.
import { toast } from './dialogs.js';

const form = document.querySelector('[data-upload]');

const size = (n) => n < 1e6 ? `${Math.ceil(n / 1e3)} kB` : `${(n / 1e6).toLocaleString('en', { maximumFractionDigits: 1 })} MB`;

function choose(file) {
  form.querySelector('[data-file-name]').textContent = file ? `${file.name}, ${size(file.size)}` : '';
  form.querySelector('[type=submit]').disabled = !file;
}

const warn = (e) => e.preventDefault();

async function send(e) {
  e.preventDefault();
  const file = form.querySelector('[data-file]').files[0];
  const button = form.querySelector('[type=submit]');
  const problem = form.querySelector('.problem');
  const q = new URLSearchParams({ name: file.name });
  if (form.elements.append.checked) q.set('append', '1');
  button.disabled = true;
  problem.hidden = true;
  addEventListener('beforeunload', warn); // leaving stops the load
  try {
    const reply = await fetch(`${form.action}?${q}`, { method: 'POST', body: file, headers: { 'Content-Type': 'application/octet-stream' } });
    if (!reply.ok) throw new Error(await reply.text());
    toast((await reply.json()).message);
  } catch (error) {
    problem.textContent = error instanceof TypeError ? 'The upload ended early. What happened stands above.' : error.message;
    problem.hidden = false;
  } finally {
    removeEventListener('beforeunload', warn);
    button.disabled = false;
  }
}

export function wireUpload() {
  if (!form) return;
  const input = form.querySelector('[data-file]');
  const drop = form.querySelector('[data-drop]');
  input.addEventListener('change', () => choose(input.files[0]));
  for (const name of ['dragover', 'dragleave', 'drop']) drop.addEventListener(name, (e) => { e.preventDefault(); drop.classList.toggle('over', name === 'dragover'); });
  drop.addEventListener('drop', (e) => { input.files = e.dataTransfer.files; choose(input.files[0]); });
  form.addEventListener('submit', send);
}
