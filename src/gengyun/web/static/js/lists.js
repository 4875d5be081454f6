/* Lists by keyboard: j k x e n o Enter / ?, the side panel, and what is selected. */
const rows = () => [...document.querySelectorAll('[data-row]')].filter((r) => r.offsetParent !== null);
const current = () => document.querySelector('[data-row].cur');
/* beside a list; on a page of its own the same part cannot be closed */
const panel = () => document.querySelector('aside#panel');
const isOpen = () => panel() && !panel().hidden;

function mark(row, focus = true) {
  const before = current();
  if (before && before !== row) {
    before.classList.remove('cur');
    before.removeAttribute('aria-current');
  }
  row.classList.add('cur');
  row.setAttribute('aria-current', 'true');
  row.scrollIntoView({ block: 'nearest' });
  if (focus) row.querySelector('[data-name]')?.focus({ preventScroll: true });
}

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by));
  mark(all[next], !isOpen());
  if (isOpen()) openPanel(all[next], false);
}

async function openPanel(row, thenFocus = true, thenWrite = false) {
  const box = panel();
  if (!box || !row) return;
  box.hidden = false;
  box.setAttribute('aria-busy', 'true');
  if (!box.innerHTML.trim()) box.innerHTML = '<span class="gy-sk t w6"></span><span class="gy-sk w9"></span><span class="gy-sk w6"></span><span class="gy-sk w9"></span>';
  document.body.classList.add('has-panel');
  await window.htmx.ajax('GET', row.dataset.panel, { target: '#panel', swap: 'innerHTML' });
  box.removeAttribute('aria-busy');
  box.setAttribute('aria-label', row.querySelector('[data-name]')?.textContent || '');
  if (thenWrite) box.querySelector('[data-composer] textarea')?.focus();
  else if (thenFocus) box.querySelector('a')?.focus({ preventScroll: true });
}

export function closePanel() {
  if (!isOpen()) return false;
  panel().hidden = true;
  panel().innerHTML = '';
  document.body.classList.remove('has-panel');
  current()?.querySelector('[data-name]')?.focus({ preventScroll: true });
  return true;
}

function showChosen() {
  const boxes = [...document.querySelectorAll('.gy-rowcb')];
  const chosen = boxes.filter((b) => b.checked);
  boxes.forEach((b) => b.closest('tr').classList.toggle('sel', b.checked));
  const label = document.querySelector('[data-chosen]');
  if (label) label.textContent = label.dataset.one.replace('{n}', chosen.length);
  const all = document.querySelector('[data-all]');
  if (all) {
    all.checked = boxes.length > 0 && chosen.length === boxes.length;
    all.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
}

function clearChosen() {
  const chosen = document.querySelectorAll('.gy-rowcb:checked');
  chosen.forEach((b) => { b.checked = false; });
  showChosen();
  return chosen.length > 0;
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  x: () => { const b = current()?.querySelector('.gy-rowcb'); if (b) { b.checked = !b.checked; showChosen(); } },
  e: () => (current() || document).querySelector('[data-edit]')?.click(),
  o: () => { if (current()) location.assign(current().dataset.href); },
  n: () => {
    if (panel() && current()) openPanel(current(), true, true);
    else document.querySelector('#composer textarea')?.focus();
  },
  z: () => current()?.querySelector('[data-key=z]')?.click(),
  d: () => current()?.querySelector('[data-key=d]')?.click(),
  '/': () => document.querySelector('[data-filter]')?.focus(),
  '?': () => document.getElementById('keys')?.showModal(),
};

export function startLists() {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest('input:not([type=checkbox]), textarea, select, dialog');
    if (event.key === 'Escape') {
      const cancel = event.target.closest('[data-cell]')?.querySelector('[data-cancel]');
      if (cancel) { cancel.click(); return; }
      if (typing && typing.matches('[data-filter]')) { typing.blur(); return; }
      if (typing?.closest('dialog')) return;
      if (closePanel()) return;
      clearChosen();
      return;
    }
    if (typing) return;
    if (event.key === 'Enter' && panel() && current() && (event.target === document.body || event.target.matches('[data-name]'))) {
      event.preventDefault();
      openPanel(current());
      return;
    }
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-close]')) { closePanel(); return; }
    if (event.target.closest('[data-clear]')) { clearChosen(); return; }
    const opener = event.target.closest('[data-open-panel]');
    if (opener && panel() && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      mark(opener.closest('[data-row]'), false);
      openPanel(opener.closest('[data-row]'));
      return;
    }
    const row = event.target.closest('[data-row]');
    if (row && panel() && !event.target.closest('a, button, input, select, textarea, summary, label, form')) {
      mark(row, false);
      openPanel(row);
    }
  });
  document.addEventListener('change', (event) => {
    if (event.target.matches('[data-all]')) {
      document.querySelectorAll('.gy-rowcb').forEach((b) => { b.checked = event.target.checked; });
    }
    if (event.target.matches('[data-all], .gy-rowcb')) showChosen();
  });
  /* a panel drawn anew under the fingers keeps the focus, or the next key would start at the top */
  let wasInPanel = false;
  document.addEventListener('htmx:beforeSwap', (event) => {
    if (event.target === panel()) wasInPanel = panel().contains(document.activeElement);
  });
  document.addEventListener('htmx:afterSettle', (event) => {
    if (event.target !== panel() || !wasInPanel || document.activeElement !== document.body) return;
    wasInPanel = false;
    panel().querySelector('a')?.focus({ preventScroll: true });
  });
  /* after a list was drawn anew the first row is current again */
  document.addEventListener('htmx:afterSettle', (event) => {
    if (event.target.querySelector?.('[data-chosen]')) showChosen();
    const field = event.target.querySelector?.('[data-cell] [autofocus]') || (event.target.matches?.('[data-cell]') && event.target.querySelector('[autofocus]'));
    if (field) { field.focus(); field.select?.(); }
  });
  /* the part of the page that is being read is marked in the rail */
  const rail = document.querySelector('[data-rail]');
  if (rail) {
    const links = new Map([...rail.querySelectorAll('a')].map((a) => [a.hash.slice(1), a]));
    const seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting || !links.has(entry.target.id)) continue;
        links.forEach((a) => a.removeAttribute('aria-current'));
        links.get(entry.target.id).setAttribute('aria-current', 'true');
      }
    }, { rootMargin: '-25% 0px -65% 0px' });
    const watch = () => links.forEach((_, id) => { const part = document.getElementById(id); if (part) seen.observe(part); });
    watch();
    document.addEventListener('htmx:afterSettle', watch);
  }
}
