/* Notes at the bottom left: gone after 8 seconds, not while looked at; Ctrl+Z takes back. */
const STAY = 8000;

function arm(toast) {
  let timer;
  const leave = () => { timer = setTimeout(() => toast.remove(), STAY); };
  const hold = () => clearTimeout(timer);
  for (const name of ['mouseenter', 'focusin']) toast.addEventListener(name, hold);
  for (const name of ['mouseleave', 'focusout']) toast.addEventListener(name, leave);
  toast.dataset.armed = '1';
  leave();
}

export function say(text, kind = '') {
  const box = document.getElementById('toasts');
  const toast = document.createElement('div');
  toast.className = `gy-toast ${kind}`;
  toast.setAttribute('role', kind === 'bad' ? 'alert' : 'status');
  toast.setAttribute('data-toast', '');
  toast.textContent = text;
  box.prepend(toast);
  arm(toast);
}

export function startToasts() {
  const box = document.getElementById('toasts');
  const armNew = () => box.querySelectorAll('[data-toast]:not([data-armed])').forEach(arm);
  new MutationObserver(armNew).observe(box, { childList: true });
  armNew();
  document.addEventListener('click', (event) => {
    const close = event.target.closest('[data-toast-close]');
    if (close) close.closest('[data-toast]').remove();
  });
  /* what was taken back changes more than one place: the page is loaded again where it stands */
  document.addEventListener('htmx:afterRequest', (event) => {
    const form = event.target.closest('[data-undo]');
    if (form && event.detail.successful) {
      form.closest('[data-toast]').remove();
      location.reload();
    }
  });
  document.addEventListener('keydown', (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 'z' || event.shiftKey) return;
    if (event.target.closest('input, textarea, select, [contenteditable]')) return;
    const undo = box.querySelector('[data-undo] button');
    if (undo) { event.preventDefault(); undo.click(); }
  });
}
