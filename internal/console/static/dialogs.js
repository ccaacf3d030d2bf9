// Dialogs come from the server with the figures of the moment. A form in one, or with data-act, is
// sent without leaving the page; the answer is a toast.
import { renew } from './live.js';

export async function openDialog(url, refused = (text) => toast(text, true)) {
  const reply = await fetch(url, { headers: { Accept: 'text/html' } });
  const text = await reply.text();
  if (!reply.ok) { refused(text); return; }
  const slot = document.getElementById('dialog-slot');
  slot.innerHTML = text;
  const dialog = slot.querySelector('dialog');
  dialog.addEventListener('close', () => dialog.remove()); // the browser gives the focus back, before this event
  dialog.showModal();
}

export function wireForms() {
  document.addEventListener('input', (e) => {
    if (!e.target.dataset?.must) return;
    e.target.form.querySelector('[type=submit]').disabled = e.target.value !== e.target.dataset.must;
  });
  // A form with data-ask opens the dialog for its values.
  document.addEventListener('submit', (e) => {
    const form = e.target.closest('form[data-ask]');
    if (!form) return;
    e.preventDefault();
    const problem = form.querySelector('.problem');
    problem.hidden = true;
    openDialog(`${form.action}?${new URLSearchParams(new FormData(form))}`, (text) => { problem.textContent = text; problem.hidden = false; });
  });
  document.addEventListener('submit', async (e) => {
    const form = e.target.closest('form[data-act]');
    if (!form) return;
    e.preventDefault();
    const button = form.querySelector('[type=submit]');
    button.disabled = true;
    const problem = form.querySelector('.problem');
    try {
      const reply = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) });
      if (!reply.ok) throw new Error(await reply.text());
      const done = await reply.json();
      form.closest('dialog')?.close();
      if (problem) problem.hidden = true;
      if (done.go) { location.href = done.go; return; }
      if (done.reveal) document.querySelector('[data-reveal]').textContent = done.reveal;
      toast(done.message, false, done);
      renew();
    } catch (error) {
      if (!problem) { toast(error.message, true); return; }
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
}

// wayBack is the button of a toast that takes back what was done: a dialog, or at once.
function wayBack({ back, undo }) {
  if (undo) {
    const form = document.createElement('form');
    form.action = undo;
    form.dataset.act = '';
    const button = document.createElement('button');
    button.type = 'submit';
    button.className = 'btn btn-s';
    button.textContent = 'Undo';
    form.append(button);
    form.addEventListener('submit', () => form.closest('.toast').remove());
    return form;
  }
  const link = document.createElement('a');
  link.className = 'btn btn-s';
  link.dataset.dialog = '';
  link.href = back.url;
  link.textContent = back.label;
  return link;
}

// toast says what happened, with the way back if there is one. An error stays until it is dismissed.
export function toast(text, stays = false, done = {}) {
  const box = document.createElement('div');
  box.className = stays ? 'toast is-broken' : 'toast is-completed';
  const words = document.createElement('span');
  words.textContent = text;
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'btn btn-quiet btn-s';
  close.dataset.dismiss = '';
  close.textContent = 'Close';
  box.append(words);
  if (done.back || done.undo) box.append(wayBack(done));
  box.append(close);
  document.querySelector('.toasts').append(box);
  if (!stays) setTimeout(() => box.remove(), 8000);
}
