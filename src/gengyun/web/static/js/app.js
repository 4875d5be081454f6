/* Behaviour of every page. Pages work without it: links and forms do the same things. */
import { startPalette } from './palette.js';
import { startToasts, say } from './toasts.js';
import { startLists } from './lists.js';
import { startComposers } from './composer.js';
import { startPopovers } from './popovers.js';
import { startColumns } from './columns.js';

startPalette();
startToasts();
startLists();
startComposers();
startPopovers();
startColumns();

/* An answer that is neither a page part nor a form with errors is not put on the page. */
document.addEventListener('htmx:beforeSwap', (event) => {
  const { xhr } = event.detail;
  const ours = xhr.getResponseHeader('HX-Reswap') || xhr.status === 422;
  if (xhr.status >= 400 && !ours) {
    event.detail.shouldSwap = false;
    say(document.body.dataset.failed, 'bad');
  }
});
document.addEventListener('htmx:sendError', () => say(document.body.dataset.failed, 'bad'));

/* Tabs that do not fit are scrolled sideways: the one that is open is in sight. */
const open = document.querySelector('nav.gy-tabs > [aria-current]');
if (open) open.parentElement.scrollLeft = open.offsetLeft - (innerWidth - open.offsetWidth) / 2;

/* Charts: the library is large, so it comes only to pages that draw. */
async function draw() {
  if (!document.querySelector('[data-chart]')) return;
  const { drawAll } = await import('./charts.js');
  drawAll();
}
document.addEventListener('htmx:afterSettle', draw);
draw();
