/* The board: cards move by mouse, by [ and ], and by the small form on each card. */
const board = () => document.querySelector('[data-board]');
const cardOf = (node) => node.closest?.('.gy-oc');
const stageOf = (node) => node.closest?.('.gy-stage');
const stages = () => [...board().querySelectorAll('.gy-stage')];
let dragged = null;
let back = null; /* the card that the keyboard moved: it is current again when the board is drawn anew */

function say(card, stage) {
  const line = document.querySelector('[data-said]');
  if (!line) return;
  line.textContent = line.dataset.moved
    .replace('{name}', card.querySelector('[data-name]').textContent)
    .replace('{stage}', stage.getAttribute('aria-label'));
}

async function open(card, doing) {
  const panel = document.getElementById('panel');
  panel.hidden = false;
  document.body.classList.add('has-panel');
  await window.htmx.ajax('GET', `${card.dataset.panel}?do=${doing}`, { target: '#panel', swap: 'innerHTML' });
  panel.querySelector(`#do-${doing}`)?.querySelector('input:not([type=hidden]), select')?.focus();
}

/* won and lost ask what was signed, or why; any other stage is a plain move */
function put(card, stage) {
  if (!stage || stageOf(card) === stage || 'fixed' in stage.dataset) return;
  const form = card.querySelector('[data-move]');
  if (!form) return;
  if (stage.dataset.do) {
    open(card, stage.dataset.do);
    return;
  }
  back = card.dataset.pk;
  stage.querySelector('ol').prepend(card);
  say(card, stage);
  window.htmx.ajax('POST', form.action, {
    source: form, target: '#panel', swap: 'none', values: { stage: stage.dataset.stage, from: 'board' },
  });
}

document.addEventListener('dragstart', (event) => {
  dragged = cardOf(event.target);
  if (!dragged) return;
  dragged.classList.add('dragged');
  event.dataTransfer.effectAllowed = 'move';
  event.dataTransfer.setData('text/plain', dragged.dataset.pk);
});
document.addEventListener('dragend', () => {
  dragged?.classList.remove('dragged');
  dragged = null;
  document.querySelectorAll('.gy-stage.over').forEach((s) => s.classList.remove('over'));
});
document.addEventListener('dragover', (event) => {
  const stage = dragged && stageOf(event.target);
  document.querySelectorAll('.gy-stage.over').forEach((s) => s.classList.toggle('over', s === stage));
  if (!stage) return;
  event.preventDefault();
  stage.classList.add('over');
});
document.addEventListener('drop', (event) => {
  const stage = dragged && stageOf(event.target);
  if (!stage) return;
  event.preventDefault();
  put(dragged, stage);
});

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !board()) return;
  if (event.target.closest('input, textarea, select, dialog')) return;
  const card = document.querySelector('.gy-oc.cur') || cardOf(document.activeElement);
  if (!card) return;
  const closing = { w: 'win', l: 'lose' }[event.key];
  if (closing && board().querySelector(`[data-do=${closing}]`) && card.querySelector('[data-move]')) {
    event.preventDefault();
    open(card, closing);
    return;
  }
  const by = { '[': -1, ']': 1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const all = stages();
  put(card, all[all.indexOf(stageOf(card)) + by]);
});

/* the small form: choosing a stage is enough */
document.addEventListener('change', (event) => {
  const form = event.target.closest('[data-move]');
  if (!form) return;
  put(cardOf(form), stages().find((s) => s.dataset.stage === event.target.value));
});

document.addEventListener('htmx:afterSettle', (event) => {
  if (!event.target.querySelector?.('[data-board]') || !back) return;
  const card = document.querySelector(`.gy-oc[data-pk="${back}"]`);
  back = null;
  if (!card) return;
  card.classList.add('cur');
  card.setAttribute('aria-current', 'true');
  card.querySelector('[data-name]').focus({ preventScroll: true });
});
