/* Small windows made of <details>: one open at a time, Esc and a click elsewhere close. */
export function startPopovers() {
  const open = () => [...document.querySelectorAll('details.gy-pop[open]')];
  document.addEventListener('click', (event) => {
    for (const pop of open()) if (!pop.contains(event.target)) pop.open = false;
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    for (const pop of open()) {
      pop.open = false;
      pop.querySelector('summary').focus();
      event.stopImmediatePropagation();
    }
  }, true);
  document.addEventListener('toggle', (event) => {
    const pop = event.target;
    if (!pop.matches?.('details.gy-pop') || !pop.open) return;
    pop.querySelector('input:not([type=hidden]), select')?.focus();
    /* keep it on the screen: near the right edge it opens to the left */
    const box = pop.querySelector(':scope > div');
    pop.classList.remove('left');
    if (box.getBoundingClientRect().left < 0) pop.classList.add('left');
  }, true);
  /* a form that only chooses sends itself */
  document.addEventListener('change', (event) => {
    const form = event.target.closest('form[data-auto]');
    if (form) form.requestSubmit();
  });
}
