// The editor of an SOP: a list of kinds closes once one was chosen; everything else is plain forms.
// settings.js opens again what was open before the page was drawn anew.
document.addEventListener('click', (event) => {
  const kind = event.target.closest('.gy-kind');
  if (kind) kind.closest('details').open = false;
});
