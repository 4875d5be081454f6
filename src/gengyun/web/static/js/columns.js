/* The columns of a list: find one, drag it or move it by its buttons. Without script the buttons ask the server. */
const items = (list) => [...list.querySelectorAll('[data-col]')];

function move(item, by) {
  const list = item.parentElement;
  const shown = items(list).filter((one) => !one.hidden);
  const next = shown[shown.indexOf(item) + by];
  if (!next || next.matches('[data-fixed]')) return;
  list.insertBefore(item, by < 0 ? next : next.nextElementSibling);
}

export function startColumns() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-col-up], [data-col-down]');
    if (!button) return;
    event.preventDefault();
    move(button.closest('[data-col]'), button.matches('[data-col-up]') ? -1 : 1);
    button.focus();
  });
  document.addEventListener('input', (event) => {
    if (!event.target.matches('[data-col-find]')) return;
    const wanted = event.target.value.trim().toLowerCase();
    for (const item of items(event.target.closest('form'))) item.hidden = !item.textContent.toLowerCase().includes(wanted);
  });
  /* Enter in the search field finds, it does not send */
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && event.target.matches?.('[data-col-find]')) event.preventDefault();
  });
  let dragged = null;
  document.addEventListener('dragstart', (event) => {
    dragged = event.target.closest?.('[data-col]:not([data-fixed])') || null;
    if (dragged) { event.dataTransfer.effectAllowed = 'move'; dragged.classList.add('dragged'); }
  });
  document.addEventListener('dragover', (event) => {
    const over = dragged && event.target.closest?.('[data-col]');
    if (!over || over.parentElement !== dragged.parentElement || over === dragged) return;
    event.preventDefault();
    const box = over.getBoundingClientRect();
    const isBefore = event.clientY < box.top + box.height / 2;
    if (isBefore && over.matches('[data-fixed]')) return;
    over.parentElement.insertBefore(dragged, isBefore ? over : over.nextElementSibling);
  });
  document.addEventListener('dragend', () => { dragged?.classList.remove('dragged'); dragged = null; });
  /* a value that is written is a value that is meant: its box is ticked */
  document.addEventListener('input', (event) => {
    const row = event.target.closest('[data-set]');
    const box = row?.querySelector('[data-set-box]');
    if (box && event.target !== box) box.checked = true;
  });
}
