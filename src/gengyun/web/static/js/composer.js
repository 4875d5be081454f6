/* Writing an activity: the draft is kept in this browser until it is sent; Ctrl+Enter sends. */
const key = (form) => `gengyun.draft.${form.dataset.composer}`;

function restore(form) {
  if (form.dataset.ready) return;
  form.dataset.ready = '1';
  const area = form.querySelector('textarea');
  const kept = localStorage.getItem(key(form));
  if (kept && !area.value) {
    area.value = kept;
    form.querySelector('[data-draft-note]')?.removeAttribute('hidden');
  }
}

function startAll() {
  document.querySelectorAll('[data-composer]').forEach(restore);
  const open = new URLSearchParams(location.search).get('log') === '1';
  if (open && !document.body.dataset.logged) {
    document.body.dataset.logged = '1';
    document.querySelector('#composer textarea')?.focus();
  }
}

export function startComposers() {
  document.addEventListener('input', (event) => {
    const form = event.target.closest('[data-composer]');
    if (!form || !event.target.matches('textarea')) return;
    const text = event.target.value;
    if (text.trim()) localStorage.setItem(key(form), text);
    else localStorage.removeItem(key(form));
    form.querySelector('[data-draft-note]')?.toggleAttribute('hidden', !text.trim());
  });
  document.addEventListener('keydown', (event) => {
    const form = event.target.closest('[data-composer], [data-cell]');
    if (form && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  document.addEventListener('change', (event) => {
    const form = event.target.closest('[data-composer]');
    const shown = form?.querySelector('[data-picked]');
    if (!shown || !event.target.matches('[name=contacts]')) return;
    const names = [...form.querySelectorAll('[name=contacts]:checked')].map((b) => b.dataset.name);
    shown.textContent = names.join(document.documentElement.lang === 'en' ? ', ' : '、') || shown.dataset.picked;
  });
  /* only an answer of "done" forgets the draft, and before the new form asks for it */
  document.addEventListener('htmx:beforeOnLoad', (event) => {
    const form = event.target.closest('[data-composer]');
    if (!form || event.detail.xhr.status >= 300) return;
    localStorage.removeItem(key(form));
    if (form.hasAttribute('data-reset')) {
      form.reset();
      form.querySelector('[data-draft-note]')?.setAttribute('hidden', '');
    }
  });
  document.addEventListener('click', (event) => {
    const opener = event.target.closest('[data-log]');
    const area = document.querySelector('#composer textarea');
    if (opener && area && new URL(opener.href).pathname === location.pathname) {
      event.preventDefault();
      document.getElementById('s-timeline').scrollIntoView();
      area.focus({ preventScroll: true });
    }
  });
  document.addEventListener('htmx:afterSettle', startAll);
  startAll();
}
