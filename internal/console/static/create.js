// The form of a new campaign. The server checks the message as it is typed, with FCM's rules; a fault
// leads to its place in the text.
import { toast } from './dialogs.js';

const form = document.querySelector('[data-new]');
const message = form?.querySelector('[data-message]');
const list = form?.querySelector('[data-faults]');

const count = (n, one, many) => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;

function show({ faults, warnings, bytes }) {
  list.textContent = '';
  if (faults?.length) say('is-broken', `FCM would refuse it: ${count(faults.length, 'fault', 'faults')}`, faults);
  else say('is-completed', `FCM takes it. ${count(bytes, 'byte', 'bytes')} as written.`, []);
  if (warnings?.length) say('is-paused', `${count(warnings.length, 'placeholder is', 'placeholders are')} of another system: devices show them as they are`, warnings);
  message.setAttribute('aria-invalid', faults?.length ? 'true' : 'false');
}

function say(tone, verdict, rows) {
  const head = document.createElement('p');
  head.className = `tone ${tone} verdict`;
  head.textContent = verdict;
  list.append(head);
  const all = document.createElement('ul');
  for (const f of rows) {
    const row = document.createElement('li');
    const at = document.createElement('button');
    at.type = 'button';
    at.className = 'btn btn-s';
    at.textContent = f.line ? `Line ${f.line}` : 'Whole';
    at.disabled = !f.line;
    at.addEventListener('click', () => { message.focus(); message.setSelectionRange(f.from, f.to); });
    const words = document.createElement('span');
    const field = document.createElement('code');
    field.textContent = f.field;
    words.append(field, ` ${f.problem}`);
    row.append(at, words);
    all.append(row);
  }
  list.append(all);
}

async function check() {
  const asked = message.value;
  const reply = await fetch(`${form.action}/check`, { method: 'POST', body: new URLSearchParams({ message: asked }) });
  if (reply.ok && asked === message.value) show(await reply.json());
}

function showFields(fields) {
  for (const at of form.querySelectorAll('[data-error]')) {
    const problem = fields?.[at.dataset.error];
    at.hidden = !problem;
    at.textContent = problem ?? '';
    form.elements[at.dataset.error]?.setAttribute('aria-invalid', problem ? 'true' : 'false');
  }
  const first = form.querySelector('[data-error]:not([hidden])');
  if (first?.closest('details')) first.closest('details').open = true;
  if (first) form.elements[first.dataset.error]?.focus();
}

// A problem goes when what it is about changes.
function forget(e) {
  const problem = form.querySelector(`[data-error]#${CSS.escape(e.target.getAttribute('aria-describedby') ?? '')}`);
  if (problem) problem.hidden = true;
}

async function create(e) {
  e.preventDefault();
  const button = form.querySelector('[type=submit]');
  button.disabled = true;
  try {
    const reply = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
    if (reply.ok) { location.href = (await reply.json()).go; return; }
    if (reply.status !== 422) { toast(await reply.text(), true); return; }
    const problems = await reply.json();
    show(problems);
    showFields(problems.fields);
  } catch (error) {
    toast(`The console does not answer: ${error.message}`, true);
  } finally {
    button.disabled = false;
  }
}

export function wireCreate() {
  if (!form) return;
  let wait;
  message.addEventListener('input', () => { clearTimeout(wait); wait = setTimeout(check, 200); });
  for (const name of ['input', 'change']) form.addEventListener(name, forget);
  form.addEventListener('submit', create);
  form.querySelector('[data-message-file]').addEventListener('change', async (e) => {
    const file = e.target.files[0];
    if (!file) return;
    if (file.size > 1 << 19) { toast('That file is far larger than a message may be.', true); return; }
    message.value = await file.text();
    check();
  });
  check();
}
