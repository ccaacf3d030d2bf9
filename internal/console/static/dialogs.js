// Dialogs come from the server with the figures of the moment. A form in one, or with data-act, is
// sent without leaving the page; the answer is a toast.
import { startLive } from './live.js';

export async function openDialog(url) {
  const reply = await fetch(url, { headers: { Accept: 'text/html' } });
  const text = await reply.text();
  if (!reply.ok) { toast(text, true); return; }
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
      toast(done.message);
      startLive();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  });
}

// toast says what happened. An error stays until it is dismissed.
export function toast(text, stays = false) {
  const box = document.createElement('div');
  box.className = stays ? 'toast is-broken' : 'toast is-completed';
  const words = document.createElement('span');
  words.textContent = text;
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'btn btn-quiet btn-s';
  close.dataset.dismiss = '';
  close.textContent = 'Close';
  box.append(words, close);
  document.querySelector('.toasts').append(box);
  if (!stays) setTimeout(() => box.remove(), 8000);
}
