// Owns the English text of keys and of the way to anywhere by typing. See `en.ts`.

export const keyboardEn = {
  title: 'Keys',
  link: 'Keys',
  help: 'Show these keys',
  search: 'Search on this page',
  undo: 'Undo, while it is offered',
  on: 'Single keys do something',
  onHint: 'Switch it off if you dictate, or press keys by accident.',
  palette: 'Go to…',
  palettePlaceholder: 'Page, device or location',
  nothing: 'Nothing is called so.',
  next: 'Next',
  previous: 'Previous',
  select: 'Select',
};
