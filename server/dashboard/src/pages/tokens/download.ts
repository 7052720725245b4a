// Owns handing a text to the browser as a file. It never leaves this machine.

export function download(name: string, text: string, type: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken the file by the next turn; an old one may need a little longer.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
