// Owns the keys of the list: space selects the device whose name has the focus, every other key leads through the list.

export function keys(
  lead: (event: KeyboardEvent) => void,
  toggle: (name: string) => void,
): (event: KeyboardEvent) => void {
  return (event) => {
    const name =
      event.key === ' ' && event.target instanceof HTMLAnchorElement
        ? event.target.closest('[data-device]')?.getAttribute('data-device')
        : null;
    if (!name) return lead(event);
    event.preventDefault(); // the page would scroll
    return toggle(name);
  };
}
