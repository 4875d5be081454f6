/* Ctrl+K: the search page in a dialog, with arrow keys. */
export function startPalette() {
  const dialog = document.getElementById('palette');
  if (!dialog) return;
  const input = dialog.querySelector('input[type=search]');
  const purpose = dialog.querySelector('input[name=for]');
  const options = () => [...dialog.querySelectorAll('[role=option]')];

  function open(what) {
    purpose.value = what || '';
    input.value = '';
    if (!dialog.open) dialog.showModal();
    input.focus();
    window.htmx?.trigger(input, 'opened');
  }
  function choose(step) {
    const all = options();
    if (!all.length) return;
    const at = all.findIndex((o) => o.getAttribute('aria-selected') === 'true');
    const next = Math.max(0, Math.min(all.length - 1, at + step));
    all.forEach((o, i) => o.setAttribute('aria-selected', String(i === next)));
    all[next].scrollIntoView({ block: 'nearest' });
  }
  document.addEventListener('click', (event) => {
    const opener = event.target.closest('[data-palette]');
    if (opener && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      open(opener.dataset.palette);
    }
    if (event.target === dialog) dialog.close();
  });
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      open('');
    }
  });
  dialog.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      choose(event.key === 'ArrowDown' ? 1 : -1);
    }
    if (event.key === 'Enter' && event.target === input) {
      event.preventDefault();
      const link = options().find((o) => o.getAttribute('aria-selected') === 'true');
      if (link) location.assign(link.href);
    }
  });
  document.querySelectorAll('[data-keys]').forEach((b) => b.addEventListener('click', () => document.getElementById('keys').showModal()));
}
