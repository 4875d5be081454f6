/* The grid of renewals by keyboard: arrows move, e or Enter edits the row, Enter saves and goes on.
   One cell at a time is in the order of Tab; the row's editor is made from a template. */
const board = () => document.getElementById('board');
const template = () => document.getElementById('renewal-editor');
let last = null; /* {pk, col}: where the focus returns after the grid was drawn anew */
let open = null; /* the row that is being edited: {row, cells} */

const columns = (row) => [...row.querySelectorAll('td[tabindex]')];
const gridRows = () => [...document.querySelectorAll('#board tr[data-pk]')];

function rove(cell) {
  document.querySelectorAll('#board td[tabindex="0"]').forEach((one) => { one.tabIndex = -1; });
  if (cell) cell.tabIndex = 0;
}

function goTo(cell) {
  if (!cell) return;
  rove(cell);
  cell.focus({ preventScroll: true });
  cell.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  const row = cell.closest('tr');
  last = { pk: row.dataset.pk, col: columns(row).indexOf(cell) };
  document.querySelectorAll('#board tr.cur').forEach((one) => { one.classList.remove('cur'); one.removeAttribute('aria-current'); });
  row.classList.add('cur');
  row.setAttribute('aria-current', 'true');
}

function step(cell, down, right) {
  const row = cell.closest('tr');
  const all = gridRows();
  const at = columns(row).indexOf(cell);
  if (right) { goTo(columns(row)[at + right]); return; }
  const next = all[all.indexOf(row) + down];
  if (next) goTo(columns(next)[at]);
}

function stop() {
  if (!open) return;
  open.cells.forEach(([cell, html]) => { cell.innerHTML = html; });
  open.row.classList.remove('editing');
  const cell = columns(open.row)[open.col] || columns(open.row)[0];
  open = null;
  goTo(cell);
}

function edit(row, col, typed = '') {
  if (!row.dataset.save || !template()) return;
  stop();
  const cells = ['[data-col=category]', '[data-col=amount]', '[data-col=asked]', '.apart'].map((one) => row.querySelector(one));
  const kept = cells.map((cell) => [cell, cell.innerHTML]);
  const parts = template().content.cloneNode(true);
  const [select, amount, price, why] = parts.children;
  select.value = [...select.options].some((o) => o.value === row.dataset.category) ? row.dataset.category : 'unjudged';
  amount.value = (col === 'amount' && typed) || row.dataset.amount;
  price.value = (col === 'asked' && typed) || row.dataset.asked;
  cells[0].replaceChildren(select);
  cells[1].replaceChildren(amount);
  cells[2].append(price); /* what comes due stays in sight: the price is more or less than that */
  cells[2].querySelectorAll('.sub').forEach((one) => one.remove());
  cells[3].replaceChildren(why);
  row.classList.add('editing');
  open = { row, cells: kept, col, saving: false };
  const at = Math.max(['category', 'amount', 'asked'].indexOf(col), 0);
  const field = [select, amount, price][at];
  open.col = columns(row).indexOf(cells[at]);
  field.focus();
  if (field !== select && !typed) field.select();
}

async function save(thenDown) {
  if (!open || open.saving) return;
  const { row } = open;
  const category = row.querySelector('[name=category]').value;
  const why = row.querySelector('[name=why]').value;
  if (category === 'lost') { /* a loss asks for its cause: that is the panel's */
    stop();
    await show(row.dataset.panel);
    const part = document.querySelector('#panel [data-lose]');
    if (part) { part.open = true; part.querySelector('select')?.focus(); }
    return;
  }
  const values = { ...asked(), category, why, unit: board().dataset.unit };
  const amount = row.querySelector('[name=amount]').value.trim();
  if (amount !== row.dataset.amount || category === row.dataset.category) values.amount = amount;
  const price = row.querySelector('[name=asked]').value.trim();
  if (price !== row.dataset.asked) values.asked = price;
  if (category === row.dataset.category && amount === row.dataset.amount && values.asked === undefined && !why) { stop(); return; }
  const all = gridRows();
  const next = thenDown ? all[all.indexOf(row) + 1] : null;
  last = { pk: (next || row).dataset.pk, col: open.col };
  open.saving = true;
  await window.htmx.ajax('POST', row.dataset.save, { source: '#board', target: '#board', swap: 'outerHTML', values });
  if (open && open.row.isConnected) open.saving = false; else open = null;
}

/* what the grid was asked for, so that the same is drawn again */
function asked() {
  const found = {};
  new URL(board().getAttribute('hx-get'), location.origin).searchParams.forEach((value, name) => { found[name] = value; });
  return found;
}

async function show(path) {
  const box = document.getElementById('panel');
  box.hidden = false;
  document.body.classList.add('has-panel');
  const settled = new Promise((done) => { box.addEventListener('htmx:afterSettle', done, { once: true }); });
  window.htmx.ajax('GET', path, { target: '#panel', swap: 'innerHTML' });
  await settled;
  box.querySelector('a')?.focus({ preventScroll: true });
}

document.addEventListener('keydown', (event) => {
  if (event.isComposing) return;
  if (open && open.row.contains(event.target)) {
    if (event.key === 'Escape') { event.preventDefault(); event.stopPropagation(); stop(); }
    if (event.key === 'Enter' && !event.target.matches('[data-stop]')) { event.preventDefault(); event.stopPropagation(); save(true); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  let cell = event.target.closest('#board td[tabindex]');
  if (!cell && event.key === 'e' && !event.target.closest('input, textarea, select, dialog')) {
    const row = document.querySelector('#board tr.cur') || gridRows()[0];
    if (row) { event.preventDefault(); event.stopPropagation(); edit(row, 'category'); }
    return;
  }
  if (!cell || event.target.closest('input, textarea, select')) return;
  const way = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
  if (way) { event.preventDefault(); step(cell, ...way); return; }
  const row = cell.closest('tr');
  if (event.key === 'Home' || event.key === 'End') {
    event.preventDefault();
    const all = columns(row);
    goTo(event.key === 'Home' ? all[0] : all[all.length - 1]);
  } else if (event.key === 'Enter' || event.key === 'F2' || event.key === 'e') {
    event.preventDefault();
    event.stopPropagation();
    if (cell.dataset.col) edit(row, cell.dataset.col); else if (event.key === 'e') edit(row, 'category'); else show(row.dataset.panel);
  } else if (['amount', 'asked'].includes(cell.dataset.col) && /^[0-9]$/.test(event.key)) {
    event.preventDefault();
    edit(row, cell.dataset.col, event.key);
  }
}, true);

document.addEventListener('click', (event) => {
  if (event.target.closest('[data-stop]')) { stop(); return; }
  if (event.target.closest('[data-save]') && event.target.closest('.gy-edit-why')) { save(false); return; }
  const opener = event.target.closest('[data-open-renewal]');
  if (opener && !event.ctrlKey && !event.metaKey) { event.preventDefault(); show(opener.href); return; }
  const cell = event.target.closest('#board td[data-col]');
  if (cell && !cell.querySelector('input, select')) {
    event.stopPropagation(); /* the list would open the panel */
    goTo(cell);
    edit(cell.closest('tr'), cell.dataset.col);
  }
}, true);

/* after the grid was drawn anew: the focus is where the work goes on */
document.addEventListener('htmx:afterSettle', (event) => {
  if (event.target.id !== 'board') return;
  open = null;
  const row = last && document.querySelector(`#board tr[data-pk="${last.pk}"]`);
  if (row && document.activeElement === document.body) goTo(columns(row)[last.col] || columns(row)[0]);
  else rove(document.querySelector('#board tr[data-pk] td[data-col=category]'));
});
rove(document.querySelector('#board tr[data-pk] td[data-col=category]'));
