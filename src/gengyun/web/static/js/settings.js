// Behaviour of the settings pages: copy buttons, dropping a file. Everything else is plain forms.
document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  const text = document.querySelector(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // plain http: no clipboard; the selected text is one key press away
    const range = document.createRange();
    range.selectNodeContents(document.querySelector(button.dataset.copy));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    if (!document.execCommand('copy')) return;
  }
  const label = button.querySelector('span');
  const before = label.textContent;
  label.textContent = button.dataset.done;
  setTimeout(() => { label.textContent = before; }, 2000);
});

for (const zone of document.querySelectorAll('[data-drop]')) {
  const input = zone.querySelector('input[type=file]');
  for (const name of ['dragenter', 'dragover']) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add('over'); });
  }
  for (const name of ['dragleave', 'drop']) {
    zone.addEventListener(name, () => zone.classList.remove('over'));
  }
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    input.files = event.dataTransfer.files;
  });
}

// A list that is fetched again keeps open what a person opened.
let opened = [];
document.addEventListener('htmx:beforeSwap', (event) => {
  opened = [...event.detail.target.querySelectorAll('details[open][id]')].map((d) => d.id);
});
document.addEventListener('htmx:afterSwap', () => {
  for (const id of opened) {
    const details = document.getElementById(id);
    if (details) details.open = true;
  }
});

// A name that was seen is added to the list of names as a line of its own.
document.addEventListener('click', (event) => {
  const chip = event.target.closest('[data-add-line]');
  if (!chip) return;
  const field = document.querySelector(chip.dataset.addLine);
  const lines = field.value.split('\n').map((line) => line.trim()).filter(Boolean);
  const name = chip.textContent.trim();
  if (!lines.includes(name)) lines.push(name);
  field.value = lines.join('\n');
  field.dispatchEvent(new Event('change', { bubbles: true }));
});

// On a phone the sections are a strip: the current one must be seen.
document.querySelector('.gy-set-nav [aria-current]')?.scrollIntoView({ inline: 'center', block: 'nearest' });
