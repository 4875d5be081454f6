/* The queue of alerts by keyboard: e z a 1 2 3 work on the current row; what is done moves on. */
const LISTS = ['queue', 'needs']; /* the page of alerts, and Today */
const queue = () => document.getElementById('queue');
const panel = () => document.getElementById('panel');
const shown = () => panel()?.querySelector('[data-alert]')?.dataset.alert;
const rows = () => [...document.querySelectorAll('#queue [data-row], #needs [data-row]')];
const KEYS = ['e', 'z', 'a', '1', '2', '3'];
let place = -1;

async function open(path) {
  const box = panel();
  box.hidden = false;
  document.body.classList.add('has-panel');
  /* its buttons send by htmx only when it has settled */
  const settled = new Promise((done) => { box.addEventListener('htmx:afterSettle', done, { once: true }); });
  window.htmx.ajax('GET', path, { target: '#panel', swap: 'innerHTML' });
  await settled;
}

function mark(row) {
  rows().forEach((r) => { r.classList.remove('cur'); r.removeAttribute('aria-current'); });
  row.classList.add('cur');
  row.setAttribute('aria-current', 'true');
  row.scrollIntoView({ block: 'nearest' });
}

function press(key) {
  const button = panel()?.querySelector(`[data-key="${key}"]`);
  if (!button) return;
  button.click();
  /* a small window that opened gets the focus; a button that sends keeps it */
  button.closest('details')?.querySelector('select')?.focus();
}

document.addEventListener('keydown', async (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !KEYS.includes(event.key)) return;
  if (event.target.closest('input:not([type=checkbox]), textarea, select, dialog')) return;
  const row = document.querySelector('[data-row].cur');
  if (!panel() || (panel().hidden && !row)) return;
  event.preventDefault();
  if (panel().hidden) await open(row.dataset.panel);
  press(event.key);
});

/* a closed alert leaves the list: the next one takes its place, in the panel too */
document.body.addEventListener('alerts-changed', () => {
  place = rows().findIndex((r) => r.dataset.pk === shown());
});
document.addEventListener('htmx:afterSettle', (event) => {
  if (panel()?.contains(event.target)) {
    const beside = rows().find((r) => r.dataset.pk === shown());
    if (beside) mark(beside);
    return;
  }
  if (!LISTS.includes(event.target.id)) return;
  const current = rows().find((r) => r.dataset.pk === shown());
  if (current) { mark(current); return; }
  if (place < 0 || !shown()) return;
  const next = rows()[Math.min(place, rows().length - 1)];
  place = -1;
  if (next) {
    mark(next);
    open(next.dataset.panel);
  } else {
    panel().hidden = true;
    panel().innerHTML = '';
    document.body.classList.remove('has-panel');
  }
});

/* a link to one alert opens it beside the queue */
const first = queue()?.dataset;
if (first?.open) {
  const row = rows().find((r) => r.dataset.pk === first.open);
  if (row) mark(row);
  open(first.panel);
}
