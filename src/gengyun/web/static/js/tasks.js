/* Tasks by keyboard: c makes a new one; in the panel e z a d work on the task that it shows. */
const panel = () => document.getElementById('panel');
const shown = () => panel()?.querySelector('[data-task]');

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest('input:not([type=checkbox]), textarea, select, dialog')) return;
  if (event.key === 'c') {
    const link = document.querySelector('[data-new]');
    if (link) { event.preventDefault(); location.assign(link.href); }
    return;
  }
  if (!shown() || !['e', 'a'].includes(event.key)) return;
  const button = panel().querySelector(`[data-key="${event.key}"]`);
  if (!button) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  button.click();
  button.closest('details')?.querySelector('select')?.focus();
}, true);

/* the row of the task that the panel shows stays current when the list is drawn anew */
document.addEventListener('htmx:afterSettle', (event) => {
  if (event.target.id !== 'tasks' || !shown()) return;
  const row = document.querySelector(`#tasks [data-row][data-pk="${shown().dataset.task}"]`);
  row?.classList.add('cur');
  row?.setAttribute('aria-current', 'true');
});

/* done in the list: the panel beside it says so too */
document.body.addEventListener('tasks-changed', (event) => {
  const task = shown();
  if (!task || panel().contains(event.target)) return;
  const row = document.querySelector(`#tasks [data-row][data-pk="${task.dataset.task}"]`);
  if (row) window.htmx.ajax('GET', row.dataset.panel, { target: '#panel', swap: 'innerHTML' });
});
